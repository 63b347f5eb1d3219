"""What a client of a chat says, in three languages: our lab 4, IRC (RFC 2812) and MQTT 3.1.1."""

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass

Steps = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Language:
    """How a client logs in: what it says, and a part of the answer, step by step; how it writes."""

    log_in: Callable[[str], Steps]  # with this name
    to_all: Callable[[str], bytes]  # this text
    echoes: bool = False  # what a client writes to all also reaches itself


def _line(**fields: str) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def _packet(kind: int, *parts: bytes) -> bytes:
    """Return an MQTT packet: its kind, the length of its body in groups of 7 bits, its body."""
    body = b"".join(parts)
    head, rest = [kind], len(body)
    while rest > 127:
        head.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*head, rest]) + body


def _string(text: str) -> bytes:
    return struct.pack("!H", len(text)) + text.encode()


OURS = Language(
    log_in=lambda name: [(_line(username=name), b'"system"')],
    to_all=lambda text: _line(type="message", message=text),
)
IRC = Language(
    log_in=lambda name: [
        (f"NICK {name}\r\nUSER {name} 0 * :{name}\r\n".encode(), b" 001 "),
        (b"JOIN #all\r\n", b" 366 "),
    ],
    to_all=lambda text: f"PRIVMSG #all :{text}\r\n".encode(),
)
MQTT = Language(  # "at most once", and nothing is kept: quality of service 0, a clean session
    log_in=lambda name: [
        (_packet(0x10, _string("MQTT"), b"\x04\x02\0\0", _string(name)), b"\x20\x02\0\0"),
        (_packet(0x82, b"\0\1", _string("all"), b"\0"), b"\x90\x03\0\1\0"),
    ],
    to_all=lambda text: _packet(0x30, _string("all"), text.encode()),
    echoes=True,
)
