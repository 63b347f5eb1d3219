"""A plain TCP echo client that reads its lines with input()."""

import select
import socket
import sys
from collections.abc import Iterator

from .. import frame


def echo(sock: socket.socket, message: bytes) -> bytes:
    """Return what comes back for `message`."""
    sock.sendall(message)
    pieces = []
    missing = len(message)
    while missing:
        while not select.select([sock], [], [], 0.5)[0]:
            pass  # a Ctrl+C just before recv() would be slept over
        pieces.append(sock.recv(min(missing, 8192)))
        if not pieces[-1]:
            raise ConnectionResetError("the server has left")
        missing -= len(pieces[-1])
    return b"".join(pieces)


def typed() -> Iterator[str]:
    """Yield the lines of stdin that are not empty; ask for them when a person sits there."""
    prompt = "> " if sys.stdin and sys.stdin.isatty() and sys.stdout.isatty() else ""
    while sys.stdin:
        try:
            text = input(prompt)
        except EOFError:
            return
        if text:
            yield text


def main() -> None:
    """Send the messages, and print what comes back."""
    parser = frame.client_options(__doc__, port=6789)
    parser.add_argument("messages", nargs="*")
    options = parser.parse_args()
    address = options.host, options.port
    with frame.error_line("no echo"), socket.create_connection(address) as sock:
        for message in options.messages or typed():
            print(echo(sock, message.encode()).decode(), flush=True)


def interruptible() -> None:
    """Run main(), with the shell's code for a program that Ctrl+C ended."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    frame.run(interruptible)
