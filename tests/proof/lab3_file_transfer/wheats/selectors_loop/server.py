"""A server that takes files, of one thread: a selector, and a state machine for each connection.

The states are methods. Each looks at the bytes that have come, and returns False when it needs
more of them; otherwise it has used them all, and set the next state. No more is ever read than
the state needs.
"""

import argparse
import itertools
import os
import selectors
import shutil
import signal
import socket
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .. import frame

PIECE = 131_072  # bytes that one recv() fetches
LONGEST_NAME = 200  # bytes
FORBIDDEN = frozenset("/\\:")
TICK = 0.5  # seconds between two looks at the clocks

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
numbers = itertools.count(1)


class Connection:
    """One client: what came for the present state, what is to be sent, and where we are."""

    def __init__(self, sock: socket.socket, options: argparse.Namespace) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.options = options
        self.received = bytearray()
        self.unsent = bytearray()
        self.state = self.name_length
        self.last = False  # the answer in `unsent` is the last one
        self.clock = time.monotonic()
        self.needed = 4  # bytes that the state waits for
        self.name = b""
        self.file: BinaryIO | None = None
        self.path = Path()

    def wants(self) -> int:
        """Return the events to wait for: nothing is read while an answer cannot be sent."""
        if self.unsent:
            return WRITE
        return 0 if self.last else READ

    def work(self) -> None:
        """Do what can be done without waiting."""
        try:
            if not self.unsent:
                piece = self.sock.recv(min(PIECE, self.needed - len(self.received)))
                if not piece:
                    raise ConnectionError("end of stream")
                self.received += piece
            self.clock = time.monotonic()
            while True:
                while not self.unsent and not self.last and self.state():
                    pass
                if not self.unsent:
                    return
                del self.unsent[: self.sock.send(self.unsent)]
        except BlockingIOError:
            pass

    def is_late(self, now: float) -> bool:
        """Return whether the client has been silent for too long within an upload."""
        between = self.state == self.name_length and not self.received
        return not self.unsent and not between and now - self.clock > self.options.timeout

    def close(self) -> None:
        """Close the connection, and remove what has come of a file."""
        self.sock.close()
        self.give_up()

    # the states

    def name_length(self) -> bool:
        if len(self.received) < self.needed:
            return False
        size = int.from_bytes(self.received, "big")
        if size > LONGEST_NAME:
            self.refuse(f"a name has at most {LONGEST_NAME} bytes")
            self.last = True
        else:
            self.turn_to(self.name_and_size, size + 8)
        return True

    def name_and_size(self) -> bool:
        if len(self.received) < self.needed:
            return False
        self.name = bytes(self.received[:-8])
        size = int.from_bytes(self.received[-8:], "big")
        reason = objection(self.name, size, self.options) or self.begin()
        if reason:
            self.refuse(reason)
        else:
            self.turn_to(self.content, size)
            self.answer(0)
        return True

    def content(self) -> bool:
        if self.needed and not self.received:
            return False
        left = self.needed - len(self.received)
        reason = self.write(bytes(self.received))
        if not left:
            reason = reason or self.finish()
        if reason:
            self.give_up()
            self.refuse(reason)
            self.last = left > 0
        elif left:
            self.turn_to(self.content, left)
        else:
            self.turn_to(self.name_length, 4)
            self.answer(0, f"received_{self.name.decode()}")
        return True

    # what they do

    def turn_to(self, state: Callable[[], bool], needed: int) -> None:
        self.received.clear()
        self.state = state
        self.needed = needed

    def answer(self, code: int, text: str = "") -> None:
        message = text.encode()
        self.unsent += bytes([code]) + len(message).to_bytes(4, "big") + message

    def refuse(self, reason: str) -> None:
        frame.info(f"{self.name!r}: {reason}")
        self.answer(1, reason)
        self.turn_to(self.name_length, 4)

    def begin(self) -> str:
        self.path = self.options.directory / f".{os.getpid()}-{next(numbers)}.tmp"
        try:
            self.file = self.path.open("xb", buffering=0)
        except OSError as error:
            return f"no file can be made: {error.strerror}"
        return ""

    def write(self, piece: bytes) -> str:
        try:
            while piece:
                piece = piece[self.file.write(piece) :]
        except OSError as error:
            return f"writing failed: {error.strerror}"
        return ""

    def finish(self) -> str:
        try:
            self.file.close()
            self.path.replace(self.options.directory / f"received_{self.name.decode()}")
        except OSError as error:
            return f"storing failed: {error.strerror}"
        self.file = None
        return ""

    def give_up(self) -> None:
        if self.file:
            try:
                self.file.close()
                self.path.unlink()
            except OSError as error:
                frame.info(f"{self.path}: {error}")
            self.file = None


