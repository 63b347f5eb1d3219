"""A chat server on asyncio's streams: for each client a task that reads and one that writes."""

import asyncio
import contextlib
import json
import signal
import socket
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import frame

LONGEST_LINE = 65_536  # bytes, with the line end
PIECE = 65_536  # bytes
TURN = 50  # lines of one client that are obeyed before it is the others' turn
MOST_UNSENT = 2 * 2**20  # bytes that wait for a client that does not read
LAST_WORDS = 0.8  # seconds in which a connection that ends still gets what waits for it
TICK = 0.2  # seconds between two looks at the clocks


class Trouble(Exception):
    """A line that is refused; its code is the first argument."""


@dataclass(eq=False)
class Member:
    """One client, from its first byte to its last."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    name: str | None = None
    partner: "Member | None" = None
    askers: list["Member"] = field(default_factory=list)  # who wait for my answer
    unsent: bytearray = field(default_factory=bytearray)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    heard: float = field(default_factory=time.monotonic)
    ending: float | None = None  # when its connection is cut

    def send(self, line: bytes) -> bool:
        """Keep a line for the task that writes; return whether there was room for it."""
        if self.held() + len(line) > MOST_UNSENT:
            return False
        self.unsent += line
        self.news.set()
        return True

    def held(self) -> int:
        return len(self.unsent) + self.writer.transport.get_write_buffer_size()

    def end(self) -> None:
        if self.ending is None:
            self.ending = time.monotonic() + LAST_WORDS
            self.news.set()

    async def write(self) -> None:
        """Send what is kept. Nobody else ever waits for this client."""
        with contextlib.suppress(OSError):
            while self.unsent or self.ending is None:
                await self.news.wait()
                self.news.clear()
                data, self.unsent = bytes(self.unsent), bytearray()
                self.writer.write(data)
                await self.writer.drain()
            while self.writer.transport.get_write_buffer_size():
                await asyncio.sleep(0.02)  # drain() is content with a half full buffer
        self.writer.close()


class Hall:
    """All members, and the rules."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.members: set[Member] = set()
        self.online: dict[str, Member] = {}
        self.full: list[Member] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        member = Member(reader, writer)
        self.members.add(member)
        writing = asyncio.create_task(member.write())
        try:
            await self.read(member)
        except OSError as error:
            frame.info(f"{member.name} is lost: {error}")
        finally:
            self.leave(member)
            self.drop_the_full()
            await writing
            self.members.discard(member)

    async def read(self, member: Member) -> None:
        """Obey lines until the end of stream, or until no more may come."""
        rest = b""
        while piece := await member.reader.read(PIECE):
            member.heard = time.monotonic()
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) >= LONGEST_LINE:
                lines.append(rest)
            for number, line in enumerate(lines):
                if number % TURN == 0:
                    await asyncio.sleep(0)  # read() does not wait, either, when bytes are there
                if member.ending is not None:
                    return
                self.obey(member, line)
                self.drop_the_full()

    def obey(self, member: Member, line: bytes) -> None:
        try:
            if len(line) >= LONGEST_LINE:
                raise Trouble("too_long", "no line may have more than 65,536 bytes")
            try:
                message = json.loads(line.decode())
            except (ValueError, RecursionError):
                raise Trouble("bad_json", "not JSON in UTF-8") from None
            match message:
                case {"username": name} if member.name is None:
                    self.log_in(member, name)
                case dict() if member.name is not None:
                    self.act(member, message)
                case _ if member.name is None:
                    raise Trouble("login_required", "log in with a username")
                case _:
                    raise Trouble("bad_json", "JSON, but not an object")
        except Trouble as trouble:
            code, text = trouble.args
            self.tell([member], "error", code=code, message=text)
            if code == "too_long":
                self.leave(member)

    def log_in(self, member: Member, name: object) -> None:
        if not isinstance(name, str):
            raise Trouble("bad_request", "username: not a text")
        plain = name.translate({ord(sign): "x" for sign in "_-."})
        if not plain.isalnum() or len(name) > 32:
            raise Trouble("bad_username", "letters, digits and _ - . only, 1 to 32")
        if name in self.online:
            raise Trouble("username_taken", f"{name} is online already")
        member.name = name
        self.online = {name: member, **self.online}
        self.notice([member], f"you are in, {name}")
        self.notice(self.others(member), f"{name} came in")

    def act(self, me: Member, message: dict[str, Any]) -> None:
        """Do what a user's line asks for."""
        match message:
            case {"type": "ping"}:
                self.tell([me], "pong")
            case {"type": "users"}:
                self.tell([me], "users_list", users=[me.name, *(o.name for o in self.others(me))])
            case {"type": "message", "message": str(text)} if text:
                self.tell(self.others(me), "message", from_username=me.name, message=text)
            case {"type": "private", "target_username": str(name), "message": str(text)} if text:
                other = self.find(me, name)
                self.tell([other], "private", from_username=me.name, message=text)
            case {"type": "session_request", "target_username": str(name)}:
                self.ask(me, self.find(me, name))
            case {
                "type": "session_response",
                "target_username": str(name),
                "accepted": bool(accepted),
            }:
                self.answer(me, self.online.get(name), accepted)
            case {"type": "session_end"}:
                if not me.partner:
                    raise Trouble("no_session", "you are not in a session")
                self.end_session(me, [me, me.partner])
            case {"type": str(kind)} if kind not in NEEDED:
                raise Trouble("unknown_type", f"known are {', '.join(NEEDED)}")
            case {"type": str(kind)}:
                raise Trouble("bad_request", f"{kind} needs {NEEDED[kind]}")
            case _:
                raise Trouble("bad_request", "the type is needed, as a text")

    def ask(self, me: Member, other: Member) -> None:
        if me.partner or other.partner:
            raise Trouble("busy", "not while one of you is in a session")
        if me not in other.askers:
            other.askers.append(me)
            text = f"{me.name} asks for a session"
            self.tell([other], "session_request", from_username=me.name, message=text)

    def answer(self, me: Member, asker: Member | None, accepted: bool) -> None:
        if asker is None or asker not in me.askers:
            raise Trouble("no_such_request", "no such request waits (any more)")
        me.askers.remove(asker)
        names = {"from_username": asker.name, "to_username": me.name}
        if not accepted:
            self.tell([asker], "session_rejected", **names, message=f"{me.name} does not want it")
            return
        for one, other in (me, asker), (asker, me):
            one.partner = other
            self.forget_requests(one)
        self.tell([me, asker], "session_accepted", **names, message="the session begins")

    def end_session(self, me: Member, told: list[Member]) -> None:
        other, me.partner = me.partner, None
        other.partner = None
        names = {"from_username": me.name, "to_username": other.name}
        self.tell(told, "session_ended", **names, message="the session is over")

    def leave(self, member: Member) -> None:
        """End a connection, and tell the others when it was a user's."""
        member.end()
        if member.name is None or self.online.get(member.name) is not member:
            return
        del self.online[member.name]
        self.forget_requests(member)
        self.notice(list(self.online.values()), f"{member.name} went away")
        if member.partner:
            self.end_session(member, [member.partner])

    def forget_requests(self, member: Member) -> None:
        member.askers.clear()
        for other in self.online.values():
            if member in other.askers:
                other.askers.remove(member)

    def find(self, me: Member, name: str) -> Member:
        if name not in self.online:
            raise Trouble("no_such_user", "no such user is online")
        if name == me.name:
            raise Trouble("not_yourself", "this is you")
        return self.online[name]

    def others(self, me: Member) -> list[Member]:
        return [member for member in self.online.values() if member is not me]

    def notice(self, members: list[Member], text: str) -> None:
        self.tell(members, "system", message=text, online_users=len(self.online))

    def tell(self, members: list[Member], kind: str, **fields: object) -> None:
        message = {"type": kind, "timestamp": datetime.now().isoformat(), **fields}
        line = json.dumps(message, ensure_ascii=False, separators=(",", ":")) + "\n"
        data = line.encode("utf-8", "backslashreplace")  # which is how JSON writes a surrogate
        self.full += [member for member in members if not member.send(data)]

    def drop_the_full(self) -> None:
        """Drop those for whom there was no room, and those who have no room for that news."""
        while self.full:
            member = self.full.pop()
            member.unsent.clear()
            member.writer.transport.abort()
            self.leave(member)

    def look_at_the_clocks(self) -> None:
        now = time.monotonic()
        for member in list(self.members):
            if member.ending is not None and now > member.ending:
                member.unsent.clear()
                member.writer.transport.abort()
            elif member.ending is None and member.name and now - member.heard > self.patience:
                text = f"idle for {self.patience} s"
                self.tell([member], "error", code="idle", message=text)
                self.leave(member)
        self.drop_the_full()

    async def close(self) -> None:
        """Say good bye, and wait until all have got it, or cannot."""
        self.notice(list(self.online.values()), "the server is shutting down")
        for member in self.members:
            member.end()
        while self.members:
            await asyncio.sleep(0.01)
            self.look_at_the_clocks()


