"""A plain UDP echo client that waits with select() and leaves with code 130 at Ctrl+C."""

import select
import socket
import sys
import time

from .. import frame


def answered(sock: socket.socket, server: tuple[str, int], message: bytes, timeout: float) -> bool:
    """Return whether the echo comes within `timeout` seconds; look up for Ctrl+C meanwhile."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        if select.select([sock], [], [], min(left, 0.5))[0]:
            try:
                datagram, sender = sock.recvfrom(65_535)
            except ConnectionError:  # Windows: an earlier datagram found nobody
                continue
            if sender == server and datagram == message:
                return True
    return False


def main() -> None:
    """Ask, again and again, as the options say."""
    parser = frame.client_options(__doc__, port=6789)
    parser.add_argument("--timeout", type=frame.seconds, default=1.0)
    parser.add_argument("--attempts", type=frame.count, default=3)
    parser.add_argument("message")
    options = parser.parse_args()
    with frame.error_line("no echo"), socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        server = socket.gethostbyname(options.host), options.port
        message = options.message.encode()
        for number in range(options.attempts):
            frame.info(f"attempt {number + 1}")
            sock.sendto(message, server)
            if answered(sock, server, message, options.timeout):
                frame.info("the server answers:")
                print(options.message, flush=True)
                return
    sys.exit("[ERROR] no echo: nobody answers")


def interruptible() -> None:
    """Run main(), with the shell's code for a program that Ctrl+C ended."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    frame.run(interruptible)
