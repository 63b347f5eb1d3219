"""An echo server for many clients on the standard library's socketserver."""

import contextlib
import os
import signal
import socket
import socketserver
import sys
import threading
import time

from .. import frame


class EchoHandler(socketserver.BaseRequestHandler):
    """Serves one connection."""

    def handle(self) -> None:
        while piece := self.request.recv(16_384):
            self.request.sendall(piece)


class EchoServer(socketserver.ThreadingTCPServer):
    """Remembers its connections, to count them and to end them when it is told to stop."""

    allow_reuse_address = os.name == "posix"  # on Windows it would let two servers listen
    request_queue_size = 512

    def server_activate(self) -> None:
        self.connections: set[socket.socket] = set()
        self.lock = threading.Lock()
        super().server_activate()

    def get_request(self) -> tuple[socket.socket, object]:
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.05)  # without file descriptors, this would be tried again at once
            raise

    def process_request(self, request: socket.socket, client_address: object) -> None:
        with self.lock:
            self.connections.add(request)
            frame.info(f"Hello ({len(self.connections)} online)")
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:
        super().shutdown_request(request)
        with self.lock:
            self.connections.remove(request)
            frame.info(f"Bye ({len(self.connections)} online)")

    def server_close(self) -> None:
        with self.lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        super().server_close()  # waits for the threads

    def handle_error(self, request: object, client_address: object) -> None:
        frame.info(f"{client_address} broke off: {sys.exc_info()[1]}")


def main() -> None:
    """Serve until a signal comes."""
    options = frame.server_options(__doc__, port=8081).parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        server = EchoServer((options.host, options.port), EchoHandler, bind_and_activate=False)
        server.server_bind()
        server.server_activate()
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
