"""A client that uploads files with sendfile(): the system copies, Python only watches."""

import os
import select
import socket
import sys
from pathlib import Path

from .. import frame

SLICE = 2_097_152  # bytes between two movements of the bar
LONGEST_NAME = 200  # bytes


class Lost(Exception):
    """The connection cannot be used any more."""


class Refused(Exception):
    """The server does not want this file."""


class Bar:
    """Draws the progress; nothing, when nobody sits at a terminal."""

    def __init__(self, name: str) -> None:
        self.name = name[:20]
        self.drawn = False

    def draw(self, part: float) -> None:
        if sys.stderr and sys.stderr.isatty():
            self.drawn = True
            bar = "█" * int(part * 30)
            sys.stderr.write(f"\r{self.name:20} |{bar:30}| {int(100 * part):3d}%")
            sys.stderr.flush()

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self.drawn:
            sys.stderr.write("\n")


def receive(sock: socket.socket, count: int) -> bytes:
    """Return exactly `count` bytes."""
    received = bytearray(count)
    view = memoryview(received)
    while view:
        while not select.select([sock], [], [], 0.5)[0]:
            pass  # a Ctrl+C just before recv() would be slept over
        size = sock.recv_into(view)
        if not size:
            raise Lost("the server hung up")
        view = view[size:]
    return bytes(received)


def reply(sock: socket.socket) -> str:
    """Return the text of the server's reply, unless it is a refusal."""
    code = receive(sock, 1)[0]
    text = receive(sock, int.from_bytes(receive(sock, 4), "big")).decode(errors="replace")
    if code:
        raise Refused(text)
    return text


def send(sock: socket.socket, path: Path, bar: Bar) -> str:
    """Upload one file; return the name that the server gave it."""
    name = path.name.encode()
    if len(name) > LONGEST_NAME:
        raise Refused(f"{len(name)} bytes are too long for a name")
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        try:
            sock.sendall(len(name).to_bytes(4, "big") + name + length.to_bytes(8, "big"))
            reply(sock)
            sent = 0
            while sent < length:
                bar.draw(sent / length)
                count = sock.sendfile(file, sent, min(SLICE, length - sent))
                sent += count
                if not count:
                    raise Lost("the file has shrunk")
                if sent < length and select.select([sock], [], [], 0)[0]:
                    reply(sock)  # it cannot be a good one, so early
                    raise Lost("the server does not wait for the end")
            bar.draw(1.0)
            return reply(sock)
        except OSError as error:
            raise Lost(error.strerror or error) from error


def complain(what: object, error: Exception) -> None:
    """Write one line, whatever stands in the error's text."""
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    print(f"[ERROR] {what}: {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Upload the files that the options name, until the connection is lost."""
    parser = frame.client_options(__doc__, port=8082)
    parser.add_argument("files", nargs="+", metavar="FILE")
    options = parser.parse_args()
    code = 0
    with (
        frame.error_line(f"no server at {options.host}:{options.port}"),
        socket.create_connection((options.host, options.port)) as sock,
    ):
        for path in map(Path, options.files):
            try:
                with Bar(repr(path.name)) as bar:
                    stored = send(sock, path, bar)
                frame.info(f"{path.name!r} is stored as {stored}")
            except Lost as error:
                complain("connection lost", error)
                sys.exit(1)
            except (OSError, UnicodeError, Refused) as error:
                complain(repr(str(path)), error)
                code = 1
    sys.exit(code)


if __name__ == "__main__":
    frame.run(main)
