"""A client for rooms on asyncio: streams to get in, a datagram protocol to talk."""

import argparse
import asyncio
import contextlib
import signal
import socket
import struct
import sys
import threading
import unicodedata
from collections.abc import Iterator
from typing import Any

from .. import frame

HEAD = struct.Struct("!BBBBI")
CREATE, LIST, JOIN = 1, 2, 3
DONE, REFUSED = 1, 2
LARGEST_PAYLOAD = 65_536  # bytes

HELLO, TEXT, BYE, NOTICE = range(4)
LARGEST_DATAGRAM = 4_096  # bytes
TOKEN = 16  # bytes

FIRST_HELLOS, PAUSE = 3, 1.0  # how often the first hello is sent, and the seconds between
HELLO_EVERY = 15.0  # seconds


class Trouble(Exception):
    """What ends the client with an error line."""


class Refused(Exception):
    """What the server, or the wire, does not accept."""


class Keyboard:
    """The lines that are typed, read by a thread: no event loop waits for a keyboard on Windows."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.room = threading.Semaphore(100)  # who pipes a large file into us waits
        self.terminal = all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout))
        threading.Thread(target=self.read, daemon=True).start()

    async def line(self) -> bytes | None:
        """Return the next line, or None at the end, and from then on."""
        line = await self.lines.get()
        self.room.release()
        if line is None:
            self.lines.put_nowait(None)
        return line

    async def answer(self, question: str) -> bytes:
        """Ask; nothing is said where nobody sits in front of us."""
        if self.terminal:
            print(question, end=" ", flush=True)
        line = await self.line()
        if line is None:
            raise EOFError
        return line

    # in the thread

    def read(self) -> None:
        with contextlib.suppress(OSError):
            for line in self.typed():
                self.put(line)
        self.put(None)

    def put(self, line: bytes | None) -> None:
        self.room.acquire()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is interested
            self.loop.call_soon_threadsafe(self.lines.put_nowait, line)

    def typed(self) -> Iterator[bytes]:
        """Yield lines, without Python's own buffer: a thread that waits in it cannot be left."""
        rest = b""
        while sys.stdin and (piece := sys.stdin.buffer.raw.read(65_536)):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line.removesuffix(b"\r") for line in lines)
        if rest:
            yield rest


class Door:
    """The connection on which rooms are created, listed and joined."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def asks(self, operation: int, room: bytes = b"", user: bytes = b"") -> bytes:
        """Send a request, and return what the reply carries."""
        if max(len(room), len(user)) > 255:
            raise Refused("a name of more than 255 bytes")
        try:
            self.writer.write(HEAD.pack(operation, 0, len(room), len(user), 0) + room + user)
            await self.writer.drain()
            head = await self.reader.readexactly(HEAD.size)
            got, state, r, u, p = HEAD.unpack(head)
            if p > LARGEST_PAYLOAD:
                raise Trouble("the server's reply is too large")
            names = await self.reader.readexactly(r + u)
            payload = await self.reader.readexactly(p)
        except asyncio.IncompleteReadError:
            raise Trouble("the server has closed the connection") from None
        if (got, names) != (operation, room + user) or state not in (DONE, REFUSED):
            raise Trouble("the server's reply does not fit the request")
        if state == REFUSED:
            raise Refused(clean(payload))
        if operation != LIST and len(payload) != TOKEN:
            raise Trouble("the server's token has not the size of one")
        return payload


class Talk(asyncio.DatagramProtocol):
    """A membership: what is sent in it, and what arrives."""

    def __init__(self, room: bytes, user: bytes, token: bytes) -> None:
        self.room = room
        self.user = user
        self.token = token
        self.answered = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def error_received(self, exc: Exception) -> None:
        """Ignore it: nobody was there for one of our datagrams."""

    def datagram_received(self, data: bytes, _: object) -> None:
        try:
            if not 4 <= len(data) <= LARGEST_DATAGRAM:
                return
            kind, r, u, t = data[:4]
            room, user, text = data[4 : 4 + r], data[4 + r : 4 + r + u], data[4 + r + u :]
            who, _text = user.decode(), text.decode()
        except UnicodeDecodeError:
            return
        if len(data) < 4 + r + u or t or room != self.room:
            return
        if kind == HELLO and not text and user == self.user:
            self.answered.set()
        elif kind == TEXT and text:
            print(f"{clean(user)}: {clean(text)}", flush=True)
        elif kind == NOTICE and text:
            shown = clean(text)
            print(f"* {shown}" if who in shown else f"* {clean(user)}: {shown}", flush=True)

    def send(self, kind: int, text: bytes = b"") -> bool:
        """Send one datagram; return whether it was short enough."""
        lengths = [len(self.room), len(self.user), len(self.token)]
        datagram = bytes([kind, *lengths]) + self.room + self.user + self.token + text
        if len(datagram) > LARGEST_DATAGRAM:
            return False
        self.transport.sendto(datagram)
        return True

    async def say_hello(self) -> None:
        for _ in range(FIRST_HELLOS):
            self.send(HELLO)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.answered.wait(), PAUSE)
                return
        raise Trouble("the server does not answer our hello")

    async def keep_saying_hello(self) -> None:
        while True:
            await asyncio.sleep(HELLO_EVERY)
            self.send(HELLO)


def clean(data: bytes) -> str:
    """Return a text that stays on its line."""
    text = data.decode(errors="replace")
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)


def encoded(option: str) -> bytes:
    return option.encode("utf-8", "surrogateescape")  # which is what the shell gave us


async def membership(
    door: Door, keyboard: Keyboard, options: argparse.Namespace
) -> tuple[bytes, bytes, bytes]:
    """Get into a room, and return its name, the user's, and the token."""
    user = None if options.username is None else encoded(options.username)
    while True:
        if user is None:
            user = await keyboard.answer("Your name?")
        try:
            if options.create is not None:
                operation, room = CREATE, encoded(options.create)
            elif options.join is not None:
                operation, room = JOIN, encoded(options.join)
            else:
                operation, room = await choice(door, keyboard)
            return room, user, await door.asks(operation, room, user)
        except Refused as refused:
            if options.create is not None or options.join is not None:
                raise Trouble(f"refused: {refused}") from None
            print(f"Refused: {refused}", flush=True)
        user = None


