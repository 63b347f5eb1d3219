"""A client for rooms whose ear is a UDP server of its own; a thread reads the keyboard."""

import argparse
import contextlib
import queue
import socket
import socketserver
import struct
import sys
import threading
import time
import unicodedata

from .. import frame

FRONT = struct.Struct("!BBBBL")
CREATE, LIST, JOIN = 1, 2, 3
DONE, REFUSED = 1, 2
MAX_PAYLOAD = 65_536

HELLO, TEXT, BYE, NOTICE = range(4)
MAX_DATAGRAM = 4_096
TOKEN_SIZE = 16

WAIT = 1.0  # seconds for the answer to a hello
HELLO_EVERY = 15.0
SLICE = 0.4  # seconds: what Windows needs to notice Ctrl+C


class Refused(Exception):
    """By the server, or because it cannot even be sent."""


class Lost(Exception):
    """The server, in some way."""


class Keys:
    """The typed lines: a queue that a thread fills. None stands for the end."""

    def __init__(self) -> None:
        self.queue: queue.Queue[str | None] = queue.Queue(maxsize=50)
        threading.Thread(target=self.fill, daemon=True).start()

    def fill(self) -> None:
        """Read without Python's buffer, whose lock would outlive the program."""
        rest = b""
        with contextlib.suppress(OSError):
            while sys.stdin and (piece := sys.stdin.buffer.raw.read(32_768)):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self.queue.put(line.removesuffix(b"\r").decode(errors="replace"))
        if rest:
            self.queue.put(rest.decode(errors="replace"))
        self.queue.put(None)

    def line(self, until: float | None = None) -> str | None:
        """Return the next line, None at the end; queue.Empty says that the time is over."""
        while until is None or time.monotonic() < until:
            with contextlib.suppress(queue.Empty):
                return self.queue.get(timeout=SLICE)
        raise queue.Empty


class Counter:
    """Where one asks for rooms: a connection that is open until we are in."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.stream = sock.makefile("rwb")

    def ask(self, operation: int, room: str = "", user: str = "") -> bytes:
        names = [encoded(name) for name in (room, user)]
        if max(map(len, names)) > 255:
            raise Refused("names are shorter than that")
        self.stream.write(FRONT.pack(operation, 0, *map(len, names), 0) + b"".join(names))
        self.stream.flush()
        _, state, r, u, p = FRONT.unpack(self.read(FRONT.size))
        if p > MAX_PAYLOAD or state not in (DONE, REFUSED):
            raise Lost("what answers is no server for rooms")
        self.read(r + u)
        payload = self.read(p)
        if state == REFUSED:
            raise Refused(shown(payload))
        if operation != LIST and p != TOKEN_SIZE:
            raise Lost("that is not a token")
        return payload

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        if len(data) < size:
            raise Lost("the server has hung up")
        return data


class Heard(socketserver.BaseRequestHandler):
    """One datagram for us."""

    server: "Ear"

    def handle(self) -> None:
        datagram = self.request[0]
        kind, r, u, t = datagram[:4]
        room, user, text = datagram[4 : 4 + r], datagram[4 + r : 4 + r + u], datagram[4 + r + u :]
        if len(user) < u or t or room != self.server.room:
            return
        try:
            (user + text).decode()
            user.decode()
        except UnicodeDecodeError:
            return
        if kind == HELLO and user == self.server.user and not text:
            self.server.answered.set()
        elif kind == TEXT and text:
            print(f"[{shown(user)}] {shown(text)}\n", end="", flush=True)
        elif kind == NOTICE and text:
            print(f"*** {shown(user)}: {shown(text)} ***\n", end="", flush=True)


class Ear(socketserver.UDPServer):
    """What receives, and with the same socket sends."""

    max_packet_size = MAX_DATAGRAM + 1

    def __init__(
        self, here: str, there: tuple[str, int], room: bytes, user: bytes, token: bytes
    ) -> None:
        super().__init__((here, 0), Heard)
        self.there = there
        self.room = room
        self.user = user
        self.token = token
        self.answered = threading.Event()

    def verify_request(self, request: object, client_address: object) -> bool:
        size = len(request[0])
        return client_address == self.there and 4 <= size <= MAX_DATAGRAM

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet: what we could not show is lost."""

    def say(self, kind: int, text: bytes = b"") -> bool:
        """Send, unless it is too long; return whether it was not."""
        lengths = bytes([kind, len(self.room), len(self.user), len(self.token)])
        datagram = lengths + self.room + self.user + self.token + text
        if len(datagram) > MAX_DATAGRAM:
            return False
        with contextlib.suppress(OSError):  # like a datagram that is lost
            self.socket.sendto(datagram, self.there)
        return True


