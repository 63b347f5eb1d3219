"""Lab 3: what goes over the wire: offers and replies, each with its lengths in front.

    offer    4 bytes  N, length of the name         reply    1 byte   0 = yes, 1 = no
             N bytes  file name, UTF-8                       4 bytes  M, length of the text
             8 bytes  L, length of the content               M bytes  UTF-8

Numbers are unsigned, the most significant byte first (big-endian, also called network byte order).

Nothing here knows a socket. Bytes come from a function `receive` that works like socket.recv():
it returns at least one byte and at most as many as asked for, or none at the end of the stream.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

MAX_NAME = 200  # bytes; with what a server adds it fits into the 255 that file systems allow
MAX_TEXT = 65_536  # bytes: more than any reason needs, less than would hurt

Receive = Callable[[int], bytes]


class ProtocolError(ConnectionError):
    """The other side broke the rules of the wire: the connection is of no use any more."""


class Offer(NamedTuple):
    """What a client offers to send: the name as it came, and the length of the content."""

    name: bytes
    size: int


class Reply(NamedTuple):
    """What a server answers: whether it agrees; a name, a reason, or nothing."""

    agreed: bool
    text: str


def read_exactly(receive: Receive, size: int) -> bytes:
    """Return exactly `size` bytes. Raises ProtocolError when the stream ends before that."""
    # gap 1: Receive until `size` bytes are there. Never ask for more than are missing: what comes
    #   after them belongs to whoever reads next. No bytes at all are the end of the stream.
    data = b""
    while len(data) < size:
        piece = receive(size - len(data))
        if not piece:
            raise ProtocolError(f"the stream ended after {len(data)} of {size} bytes")
        data += piece
    return data
    # end gap


def read_offer(receive: Receive) -> Offer:
    """Return the next offer. Raises ProtocolError for a name that is too long, and leaves it."""
    (length,) = struct.unpack(">I", read_exactly(receive, 4))
    if length > MAX_NAME:
        raise ProtocolError(f"a name of {length:,} bytes is too long: {MAX_NAME} are allowed")
    name = read_exactly(receive, length)
    (size,) = struct.unpack(">Q", read_exactly(receive, 8))
    return Offer(name, size)


def read_reply(receive: Receive) -> Reply:
    """Return the next reply. Raises ProtocolError for what is none."""
    status, length = struct.unpack(">BI", read_exactly(receive, 5))
    if status > 1 or length > MAX_TEXT:
        raise ProtocolError(f"no reply begins with {status} and a length of {length:,}")
    return Reply(status == 0, read_exactly(receive, length).decode(errors="replace"))


def packed_offer(offer: Offer) -> bytes:
    """Return an offer as it goes over the wire."""
    return struct.pack(">I", len(offer.name)) + offer.name + struct.pack(">Q", offer.size)


def packed_reply(reply: Reply) -> bytes:
    """Return a reply as it goes over the wire."""
    text = reply.text.encode()
    return struct.pack(">BI", 0 if reply.agreed else 1, len(text)) + text
