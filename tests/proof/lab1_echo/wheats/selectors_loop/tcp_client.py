"""A TCP echo client on a selector: it connects with its first message, and never blocks."""

import contextlib
import errno
import os
import selectors
import socket
import sys

from .. import frame

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Line:
    """One connection that waits for what it wants to do, never inside a call."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.sock, WRITE)

    def close(self) -> None:
        """Give back what the system lent."""
        self.selector.close()
        self.sock.close()

    def connect(self, host: str, port: int) -> None:
        """Start to connect, and wait for how it ends."""
        address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
        code = self.sock.connect_ex(address)
        if code in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            self.wait(WRITE)
            code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))

    def wait(self, wanted: int) -> int:
        """Return which of the wanted events is possible, as soon as one is."""
        self.selector.modify(self.sock, wanted)
        while True:
            for _, events in self.selector.select(0.5):
                return events

    def echo(self, message: bytes) -> bytes:
        """Send and receive side by side, until both are complete."""
        unsent, received = memoryview(message), bytearray()
        while unsent or len(received) < len(message):
            missing = len(message) - len(received)
            events = self.wait((WRITE if unsent else 0) | (READ if missing else 0))
            with contextlib.suppress(BlockingIOError):
                if events & READ:
                    piece = self.sock.recv(missing)
                    if not piece:
                        raise ConnectionError("the server hung up")
                    received += piece
                if events & WRITE:
                    unsent = unsent[self.sock.send(unsent) :]
        return bytes(received)


def main() -> None:
    """Print the echo of each message."""
    parser = frame.client_options(__doc__, port=6789)
    parser.add_argument("messages", nargs="*")
    options = parser.parse_args()
    with (
        frame.error_line(f"no echo from {options.host}:{options.port}"),
        contextlib.closing(Line()) as line,
    ):
        connected = False
        for text in options.messages or sys.stdin or ():
            message = text if options.messages else text.removesuffix("\n")
            if message or options.messages:
                if not connected:
                    line.connect(options.host, options.port)
                    connected = True
                print(line.echo(message.encode()).decode(), flush=True)


if __name__ == "__main__":
    frame.run(main)
