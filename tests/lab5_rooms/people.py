"""Who meets lab 5's server under test: over TCP those who want to get in, over UDP its members."""

import time
from typing import Any

from kit.failure import Seen
from kit.peer import Address
from kit.program import PATIENCE, Program
from kit.stage import Stage
from kit.tcp import TcpPeer, TcpServer
from kit.udp import UdpPeer
from lab5_rooms.wire import (
    CREATE,
    DONE,
    HEAD,
    HELLO,
    JOIN,
    LENGTHS,
    LIST,
    MAX_PAYLOAD,
    NOTICE,
    OPERATIONS,
    REFUSED,
    REPEATED,
    STATES,
    TEXT,
    TOKEN,
    Name,
    Parts,
    as_bytes,
    datagram,
    parts,
    request,
    told,
)


class TcpMember(TcpPeer):
    """A TCP connection of somebody who wants to get in."""

    def asks(self, operation: int, room: Name = "", user: Name = "") -> None:
        """Send a request."""
        self.sends(request(operation, room, user))

    def is_answered(
        self, operation: int, room: Name = "", user: Name = "", hint: str = ""
    ) -> tuple[int, bytes]:
        """Wait for the reply to a request, which repeats it; return its state and its payload."""
        what = f"the reply to {OPERATIONS.get(operation, 'a request')}"
        names = as_bytes(room), as_bytes(user)
        head = HEAD.unpack(self.reads(HEAD.size, what, hint))
        expected = operation, len(names[0]), len(names[1])
        characters = head[2:4] == (len(room), len(user)) != expected[1:]
        self.stage.requires(
            (head[0], head[2], head[3]) == expected
            and head[1] in (DONE, REFUSED)
            and head[4] <= MAX_PAYLOAD,
            f"{self.name} got a reply whose header does not fit its request",
            expected="operation {}, done or refused, R {}, U {}".format(*expected),
            received="operation {}, state {}, R {}, U {}, P {:,}".format(*head),
            hint=LENGTHS if characters else hint or REPEATED,
        )
        repeated = self.reads(len(names[0]) + len(names[1]), f"the names in {what}", hint)
        if repeated != b"".join(names):
            seen = Seen("told", f"{names[0]!r}, {names[1]!r}", f"{repeated!r}")
            raise self.stage.failure(f"{self.name} got a reply with other names", seen, hint)
        return head[1], self.reads(head[4], f"the payload of {what}", hint)

    def is_done(self, operation: int, room: Name = "", user: Name = "", hint: str = "") -> bytes:
        """Wait for a reply that it is done, and return its payload."""
        return self._payload(DONE, operation, room, user, hint)

    def is_refused(self, operation: int, room: Name = "", user: Name = "", hint: str = "") -> None:
        """Wait for a reply that it is refused, with a reason."""
        reason = self._payload(REFUSED, operation, room, user, hint)
        try:
            readable = bool(reason.decode().strip())
        except UnicodeDecodeError:
            readable = False
        self.stage.requires(
            readable,
            f"{self.name} was not told why its request was refused",
            expected="a reason, in UTF-8",
            received=repr(reason),
        )

    def gets_token(self, operation: int, room: Name, user: Name, hint: str = "") -> bytes:
        """Ask to get into a room, and return the token."""
        self.asks(operation, room, user)
        return self.is_given_token(operation, room, user, hint)

    def is_given_token(self, operation: int, room: Name, user: Name, hint: str = "") -> bytes:
        """Wait for the token that a request is answered with."""
        token = self.is_done(operation, room, user, hint)
        self.stage.requires(
            len(token) == TOKEN,
            f"{self.name} got a token of another length",
            expected=f"{TOKEN} bytes",
            received=f"{len(token)} bytes: {token!r}",
            hint=hint,
        )
        return token

    def lists(self, hint: str = "") -> list[str]:
        """Ask for the names of the rooms, and return them."""
        self.asks(LIST)
        return self.is_given_list(hint=hint)

    def sees_rooms(self, *expected: str, hint: str = "") -> None:
        """See that the list names these rooms, in any order, and no other one."""
        self.asks(LIST)
        self.is_given_rooms(*expected, hint=hint)

    def is_given_rooms(
        self, *expected: str, named: tuple[Name, Name] = ("", ""), hint: str = ""
    ) -> None:
        """Wait for the list, the reply to a request that named a room and a user."""
        names = self.is_given_list(*named, hint)
        self.stage.requires(
            sorted(names) == sorted(expected),
            f"{self.name} got another list of rooms",
            expected=", ".join(expected) or "no name, no payload",
            received=", ".join(map(repr, names)) or "no name",
            hint=hint,
        )

    def is_given_list(self, room: Name = "", user: Name = "", hint: str = "") -> list[str]:
        """Wait for the list of rooms."""
        payload = self.is_done(LIST, room, user, hint)
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            seen = Seen("told", "names in UTF-8, one a line", f"… {payload[-60:]!r}")
            raise self.stage.failure(f"{self.name} got a list that is not UTF-8", seen, hint) from (
                None
            )
        return text.removesuffix("\n").split("\n") if text else []

    def _payload(self, state: int, operation: int, room: Name, user: Name, hint: str) -> bytes:
        got, payload = self.is_answered(operation, room, user, hint)
        self.stage.requires(
            got == state,
            f"{self.name} asked to {OPERATIONS.get(operation, 'do nothing that there is')}"
            f", which was {STATES[got]}",
            expected=STATES[state],
            received=f"{STATES[got]}: {payload!r}",
            hint=hint,
        )
        return payload


