"""Lab 5's server of the test's own, as a client under test meets it: TCP and UDP on one port."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kit.failure import Seen
from kit.peer import Address
from kit.program import PATIENCE, Program, Stdin
from kit.stage import QUIET, Stage
from kit.tcp import Listener, TcpPeer
from kit.udp import UdpPeer
from lab5_rooms.wire import (
    BYE,
    CREATE,
    DONE,
    HEAD,
    HELLO,
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


class Desk(TcpPeer):
    """The server's end of the connection over which a client gets in."""

    def next_request(self, what: str, hint: str = "") -> Request:
        """Wait for the next request, and return it."""
        head = self.reads(HEAD.size, what, hint)
        operation, state, room, user, size = HEAD.unpack(head)
        names = self.reads(room + user, f"the names in {what}", hint)
        self._last = Request(operation, state, names[:room], names[room:], size)
        return self._last

    def is_asked(self, operation: int, room: str = "", user: str = "", hint: str = "") -> None:
        """Wait for this request; which names stand in a request for the list does not matter."""
        what = f"a request to {OPERATIONS[operation]}"
        came = self.next_request(what, hint)
        expected = Request(operation, REQUEST, room.encode(), user.encode(), 0)
        if operation == LIST:
            expected = expected._replace(room=came.room, user=came.user)
        if came != expected:
            seen = Seen("other", str(expected), str(came))
            raise self.fails(f"{self.name} waited for {what}", seen, hint)

    def answer(self, state: int, payload: bytes = b"") -> bytes:
        """Return the reply to what was asked last."""
        operation, _, room, user, _ = self._last
        return (
            HEAD.pack(operation, state, len(room), len(user), len(payload)) + room + user + payload
        )

    def agrees(self, payload: bytes = b"") -> None:
        """Reply that it is done."""
        self.sends(self.answer(DONE, payload))

    def refuses(self, reason: str) -> None:
        """Reply that it is refused."""
        self.sends(self.answer(REFUSED, reason.encode()))


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
        self.room, self.user, self.token = "kitchen", "alice", b""

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

    def is_called(self, hint: str = "") -> Desk:
        """Wait until a program that is just starting connects, and return the connection."""
        return Desk(self.stage, self.name, self.program, super().is_called(hint).sock)

    def lets_in(self, desk: Desk, room: str = "kitchen", user: str = "alice") -> None:
        """Give the client a token for what it asked for, as this user in this room."""
        self.room, self.user = room, user
        self.token = self.stage.random.randbytes(TOKEN)
        desk.agrees(self.token)

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
        """Stop listening."""
        self.udp.sock.close()
        super().leaves()

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
def called(
    stage: Stage, *arguments: str, typed: str = "", stdin: Stdin = "open", buffered: bool = False
) -> Iterator[tuple[Program, Lobby, Desk]]:
    """Start a client, type into it at once, and yield it with what it called."""
    with Lobby(stage, "server") as lobby:
        client = lobby.starts_client("client", *arguments, stdin=stdin, buffered=buffered)
        if typed:
            client.types(typed)
        with lobby.is_called() as desk:
            yield client, lobby, desk


@contextmanager
def entered(
    stage: Stage, stdin: Stdin = "open", room: str = "kitchen", user: str = "alice"
) -> Iterator[tuple[Program, Lobby]]:
    """Start a client that makes a room, and let it in."""
    words = ("--username", user, "--create", room)
    with called(stage, *words, stdin=stdin) as (client, lobby, desk):
        desk.is_asked(CREATE, room, user)
        lobby.lets_in(desk, room, user)
        lobby.hears_hello()
        lobby.answers_hello()
        yield client, lobby


def shows_no_prompt(stage: Stage, client: Program) -> None:
    """See that all that stands on stdout are whole lines, as where there is no terminal."""

    def whole() -> bool:
        return client.stdout.text[-1:] in ("", "\n")

    client.waits_until(lambda: bool(client.stdout.text) or client.over, QUIET)
    client.waits_until(lambda: whole() or client.over, PATIENCE)
    stage.requires(
        whole(),
        f"{client.name} shows a prompt where there is no terminal",
        expected="whole lines, or nothing",
        received=client.stdout.text,
        hint="input(prompt) shows its prompt on a pipe, too",
    )


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
