"""Lab 4: what goes over the wire: one JSON object a line, in UTF-8.

    {"username": "Анна"}                                                    a client
    {"type": "system", "timestamp": "…", "message": "…", "online_users": 1} the server
    {"type": "message", "message": "Hi!"}                                   a client

A stream has no lines in it: recv() returns half of one, or three at once, or half a character.
Nothing here knows a socket: bytes come in, lines go out, and a line is decoded when it is whole.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, TypeVar

MAX_CLIENT_LINE = 65_536  # bytes, "\n" included: more than anybody types
MAX_SERVER_LINE = 1_048_576  # bytes: a list of all users may be long

Field = TypeVar("Field", str, bool)


class Refused(Exception):
    """A line that cannot be obeyed: `code` for programs, and a text for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Lines:
    """Makes lines of what comes in pieces. A line has at most `limit` bytes with its end."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""  # what came behind the last line end

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield each line that this piece completes, without its end.

        Raises Refused, "too_long", when a line grows beyond the limit, whether it has ended or not.
        """
        # gap 1: Yield the lines, and keep what is behind the last line end for the next call. The
        #   line that is too long is refused in its turn: the lines before it are yielded first.
        *whole, self._rest = (self._rest + piece).split(b"\n")
        for line in whole:
            self._check(len(line) + 1)
            yield line
        self._check(len(self._rest) + 1)
        # end gap

    def _check(self, length: int) -> None:
        if length > self._limit:
            raise Refused("too_long", f"a line may have {self._limit:,} bytes")


def parse(line: bytes) -> dict[str, Any]:
    """Return the object in this line. Raises Refused, "bad_json", if there is none."""
    # gap 2: Decode the line, load it, and look whether it is an object. What decode() and
    #   json.loads() raise is a ValueError, with one exception: RecursionError, for "[[[[[[…".
    try:
        message = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise Refused("bad_json", f"not a line of JSON: {error}") from None
    if not isinstance(message, dict):
        raise Refused("bad_json", "not a JSON object")
    return message
    # end gap


def field(message: dict[str, Any], name: str, kind: type[Field]) -> Field:
    """Return a field of a message. Raises Refused, "bad_request", if it is not of this kind."""
    value = message.get(name)
    if not isinstance(value, kind):
        raise Refused("bad_request", f"{name} is missing, or of the wrong type")
    return value


def stamped(kind: str, **fields: Any) -> dict[str, Any]:
    """Return a message from the server: its type, the present date and time, and these fields."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return {"type": kind, "timestamp": now, **fields}


def packed(message: dict[str, Any]) -> bytes:
    """Return a message as a line, with its end. Half a character (a surrogate) becomes "?"."""
    return _encode(message).encode(errors="replace") + b"\n"


# json.dumps() with an option would make an encoder for each message.
_encode = json.JSONEncoder(ensure_ascii=False).encode
