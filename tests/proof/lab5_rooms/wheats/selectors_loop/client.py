"""A client for rooms of one thread: first questions and answers, then whatever comes first."""

import argparse
import contextlib
import os
import selectors
import socket
import sys
import threading
import time
import unicodedata

from .. import frame
from .rooms import (
    BYE,
    CREATE,
    DONE,
    HEAD,
    HELLO,
    JOIN,
    LIST,
    MOST_IN_A_DATAGRAM,
    MOST_LISTED,
    NOTICE,
    REFUSED,
    REQUEST,
    TEXT,
    TOKEN,
    is_name,
    is_utf8,
)

TRIES = 3  # of the first hello
SECOND = 1.0
STILL_HERE = 15.0  # seconds
PIECE = 16_384  # bytes
ENOUGH = 100  # lines that wait; with more, no more is read


class Refused(Exception):
    """The server's reason."""


class Failed(Exception):
    """It cannot go on."""


class Typed:
    """The lines that are typed, as something that a selector can wait for.

    On POSIX that is stdin itself. On Windows select() takes sockets only: a thread reads there, and
    passes on what it gets through a pair of them.
    """

    def __init__(self) -> None:
        self.rest = b""
        self.lines: list[bytes] = []
        self.ended = sys.stdin is None
        self.relay: socket.socket | None = None
        self.shows_prompts = not self.ended and sys.stdin.isatty() and is_terminal(sys.stdout)
        if os.name == "nt" and not self.ended:
            self.relay, other = socket.socketpair()
            threading.Thread(target=self.pump, args=(other,), daemon=True).start()

    def pump(self, other: socket.socket) -> None:
        with other, contextlib.suppress(OSError):
            while piece := sys.stdin.buffer.raw.read(PIECE):
                other.sendall(piece)

    def fileno(self) -> int:
        return self.relay.fileno() if self.relay else sys.stdin.fileno()

    def read(self) -> None:
        """Read what is there; call it when there is something, or the end."""
        try:
            piece = self.relay.recv(PIECE) if self.relay else os.read(self.fileno(), PIECE)
        except OSError:
            piece = b""
        if piece:
            *lines, self.rest = (self.rest + piece).split(b"\n")
        else:
            self.ended = True
            lines = [self.rest] if self.rest else []
        self.lines += [line.removesuffix(b"\r") for line in lines]

    def asks(self, question: str) -> bytes:
        """Ask; return the answer, which may have been typed before."""
        if self.shows_prompts:
            print(f"{question}: ", end="", flush=True)
        elif not self.lines:
            print(f"[{question}]", flush=True)
        with selectors.SelectSelector() as selector:
            if not self.ended:
                selector.register(self, selectors.EVENT_READ)
            while not self.lines:
                if self.ended:
                    raise EOFError
                if selector.select(0.5):
                    self.read()
        return self.lines.pop(0)


class Reception:
    """Where rooms are created, listed and joined; connected at the first request."""

    def __init__(self, host: str, port: int) -> None:
        self.address = (host, port)
        self.sock: socket.socket | None = None

    def request(self, operation: int, room: bytes = b"", user: bytes = b"") -> bytes:
        if len(room) > 255 or len(user) > 255:
            raise Refused("this name is much too long")
        if self.sock is None:
            self.sock = socket.create_connection(self.address)
        head = bytes([operation, REQUEST, len(room), len(user), 0, 0, 0, 0])
        self.sock.sendall(head + room + user)
        head = self.receive(HEAD)
        size = int.from_bytes(head[4:], "big")
        if head[1] not in (DONE, REFUSED) or size > MOST_LISTED:
            raise Failed("the server says what is no answer")
        self.receive(head[2] + head[3])
        payload = self.receive(size)
        if head[1] == REFUSED and operation != LIST:
            raise Refused(on_one_line(payload))
        if operation != LIST and size != TOKEN:
            raise Failed("the server gives what is no token")
        return payload

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise Failed("the server has closed the connection")
            data += piece
        return data


