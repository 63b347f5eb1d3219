"""A UDP echo client on a selector: connected, but patient with a server that is not there yet."""

import contextlib
import selectors
import socket
import sys
import time

from .. import frame


def answered(selector: selectors.BaseSelector, message: bytes, timeout: float) -> bool:
    """Return whether the echo arrives within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        for key, _ in selector.select(min(left, 0.5)):
            with contextlib.suppress(BlockingIOError, ConnectionError):
                if key.fileobj.recv(65_535) == message:
                    return True
    return False


def main() -> None:
    """Ask as often as the options say."""
    parser = frame.client_options(__doc__, port=6789)
    parser.add_argument("--timeout", type=frame.seconds, default=1.0)
    parser.add_argument("--attempts", type=frame.count, default=3)
    parser.add_argument("message")
    options = parser.parse_args()
    message = options.message.encode(errors="replace")
    with (
        frame.error_line(f"no echo from {options.host}"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        selectors.DefaultSelector() as selector,
    ):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        sock.connect((options.host, options.port))  # from now on the system drops strangers
        sock.setblocking(False)
        selector.register(sock, selectors.EVENT_READ)
        for _ in range(options.attempts):
            with contextlib.suppress(BlockingIOError, ConnectionError):
                sock.send(message)
            if answered(selector, message, options.timeout):
                print(message.decode(), flush=True)
                return
    sys.exit(f"[ERROR] no echo from {options.host}: tried {options.attempts} times")


if __name__ == "__main__":
    frame.run(main)