NEEDED = {
    "message": "a message",
    "private": "a target_username and a message",
    "session_request": "a target_username",
    "session_response": "a target_username and accepted, true or false",
    "session_end": "nothing",
    "users": "nothing",
    "ping": "nothing",
}


def report(_: object, what: dict[str, Any]) -> None:
    """Log what the loop complains about, but not each time that there is no descriptor left."""
    if not isinstance(what.get("exception"), OSError):
        frame.info(f"{what['message']}: {what.get('exception')!r}")


async def serve(listener: socket.socket, patience: float, stopping: list[bool]) -> None:
    """Serve everybody until a signal comes."""
    asyncio.get_running_loop().set_exception_handler(report)
    hall = Hall(patience)
    server = await asyncio.start_server(hall.connected, sock=listener, backlog=64)
    frame.ready(listener)
    while not stopping:  # a signal does not wake this kind of loop on Windows
        await asyncio.sleep(TICK)
        hall.look_at_the_clocks()
    server.close()
    await hall.close()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 0.2)  # from 3.12 on it waits for all clients


def main() -> None:
    """Listen where the options say, and run the loop that works on every system."""
    parser = frame.server_options(__doc__, port=8083)
    parser.add_argument("--idle-timeout", type=frame.seconds, default=120.0)
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port), backlog=64)
    stopping: list[bool] = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.append(True))
    with listener, contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        loop.run_until_complete(serve(listener, options.idle_timeout, stopping))


if __name__ == "__main__":
    frame.run(main)
