"""A server that takes files and is careful with the disk.

It keeps a reserve free, brings a file to the disk before it says "stored", and takes one upload
of a name at a time: a second one meanwhile is refused.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import threading
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .. import frame

PIECE = 262_144  # bytes
LONGEST_NAME = 200  # bytes
RESERVE = 1_048_576  # bytes that stay free, for the log and for whoever has to clear up
SYNC_EVERY = 8_388_608  # bytes: what is left for the end is quick, also at Ctrl+C
SLICE = 0.5  # seconds after which a thread that waits looks whether it is to stop

OFFER_HEAD = struct.Struct(">I")
OFFER_TAIL = struct.Struct(">Q")
REPLY_HEAD = struct.Struct(">BI")


class Refused(Exception):
    """The offer is not taken, and the connection goes on."""


class Failed(Exception):
    """The content was read, but cannot be stored."""


class Gone(Exception):
    """There is nobody any more to talk to."""


@dataclass
class Store:
    """The directory, and which names are being written in it."""

    directory: Path
    max_size: int | None
    busy: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, raw_name: bytes, length: int) -> str:
        """Return the name under which to store the content of an offer."""
        try:
            name = raw_name.decode("utf-8", errors="strict")
        except UnicodeDecodeError as error:
            raise Refused("the name is not UTF-8") from error
        if not name or re.fullmatch(r"\.\.?", name) or re.search(r"[/\\:]", name):
            raise Refused("a name without a path, please")
        if "Cc" in {unicodedata.category(letter) for letter in name}:
            raise Refused("control characters in the name")
        if self.max_size is not None and self.max_size < length:
            raise Refused(f"{self.max_size} bytes at most")
        if length + RESERVE > shutil.disk_usage(self.directory).free:
            raise Refused("no space left for so much")
        return f"received_{name}"

    @contextlib.contextmanager
    def reserved(self, name: str) -> Iterator[None]:
        """Keep all others from writing under this name."""
        with self.lock:
            if name in self.busy:
                raise Refused("somebody is sending a file of that name just now")
            self.busy.add(name)
        try:
            yield
        finally:
            with self.lock:
                self.busy.remove(name)

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator["StoredFile"]:
        """Open a file that gets its name when keep() is called, and else vanishes."""
        stored = StoredFile(self.directory, name)
        try:
            yield stored
        finally:
            stored.discard()


class StoredFile:
    """A file that is being written, under a name that nobody guesses."""

    def __init__(self, directory: Path, name: str) -> None:
        self.final = directory / name
        self.path = directory / f".part-{secrets.token_urlsafe(9)}"
        self.descriptor = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644
        )
        self.unsynced = 0

    def write(self, piece: bytes) -> None:
        """Write all of it, and now and then wait until it is on the disk."""
        self.unsynced += len(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self.descriptor, view) :]
        if self.unsynced >= SYNC_EVERY:
            os.fsync(self.descriptor)
            self.unsynced = 0

    def keep(self) -> None:
        """Bring it to the disk, and give it its name."""
        os.fsync(self.descriptor)
        self.close()
        self.path.replace(self.final)
        if os.name == "posix":  # the name, too, is only safe when the directory is
            descriptor = os.open(self.final.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def discard(self) -> None:
        """Remove what is there; nothing is, after keep()."""
        with contextlib.suppress(OSError):
            self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


class Visitor(threading.Thread):
    """One client's thread."""

    def __init__(
        self, sock: socket.socket, store: Store, patience: float, stopping: threading.Event
    ) -> None:
        super().__init__()
        self.sock = sock
        self.store = store
        self.patience = patience
        self.stopping = stopping

    def run(self) -> None:
        with self.sock:
            try:
                while self.upload():
                    pass
                self.sock.shutdown(socket.SHUT_WR)
            except (Gone, OSError) as error:
                frame.info(f"A visitor has left: {error}")

    def upload(self) -> bool:
        """Serve one upload; return whether another one may follow."""
        (size,) = OFFER_HEAD.unpack(self.receive(1, patient=True) + self.receive(3))
        if size > LONGEST_NAME:
            self.reply(1, "the name is too long")
            return False
        raw_name = self.receive(size)
        (length,) = OFFER_TAIL.unpack(self.receive(OFFER_TAIL.size))
        try:
            name = self.store.check(raw_name, length)
            with self.store.reserved(name), self.store.file(name) as file:
                self.reply(0)
                self.copy(length, file)
        except (Refused, Failed) as reason:
            self.reply(1, str(reason))
        except OSError as error:
            self.reply(1, f"cannot be stored: {error.strerror}")
        else:
            self.reply(0, name)
        return True

    def copy(self, length: int, file: StoredFile) -> None:
        """Receive the content to its end, also when it is of no use any more."""
        failure = None
        while length:
            piece = self.some(min(length, PIECE))
            length -= len(piece)
            try:
                if not failure:
                    file.write(piece)
            except OSError as error:
                failure = error
        try:
            if not failure:
                file.keep()
        except OSError as error:
            failure = error
        if failure:
            raise Failed(f"cannot be stored: {failure.strerror}")

    def receive(self, count: int, patient: bool = False) -> bytes:
        """Return exactly `count` bytes."""
        pieces = []
        while count:
            pieces.append(self.some(count, patient))
            count -= len(pieces[-1])
        return b"".join(pieces)

    def some(self, limit: int, patient: bool = False) -> bytes:
        """Return what comes next; a wait may be long when `patient`, else as the options say."""
        deadline = time.monotonic() + self.patience
        while patient or time.monotonic() < deadline:
            self.look_up()
            self.sock.settimeout(SLICE if patient else min(SLICE, self.patience))
            try:
                piece = self.sock.recv(limit)
            except TimeoutError:
                continue
            except OSError as error:
                raise Gone(str(error)) from error
            if not piece:
                raise Gone("end of stream")
            return piece
        raise Gone("too long silent")

    def reply(self, code: int, text: str = "") -> None:
        """Send a reply, however long the client takes to read it."""
        message = text.encode("utf-8")
        unsent = memoryview(REPLY_HEAD.pack(code, len(message)) + message)
        self.sock.settimeout(SLICE)
        while unsent:
            self.look_up()
            try:
                unsent = unsent[self.sock.send(unsent) :]
            except TimeoutError:
                pass
            except OSError as error:
                raise Gone(str(error)) from error

    def look_up(self) -> None:
        """Leave when the server is to stop."""
        if self.stopping.is_set():
            raise Gone("the server stops")


def serve(listener: socket.socket, store: Store, patience: float) -> None:
    """Give each client a thread, until a signal comes; then wait for the threads."""
    stopping = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.set())
    listener.settimeout(SLICE)
    frame.ready(listener)
    while not stopping.is_set():
        try:
            sock, address = listener.accept()
        except TimeoutError:
            continue
        except OSError as error:
            frame.info(f"Nobody was accepted: {error}")
            time.sleep(0.05)
            continue
        try:
            Visitor(sock, store, patience, stopping).start()
        except RuntimeError as error:
            frame.info(f"No thread for {address}: {error}")
            sock.close()


def main() -> None:
    """Listen where the options say, and serve."""
    parser = frame.server_options(__doc__, port=8082)
    parser.add_argument("--directory", type=Path, default=Path("received"))
    parser.add_argument("--timeout", type=frame.seconds, default=60.0)
    parser.add_argument("--max-size", type=frame.count)
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        options.directory.mkdir(parents=True, exist_ok=True)
        listener = socket.create_server((options.host, options.port), backlog=128)
    with listener:
        serve(listener, Store(options.directory, options.max_size), options.timeout)


if __name__ == "__main__":
    frame.run(main)
