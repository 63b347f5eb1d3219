"""Lab 5's messages in words, for pictures. A token is a secret, and differs from run to run."""

from lab5_rooms.wire import (
    DONE,
    HEAD,
    KINDS,
    LIST,
    MAX_PAYLOAD,
    OPERATIONS,
    STATES,
    TOKEN,
    parts,
)
from pictures.words import Readers, Script, Scripted, piece


def readers(wire: str) -> Readers:
    """Return the readers of a connection, or of two ports that exchange datagrams."""
    if wire == "udp":
        return Readers(Datagrams(), Datagrams())
    return Readers(Scripted(_requests()), Scripted(_requests()))


def _requests() -> Script:
    """Follow requests, or replies, which have the same form."""
    while True:
        head = yield HEAD.size
        if len(head) < HEAD.size:
            return
        operation, state, *lengths, size = HEAD.unpack(head)
        if operation not in OPERATIONS or state not in STATES or size > MAX_PAYLOAD:
            return
        room = yield lengths[0]
        user = yield lengths[1]
        payload = yield size
        said = [OPERATIONS[operation], STATES[state], *_names(room, user)]
        if state == DONE and operation != LIST and size == TOKEN:
            said.append("token")
        elif size:
            said.append(piece(payload, size - len(payload)))
        yield " ".join(said)


class Datagrams:
    """Tells what each datagram says."""

    def feed(self, data: bytes, missing: int = 0) -> list[str]:
        """Return the datagram."""
        message = parts(data)
        if message is None or message.kind not in KINDS:
            return [piece(data, missing)]
        kind, room, user, token, text = message
        said = [f"kind={KINDS[kind]}", *_names(room, user)]
        if token:
            said.append("token" if len(token) == TOKEN else f"token ({len(token)} bytes)")
        if text or missing:
            said.append(piece(text, missing))
        return [" ".join(said)]

    def rest(self) -> str:
        """Return "": a datagram is always whole."""
        return ""


def _names(room: bytes, user: bytes) -> list[str]:
    named = (("room", room), ("user", user))
    return [f"{what}={piece(name)}" for what, name in named if name]
