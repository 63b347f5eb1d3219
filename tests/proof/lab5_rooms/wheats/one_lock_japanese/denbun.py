"""電文(でんぶん):TCP と UDP で流れるバイト列の組み立てと解読。"""

import struct
from dataclasses import dataclass
from enum import IntEnum

HEADER = struct.Struct(">4BI")
MAX_PAYLOAD = 65536
MAX_DATAGRAM = 4096
TOKEN_LENGTH = 16


class Operation(IntEnum):
    CREATE = 1
    LIST = 2
    JOIN = 3


class State(IntEnum):
    REQUEST = 0
    DONE = 1
    REFUSED = 2


class Kind(IntEnum):
    HELLO = 0
    TEXT = 1
    BYE = 2
    NOTICE = 3


class BadDatagram(Exception):
    """規則に合わないデータグラム。"""


@dataclass(frozen=True)
class Message:
    """TCP の電文。操作は未知の番号でもよいので int のまま。"""

    operation: int
    state: int
    room: bytes = b""
    user: bytes = b""
    payload: bytes = b""

    def encode(self) -> bytes:
        sizes = len(self.room), len(self.user), len(self.payload)
        return (
            HEADER.pack(self.operation, self.state, *sizes) + self.room + self.user + self.payload
        )


@dataclass(frozen=True)
class Datagram:
    """UDP の電文。"""

    kind: Kind
    room: str
    user: str
    token: bytes = b""
    text: str = ""

    def encode(self) -> bytes:
        room, user = self.room.encode(), self.user.encode()
        head = bytes([self.kind, len(room), len(user), len(self.token)])
        return head + room + user + self.token + self.text.encode()

    @classmethod
    def decode(cls, data: bytes) -> "Datagram":
        if len(data) < 4 or len(data) > MAX_DATAGRAM:
            raise BadDatagram("長さがおかしい")
        kind, *sizes = data[:4]
        parts, rest = [], data[4:]
        for size in sizes:
            if len(rest) < size:
                raise BadDatagram("途中で切れている")
            parts.append(rest[:size])
            rest = rest[size:]
        room, user, token = parts
        try:
            datagram = cls(Kind(kind), room.decode(), user.decode(), token, rest.decode())
        except ValueError as error:  # 未知の種類、または UTF-8 でない
            raise BadDatagram(str(error)) from None
        if bool(datagram.text) != (datagram.kind in (Kind.TEXT, Kind.NOTICE)):
            raise BadDatagram("本文の有無が種類に合わない")
        return datagram


def valid_name(data: bytes) -> str | None:
    """名前として正しければその文字列、そうでなければ None。"""
    try:
        name = data.decode()
    except UnicodeDecodeError:
        return None
    rest = "".join(letter for letter in name if letter not in "_-.")
    if 1 <= len(name) <= 32 and (not rest or rest.isalnum()):
        return name
    return None
