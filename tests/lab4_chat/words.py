"""Lab 4's messages in words, for pictures."""

import json
from typing import Any

from pictures.texts import cut, quoted, visible
from pictures.words import Readers, piece, plain

LONGEST = 1_048_576  # bytes of a line that is still gathered
MOST_FIELDS = 6
UNTOLD = ("type", "timestamp")


def readers(wire: str) -> Readers:
    """Return the readers of a connection."""
    return Readers(Lines(), Lines()) if wire == "tcp" else plain(wire)


class Lines:
    """Tells what each line says."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, data: bytes, missing: int = 0) -> list[str]:
        """Return the lines that are whole now."""
        *lines, self._begun = (self._begun + data).split(b"\n")
        told = [_line(line) for line in lines]
        if missing or len(self._begun) > LONGEST:
            told.append(piece(self._begun, missing))
            self._begun = b""
        return told

    def rest(self) -> str:
        """Return the beginning of a line."""
        return f"{piece(self._begun, begun=True)}…" if self._begun else ""


def _line(line: bytes) -> str:
    try:
        said = json.loads(str(line, "utf-8"))
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return piece(line + b"\n")
    kind = said.get("type", "login" if "username" in said else "(no type)")
    words = [cut(visible(kind), 24) if isinstance(kind, str) else _value(kind)]
    fields = [(name, value) for name, value in said.items() if name not in UNTOLD]
    words += [_field(name, value) for name, value in fields[:MOST_FIELDS]]
    return " ".join(words + ["…"] * (len(fields) > MOST_FIELDS))


def _field(name: str, value: Any) -> str:
    told = _value(value)
    return told if name == "message" else f"{cut(visible(name), 24)}={told}"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    return cut(visible(json.dumps(value, ensure_ascii=False)), 48)
