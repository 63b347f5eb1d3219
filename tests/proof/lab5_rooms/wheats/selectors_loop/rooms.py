"""The rules of the rooms, without a socket: bytes in, bytes out, and a clock that is given."""

import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

HEAD = 8  # bytes
CREATE, LIST, JOIN = 1, 2, 3
REQUEST, DONE, REFUSED = 0, 1, 2
MOST_LISTED = 65_536  # bytes

HELLO, TEXT, BYE, NOTICE = 0, 1, 2, 3
MOST_IN_A_DATAGRAM = 4_096  # bytes
TOKEN = 16  # bytes

Letter = tuple[bytes, Any]  # a datagram and where it goes


class Request(NamedTuple):
    """What stands in front of a request's payload."""

    operation: int
    state: int
    room: bytes
    user: bytes
    payload_size: int


class No(Exception):
    """Why a request is refused."""


@dataclass
class Seat:
    """A membership."""

    room: bytes
    user: bytes
    token: bytes
    heard: float
    address: Any = None


def take_request(inbox: bytearray) -> Request | None:
    """Take a request off the beginning of what came, if it is there; its payload may follow."""
    if len(inbox) < HEAD:
        return None
    operation, state, r, u = inbox[:4]
    size = HEAD + r + u
    if len(inbox) < size:
        return None
    payload_size = int.from_bytes(inbox[4:HEAD], "big")
    room, user = bytes(inbox[HEAD : HEAD + r]), bytes(inbox[HEAD + r : size])
    del inbox[:size]
    return Request(operation, state, room, user, payload_size)


class Rooms:
    """Who sits where. `post` holds the datagrams that are to be sent."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.seats: dict[bytes, dict[bytes, Seat]] = {}
        self.post: list[Letter] = []

    # requests

    def answer(self, request: Request, now: float) -> tuple[bytes, bool]:
        """Return the reply, and whether the connection may go on after it."""
        state, goes_on = DONE, True
        try:
            if request.operation not in (CREATE, LIST, JOIN):
                goes_on = False
                raise No("no such operation")
            if request.state != REQUEST:
                goes_on = False
                raise No("not a request")
            if request.payload_size:
                goes_on = False
                raise No("a request carries nothing")
            payload = self._list() if request.operation == LIST else self._seat(request, now)
        except No as no:
            state, payload = REFUSED, str(no).encode()
        names = request.room + request.user
        head = bytes([request.operation, state, len(request.room), len(request.user)])
        return head + len(payload).to_bytes(4, "big") + names + payload, goes_on

    def _list(self) -> bytes:
        lines, size = [], -1
        for room in self.seats:
            if size + 1 + len(room) <= MOST_LISTED:
                size += 1 + len(room)
                lines.append(room)
        return b"\n".join(lines)

    def _seat(self, request: Request, now: float) -> bytes:
        room, user = request.room, request.user
        if not is_name(room):
            raise No("not a name for a room: 1 to 32 letters, digits and _-. in UTF-8")
        if not is_name(user):
            raise No("not a name for a user: 1 to 32 letters, digits and _-. in UTF-8")
        if request.operation == CREATE and room in self.seats:
            raise No("room exists")
        if request.operation == JOIN and room not in self.seats:
            raise No("no such room")
        if user in self.seats.get(room, ()):
            raise No("user name taken")
        seat = Seat(room, user, os.urandom(TOKEN), now)
        self.seats.setdefault(room, {})[user] = seat
        self._notice(seat, "came in")
        return seat.token

    # datagrams

    def hear(self, datagram: bytes, sender: Any, now: float) -> None:
        if not 4 <= len(datagram) <= MOST_IN_A_DATAGRAM:
            return
        kind, r, u, t = datagram[:4]
        begin, end = 4 + r + u, 4 + r + u + t
        if kind > BYE or t != TOKEN or len(datagram) < end:
            return
        text = datagram[end:]
        if bool(text) != (kind == TEXT) or not is_utf8(text):
            return
        seat = self.seats.get(datagram[4 : 4 + r], {}).get(datagram[4 + r : begin])
        if seat is None or not hmac.compare_digest(seat.token, datagram[begin:end]):
            return
        seat.heard, seat.address = now, sender
        if kind == HELLO:
            self.post.append((_datagram(HELLO, seat), sender))
        elif kind == TEXT:
            self._tell_the_others(seat, TEXT, text)
        else:
            self._stand_up(seat, "went away")

    def expire(self, now: float) -> None:
        """Free the seats of those of whom nothing was heard for too long."""
        seats = [seat for room in self.seats.values() for seat in room.values()]
        for seat in seats:
            if now - seat.heard >= self.patience:
                self._stand_up(seat, "is silent, and counts as gone")

    def letters(self) -> Iterator[Letter]:
        """Yield what is to be sent, and forget it."""
        post, self.post = self.post, []
        yield from post

    def _stand_up(self, seat: Seat, how: str) -> None:
        self._notice(seat, how)
        room = self.seats[seat.room]
        del room[seat.user]
        if not room:
            del self.seats[seat.room]

    def _notice(self, seat: Seat, text: str) -> None:
        self._tell_the_others(seat, NOTICE, f"{seat.user.decode()} {text}".encode())

    def _tell_the_others(self, seat: Seat, kind: int, text: bytes) -> None:
        datagram = _datagram(kind, seat) + text
        for other in self.seats[seat.room].values():
            if other is not seat and other.address is not None:
                self.post.append((datagram, other.address))


def _datagram(kind: int, seat: Seat) -> bytes:
    return bytes([kind, len(seat.room), len(seat.user), 0]) + seat.room + seat.user


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_name(data: bytes) -> bool:
    """Return whether bytes are a name."""
    if not is_utf8(data):
        return False
    name = data.decode()
    return 0 < len(name) <= 32 and all(sign.isalnum() or sign in "_-." for sign in name)