class Chat:
    """The datagrams, and the lines."""

    def __init__(self, sock: socket.socket, names: tuple[bytes, bytes], token: bytes) -> None:
        self.sock = sock
        self.names = names
        self.seat = bytes([*map(len, names), len(token)]) + b"".join(names) + token
        self.answered = False
        self.hellos = 0

    def run(self, typed: Typed) -> None:
        with selectors.SelectSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            listening = False
            due = time.monotonic()
            while True:
                if self.answered and self.obey(typed):
                    return
                if time.monotonic() >= due:
                    due = time.monotonic() + self.greet()
                if listening != (not typed.ended and len(typed.lines) < ENOUGH):
                    listening = not listening
                    if listening:
                        selector.register(typed, selectors.EVENT_READ)
                    else:
                        selector.unregister(typed)
                left = max(0, due - time.monotonic())
                for key, _ in selector.select(min(left, 0.5)):  # Windows: look up for Ctrl+C
                    if key.fileobj is typed:
                        typed.read()
                    elif self.receive():
                        due = time.monotonic() + STILL_HERE

    def greet(self) -> float:
        """Say hello; return how long that is good for."""
        if not self.answered and self.hellos == TRIES:
            raise Failed("nobody answers our hello")
        self.hellos += 1
        self.send(HELLO)
        return STILL_HERE if self.answered else SECOND

    def send(self, kind: int, text: bytes = b"") -> bool:
        """Send a datagram; return whether it was short enough."""
        datagram = bytes([kind]) + self.seat + text
        if len(datagram) > MOST_IN_A_DATAGRAM:
            return False
        for _ in range(2):  # the first time we may hear that an earlier one has found nobody
            with contextlib.suppress(ConnectionError):
                self.sock.send(datagram)
                break
        return True

    def obey(self, typed: Typed) -> bool:
        """Send what is typed; return whether that was all."""
        while typed.lines:
            line = typed.lines.pop(0)
            if line == b"/quit":
                typed.ended = True
                typed.lines.clear()
            elif line and not self.send(TEXT, line):
                print(f"! not sent: {len(line)} bytes are too many for a datagram", flush=True)
        if typed.ended:
            self.send(BYE)
        return typed.ended

    def receive(self) -> bool:
        """Show what came; return whether it is the first answer to our hello."""
        try:
            datagram = self.sock.recv(MOST_IN_A_DATAGRAM + 1)
        except OSError:  # nobody there, or (Windows) too long
            return False
        if not 4 <= len(datagram) <= MOST_IN_A_DATAGRAM or datagram[3]:
            return False
        kind, r, u = datagram[:3]
        room, user, text = datagram[4 : 4 + r], datagram[4 + r : 4 + r + u], datagram[4 + r + u :]
        if room != self.names[0] or len(user) < u or not (is_utf8(user) and is_utf8(text)):
            return False
        if kind == HELLO and user == self.names[1] and not text:
            first, self.answered = not self.answered, True
            return first
        if kind == TEXT and text:
            print(f"<{on_one_line(user)}> {on_one_line(text)}", flush=True)
        elif kind == NOTICE and text:
            print(f"-- {on_one_line(user)}: {on_one_line(text)}", flush=True)
        return False


def on_one_line(data: bytes) -> str:
    """Return what can be shown without moving the cursor."""
    signs = data.decode("utf-8", "replace")
    return "".join(" " if unicodedata.category(sign) == "Cc" else sign for sign in signs)


def as_bytes(option: str | None) -> bytes | None:
    return None if option is None else option.encode("utf-8", "surrogateescape")


def get_in(
    reception: Reception, options: argparse.Namespace, typed: Typed
) -> tuple[tuple[bytes, bytes], bytes]:
    """Get into a room; return its name and the user's, and the token."""
    user = as_bytes(options.username)
    fixed = options.create is not None or options.join is not None
    operation = CREATE if options.create is not None else JOIN
    room = as_bytes(options.create if options.create is not None else options.join)
    asked = False  # whether to create or to join
    while True:
        if user is None:
            user = typed.asks("your name")
        if room is None:
            if not asked:
                operation, asked = asks_what(typed), True
            if operation == JOIN:
                print(*(["Rooms"] + rooms_of(reception)), sep="\n  ", flush=True)
            room = typed.asks("name of the room")
        try:
            return (room, user), reception.request(operation, room, user)
        except Refused as refused:
            if fixed:
                raise Failed(f"refused: {refused}") from None
            print(f"! refused: {refused}", flush=True)
        # A wrong name of the room is mended there. Else it may be anything.
        if is_name(room) or not is_name(user):
            user, asked = None, False
        room = None


def asks_what(typed: Typed) -> int:
    while True:
        answer = typed.asks("1 create a room, 2 join a room")
        if answer in (b"1", b"2"):
            return CREATE if answer == b"1" else JOIN
        print("! 1 or 2", flush=True)


def rooms_of(reception: Reception) -> list[str]:
    names = reception.request(LIST).split(b"\n")
    return sorted(on_one_line(name) for name in names if name) or ["(none)"]


def is_terminal(stream: object) -> bool:
    return bool(stream and stream.isatty())


def main() -> None:
    """Get in, then chat."""
    parser = frame.client_options(__doc__, port=8084)
    parser.add_argument("--username")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--create")
    either.add_argument("--join")
    options = parser.parse_args()
    typed = Typed()
    reception = Reception(options.host, options.port)
    try:
        with frame.error_line(f"{options.host}:{options.port}"):
            names, token = get_in(reception, options, typed)
            server = reception.sock.getpeername()
            reception.sock.close()
            with socket.socket(reception.sock.family, socket.SOCK_DGRAM) as sock:
                sock.connect(server)  # the system drops what comes from elsewhere
                Chat(sock, names, token).run(typed)
    except EOFError:
        return
    except Failed as failed:
        sys.exit(f"[ERROR] {failed}")


if __name__ == "__main__":
    frame.run(main)