class Member(UdpPeer):
    """A UDP socket of somebody who is in a room. Notices may come between all other datagrams:
    they are kept apart, and `is_told` looks for the one that it waits for.
    """

    def __init__(
        self,
        stage: Stage,
        user: str,
        room: str,
        token: bytes,
        program: Program,
        to: Address,
        name: str = "",
    ) -> None:
        super().__init__(stage, name or user, program, to=to)
        self.user, self.room, self.token = user, room, token
        self.came: list[bytes] = []  # all datagrams that were looked at
        self._notices: list[Parts] = []

    def says(self, text: str | bytes) -> None:
        """Send a text."""
        self.tells_server(TEXT, text)

    def tells_server(self, kind: int, text: str | bytes = b"") -> None:
        """Send a datagram of this kind, with room, user and token."""
        self.sends(datagram(kind, self.room, self.user, self.token, text))

    def says_hello(self, hint: str = "") -> None:
        """Say hello, and wait until it comes back."""
        self.tells_server(HELLO)
        self.is_sent(datagram(HELLO, self.room, self.user), "its hello to come back", hint)

    def hears(self, user: str, text: str | bytes, hint: str = "", silent: str = "") -> None:
        """Wait for this text of this user; it must be the next datagram that is no notice.

        `silent` is the likely cause when nothing comes, `hint` the one of anything else.
        """
        self.is_sent(datagram(TEXT, self.room, user, text=text), f"{user}'s text", hint, silent)

    def is_sent(
        self, expected: bytes, what: str = "a datagram", hint: str = "", silent: str = ""
    ) -> None:
        """Wait for exactly this datagram; notices may come before it."""
        waited = f"{self.name} waited for {what}"
        while (data := self._next(time.monotonic() + PATIENCE)) != expected:
            if data is None:
                raise self.fails(waited, Seen("silence", told(expected)), silent or hint)
            if not self._is_notice(data):
                raise self.fails(waited, Seen("other", told(expected), told(data)), hint)

    def is_told(self, about: str, hint: str = "", patience: float = PATIENCE) -> None:
        """Wait for a notice about this user."""
        waited = f"{self.name} waited for a notice about {about}"
        expected = told(datagram(NOTICE, self.room, about, text="…"))
        deadline = time.monotonic() + patience
        while True:
            for notice in self._notices:
                if notice.user == about.encode():
                    return self._notices.remove(notice)
            data = self._next(deadline)
            if data is None:
                raise self.fails(waited, Seen("silence", expected), hint)
            if not self._is_notice(data):
                raise self.fails(waited, Seen("other", expected, told(data)), hint)

    def is_not_told(self, about: str, hint: str = "") -> None:
        """See that no notice about this user has come up to now."""
        self.hears_no_more(hint)
        texts = [notice.text.decode() for notice in self._notices if notice.user == about.encode()]
        self.stage.requires(
            not texts,
            f"{self.name} was told what it should not be told",
            expected=f"no notice about {about}",
            received="\n".join(texts),
            hint=hint,
        )

    def hears_no_more(self, hint: str = "") -> None:
        """See that nothing but notices comes before the answer to a hello."""
        self.tells_server(HELLO)
        waited = f"{self.name} was sent what it should not be sent"
        own = datagram(HELLO, self.room, self.user)
        while (data := self._next(time.monotonic() + PATIENCE)) != own:
            if data is None:
                waited = f"{self.name} waited for its hello to come back"
                raise self.fails(waited, Seen("silence", told(own)), hint)
            if not self._is_notice(data):
                seen = Seen("told", f"{told(own)}, and nothing before it", told(data))
                raise self.stage.failure(waited, seen, hint)

    def listens(self, seconds: float) -> None:
        """Read whatever comes for that long, and keep the notices."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (data := self._next(deadline)) is not None:
            self._is_notice(data)

    def knows_of(self, *users: str) -> bool:
        """Tell whether a notice about each of these users has come."""
        return {notice.user for notice in self._notices} >= {user.encode() for user in users}

    def gets_nothing(self, hint: str = "") -> None:
        """See that nothing has come here."""
        data = self.takes(0.0)
        if data is not None:
            seen = Seen("told", "nothing", told(data))
            raise self.stage.failure(f"{self.name} was sent what it should not be sent", seen, hint)

    def moves(self, name: str) -> "Member":
        """Return the same member at another address, which the server has not heard of yet."""
        assert self.to
        return Member(self.stage, self.user, self.room, self.token, self.program, self.to, name)

    def _is_notice(self, data: bytes) -> bool:
        """Keep what is a notice, and tell whether it is; it has no token, and a text."""
        notice = parts(data)
        if notice is None or notice.kind != NOTICE or notice.room != self.room.encode():
            return False
        try:
            whole = bool(notice.text.decode()) and not notice.token
        except UnicodeDecodeError:
            whole = False
        self.stage.requires(
            whole,
            f"{self.name} was sent a notice that is malformed",
            expected="T 0, and a text in UTF-8 that is not empty",
            received=told(data),
        )
        self._notices.append(notice)
        return True

    def _next(self, deadline: float) -> bytes | None:
        data = super()._next(deadline)
        if data is not None:
            self.came.append(data)
        return data


class RoomServer(TcpServer):
    """The server under test. Its members stay until they leave, or the check is over."""

    def __init__(self, stage: Stage, program: Program) -> None:
        super().__init__(stage, program)
        self._open: list[Any] = []  # sockets that nobody else keeps

    def client(self, name: str, room: int = 0) -> TcpMember:
        """Connect somebody over TCP."""
        peer = super().client(name, room)
        peer = TcpMember(self.stage, name, self.program, peer.sock)
        self._open.append(peer)
        return peer

    def crowd(self, size: int, within: float) -> list[TcpMember]:
        """Connect as many clients in the same moment; see `TcpServer.crowd`."""
        peers = super().crowd(size, within)
        return [TcpMember(self.stage, peer.name, self.program, peer.sock) for peer in peers]

    def creates(self, user: str, room: str, hint: str = "") -> Member:
        """Make a room as this user, who then says hello."""
        return self._enters(CREATE, user, room, hint)

    def joins(self, user: str, room: str, hint: str = "") -> Member:
        """Enter a room as this user, who then says hello."""
        return self._enters(JOIN, user, room, hint)

    def joins_beside(self, user: str, other: Member) -> None:
        """Enter another member's room as this user, who is then at the other's address, too."""
        with self.client(user) as visitor:
            token = visitor.gets_token(JOIN, other.room, user)
        other.sends(datagram(HELLO, other.room, user, token))
        other.is_sent(datagram(HELLO, other.room, user))

    def member(self, user: str, room: str, token: bytes) -> Member:
        """Return somebody who has a token, and has not said anything."""
        to = self.host, self.port
        member = Member(self.stage, user, room, token, self.program, to)
        self._open.append(member)
        return member

    def has_rooms(self, *expected: str, hint: str = "") -> None:
        """See that the list names these rooms, in any order, and no other one."""
        with self.client("a visitor") as visitor:
            visitor.sees_rooms(*expected, hint=hint)

    def _enters(self, operation: int, user: str, room: str, hint: str) -> Member:
        with self.client(user) as visitor:
            token = visitor.gets_token(operation, room, user, hint)
        member = self.member(user, room, token)
        member.says_hello(hint)
        return member


def started(stage: Stage, *arguments: str) -> RoomServer:
    """Return a server that is ready."""
    return RoomServer(stage, stage.server("server", "--port", "0", *arguments))


def were_sent_no_token(stage: Stage, *members: Member) -> None:
    """See that none of the tokens came to anybody over UDP."""
    tokens = [member.token for member in members]
    tickets = [*tokens, *(token.hex().encode() for token in tokens)]
    for member in members:
        seen = [data for data in member.came if any(ticket in data for ticket in tickets)]
        stage.requires(
            not seen,
            "a token was sent over UDP",
            expected="T 0 in all that a server sends",
            received="\n".join(map(repr, seen)),
            hint="a token goes to its owner, over TCP, and to nobody else",
        )
