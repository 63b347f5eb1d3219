"""Lab 0: a UDP client that says one hello and waits for the answer.

    this client                     the server
        | -- datagram: b"HEY!" -------> |
        | <- "Are you talking to me?" - |   and both stop

Read it from top to bottom: nothing is missing here.
"""

import socket
from datetime import datetime

from .. import frame

HELLO = b"HEY!"
PATIENCE = 2.0  # seconds; UDP does not tell us when a datagram is lost
MAX_ANSWER = 4_096  # bytes


def main() -> None:
    """Send one datagram, and show the answer."""
    options = frame.client_options(__doc__, port=6789).parse_args()
    frame.info(f"Starting the client at {datetime.now()}")

    with (
        frame.error_line(f"no answer from {options.host}:{options.port}"),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
    ):
        # No bind() here: the system gives us a free port with the first sendto().
        sock.sendto(HELLO, (options.host, options.port))
        sock.settimeout(PATIENCE)
        answer, server = sock.recvfrom(MAX_ANSWER)
        frame.info(f"At {datetime.now()} {server} said {answer!r}")


if __name__ == "__main__":
    frame.run(main)
