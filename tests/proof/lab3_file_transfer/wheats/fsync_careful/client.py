"""A client that uploads files; it looks at all of them before it calls the server."""

import os
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .. import frame

PIECE = 65_536  # bytes
LONGEST_NAME = 200  # bytes


class NotStored(Exception):
    """One file stays here; the next one may still go."""


@dataclass
class Upload:
    """One file on its way."""

    path: Path

    def check(self) -> None:
        """Refuse what need not be offered."""
        try:
            if len(self.path.name.encode()) > LONGEST_NAME:
                raise NotStored(f"its name has more than {LONGEST_NAME} bytes")
            with self.path.open("rb"):
                pass
        except (OSError, UnicodeError) as error:
            raise NotStored(getattr(error, "strerror", None) or "not a name in UTF-8") from error

    def run(self, sock: socket.socket) -> str:
        """Upload it; return the name that it has now."""
        self.check()  # again: it may have gone meanwhile
        name = self.path.name.encode()
        with self.path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(0)
            sock.sendall(b"".join((struct.pack(">I", len(name)), name, struct.pack(">Q", length))))
            code, reason = receive_reply(sock)
            if code:
                raise NotStored(f"refused: {reason}")
            self.send(sock, file, length)
        code, text = receive_reply(sock)
        if code:
            raise NotStored(f"failed: {text}")
        return text

    def send(self, sock: socket.socket, file: BinaryIO, length: int) -> None:
        """Send the content; the bar moves at most ten times a second."""
        room = memoryview(bytearray(PIECE))
        sent, drawn = 0, 0.0
        try:
            while sent < length:
                if time.monotonic() - drawn > 0.1:
                    drawn = time.monotonic()
                    draw(sent / length)
                count = file.readinto(room[: min(PIECE, length - sent)])
                if not count:
                    raise ConnectionError("the file has become shorter, which cannot be mended")
                sock.sendall(room[:count])
                sent += count
        finally:
            draw(sent / length if length else 1, end="\n")


def draw(part: float, end: str = "") -> None:
    """Draw the bar, when stderr is a terminal."""
    if sys.stderr and sys.stderr.isatty():
        bar = ("#" * round(part * 50)).ljust(50, ".")
        print(f"\r{bar} {part:.0%}", end=end, file=sys.stderr, flush=True)


def receive_reply(sock: socket.socket) -> tuple[int, str]:
    """Return the code and the text, of which as much is kept as a person reads."""
    code, size = struct.unpack(">BI", receive(sock, 5))
    kept = receive(sock, min(size, 8192))
    for done in range(len(kept), size, PIECE):
        receive(sock, min(PIECE, size - done))
    return code, kept.decode(errors="replace").replace("\r", " ").replace("\n", " ")


def receive(sock: socket.socket, count: int) -> bytes:
    """Return exactly `count` bytes."""
    received = b""
    while len(received) < count:
        piece = sock.recv(count - len(received))
        if not piece:
            raise ConnectionError("the server has closed the connection")
        received += piece
    return received


def complain(text: str) -> None:
    """Write one `[ERROR]` line."""
    print(f"[ERROR] {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Upload the files that the options name."""
    parser = frame.client_options(__doc__, port=8082)
    parser.add_argument("files", nargs="+", metavar="FILE")
    options = parser.parse_args()
    uploads, failed = [], False
    for upload in (Upload(Path(file)) for file in options.files):
        try:
            upload.check()
            uploads.append(upload)
        except NotStored as reason:
            failed = True
            complain(f"{upload.path.name!r}: {reason}")
    if uploads:
        with (
            frame.error_line(f"{options.host}:{options.port}"),
            socket.create_connection((options.host, options.port)) as sock,
        ):
            for upload in uploads:
                try:
                    frame.info(f"stored as {upload.run(sock)} ({upload.path.name!r})")
                except NotStored as reason:
                    failed = True
                    complain(f"{upload.path.name!r}: {reason}")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    frame.run(main)
