"""Lab 5's wires as the tests speak them, written anew from the contract."""

import struct
from typing import NamedTuple

CREATE, LIST, JOIN = 1, 2, 3  # operations
REQUEST, DONE, REFUSED = 0, 1, 2  # states
HELLO, TEXT, BYE, NOTICE = 0, 1, 2, 3  # kinds
OPERATIONS = {CREATE: "create", LIST: "list", JOIN: "join"}
STATES = {REQUEST: "request", DONE: "done", REFUSED: "refused"}
KINDS = {HELLO: "hello", TEXT: "text", BYE: "bye", NOTICE: "notice"}

HEAD = struct.Struct(">BBBBI")
MAX_PAYLOAD = 65_536  # bytes
MAX_DATAGRAM = 4_096  # bytes
TOKEN = 16  # bytes
TOLD = 200  # characters of a text in a failure

REPEATED = "a reply repeats the operation, the room and the user of its request, byte for byte"
LENGTHS = (
    "the lengths in a header count bytes, and len() of a str counts characters: encode() first"
)

Name = str | bytes


def request(
    operation: int, room: Name = "", user: Name = "", state: int = REQUEST, payload: bytes = b""
) -> bytes:
    """Return a request, or any other message, as it goes over TCP."""
    names = as_bytes(room), as_bytes(user)
    sizes = (len(names[0]), len(names[1]), len(payload))
    return HEAD.pack(operation, state, *sizes) + b"".join(names) + payload


def datagram(
    kind: int, room: Name, user: Name, token: bytes = b"", text: str | bytes = b""
) -> bytes:
    """Return a message as it goes over UDP."""
    names = as_bytes(room), as_bytes(user)
    head = struct.pack(">BBBB", kind, len(names[0]), len(names[1]), len(token))
    return head + b"".join(names) + token + as_bytes(text)


class Parts(NamedTuple):
    """A datagram taken apart."""

    kind: int
    room: bytes
    user: bytes
    token: bytes
    text: bytes


def parts(data: bytes) -> Parts | None:
    """Take a datagram apart; None if it is shorter than its header says."""
    if len(data) < 4:
        return None
    kind, room, user, token = data[:4]
    if len(data) < 4 + room + user + token:
        return None
    at = 4 + room
    return Parts(
        kind,
        data[4:at],
        data[at : at + user],
        data[at + user : at + user + token],
        data[at + user + token :],
    )


def as_bytes(text: Name) -> bytes:
    """Return a name, or a text, as it goes over the wire."""
    return text.encode() if isinstance(text, str) else text


def told(data: bytes) -> str:
    """Return in words what a datagram says."""
    message = parts(data)
    if message is None:
        return f"a datagram that is cut short: {data[:TOLD]!r}"
    kind, room, user, token, text = message
    words = [f"{KINDS.get(kind, 'unknown')} (kind {kind})", f"room {_name(room)}"]
    words += [f"user {_name(user)}", f"T {len(token)}" + f" ({token[:3].hex()}…)" * bool(token)]
    if text:
        shown = repr(text.decode(errors="replace"))
        more = f" … ({len(text):,} bytes)" if len(shown) > TOLD else ""
        words.append(f"text {shown[:TOLD]}{more}")
    return ", ".join(words)


def _name(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return repr(data)