def objection(name: bytes, size: int, options: argparse.Namespace) -> str:
    """Return what is wrong with an offer, or an empty text."""
    try:
        text = name.decode()
        free = shutil.disk_usage(options.directory).free
    except UnicodeDecodeError:
        return "the name is not valid UTF-8"
    except OSError as error:
        return f"{options.directory}: {error.strerror}"
    if not text or text in (".", ".."):
        return "this name is not possible"
    if any(letter in FORBIDDEN or unicodedata.category(letter) == "Cc" for letter in text):
        return "the name contains what it must not"
    if options.max_size and size > options.max_size:
        return f"the limit is {options.max_size:,} bytes"
    if size > free:
        return f"only {free:,} bytes are free"
    return ""


def accept(
    selector: selectors.BaseSelector, listener: socket.socket, options: argparse.Namespace
) -> None:
    """Take one more client, if it has not left again."""
    try:
        connection = Connection(listener.accept()[0], options)
    except OSError as error:
        frame.info(f"Nobody was accepted: {error}")
        time.sleep(0.01)  # without file descriptors, this would be tried again at once
        return
    selector.register(connection.sock, connection.wants(), connection)


def serve(
    selector: selectors.BaseSelector, listener: socket.socket, options: argparse.Namespace
) -> None:
    """Serve everybody until a signal, for which it looks up at each tick.

    An exception from the signal might come just when a file is made that nobody knows yet.
    """
    stopping = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.append(True))
    selector.register(listener, READ)
    frame.ready(listener)
    next_look = time.monotonic() + TICK
    while not stopping:
        for key, _ in selector.select(TICK):
            if key.fileobj is listener:
                accept(selector, listener, options)
            else:
                work(selector, key.data)
        now = time.monotonic()
        if now >= next_look:
            next_look = now + TICK
            for key in list(selector.get_map().values()):
                if key.data and key.data.is_late(now):
                    dismiss(selector, key.data, "too long silent")


def work(selector: selectors.BaseSelector, connection: Connection) -> None:
    """Do what can be done for one client, and forget it when it is served or gone."""
    try:
        connection.work()
    except OSError as error:
        dismiss(selector, connection, str(error))
        return
    wanted = connection.wants()
    if wanted:
        selector.modify(connection.sock, wanted, connection)
    else:
        dismiss(selector, connection, "no more")


def dismiss(selector: selectors.BaseSelector, connection: Connection, why: str) -> None:
    """Close one client's connection."""
    frame.info(f"One client less: {why}")
    selector.unregister(connection.sock)
    connection.close()


def main() -> None:
    """Listen where the options say, serve, and clear up."""
    parser = frame.server_options(__doc__, port=8082)
    parser.add_argument("--directory", type=Path, default=Path("received"))
    parser.add_argument("--timeout", type=frame.seconds, default=60.0)
    parser.add_argument("--max-size", type=frame.count)
    options = parser.parse_args()
    with frame.error_line(f"cannot serve at {options.host}:{options.port}"):
        options.directory.mkdir(parents=True, exist_ok=True)
        listener = socket.create_server((options.host, options.port), backlog=128)
    listener.setblocking(False)
    with listener, selectors.DefaultSelector() as selector:
        try:
            serve(selector, listener, options)
        finally:
            for key in list(selector.get_map().values()):
                if key.data:
                    key.data.close()


if __name__ == "__main__":
    frame.run(main)
