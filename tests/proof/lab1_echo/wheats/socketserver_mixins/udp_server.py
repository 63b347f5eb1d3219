"""A UDP echo server on the standard library's socketserver."""

import signal
import socket
import socketserver
import sys
import threading

from .. import frame


class EchoHandler(socketserver.BaseRequestHandler):
    """Answers one datagram."""

    def handle(self) -> None:
        datagram, sock = self.request
        sock.sendto(datagram, self.client_address)


class EchoServer(socketserver.UDPServer):
    """Without SO_REUSEADDR: a second copy on the same port must fail."""

    max_packet_size = 65_535

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        super().server_bind()

    def handle_error(self, request: object, client_address: object) -> None:
        print(f"[INFO] {client_address} was not answered: {sys.exc_info()[1]}", flush=True)


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
