"""The peer of lab 2: an echo server as the standard library makes it, a thread for each client.

`python -m bench.echo_peer PORT`. It logs nothing but that it can be reached.
"""

import socket
import socketserver
import sys

PIECE = 65_536  # bytes: the most that one recv() fetches, as in our server


class Echo(socketserver.BaseRequestHandler):
    """One client: every byte goes back, until it ends its sending side."""

    def handle(self) -> None:
        """Echo to the end."""
        while piece := self.request.recv(PIECE):
            self.request.sendall(piece)


class Server(socketserver.ThreadingTCPServer):
    """The server, with the settings that many clients need."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = socket.SOMAXCONN


def main() -> None:
    """Serve at the port that is named, until it is killed."""
    with Server(("127.0.0.1", int(sys.argv[1])), Echo) as server:
        print(f"Listening on 127.0.0.1:{sys.argv[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
