"""Lab 1: a TCP server that sends every byte back, to one client after another.

    a client                        this server
        | -- connects ----------------> |
        | -- b"hel" ------------------> |
        | <- b"hel" ------------------- |   as it comes: TCP is a stream, it knows no messages
        | -- b"lo" -------------------> |
        | <- b"lo" -------------------- |
        | -- ends its sending side ---> |
        | <- closes ------------------- |   and the next client's turn has come

What comes in: any bytes, any amount, cut into pieces anywhere.
What goes out: the same bytes in the same order.

By hand:  python -m labs.lab1_echo.tcp_server
          python -m labs.lab1_echo.tcp_client hello world
"""

import socket

from .. import frame

PIECE = 65_536  # bytes: the most that one recv() fetches; any size does, larger is faster


def serve(listener: socket.socket) -> None:
    """Serve one client after another, for ever."""
    # TODO 3: Accept a client, echo() its bytes, and close its connection. A client that breaks
    #   the connection (an OSError) must not end the server. Then the next client, for ever.
    raise NotImplementedError("TODO 3")


def echo(connection: socket.socket) -> None:
    """Send every byte back as it comes, until the client ends its sending side."""
    # TODO 4: Receive what has come, send all of it back, and so on. No bytes at all means
    #   that the client has ended its sending side: return.
    raise NotImplementedError("TODO 4")


def main() -> None:
    """Listen where the options say, and serve."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        # socket(), SO_REUSEADDR (where it lets us restart at once), bind() and listen() in one.
        listener = socket.create_server((options.host, options.port))
    with listener:
        frame.ready(listener)
        serve(listener)


if __name__ == "__main__":
    frame.run(main)
