"""A TCP echo server on the standard library's socketserver, a thread a client."""

import contextlib
import os
import signal
import socket
import socketserver
import threading
import time

from .. import frame


class EchoHandler(socketserver.BaseRequestHandler):
    """Serves one connection."""

    def handle(self) -> None:
        while piece := self.request.recv(16_384):
            self.request.sendall(piece)


class EchoServer(socketserver.ThreadingTCPServer):
    """Remembers its connections, to end them when it is told to stop."""

    allow_reuse_address = os.name == "posix"  # on Windows it would let two servers listen
    daemon_threads = True
    request_queue_size = 128

    def server_activate(self) -> None:
        self.connections: set[socket.socket] = set()
        super().server_activate()

    def get_request(self) -> tuple[socket.socket, object]:
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.05)  # without file descriptors, this would be tried again at once
            raise

    def process_request(self, request: socket.socket, client_address: object) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in getattr(self, "connections", set()).copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: a broken connection is the client's business."""


def main() -> None:
    """Serve until a signal comes."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        server = EchoServer((options.host, options.port), EchoHandler)
    with server:
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(
                    getattr(signal, name),
                    lambda *_: threading.Thread(target=server.shutdown).start(),
                )
        frame.ready(server.socket)
        server.serve_forever()


if __name__ == "__main__":
    frame.run(main)
