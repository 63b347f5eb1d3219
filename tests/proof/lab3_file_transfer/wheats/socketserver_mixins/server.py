"""A server that takes files, on the standard library's socketserver: a thread a client."""

import contextlib
import os
import shutil
import signal
import socket
import socketserver
import struct
import sys
import tempfile
import threading
import time
import unicodedata
from pathlib import Path

from .. import frame

PIECE = 131_072  # bytes
LONGEST_NAME = 200  # bytes


class Refusal(Exception):
    """Says why an offer is not taken."""


class UploadHandler(socketserver.StreamRequestHandler):
    """Takes one client's uploads, and closes when none comes for the server's timeout."""

    def setup(self) -> None:
        self.timeout = self.server.patience
        super().setup()

    def handle(self) -> None:
        while True:
            try:
                offer = self.read_offer()
                if not offer:
                    return
                name, length = offer
                self.check(name, length)
                file = tempfile.NamedTemporaryFile(  # noqa: SIM115 - take() closes it
                    prefix=".incoming-", dir=self.server.directory, delete=False, buffering=0
                )
            except (Refusal, OSError) as error:
                if isinstance(error, (ConnectionError, TimeoutError)):
                    return
                self.reply(1, f"refused: {error.strerror if isinstance(error, OSError) else error}")
                continue
            if not self.take(file, f"received_{name.decode()}", length):
                return

    def read_offer(self) -> tuple[bytes, int] | None:
        """Return name and length, or None when there is nothing more to talk about."""
        head = self.rfile.read(4)
        if len(head) < 4:
            return None
        (size,) = struct.unpack(">I", head)
        if size > LONGEST_NAME:
            self.reply(1, f"a name of {size} bytes is too long")
            return None
        rest = self.rfile.read(size + 8)
        if len(rest) < size + 8:
            return None
        return struct.unpack(f">{size}sQ", rest)

    def check(self, name: bytes, length: int) -> None:
        """Refuse what is not to be stored."""
        try:
            text = name.decode()
        except UnicodeDecodeError:
            raise Refusal("the name is not UTF-8") from None
        if text in ("", ".", ".."):
            raise Refusal("that is no name of a file")
        if set(text) & set("/\\:") or "Cc" in map(unicodedata.category, text):
            raise Refusal("a character of the name is not allowed")
        if length > self.server.max_size:
            raise Refusal(f"more than {self.server.max_size} bytes")
        if length > shutil.disk_usage(self.server.directory).free:
            raise Refusal("the disk has no room for it")

    def take(self, file: "tempfile._TemporaryFileWrapper[bytes]", name: str, length: int) -> bool:
        """Store one content; return whether the connection can go on."""
        left = length
        failure = None
        try:
            with file:
                self.reply(0)
                while left and not failure:
                    piece = memoryview(self.rfile.read(min(left, PIECE)))
                    if not piece:
                        return False
                    left -= len(piece)
                    failure = written(file, piece)
            if not failure:
                failure = renamed(file.name, self.server.directory / name)
        finally:
            with contextlib.suppress(OSError):
                Path(file.name).unlink()
        if failure:
            self.reply(1, f"failed: {failure.strerror}")
        else:
            frame.info(f"{self.client_address[0]} has sent {name!r}")
            self.reply(0, name)
        return not left

    def reply(self, state: int, text: str = "") -> None:
        """Answer, however long the client takes to read."""
        message = text.encode()
        self.connection.settimeout(None)
        self.wfile.write(struct.pack(f">BI{len(message)}s", state, len(message), message))
        self.connection.settimeout(self.timeout)


def written(file: "tempfile._TemporaryFileWrapper[bytes]", piece: memoryview) -> OSError | None:
    """Write the piece; return what went wrong."""
    try:
        while piece:
            piece = piece[file.write(piece) :]
    except OSError as error:
        return error
    return None


def renamed(temporary: str, final: Path) -> OSError | None:
    """Give the file its name; return what went wrong."""
    try:
        Path(temporary).replace(final)
    except OSError as error:
        return error
    return None


class UploadServer(socketserver.ThreadingTCPServer):
    """Remembers its connections, to end them when it is told to stop."""

    allow_reuse_address = os.name == "posix"  # on Windows it would let two servers listen
    request_queue_size = 128
    directory: Path
    patience: float
    max_size: float

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
        for connection in getattr(self, "connections", set()).copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()  # waits for the threads, which remove their files

    def handle_error(self, request: object, client_address: object) -> None:
        frame.info(f"{client_address} is lost: {sys.exc_info()[1]}")


def main() -> None:
    """Serve until a signal comes."""
    parser = frame.server_options(__doc__, port=8082)
    parser.add_argument("--directory", type=Path, default=Path("received"))
    parser.add_argument("--timeout", type=frame.seconds, default=60.0)
    parser.add_argument("--max-size", type=frame.count, default=float("inf"))
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        options.directory.mkdir(parents=True, exist_ok=True)
        server = UploadServer((options.host, options.port), UploadHandler)
    server.directory = options.directory
    server.patience = options.timeout
    server.max_size = options.max_size
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
