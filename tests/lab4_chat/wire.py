"""Lab 4's wire as the tests speak it: a JSON object a line, written anew from the contract."""

import json
import re
import socket
import time
from datetime import datetime, timezone
from typing import Any, Literal

from kit.failure import Failure, Seen
from kit.program import PATIENCE, Program
from kit.stage import Stage
from kit.tcp import TcpPeer, TcpServer

MAX_LINE = 65_536  # bytes of a client's line with its end
LONG_PATIENCE = 15.0  # seconds for the next of many messages that a busy machine relays
TOLD = 400  # characters of a message in a failure
TAKEN = "username_taken"
NOT_LOGGED_IN = "login_required", "bad_request"  # a line without a username fits both
HALF = "\ud83d"  # of a pair: JSON can write it as an escape, UTF-8 cannot
HALVES = "half a character (a lone surrogate) cannot be encoded: replace it, or refuse the line"

Message = dict[str, Any]
NOTHING: Message = {}

TIME = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d):?(\d\d)([.,]\d+)?(Z|[+-]\d\d(:?\d\d)?)?"
)
A_TIME = "2026-11-21T17:45:00+00:00, or like it: ISO 8601, with seconds"
FAR_OFF = 120.0  # seconds by which a timestamp may be wrong

ONE_LINE = "recv() returns half a line, or three: gather what comes, and take whole lines from it"


