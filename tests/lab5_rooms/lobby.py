"""Lab 5's server of the test's own, as a client under test meets it: TCP and UDP on one port."""

import contextlib
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kit.failure import Seen
from kit.peer import Address
from kit.program import PATIENCE, Program, Stdin
from kit.stage import START_PATIENCE, Stage
from kit.tcp import Listener, TcpPeer
from kit.udp import UdpPeer
from lab5_rooms.wire import (
    BYE,
    CREATE,
    DONE,
    HEAD,
    HELLO,
    LENGTHS,
    LIST,
    NOTICE,
    OPERATIONS,
    REFUSED,
    REQUEST,
    TEXT,
    TOKEN,
    Name,
    datagram,
    told,
)

TRIES = 100  # to find a port number that is free twice
ALICE = ("--username", "alice", "--create", "kitchen")


class Request(NamedTuple):
    """What a client asks for."""

    operation: int
    state: int
    room: bytes
    user: bytes
    size: int

    def __str__(self) -> str:
        operation = OPERATIONS.get(self.operation, "unknown")
        names = f"room {_text(self.room)!r}, user {_text(self.user)!r}"
        return f"{operation} ({self.operation}), state {self.state}, {names}, P {self.size}"


class Lobby(Listener):
    """A server that a client under test calls: a TCP listener and a UDP socket on its port."""

    def __init__(self, stage: Stage, name: str, at: Address = ("127.0.0.1", 0)) -> None:
        for left in reversed(range(TRIES)):
            super().__init__(stage, name, at)
            try:
                self.udp = UdpPeer(stage, name, at=self.address)
                break
            except OSError:
                self.sock.close()
                if at[1] or not left:
                    raise
        self._desks: list[TcpPeer] = []  # the connections, of which a client may make several
        self.room, self.user, self.token = "", "", b""

    def starts_client(
        self,
        name: str,
        *arguments: str,
        port: bool = True,
        buffered: bool = False,
        stdin: Stdin = "open",
    ) -> Program:
        """Start a client program that is to talk to this end; see `Peer`."""
        program = super().starts_client(name, *arguments, port=port, buffered=buffered, stdin=stdin)
        self.udp.meets(program)
        return program

    def next_request(self, what: str, hint: str = "") -> Request:
        """Wait for the next request, over whichever connection it comes, and return it."""
        self.desk = self._next_desk(f"{self.name} waited for {what}", hint)
        operation, state, room, user, size = HEAD.unpack(self.desk.reads(HEAD.size, what, hint))
        names = self.desk.reads(room + user, f"the names in {what}", hint)
        self._asked = Request(operation, state, names[:room], names[room:], size)
        return self._asked

    def is_asked(self, operation: int, room: str = "", user: str = "", hint: str = "") -> None:
        """Wait for this request; which names stand in a request for the list does not matter."""
        what = f"a request to {OPERATIONS[operation]}"
        came = self.next_request(what, hint)
        expected = Request(operation, REQUEST, room.encode(), user.encode(), 0)
        if operation == LIST:
            expected = expected._replace(room=came.room, user=came.user)
        if came != expected:
            names = ((came.room, expected.room), (came.user, expected.user))
            if came.operation == operation and any(
                some and whole.startswith(some) and some != whole for some, whole in names
            ):
                hint = LENGTHS
            seen = Seen("other", str(expected), str(came))
            raise self.fails(f"{self.name} waited for {what}", seen, hint)

    def answer(self, state: int, payload: bytes = b"") -> bytes:
        """Return the reply to what was asked last."""
        operation, _, room, user, _ = self._asked
        head = HEAD.pack(operation, state, len(room), len(user), len(payload))
        return head + room + user + payload

    def agrees(self, payload: bytes = b"") -> None:
        """Reply that it is done."""
        self.desk.sends(self.answer(DONE, payload))

    def refuses(self, reason: str) -> None:
        """Reply that it is refused."""
        self.desk.sends(self.answer(REFUSED, reason.encode()))

    def lets_in(self) -> None:
        """Give the client a token for what it asked for."""
        self.agrees(self.makes_token())

    def makes_token(self) -> bytes:
        """Return a token for what the client asked for; it is what its datagrams must have."""
        self.room, self.user = _text(self._asked.room), _text(self._asked.user)
        self.token = self.stage.random.randbytes(TOKEN)
        return self.token

    def hears_hello(self, hint: str = "") -> None:
        """Wait for a hello, and do not answer it."""
        self._hears(HELLO, b"", hint)

    def answers_hello(self) -> None:
        """Answer a hello."""
        self.udp.sends(datagram(HELLO, self.room, self.user))

    def hears(self, text: str, hint: str = "") -> None:
        """Wait for a text; a hello may come before it."""
        self._hears(TEXT, text.encode(), hint)

    def hears_bye(self, hint: str = "") -> None:
        """Wait for a bye; a hello may come before it."""
        self._hears(BYE, b"", hint)

    def brings(self, user: Name, text: Name) -> None:
        """Send what somebody has written."""
        self.udp.sends(datagram(TEXT, self.room, user, text=text))

    def tells_of(self, user: str, text: str) -> None:
        """Send a notice about somebody."""
        self.udp.sends(datagram(NOTICE, self.room, user, text=text))

    def leaves(self) -> None:
        """Stop listening, and end every connection."""
        for peer in (self.udp, *self._desks):
            peer.closes()
        super().leaves()

    def _next_desk(self, waited: str, hint: str) -> TcpPeer:
        """Wait for a connection over which something comes, and return it."""
        deadline = time.monotonic() + (PATIENCE if self._desks else START_PATIENCE)
        while True:
            over = self.over()
            open_ones = [self.sock, self.program.bell]
            for desk in self._desks:
                if not desk.can_read():
                    open_ones.append(desk.sock)
                    continue
                with contextlib.suppress(OSError):  # the client has reset it, and makes another one
                    if desk.sock.recv(1, socket.MSG_PEEK):
                        return desk
            if self.can_read():
                self._desks.append(self.is_called(hint))
                continue
            left = deadline - time.monotonic()
            if over or left <= 0:
                raise self.fails(waited, Seen("silence", "a request", "none"), hint)
            select.select(open_ones, [], [], left)

    def _hears(self, kind: int, text: bytes, hint: str) -> None:
        expected = datagram(kind, self.room, self.user, self.token, text)
        hello = datagram(HELLO, self.room, self.user, self.token)
        waited = f"{self.name} waited for {told(expected).partition(' ')[0]}"
        while (data := self.udp.takes(PATIENCE)) != expected:
            if data is None:
                raise self.udp.fails(waited, Seen("silence", told(expected)), hint)
            if data != hello:  # a late answer may have let it say hello once more
                raise self.udp.fails(waited, Seen("other", told(expected), told(data)), hint)
            self.answers_hello()


@contextmanager
def called(stage: Stage, *arguments: str, typed: str = "") -> Iterator[tuple[Program, Lobby]]:
    """Start a client, type into it at once, and yield it with the server that it calls."""
    with Lobby(stage, "server") as lobby:
        client = lobby.starts_client("client", *arguments)
        if typed:
            client.types(typed)
        yield client, lobby


@contextmanager
def entered(
    stage: Stage, room: str = "kitchen", user: str = "alice"
) -> Iterator[tuple[Program, Lobby]]:
    """Start a client that makes a room, and let it in."""
    with called(stage, "--username", user, "--create", room) as (client, lobby):
        lobby.is_asked(CREATE, room, user)
        lobby.lets_in()
        lobby.hears_hello()
        lobby.answers_hello()
        yield client, lobby


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
