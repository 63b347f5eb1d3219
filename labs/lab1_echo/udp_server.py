"""Lab 1: a UDP server that sends every datagram back to where it came from.

    a client                        this server
        | -- datagram: b"hello" ------> |
        | <- datagram: b"hello" ------- |   the same bytes, to the same address

What comes in: datagrams of 0 to 65,507 bytes, from any number of clients in any order.
What goes out: for each of them one datagram with the same bytes, to its sender alone.

By hand:  python -m labs.lab1_echo.udp_server
          python -m labs.lab1_echo.udp_client hello
"""

import socket

from .. import frame

MAX_DATAGRAM = 65_507  # bytes: 65,535 less the headers of IPv4 (20) and of UDP (8)


def serve(sock: socket.socket) -> None:
    """Send every datagram that reaches `sock` back to the address that it came from, for ever."""
    # TODO 1: Wait for a datagram, see which address it came from, and send the same bytes
    #   back there. Then wait for the next one, for ever.
    raise NotImplementedError("TODO 1")


def main() -> None:
    """Bind where the options say, and serve."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # macOS sends no datagram of more than 9,216 bytes unless the socket has room for it.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_DATAGRAM)
        with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
            sock.bind((options.host, options.port))
        frame.ready(sock)
        serve(sock)


if __name__ == "__main__":
    frame.run(main)
