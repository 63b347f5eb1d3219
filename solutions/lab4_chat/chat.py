"""Lab 4: the rules of the chat: a message from one user in, messages for some users out.

Nothing here knows a socket or a thread, so that each rule can be read, and tried, by itself. What
is to be sent is a list of letters:

    chat.obey("alice", {"type": "private", "target_username": "bob", "message": "hi"})
    -> [Letter(to=["bob"], message={"type": "private", "from_username": "alice", ...})]

What is against the rules raises Refused instead, and changes nothing. The tables with all types,
fields and error codes stand in the handout.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from .protocol import Refused, field, stamped

MAX_NAME = 32  # characters

Message = dict[str, Any]


class Letter(NamedTuple):
    """A message, and the names of those who get it."""

    to: Collection[str]
    message: Message


class Chat:
    """Who is online, who asked whom for a private session, and who is in one."""

    def __init__(self) -> None:
        self._online: list[str] = []
        self._asked: set[tuple[str, str]] = set()  # (who asked, who was asked)
        self._partners: dict[str, str] = {}  # both ways: {"alice": "bob", "bob": "alice"}

    def login(self, message: Message) -> tuple[str, list[Letter]]:
        """Let a user in. Returns its name, and what it and the others are told."""
        if "username" not in message:
            raise Refused("login_required", 'log in first: {"username": "…"}')
        # gap 3: Refuse a name that is_name() does not like, "bad_username", or that somebody
        #   online has, "username_taken". Otherwise this user is online now: a "system" message
        #   welcomes it, before all else, and another one tells the others that it has joined.
        name = field(message, "username", str)
        if not is_name(name):
            raise Refused("bad_username", f"a name has 1 to {MAX_NAME} letters, digits, _ - or .")
        if name in self._online:
            raise Refused("username_taken", f"somebody called {name} is online")
        self._online.append(name)
        return name, [
            self._system([name], f"Welcome, {name}!"),
            self._system(self._others(name), f"{name} has joined"),
        ]
        # end gap

    def leave(self, name: str) -> list[Letter]:
        """Let a user go, in whatever way it went: nobody asks it any more, and the others know."""
        # gap 5: This user is not online any more, all its requests are forgotten, its session
        #   ends, if it is in one, and the others are told that it has left.
        self._online.remove(name)
        self._forget_requests(name)
        ended = self._end_session(name) if name in self._partners else []
        return [*ended, self._system(self._others(name), f"{name} has left")]
        # end gap

    def shut_down(self) -> list[Letter]:
        """Tell everybody that the server is going."""
        return [self._system([*self._online], "The server is shutting down")]

    def obey(self, name: str, message: Message) -> list[Letter]:
        """Do what a user's message asks for."""
        kind = field(message, "type", str)
        if kind == "message":
            return self._to_all(name, _text(message))
        if kind == "private":
            return self._private(name, _target(message), _text(message))
        if kind == "session_request":
            return self._ask(name, _target(message))
        if kind == "session_response":
            return self._answer(name, _target(message), field(message, "accepted", bool))
        if kind == "session_end":
            return self._end_session(name)
        if kind == "users":
            return self._list(name)
        if kind == "ping":
            return [Letter([name], stamped("pong"))]
        raise Refused("unknown_type", f"there is no type {kind}")

    def _to_all(self, name: str, text: str) -> list[Letter]:
        # gap 4: A "message" from this user goes to all others who are online.
        return [Letter(self._others(name), stamped("message", from_username=name, message=text))]
        # end gap

    def _list(self, name: str) -> list[Letter]:
        # gap 6: A "users_list" of all who are online goes to the one who asks.
        return [Letter([name], stamped("users_list", users=[*self._online]))]
        # end gap

    def _private(self, name: str, target: str, text: str) -> list[Letter]:
        # gap 7: A "private" message from this user goes to the target, if that is another user.
        self._check_another(name, target)
        return [Letter([target], stamped("private", from_username=name, message=text))]
        # end gap

    def _ask(self, name: str, target: str) -> list[Letter]:
        # gap 8: The target, another user, gets a "session_request", and from now on this request
        #   waits in `_asked`. If one of the two is in a session already, that is "busy".
        self._check_another(name, target)
        for user in (name, target):
            if user in self._partners:
                raise Refused("busy", f"{user} is in a private session")
        self._asked.add((name, target))
        text = f"{name} asks you for a private session"
        return [Letter([target], stamped("session_request", from_username=name, message=text))]
        # end gap

    def _answer(self, name: str, asker: str, accepted: bool) -> list[Letter]:
        # gap 9: Unless this asker has asked this user, that is "no_such_request". The request is
        #   used up. After a yes they are partners, all other requests of the two are forgotten, and
        #   both get a "session_accepted"; after a no the asker gets a "session_rejected".
        if (asker, name) not in self._asked:
            raise Refused("no_such_request", f"no request from {asker} waits for you")
        self._asked.remove((asker, name))
        if not accepted:
            return [self._session("rejected", asker, name, [asker])]
        self._partners |= {asker: name, name: asker}
        self._forget_requests(asker)
        self._forget_requests(name)
        return [self._session("accepted", asker, name, [asker, name])]
        # end gap

    def _end_session(self, name: str) -> list[Letter]:
        # gap 10: Without a partner that is "no_session". Otherwise they are partners no more, and
        #   both get a "session_ended", but not who is not online any more: leave() calls this, too.
        if name not in self._partners:
            raise Refused("no_session", "you are in no private session")
        partner = self._partners.pop(name)
        del self._partners[partner]
        both = [user for user in (name, partner) if user in self._online]
        return [self._session("ended", name, partner, both)]
        # end gap

    def _check_another(self, name: str, target: str) -> None:
        if target not in self._online:
            raise Refused("no_such_user", f"nobody called {target} is online")
        if target == name:
            raise Refused("not_yourself", "that is you")

    def _forget_requests(self, name: str) -> None:
        self._asked = {pair for pair in self._asked if name not in pair}

    def _others(self, name: str) -> list[str]:
        others = [*self._online]
        if name in others:  # who has just left is not
            others.remove(name)
        return others

    def _system(self, to: list[str], text: str) -> Letter:
        return Letter(to, stamped("system", message=text, online_users=len(self._online)))

    def _session(self, event: str, first: str, second: str, to: list[str]) -> Letter:
        text = f"The private session of {first} and {second}: {event}"
        names = {"from_username": first, "to_username": second}
        return Letter(to, stamped(f"session_{event}", **names, message=text))


def is_name(text: str) -> bool:
    """Whether a user may be called that: letters and digits of any script, and _ - and dots."""
    return 0 < len(text) <= MAX_NAME and all(c.isalnum() or c in "_-." for c in text)


def _target(message: Message) -> str:
    return field(message, "target_username", str)


def _text(message: Message) -> str:
    text = field(message, "message", str)
    if not text:
        raise Refused("bad_request", "message is empty")
    return text
