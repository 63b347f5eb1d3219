"""A UDP echo server on one non-blocking socket and a selector."""

import selectors
import socket

from .. import frame

Datagram = tuple[bytes, tuple[str, int]]


def step(sock: socket.socket, held: Datagram | None) -> Datagram | None:
    """Receive and answer one datagram; return the one that cannot be sent just now."""
    try:
        if held is None:
            held = sock.recvfrom(65_535)
        sock.sendto(*held)
    except BlockingIOError:
        return held
    except OSError as error:
        frame.info(f"A datagram is lost: {error}")
    return None


def main() -> None:
    """Serve for ever; Ctrl+C is looked for at least twice a second."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        selectors.DefaultSelector() as selector,
    ):
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
            sock.bind((options.host, options.port))
        frame.ready(sock)
        selector.register(sock, selectors.EVENT_READ)
        held = None
        while True:
            if selector.select(0.5):
                held = step(sock, held)
                selector.modify(sock, selectors.EVENT_WRITE if held else selectors.EVENT_READ)


if __name__ == "__main__":
    frame.run(main)
