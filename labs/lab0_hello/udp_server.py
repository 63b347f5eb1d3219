"""Lab 0: a UDP server that answers one hello and stops.

    the client                      this server
        | -- datagram: b"HEY!" -------> |
        | <- "Are you talking to me?" - |   and both stop

Read it from top to bottom: nothing is missing here.
By hand, in two terminals:  python -m labs.lab0_hello.udp_server
                            python -m labs.lab0_hello.udp_client
"""

import socket
from datetime import datetime

from .. import frame

ANSWER = b"Are you talking to me?"
MAX_HELLO = 4_096  # bytes; what is longer than this is cut off


def main() -> None:
    """Answer one datagram."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    frame.info(f"Starting the server at {datetime.now()}")

    # A socket is one end of a wire. AF_INET: IPv4 addresses. SOCK_DGRAM: datagrams, so UDP.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # bind() takes an address and a port for us: whatever is sent there comes to this socket.
        with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
            sock.bind((options.host, options.port))
        frame.info("Waiting for a client to call.")
        frame.ready(sock)

        # recvfrom() sleeps until a datagram is there, and tells who sent it.
        hello, client = sock.recvfrom(MAX_HELLO)
        frame.info(f"At {datetime.now()} {client} said {hello!r}")
        sock.sendto(ANSWER, client)


if __name__ == "__main__":
    frame.run(main)
