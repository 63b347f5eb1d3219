"""Lab 1: a TCP client that sends messages and reads back exactly as many bytes as it sent.

    this client                     a server
        | -- connects ----------------> |
        | -- b"hello" ----------------> |
        | <- b"he" -------------------- |   TCP may cut the echo anywhere:
        | <- b"llo" ------------------- |   read on until all 5 bytes are there
        | -- b"world" ----------------> |   only then the next message
        | <- b"world" ----------------- |

What goes out: each message's UTF-8 bytes, with nothing added.
What comes in: the same number of bytes, in one piece or in many.

By hand:  python -m labs.lab1_echo.tcp_client hello world
          python -m labs.lab1_echo.tcp_client        (then type lines; Ctrl+D or Ctrl+Z ends)
"""

import socket
import sys
from collections.abc import Iterator

from .. import frame


def echo(sock: socket.socket, message: bytes) -> bytes:
    """Send `message`, and return the echo: exactly as many bytes, in however many pieces they come.

    Raises ConnectionError when the server closes the connection before that.
    """
    # TODO 5: Send the whole message. Then receive until as many bytes are there as you sent,
    #   and not one more. No bytes at all means that the server has closed: ConnectionError.
    raise NotImplementedError("TODO 5")


def messages(arguments: list[str]) -> Iterator[str]:
    """Yield the messages to send: the arguments, or without any the lines of stdin."""
    if arguments:
        yield from arguments
    else:
        for line in sys.stdin:
            if text := line.removesuffix("\n"):
                yield text


def main() -> None:
    """Connect where the options say, and print the echo of each message."""
    parser = frame.client_options(__doc__, port=6789)
    parser.add_argument("messages", metavar="MESSAGE", nargs="*", help="none: the lines of stdin")
    options = parser.parse_args()
    server = options.host, options.port
    with (
        frame.error_line(f"no echo from {options.host}:{options.port}"),
        socket.create_connection(server) as sock,
    ):
        for message in messages(options.messages):
            print(echo(sock, message.encode()).decode(), flush=True)


if __name__ == "__main__":
    frame.run(main)
