"""A client that uploads files; it reads replies with makefile() and struct."""

import errno
import os
import socket
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from .. import frame

PIECE = 262_144  # bytes


class Failure(Exception):
    """One file was not stored, but the connection can go on."""


class Uploader:
    """One connection to the server."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.replies = sock.makefile("rb")

    def reply(self) -> str:
        """Return the text of a good reply; a bad one is a Failure."""
        state, size = struct.unpack(">BI", self.read(5))
        text = self.read(size).decode("utf-8", "replace")
        text = "".join(c if c.isprintable() else " " for c in text)
        if state:
            raise Failure(text or "no reason given")
        return text

    def read(self, count: int) -> bytes:
        data = self.replies.read(count)
        if len(data) < count:
            raise ConnectionError("the server has closed the connection")
        return data

    def upload(self, name: bytes, file: BinaryIO) -> str:
        """Return the name under which the server has stored the file."""
        length = os.fstat(file.fileno()).st_size
        self.sock.sendall(struct.pack(f">I{len(name)}sQ", len(name), name, length))
        self.reply()
        with Bar(length) as bar:
            while bar.missing:
                piece = file.read(min(PIECE, bar.missing))
                if not piece:
                    raise ConnectionError("the file has become shorter meanwhile")
                self.sock.sendall(piece)
                bar.advance(len(piece))
        return self.reply()


class Bar:
    """How far an upload is, on a terminal; nothing elsewhere."""

    def __init__(self, length: int) -> None:
        self.length = self.missing = length
        self.shown = bool(sys.stderr and sys.stderr.isatty())

    def __enter__(self) -> "Bar":
        self.advance(0)
        return self

    def advance(self, count: int) -> None:
        self.missing -= count
        if self.shown:
            done = 1 - self.missing / self.length if self.length else 1.0
            print(f"\r{'=' * int(40 * done):40} {done:4.0%}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.shown:
            print(file=sys.stderr)


def complain(text: str) -> None:
    """Write one `[ERROR]` line."""
    print(f"[ERROR] {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Upload the files that the options name."""
    parser = frame.client_options(__doc__, port=8082)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args()
    failures = 0
    try:
        with socket.create_connection((options.host, options.port)) as sock:
            uploader = Uploader(sock)
            for path in options.files:
                try:
                    name = path.name.encode("utf-8", "surrogateescape")
                    if len(name) > 200:
                        raise Failure("the name has more than 200 bytes")
                    with opened(path) as file:
                        print(f"stored as {uploader.upload(name, file)}", flush=True)
                except Failure as failure:
                    failures += 1
                    complain(f"{path.name!r}: {failure}")
    except (OSError, UnicodeError) as error:
        complain(f"{options.host}:{options.port}: {error}")
        sys.exit(1)
    sys.exit(1 if failures else 0)


def opened(path: Path) -> BinaryIO:
    """Open a file to be read; that it cannot be is no trouble of the connection."""
    try:
        if path.is_file():
            return path.open("rb")
        raise FileNotFoundError(errno.ENOENT, "no such file")
    except OSError as error:
        raise Failure(error.strerror) from error


def interruptible() -> None:
    """Run main(), with the shell's code for a program that Ctrl+C ended."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    frame.run(interruptible)
