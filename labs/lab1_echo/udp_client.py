"""Lab 1: a UDP client that sends a message, waits for its echo, and tries again when none comes.

    this client                     a server
        | -- datagram: b"hello" ---X    |   lost: UDP promises nothing
        |    (waits, in vain)           |
        | -- datagram: b"hello" ------> |   the next attempt
        | <- datagram: b"hello" ------- |

What goes out: the message's UTF-8 bytes as one datagram, once an attempt.
What comes in: whatever anybody sends to our port. The answer is what has the same bytes and
comes from the server; all else is ignored, and does not make the wait any longer.

By hand:  python -m labs.lab1_echo.udp_client --timeout 0.5 --attempts 5 hello
"""

import contextlib
import socket
import time

from .. import frame

MAX_DATAGRAM = 65_507  # bytes: 65,535 less the headers of IPv4 (20) and of UDP (8)

Address = tuple[str, int]


def ask(
    sock: socket.socket, server: Address, message: bytes, timeout: float, attempts: int
) -> bytes:
    """Send `message` to `server` until its echo comes: `attempts` times at most, `timeout` s each.

    Return the echo; raise TimeoutError when no attempt was answered.
    """
    # TODO 2: Send the message, and look at what arrives until `timeout` seconds are over.
    #   Return the echo when it is there: these bytes, from this server. Otherwise send again;
    #   after the last attempt raise TimeoutError with a text that says what happened.
    raise NotImplementedError("TODO 2")


def main() -> None:
    """Send the message that the options name, and print its echo."""
    parser = frame.client_options(__doc__, port=6789)
    parser.add_argument("--timeout", type=frame.seconds, default=1.0, help="seconds an attempt")
    parser.add_argument("--attempts", type=frame.count, default=3, help="how often to send")
    parser.add_argument("message", metavar="MESSAGE")
    options = parser.parse_args()
    with (
        frame.error_line(f"no echo from {options.host}:{options.port}"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        # macOS sends no datagram of more than 9,216 bytes unless the socket has room for it.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_DATAGRAM)
        server = socket.gethostbyname(options.host), options.port
        message = options.message.encode()
        print(ask(sock, server, message, options.timeout, options.attempts).decode())


if __name__ == "__main__":
    frame.run(main)
