"""A server for rooms on asyncio: streams for who wants in, a datagram protocol for who is in."""

import asyncio
import contextlib
import itertools
import secrets
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any

from .. import frame

HEAD = struct.Struct("!BBBBI")  # operation, state, lengths of room, user and payload
CREATE, LIST, JOIN = 1, 2, 3
DONE, REFUSED = 1, 2
LARGEST_PAYLOAD = 65_536  # bytes

HELLO, TEXT, BYE, NOTICE = range(4)
LARGEST_DATAGRAM = 4_096  # bytes
TOKEN = 16  # bytes

LAST_WORDS = 1.5  # seconds in which who is dismissed may still send, and read why
MOST_UNSENT = 2**20  # bytes of datagrams that the system does not take; more are lost
TICK = 0.1  # seconds between two looks at the clocks
TRIES = 50  # of finding a port that is free twice


class Refused(Exception):
    """A request that is not granted; why, and whether the connection goes on."""

    def __init__(self, reason: str, fatal: bool = False) -> None:
        super().__init__(reason)
        self.fatal = fatal


@dataclass
class Member:
    """One user in one room."""

    token: bytes
    heard: float
    address: Any = None


class Rooms(asyncio.DatagramProtocol):
    """All rooms: a dictionary of dictionaries. One thread, so that nothing needs a lock."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.rooms: dict[str, dict[str, Member]] = {}
        self.visitors: set[asyncio.StreamWriter] = set()

    # getting in

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        self.visitors.add(writer)
        try:
            while await self.answered(reader, writer):
                pass
            await dismissed(reader, writer)
        except asyncio.IncompleteReadError:  # the end, maybe in the middle of a request
            pass
        except OSError:
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self.visitors.discard(writer)

    async def answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether there may be another one."""
        operation, state, r, u, p = HEAD.unpack(await reader.readexactly(HEAD.size))
        names = await reader.readexactly(r + u)
        fatal = False
        try:
            if operation not in (CREATE, LIST, JOIN):
                raise Refused(f"operation {operation} is unknown", fatal=True)
            if state or p:
                raise Refused("a request has state 0 and no payload", fatal=True)
            payload = self.obey(operation, names[:r], names[r:])
            state = DONE
        except Refused as refused:
            payload = str(refused).encode()
            state = REFUSED
            fatal = refused.fatal
        writer.write(HEAD.pack(operation, state, r, u, len(payload)) + names + payload)
        await writer.drain()
        return not fatal

    def obey(self, operation: int, room: bytes, user: bytes) -> bytes:
        if operation == LIST:
            return listed(self.rooms)
        room_name, user_name = name("room", room), name("user", user)
        members = self.rooms.get(room_name)
        if operation == CREATE:
            if members is not None:
                raise Refused(f"the room {room_name} exists already")
            members = self.rooms[room_name] = {}
        elif members is None:
            raise Refused(f"there is no room {room_name}")
        elif user_name in members:
            raise Refused(f"somebody in {room_name} is called {user_name} already")
        token = secrets.token_bytes(TOKEN)
        members[user_name] = Member(token, time.monotonic())
        self.notice(room_name, user_name, f"{user_name} has joined")
        return token

    # being in

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        try:
            kind, room, user, token, text = parsed(data)
        except ValueError:
            return
        member = self.rooms.get(room, {}).get(user)
        if member is None or not secrets.compare_digest(member.token, token):
            return
        member.heard = time.monotonic()
        member.address = address
        if kind == HELLO:
            self.send(HELLO, room, user, "", [member])
        elif kind == TEXT:
            self.send(TEXT, room, user, text, self.others(room, user))
        else:
            self.part(room, user, f"{user} has left")

    def error_received(self, exc: Exception) -> None:
        """Ignore it: some address of somebody's does not exist any more."""

    def send(self, kind: int, room: str, user: str, text: str, to: list[Member]) -> None:
        names = [room.encode(), user.encode()]
        datagram = bytes([kind, *map(len, names), 0]) + b"".join(names) + text.encode()
        for member in to:
            if member.address and self.transport.get_write_buffer_size() < MOST_UNSENT:
                self.transport.sendto(datagram, member.address)

    def others(self, room: str, user: str) -> list[Member]:
        return [member for other, member in self.rooms[room].items() if other != user]

    def notice(self, room: str, user: str, text: str) -> None:
        self.send(NOTICE, room, user, text, self.others(room, user))

    def part(self, room: str, user: str, text: str) -> None:
        """End a membership, and the room with its last one."""
        self.notice(room, user, text)
        del self.rooms[room][user]
        if not self.rooms[room]:
            del self.rooms[room]

    async def look_at_the_clocks(self) -> None:
        """Drop the silent ones, but first hear what has come for us until now."""
        now = time.monotonic()
        for _ in range(2_000):
            if not select.select([self.transport.get_extra_info("socket")], [], [], 0)[0]:
                break
            await asyncio.sleep(0)
        silent = [
            (room, user)
            for room, members in self.rooms.items()
            for user, member in members.items()
            if member.heard + self.patience <= now
        ]
        for room, user in silent:
            self.part(room, user, f"{user} was not heard for {self.patience:g} s")

    async def close(self) -> None:
        """End all connections."""
        for writer in self.visitors:
            writer.close()  # at once where nothing waits to be sent
        await asyncio.sleep(0.1)
        for writer in self.visitors:
            writer.transport.abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.transport.abort()


