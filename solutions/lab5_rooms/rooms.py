"""Lab 5: the rules of the rooms: who is in which one, where it is reached, and who gets what.

Nothing here knows a socket, a thread or a clock: whoever asks says what time it is, so that nobody
waits for a minute to see what a minute of silence does. What is to be sent is a list of letters:

    token, letters = rooms.join("kitchen", "alice", now=100.0)
    rooms.take(Datagram(TEXT, "kitchen", "alice", token, "Hi!"), ("127.0.0.1", 50001), now=101.0)
    -> [Letter(to=[("127.0.0.1", 50002)], data=b"\\x01\\x07\\x05\\x00kitchenaliceHi!")]
"""

import os
from typing import NamedTuple

from .protocol import (
    HELLO,
    MAX_PAYLOAD,
    NOTICE,
    TEXT,
    TOKEN_SIZE,
    Datagram,
    packed_datagram,
)

MAX_NAME = 32  # characters

Address = tuple[str, int]


class Refused(Exception):
    """A request is against the rules; nothing has changed."""


class Letter(NamedTuple):
    """A datagram, and where it goes."""

    to: list[Address]
    data: bytes


class Member:
    """A user in a room: its token, when it was heard last, and where, once it was."""

    def __init__(self, token: bytes, now: float) -> None:
        self.token = token
        self.heard = now  # seconds, of the clock of whoever asks
        self.address: Address | None = None


class Rooms:
    """The rooms and their members. A room is there as long as it has members."""

    def __init__(self, idle_timeout: float) -> None:
        self._idle_timeout = idle_timeout  # seconds
        self._rooms: dict[str, dict[str, Member]] = {}

    def names(self) -> bytes:
        """Return the names of the rooms, one a line, as many as fit into a payload."""
        # gap 4: UTF-8, with "\n" between two names. Stop before it gets longer than MAX_PAYLOAD.
        names = b""
        for room in self._rooms:
            longer = names + b"\n" * bool(names) + room.encode()
            if len(longer) > MAX_PAYLOAD:
                break
            names = longer
        return names
        # end gap

    def create(self, room: str, user: str, now: float) -> bytes:
        """Make a room with this user in it; return the user's token. Raises Refused."""
        # gap 5: Refuse a name that check_name() does not like, and a room that is there. The token
        #   is 16 bytes that nobody can guess: os.urandom(). The user was heard now, and has no
        #   address yet: Member(token, now).
        check_name(room)
        check_name(user)
        if room in self._rooms:
            raise Refused(f"there is a room {room}")
        token = os.urandom(TOKEN_SIZE)
        self._rooms[room] = {user: Member(token, now)}
        return token
        # end gap

    def join(self, room: str, user: str, now: float) -> tuple[bytes, list[Letter]]:
        """Let this user into a room; return its token, and what the others are told.

        Raises Refused.
        """
        # gap 6: As create() does it; here the room has to be there, and in it nobody of this name.
        #   The others get a notice, "alice has joined": _notice() makes it.
        check_name(room)
        check_name(user)
        if room not in self._rooms:
            raise Refused(f"there is no room {room}")
        if user in self._rooms[room]:
            raise Refused(f"somebody called {user} is in {room}")
        token = os.urandom(TOKEN_SIZE)
        self._rooms[room][user] = Member(token, now)
        return token, self._notice(room, user, f"{user} has joined")
        # end gap

    def take(self, datagram: Datagram, address: Address, now: float) -> list[Letter]:
        """Do what a member's datagram asks for; one without its token does not count."""
        # gap 9: Room, user and token have to belong together; otherwise nobody gets anything, and
        #   nothing changes. The member was heard now, at this address. It gets a hello back; its
        #   text goes to the others, without its token; after a bye "alice has left": _leave(). A
        #   client sends no notices: one that comes is dropped.
        kind, room, user, token, text = datagram
        member = self._rooms.get(room, {}).get(user)
        if member is None or member.token != token or kind == NOTICE:
            return []
        member.heard, member.address = now, address
        if kind == TEXT:
            data = packed_datagram(Datagram(TEXT, room, user, text=text))
            return [Letter(self._others(room, user), data)]
        if kind == HELLO:
            return [Letter([address], packed_datagram(Datagram(HELLO, room, user)))]
        return self._leave(room, user, f"{user} has left")
        # end gap

    def expire(self, now: float) -> list[Letter]:
        """Let those go who have said nothing for too long; return what the others are told."""
        silent = [
            (room, user)
            for room, members in self._rooms.items()
            for user, member in members.items()
            if now - member.heard >= self._idle_timeout
        ]
        letters = [self._leave(room, user, f"{user} has timed out") for room, user in silent]
        return [letter for some in letters for letter in some]

    def _leave(self, room: str, user: str, text: str) -> list[Letter]:
        """Let a member go, and tell this text to the others in the room."""
        # gap 11: A room without members is gone, too, and its name is free again. _notice() looks
        #   into the room: is it still there?
        del self._rooms[room][user]
        letters = self._notice(room, user, text)
        if not self._rooms[room]:
            del self._rooms[room]
        return letters
        # end gap

    def _notice(self, room: str, user: str, text: str) -> list[Letter]:
        """Return what tells the others in a room something about this user."""
        others = self._others(room, user)
        if not others:
            return []
        return [Letter(others, packed_datagram(Datagram(NOTICE, room, user, text=text)))]

    def _others(self, room: str, user: str) -> list[Address]:
        members = self._rooms[room].items()
        return [member.address for name, member in members if member.address and name != user]


def check_name(text: str) -> None:
    """Raise Refused unless a room or a user may be called that, as in lab 4."""
    if not (0 < len(text) <= MAX_NAME and all(c.isalnum() or c in "_-." for c in text)):
        raise Refused(f"a name has 1 to {MAX_NAME} letters, digits, _ - or .")