class Dialogue:
    """The questions, until a room is entered."""

    def __init__(self, keys: Keys, counter: Counter, options: argparse.Namespace) -> None:
        self.keys = keys
        self.counter = counter
        self.options = options
        self.terminal = bool(
            sys.stdin and sys.stdout and sys.stdin.isatty() and sys.stdout.isatty()
        )

    def question(self, text: str) -> str:
        if self.terminal:
            print(f"{text} ", end="", flush=True)
        else:
            print(f"({text})", flush=True)
        answer = self.keys.line()
        if answer is None:
            raise EOFError
        return answer

    def by_options(self) -> tuple[str, str, bytes]:
        user = self.options.username
        if user is None:
            user = self.question("What is your name?")
        creates = self.options.create is not None
        room = self.options.create if creates else self.options.join
        try:
            return room, user, self.counter.ask(CREATE if creates else JOIN, room, user)
        except Refused as refused:
            raise Lost(f"not allowed: {refused}") from None

    def by_questions(self) -> tuple[str, str, bytes]:
        user = self.options.username
        while True:
            if user is None:
                user = self.question("What is your name?")
            operation, rooms = self.operation()
            room = self.question("Which room?")
            try:
                return room, user, self.counter.ask(operation, room, user)
            except Refused as refused:
                print(f"Not allowed: {refused}", flush=True)
            if operation == CREATE or room in rooms:
                user = None  # the name may be the trouble; else the room is it

    def operation(self) -> tuple[int, list[str]]:
        """Return what to do, and which rooms there are if it is to join one."""
        while True:
            answer = self.question("Create a room (1) or join one (2)?")
            if answer == "1":
                return CREATE, []
            if answer == "2":
                try:
                    names = self.counter.ask(LIST).decode(errors="replace").split("\n")
                except Refused as refused:
                    raise Lost(f"no list: {refused}") from None
                rooms = [name for name in names if name]
                print(
                    f"There are {len(rooms)} rooms", *map(shown_text, rooms), sep=", ", flush=True
                )
                return JOIN, rooms
            print("Only 1 or 2, please.", flush=True)


def talk(ear: Ear, keys: Keys) -> None:
    """Say hello, then what is typed, until the end; then bye."""
    for _ in range(3):
        ear.say(HELLO)
        if ear.answered.wait(WAIT):
            break
    else:
        raise Lost("three times hello, and no answer")
    next_hello = time.monotonic() + HELLO_EVERY
    while True:
        try:
            line = keys.line(until=next_hello)
        except queue.Empty:
            ear.say(HELLO)
            next_hello += HELLO_EVERY
            continue
        if line is None or line == "/quit":
            break
        if line and not ear.say(TEXT, line.encode()):
            print("Too long for one datagram: nothing was sent.\n", end="", flush=True)
    ear.say(BYE)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # an option may be other bytes


def shown(data: bytes) -> str:
    return shown_text(data.decode("utf-8", "replace"))


def shown_text(text: str) -> str:
    return "".join(c if unicodedata.category(c) != "Cc" else " " for c in text)


def main() -> None:
    """Get in with TCP, then talk with UDP."""
    parser = frame.client_options(__doc__, port=8084)
    parser.add_argument("--username", metavar="NAME", help="who you are in the room")
    exclusive = parser.add_mutually_exclusive_group()
    exclusive.add_argument("--create", metavar="ROOM", help="a new room, instead of questions")
    exclusive.add_argument("--join", metavar="ROOM", help="a room, instead of questions")
    options = parser.parse_args()
    with frame.error_line(f"no connection to {options.host}:{options.port}"):
        sock = socket.create_connection((options.host, options.port))
        dialogue = Dialogue(Keys(), Counter(sock), options)
        given = options.create is not None or options.join is not None
        try:
            room, user, token = dialogue.by_options() if given else dialogue.by_questions()
        except EOFError:
            return
        except Lost as lost:
            sys.exit(f"[ERROR] {lost}")
        here, there = sock.getsockname()[0], sock.getpeername()
        dialogue.counter.stream.close()
        sock.close()
        ear = Ear(here, there, encoded(room), encoded(user), token)
    listening = threading.Thread(target=ear.serve_forever, args=(0.2,), daemon=True)
    listening.start()
    try:
        talk(ear, dialogue.keys)
    except Lost as lost:
        sys.exit(f"[ERROR] {lost}")
    finally:
        ear.shutdown()  # a thread that prints must not outlive us
        ear.server_close()


if __name__ == "__main__":
    frame.run(main)