async def dismissed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the last reply arrives: a reset would take it away."""

    async def listen() -> None:
        while await reader.read(65_536):
            pass

    writer.write_eof()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(listen(), LAST_WORDS)
    writer.transport.abort()


def name(what: str, data: bytes) -> str:
    """Return the name that a request gives, if it can be one."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Refused(f"the {what}'s name is not UTF-8") from None
    if not 1 <= len(text) <= 32 or not all(c.isalnum() or c in "_-." for c in text):
        raise Refused(f"a {what}'s name has 1 to 32 letters, digits, _ - .")
    return text


def listed(rooms: dict[str, dict[str, Member]]) -> bytes:
    """Return as many of the names as a payload holds."""
    size, lines = 0, []
    for room in sorted(rooms):
        line = f"{room}\n".encode()
        if size + len(line) <= LARGEST_PAYLOAD:
            size += len(line)
            lines.append(line)
    return b"".join(lines)


def parsed(data: bytes) -> tuple[int, str, str, bytes, str]:
    """Return the parts of a datagram; ValueError says that it is none of ours."""
    if not 4 <= len(data) <= LARGEST_DATAGRAM:
        raise ValueError("too long, or too short")
    kind, r, u, t = data[:4]
    if kind not in (HELLO, TEXT, BYE) or t != TOKEN or len(data) < 4 + r + u + t:
        raise ValueError("not for a server")
    rest = data[4:]
    text = rest[r + u + t :].decode()
    if bool(text) != (kind == TEXT):
        raise ValueError("text where there is none, or none where there is one")
    return kind, rest[:r].decode(), rest[r : r + u].decode(), rest[r + u : r + u + t], text


def listening(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Return a TCP and a UDP socket with one port number."""
    host = socket.gethostbyname(host)
    for attempt in itertools.count(1):
        try:
            tcp = socket.create_server((host, port), backlog=64)
            try:
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                try:
                    udp.bind(tcp.getsockname())
                except OSError:
                    udp.close()
                    raise
            except OSError:
                tcp.close()
                raise
        except OSError:
            if port or attempt == TRIES:
                raise
        else:
            udp.setblocking(False)
            return tcp, udp
    raise AssertionError("never reached")


def complain(_: object, what: dict[str, Any]) -> None:
    """Log what the loop complains about, but not each time that there is no descriptor left."""
    if not isinstance(what.get("exception"), OSError):
        frame.info(f"{what['message']}: {what.get('exception')!r}")


async def serve(
    tcp: socket.socket, udp: socket.socket, patience: float, stopping: list[bool]
) -> None:
    """Serve everybody until a signal comes."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(complain)
    rooms = Rooms(patience)
    await loop.create_datagram_endpoint(lambda: rooms, sock=udp)
    server = await asyncio.start_server(rooms.visited, sock=tcp, backlog=64)
    frame.ready(tcp)
    while not stopping:  # a signal does not wake this kind of loop on Windows
        await asyncio.sleep(TICK)
        await rooms.look_at_the_clocks()
    server.close()
    await rooms.close()


def main() -> None:
    """Listen where the options say, and run the loop that works on every system."""
    parser = frame.server_options(__doc__, port=8084)
    parser.add_argument("--idle-timeout", type=frame.seconds, default=60.0)
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        tcp, udp = listening(options.host, options.port)
    stopping: list[bool] = []
    for signal_name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, signal_name):
            signal.signal(getattr(signal, signal_name), lambda *_: stopping.append(True))
    with tcp, udp, contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        loop.run_until_complete(serve(tcp, udp, options.idle_timeout, stopping))


if __name__ == "__main__":
    frame.run(main)
