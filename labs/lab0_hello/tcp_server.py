"""Lab 0: a TCP server that answers one hello and stops.

    the client                      this server
        | -- connects ----------------> |
        | -- b"HEY!" -----------------> |
        | <- "Are you talking to me?" - |
        | <- closes ------------------- |   and both stop

Read it from top to bottom: nothing is missing here.
By hand, in two terminals:  python -m labs.lab0_hello.tcp_server
                            python -m labs.lab0_hello.tcp_client
"""

import socket
from datetime import datetime

from .. import frame

ANSWER = b"Are you talking to me?"
MAX_HELLO = 4_096  # bytes; we answer to the first piece that arrives


def main() -> None:
    """Answer one client."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    frame.info(f"Starting the server at {datetime.now()}")

    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        # Four steps in one: socket(), SO_REUSEADDR where that is safe, bind() and listen().
        listener = socket.create_server((options.host, options.port))
    with listener:
        frame.info("Waiting for a client to call.")
        frame.ready(listener)

        # accept() sleeps until a client connects. The listener goes on listening; what is said
        # to this client goes through a second socket, the connection.
        connection, client = listener.accept()
        with connection, frame.error_line(f"{client} is gone"):
            hello = connection.recv(MAX_HELLO)
            if not hello:  # no bytes at all: the client has closed its end
                raise ConnectionError("it left without a word")
            frame.info(f"At {datetime.now()} {client} said {hello!r}")
            connection.sendall(ANSWER)


if __name__ == "__main__":
    frame.run(main)