def line(**message: Any) -> bytes:
    """Return a message as it goes over the wire."""
    return json.dumps(message, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


class ChatPeer(TcpPeer):
    """One end of a chat's connection: it says messages and hears messages, a line each."""

    landmark = re.compile(rb'"code": *"[^"]{1,24}"')

    def __init__(
        self,
        stage: Stage,
        name: str,
        program: Program,
        sock: socket.socket,
        role: Literal["client", "server"] = "client",
    ) -> None:
        super().__init__(stage, name, program, sock, role)
        self._rest = b""  # what came behind the last line end
        self._came: list[bytes] = []  # lines that nobody has looked at
        self.heard: list[Message] = []  # all messages that were looked at

    def says(self, **message: Any) -> None:
        """Send a message."""
        self.sends(line(**message))

    def hears(self, kind: str, hint: str = "", silent: str = "", **fields: Any) -> Message:
        """Wait for the next message; it must be of this type and have these fields.

        `silent` is the likely cause when nothing comes, `hint` the one of anything else.
        """
        waited, expected = f'{self.name} waited for "{kind}"', {"type": kind, **fields}
        message = self.next_message(waited, _told(expected), silent or hint)
        if message.get("type") != kind or any(
            name not in message or message[name] != value for name, value in fields.items()
        ):
            raise self.fails(waited, Seen("other", _told(expected), _told(message)), hint)
        return message

    def next_message(
        self, waited: str, expected: str, hint: str = "", patience: float = PATIENCE
    ) -> Message:
        """Wait for the next whole line, and return the object in it."""
        deadline = time.monotonic() + patience
        while not self._came:
            piece = self._piece(65_536, deadline, waited, expected, bytearray(self._rest), hint)
            self._take(piece)
            deadline = time.monotonic() + patience
        return self._parsed(self._came.pop(0), hint)

    def hears_many(self, kind: str, count: int, hint: str = "") -> list[Message]:
        """Wait for so many messages of this type, and return them; no notice is kept."""
        waited = f'{self.name} waited for {count:,} times "{kind}"'
        messages: list[Message] = []
        while len(messages) < count:
            first = self.next_message(waited, f"{count:,} messages", hint, LONG_PATIENCE)
            lines, self._came = self._came, []
            try:  # all in one go: one by one takes three times as long
                more = json.loads(b"[" + b",".join(lines) + b"]")
            except (ValueError, RecursionError):
                more = [None]
            if not all(isinstance(message, dict) for message in more):
                more = [self._parsed(data, hint) for data in lines]
            messages += [message for message in (first, *more) if message.get("type") == kind]
        return messages

    def collects(self) -> None:
        """Take what has come up to now: TCP sends slower and slower to who lets much lie."""
        while piece := self._read(65_536, 0.0, lenient=True):
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        for data in lines:
            self.tells("<-", data + b"\n")
            self._came.append(data)

    def _parsed(self, data: bytes, hint: str = "") -> Message:
        try:
            parsed = json.loads(data.decode())
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            seen = Seen("told", "a line with a JSON object in UTF-8", data + b"\n")
            raise self.stage.failure(f"{self.name} was sent a line that is no message", seen, hint)
        self.heard.append(parsed)
        return parsed

    def leaves(self) -> None:
        """Close the connection."""
        self.tells("--", "closes the connection", "FIN")
        self.sock.close()


class User(ChatPeer):
    """A client of the server under test. Notices ("system") may come between all other messages:
    they are kept apart, and `is_told` looks for the one that it waits for.
    """

    def __init__(self, stage: Stage, name: str, program: Program, sock: socket.socket) -> None:
        super().__init__(stage, name, program, sock)
        self._inside = False  # before the welcome there are no notices
        self._notices: list[Message] = []

    def logs_in(self, name: str = "", hint: str = "", patience: float = PATIENCE) -> Message:
        """Log in, under the peer's own name if no other is given; return the welcome."""
        self.says(username=name or self.name)
        return self.is_welcomed(hint, patience)

    def is_welcomed(self, hint: str = "", patience: float = PATIENCE) -> Message:
        """Wait for the welcome, which comes before all else; return it."""
        waited, expected = f"{self.name} waited for the welcome", _told({"type": "system"})
        message = super().next_message(waited, expected, hint, patience)
        if message.get("type") != "system":
            raise self.fails(waited, Seen("other", expected, _told(message)), hint)
        self._inside = True
        return message

    def is_let_in(self) -> bool:
        """Wait for the answer to a login: the welcome, or that the name is taken."""
        waited = f"{self.name} waited for the answer to its login"
        expected = f"{_told({'type': 'system'})} or {_told({'type': 'error', 'code': TAKEN})}"
        message = super().next_message(waited, expected)
        if message.get("type") != "system" and message.get("code") != TAKEN:
            raise self.fails(waited, Seen("other", expected, _told(message)))
        self._inside = message.get("type") == "system"
        return self._inside

    def next_message(
        self, waited: str, expected: str, hint: str = "", patience: float = PATIENCE
    ) -> Message:
        """Wait for the next message that is no notice, and return it."""
        while True:
            message = super().next_message(waited, expected, hint, patience)
            if message.get("type") != "system" or not self._inside:
                return message
            self._notices.append(message)

    def comes_to(self, kind: str, hint: str = "", **fields: Any) -> None:
        """Wait for a message of this type with these fields, and pass over what comes before it."""
        waited, right = f'{self.name} waited for "{kind}"', {"type": kind, **fields}
        while not right.items() <= self.next_message(waited, _told(right), hint).items():
            pass

    def is_told(
        self, *words: str, online: int | None = None, hint: str = "", alone_without: str = ""
    ) -> None:
        """Wait for a notice with these words in it, and with this number of users online.

        Notices may name others who are online, too: one with another number is passed over, and so
        is one that this user is alone now, without `alone_without`.
        """
        fields: Message = {} if online is None else {"online_users": online}
        expected = _told({"type": "system", "message": f"… {' … '.join(words)} …", **fields})
        waited = f"{self.name} waited for a notice"
        another: Message = {}
        while True:
            for notice in self._notices:
                text, count = str(notice.get("message")), notice.get("online_users")
                if not all(word in text for word in words):
                    continue
                if online is not None and count != online:
                    another = notice
                elif not (alone_without and alone_without in text and count == 1):
                    self._notices.remove(notice)
                    self._is_counted(notice)
                    return
            try:
                message = super().next_message(waited, expected, hint)
                if message.get("type") != "system":
                    raise self.fails(waited, Seen("other", expected, _told(message)), hint)
            except Failure:
                if not another:
                    raise
                seen = Seen("told", expected, _told(another))
                waited = f"{self.name} was told another number of users online"
                raise self.stage.failure(waited, seen, hint) from None
            self._notices.append(message)

    def _is_counted(self, notice: Message) -> None:
        self.stage.requires(
            type(notice.get("online_users")) is int,
            f"{self.name} was told something without how many are online",
            expected='"online_users", a number, in each notice',
            received=_told(notice),
        )

    def is_not_told(self, word: str, hint: str = "") -> None:
        """See that no notice with this word in it has come up to now."""
        self.hears_no_more()
        for notice in self._notices:
            self.stage.requires(
                word not in str(notice.get("message")),
                f"{self.name} was told what it should not be told",
                expected=f"no notice about {word}",
                received=_told(notice),
                hint=hint,
            )

    def is_refused(self, *codes: str, hint: str = "", perhaps_before: Message = NOTHING) -> None:
        """Wait for an error with one of these codes.

        Messages with the fields `perhaps_before` may come before it.
        """
        waited = f'{self.name} waited for the error "{codes[0]}"'
        expected = " or ".join(_told({"type": "error", "code": code}) for code in codes)
        message = self.next_message(waited, expected, hint)
        while (
            message.get("code") not in codes
            and perhaps_before
            and perhaps_before.items() <= message.items()
        ):
            message = self.next_message(waited, expected, hint)
        if message.get("type") != "error" or message.get("code") not in codes:
            raise self.fails(waited, Seen("other", expected, _told(message)), hint)

    def hears_no_more(self, hint: str = "") -> None:
        """See that nothing but notices comes before the answer to a ping.

        Who has not logged in gets an error for it.
        """
        self.says(type="ping")
        pong = {"type": "pong"}
        waited = f"{self.name} waited for the answer to a ping"
        message = self.next_message(waited, _told(pong))
        self.stage.requires(
            message.get("type") == "pong" or message.get("code") in NOT_LOGGED_IN,
            f"{self.name} was sent what it should not be sent",
            expected=f"{_told(pong)} and nothing before it",
            received=_told(message),
            hint=hint,
        )


class ChatServer(TcpServer):
    """The server under test. Its clients stay connected until they leave, or the check is over."""

    def __init__(self, stage: Stage, program: Program) -> None:
        super().__init__(stage, program)
        self._clients: list[User] = []

    def client(self, name: str, room: int = 0) -> User:
        """Connect a client, which has not logged in."""
        user = User(self.stage, name, self.program, super().client(name, room).sock)
        self._clients.append(user)
        return user

    def user(self, name: str, room: int = 0) -> User:
        """Connect a client, and log in."""
        user = self.client(name, room)
        user.logs_in()
        return user

    def crowd(self, size: int, within: float) -> list[User]:
        """Connect as many clients in the same moment; see `TcpServer.crowd`."""
        return [
            User(self.stage, peer.name, self.program, peer.sock)
            for peer in super().crowd(size, within)
        ]


def started(stage: Stage, *arguments: str) -> ChatServer:
    """Return a server that is ready."""
    return ChatServer(stage, stage.server("server", "--port", "0", *arguments))


def lists(user: User, *names: str, hint: str = "") -> None:
    """See that the list of users holds exactly these names, in any order."""
    user.says(type="users")
    listed = user.hears("users_list").get("users")
    user.stage.requires(
        isinstance(listed, list) and sorted(map(str, listed)) == sorted(names),
        f"{user.name} got another list of users",
        expected=f"{sorted(names)}, in any order",
        received=str(listed),
        hint=hint,
    )


def has_the_time(stage: Stage, message: Message) -> None:
    """See that a message carries the present time, of this place or of Greenwich."""
    text = str(message.get("timestamp"))
    parts = TIME.fullmatch(text)
    stage.requires(
        parts is not None,
        "a message from the server does not carry the date and the time",
        expected=f'"timestamp": {A_TIME}',
        received=str(message),
    )
    assert parts
    zone = (parts[8] or "").replace("Z", "+00:00").replace(":", "")
    offset = zone.ljust(5, "0") if zone else ""
    plain = "".join(parts[number] for number in range(1, 7))
    now = datetime.now(timezone.utc)
    try:
        told = datetime.strptime(plain + (offset or "+0000"), "%Y%m%d%H%M%S%z")
    except ValueError:
        away = FAR_OFF + 1
    else:
        here = now.astimezone().utcoffset()
        assert here is not None
        possible = [told] if offset else [told, told - here]
        away = min(abs((now - time).total_seconds()) for time in possible)
    stage.requires(
        away <= FAR_OFF,
        "a message from the server carries another time than the present one",
        expected=f"{now.isoformat(timespec='seconds')}",
        received=text,
    )


def _told(message: Message) -> str:
    text = json.dumps(message, ensure_ascii=False).encode(errors="backslashreplace").decode()
    if len(text) <= TOLD:
        return text
    return f"{text[: TOLD - 50]} … {text[-50:]} ({len(text):,} characters)"
