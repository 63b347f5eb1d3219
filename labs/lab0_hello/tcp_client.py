"""Lab 0: a TCP client that says one hello and waits for the answer.

    this client                     the server
        | -- connects ----------------> |
        | -- b"HEY!" -----------------> |
        | <- "Are you talking to me?" - |
        | <- closes ------------------- |   and both stop

Read it from top to bottom: nothing is missing here.
"""

import socket
from datetime import datetime

from .. import frame

HELLO = b"HEY!"
PATIENCE = 2.0  # seconds, for each wait
MAX_ANSWER = 4_096  # bytes


def main() -> None:
    """Connect, send one hello, and show the answer."""
    options = frame.client_options(__doc__, port=6789).parse_args()
    frame.info(f"Starting the client at {datetime.now()}")
    server = options.host, options.port

    with (
        frame.error_line(f"no answer from {options.host}:{options.port}"),
        # Two steps in one: socket() and connect(). From then on both ends can send and receive.
        socket.create_connection(server, timeout=PATIENCE) as sock,
    ):
        sock.sendall(HELLO)
        # The first piece that arrives. Lab 1 shows why there may be more, and how to read on.
        answer = sock.recv(MAX_ANSWER)
        if not answer:  # no bytes at all: the server has closed its end
            raise ConnectionError("the server closed the connection without a word")
        frame.info(f"At {datetime.now()} {server} said {answer!r}")


if __name__ == "__main__":
    frame.run(main)
