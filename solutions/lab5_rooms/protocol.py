"""Lab 5: the wires: requests and replies over TCP, datagrams over UDP, each with a header in front.

    over TCP                                        over UDP, at most 4,096 bytes in all

    1 byte   operation   1 create, 2 list, 3 join   1 byte   kind   0 hello, 1 text, 2 bye, 3 notice
    1 byte   state       0 request, 1 done,         1 byte   R      length of the room's name
                         2 refused                  1 byte   U      length of the user's name
    1 byte   R           length of the room's name  1 byte   T      length of the token
    1 byte   U           length of the user's name  R bytes  room   UTF-8
    4 bytes  P           length of the payload      U bytes  user   UTF-8
    R bytes  room        UTF-8                      T bytes  token
    U bytes  user        UTF-8                      the rest text   UTF-8
    P bytes  payload

Numbers are unsigned, the most significant byte first (big-endian, also called network byte order).
Nothing here knows a socket. Bytes of TCP come from a function `receive` that works like
socket.recv(): it returns at least one byte and at most as many as asked for, or none at the end.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

CREATE, LIST, JOIN = 1, 2, 3  # operations
REQUEST, DONE, REFUSED = 0, 1, 2  # states
HELLO, TEXT, BYE, NOTICE = 0, 1, 2, 3  # kinds

HEAD = struct.Struct(">BBBBI")
DATAGRAM_HEAD = struct.Struct(">BBBB")
MAX_PAYLOAD = 65_536  # bytes
MAX_DATAGRAM = 4_096  # bytes
MAX_NAME = 255  # bytes: more do not fit into a length of one byte
TOKEN_SIZE = 16  # bytes

Receive = Callable[[int], bytes]


class ProtocolError(ConnectionError):
    """What came is no message: over TCP the connection is of no use any more."""


class Head(NamedTuple):
    """A request or a reply, up to its payload, which has `size` bytes and comes next."""

    operation: int
    state: int
    room: str
    user: str
    size: int

    @property
    def is_request(self) -> bool:
        """Whether this is one of the operations, asked for, and without a payload."""
        known = self.operation in (CREATE, LIST, JOIN)
        return known and self.state == REQUEST and self.size == 0


class Datagram(NamedTuple):
    """A datagram; the token is empty in those that a server sends."""

    kind: int
    room: str
    user: str
    token: bytes = b""
    text: str = ""


def read_exactly(receive: Receive, size: int) -> bytes:
    """Return exactly `size` bytes. Raises ProtocolError when the stream ends before that."""
    data = b""
    while len(data) < size:
        piece = receive(size - len(data))
        if not piece:
            raise ProtocolError(f"the stream ended after {len(data)} of {size} bytes")
        data += piece
    return data


def read_head(receive: Receive) -> Head:
    """Return the next request or reply, and leave its payload where it is.

    Raises ProtocolError when the stream ends before that.
    """
    # gap 1: Read exactly as many bytes as HEAD has, unpack() them, then read the two names.
    #   name_text() makes a name of bytes.
    operation, state, room_size, user_size, size = HEAD.unpack(read_exactly(receive, HEAD.size))
    room = name_text(read_exactly(receive, room_size))
    user = name_text(read_exactly(receive, user_size))
    return Head(operation, state, room, user, size)
    # end gap


def packed(operation: int, state: int, room: str, user: str, payload: bytes = b"") -> bytes:
    """Return a request or a reply as it goes over the wire."""
    # gap 2: The lengths are those of the bytes, not of the characters: name_bytes() first.
    names = name_bytes(room), name_bytes(user)
    head = HEAD.pack(operation, state, len(names[0]), len(names[1]), len(payload))
    return head + names[0] + names[1] + payload
    # end gap


def packed_datagram(datagram: Datagram) -> bytes:
    """Return a datagram as it goes over the wire."""
    # gap 7: As packed() does it, with the token between the names and the text.
    kind, room_name, user_name, token, text = datagram
    room, user = name_bytes(room_name), name_bytes(user_name)
    head = DATAGRAM_HEAD.pack(kind, len(room), len(user), len(token))
    return head + room + user + token + text.encode()
    # end gap


def parsed_datagram(data: bytes) -> Datagram:
    """Return what a datagram says.

    Raises ProtocolError if it is no message: longer than allowed, shorter than its head says, of an
    unknown kind, not UTF-8; or if it is a text or a notice without text, or another kind with one.
    """
    # gap 8: Take it apart, and look at each of these. A slice never fails, it only gets shorter:
    #   compare the lengths in the head with len(data). decode() raises UnicodeDecodeError.
    if not DATAGRAM_HEAD.size <= len(data) <= MAX_DATAGRAM:
        raise ProtocolError(f"a datagram of {len(data):,} bytes")
    kind, room_size, user_size, token_size = DATAGRAM_HEAD.unpack_from(data)
    user_at = DATAGRAM_HEAD.size + room_size
    token_at = user_at + user_size
    text_at = token_at + token_size
    if kind > NOTICE or text_at > len(data) or (text_at < len(data)) != (kind in (TEXT, NOTICE)):
        raise ProtocolError("a datagram that is cut short, or has something that it should not")
    room, user = data[DATAGRAM_HEAD.size : user_at], data[user_at:token_at]
    try:
        token, text = data[token_at:text_at], data[text_at:].decode()
        return Datagram(kind, room.decode(), user.decode(), token, text)
    except UnicodeDecodeError as error:
        raise ProtocolError(f"a datagram that is not UTF-8: {error}") from None
    # end gap


def name_bytes(name: str) -> bytes:
    """Return a name as it goes over the wire. Raises ProtocolError if no length fits it."""
    data = name.encode(errors="surrogateescape")
    if len(data) > MAX_NAME:
        raise ProtocolError(f"a name of {len(data):,} bytes: {MAX_NAME} fit into a message")
    return data


def name_text(data: bytes) -> str:
    """Return the name in these bytes; those that are not UTF-8 come back from name_bytes()."""
    return data.decode(errors="surrogateescape")