async def choice(door: Door, keyboard: Keyboard) -> tuple[int, bytes]:
    while True:
        answer = await keyboard.answer("1 to create a room, 2 to join one?")
        if answer == b"1":
            return CREATE, await keyboard.answer("The new room's name?")
        if answer == b"2":
            break
        print("Please type 1 or 2.", flush=True)
    rooms = (await door.asks(LIST)).split(b"\n")
    print("Rooms:", *(clean(room) for room in rooms if room), flush=True)
    return JOIN, await keyboard.answer("Which room?")


async def chat(talk: Talk, keyboard: Keyboard) -> None:
    await talk.say_hello()
    hellos = asyncio.create_task(talk.keep_saying_hello())
    while (line := await keyboard.line()) not in (None, b"/quit"):
        if line and not talk.send(TEXT, line):
            print("This line is too long for one datagram and was not sent.", flush=True)
    hellos.cancel()
    talk.send(BYE)


async def run(sock: socket.socket, options: argparse.Namespace) -> None:
    """Get in, then talk."""
    reader, writer = await asyncio.open_connection(sock=sock)
    keyboard = Keyboard()
    where = sock.getpeername()
    room, user, token = await membership(Door(reader, writer), keyboard, options)
    writer.close()
    udp = socket.socket(sock.family, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.connect(where)  # from now on the system drops what others send
    talk = Talk(room, user, token)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: talk, sock=udp)
    try:
        await chat(talk, keyboard)
    finally:
        transport.close()  # which sends what is left


async def until_told(sock: socket.socket, options: argparse.Namespace) -> str:
    """Run until the end, or until a signal comes; return what went wrong, if anything."""
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(run(sock, options))

    def stop(*_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has just been closed
            loop.call_soon_threadsafe(running.cancel)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    while not running.done():
        await asyncio.wait([running], timeout=0.5)  # Windows sees a signal only when we wake
    trouble = ""
    try:
        running.result()
    except Trouble as error:
        trouble = str(error)
    except OSError as error:
        trouble = f"connection lost: {error.strerror or error}"
    except (EOFError, asyncio.CancelledError):
        pass
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    return trouble


def main() -> None:
    """Connect, and leave the rest to the loop that works on every system."""
    parser = frame.client_options(__doc__, port=8084)
    parser.add_argument("--username", metavar="NAME")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--create", metavar="ROOM")
    group.add_argument("--join", metavar="ROOM")
    options = parser.parse_args()
    with frame.error_line(f"no server at {options.host}:{options.port}"):
        sock = socket.create_connection((options.host, options.port))
    with sock, contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        trouble = loop.run_until_complete(until_told(sock, options))
    if trouble:
        sys.exit(f"[ERROR] {trouble}")


if __name__ == "__main__":
    frame.run(main)
