"""What a lab brings so that pictures say what was sent: words for its messages.

A lab's `words.py` has one function, `readers(wire)`, with `wire` "tcp" or "udp". It returns two
readers for one link, which may know of each other: a lab's answer can decide what follows.

# tests/lab4_chat/words.py
def readers(wire: str) -> Readers:
    return Lines(), Lines()
"""

import codecs
import importlib
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from kit.story import shown
from pictures.texts import quoted

TESTS = Path(__file__).parents[1]
BEGINNING = 36  # bytes that are shown of what is no text

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # what no text has: it is bytes


class Reader(Protocol):
    """Takes apart the bytes of one direction of one link, however they are cut."""

    def feed(self, data: bytes, missing: int = 0) -> list[str]:
        """Return a short text for each message that is whole now.

        `missing` bytes come behind `data` that were not kept. Over UDP, it is called once for each
        datagram. It never fails: what is no message of the protocol is shown as bytes.
        """

    def rest(self) -> str:
        """Return what has begun and is not whole as yet, with "…", or "" if there is nothing."""


class Readers(NamedTuple):
    """The readers of the two directions of one link."""

    to_server: Reader
    to_client: Reader


Words = Callable[[str], Readers]
"""Returns the readers of a new link: over "tcp" or "udp"."""


def words_of(lab: str) -> Words:
    """Return the words of a lab, e.g. "lab4", or the default ones where it brings none."""
    for file in TESTS.glob("lab*_*/words.py"):
        if file.parent.name.partition("_")[0] == lab:
            words: Words = importlib.import_module(f"{file.parent.name}.words").readers
            return words
    return plain


def plain(wire: str) -> Readers:
    """Return readers of a protocol that is not known: each piece is shown as it is."""
    return Readers(Pieces(), Pieces())


class Pieces:
    """Shows each piece that comes as a text, if it is one in UTF-8, or as bytes."""

    def feed(self, data: bytes, missing: int = 0) -> list[str]:
        """Return the piece."""
        return [piece(data, missing)]

    def rest(self) -> str:
        """Return "": a piece is always whole."""
        return ""


def piece(data: bytes, missing: int = 0, *, begun: bool = False) -> str:
    """Return bytes in words: a text in UTF-8 in quotes, anything else as Python writes bytes.

    `missing` more were not kept, or they are the beginning of what is not whole as yet: then the
    last character may be cut in two.
    """
    size = f"{len(data) + missing:,} bytes"
    if not data:
        return size if missing else "nothing (0 bytes)"
    try:
        final = not missing and not begun
        text, _ = codecs.utf_8_decode(data, "strict", final)
    except UnicodeDecodeError:
        text = "\0"
    if _CONTROL.search(text):
        return f"{data[:BEGINNING]!r}… ({size})" if missing else shown(data, BEGINNING)
    return quoted(text, size, more=bool(missing))


@dataclass(frozen=True)
class Long:
    """So many bytes that nobody needs to look at, and what they are, e.g. "content"."""

    what: str
    size: int


Script = Generator[int | Long | str | None, bytes, None]
"""A protocol in the order in which it is spoken, in one direction.

It yields how many bytes it wants, and is sent them (fewer, if they were not kept), or `Long`, and
is sent b""; it yields a text once a message is whole, and None to be asked again when more comes,
as the other direction may have spoken by then. It returns where it can follow no longer.
"""


class Scripted:
    """A reader that follows a script: for protocols that say beforehand how long things are."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._lost = False
        self._come = 0  # bytes of what the script wants, with those that were not kept
        self._kept = bytearray()  # those that were
        self._message = bytearray()  # what was kept of the message that is not whole as yet
        self._unseen = 0  # bytes of it that were not kept
        self._wants = cast(int | Long | None, next(script))

    def feed(self, data: bytes, missing: int = 0) -> list[str]:
        """Return the messages that are whole now."""
        told: list[str] = []
        at = 0
        while not self._lost and (at < len(data) or missing):
            if self._wants is None:
                told += self._asks(b"")
                continue
            left = self._size - self._come
            taken = data[at : at + left]
            at += len(taken)
            unseen = min(missing, left - len(taken)) if at == len(data) else 0
            missing -= unseen
            self._take(taken, unseen)
            told += self._answers()
        if self._lost:
            rest, unseen = bytes(self._message) + data[at:], self._unseen + missing
            self._ends_message()
            told += [piece(rest, unseen)] if rest or unseen else []
        return told

    def rest(self) -> str:
        """Return how much has come of something long, or the bytes of a message's beginning."""
        if isinstance(self._wants, Long) and self._come:
            return f"{self._wants.what} {self._come:,} of {self._wants.size:,} bytes…"
        if not self._message and not self._unseen:
            return ""
        return piece(bytes(self._message), self._unseen, begun=True) + "…"

    @property
    def _size(self) -> int:
        return self._wants.size if isinstance(self._wants, Long) else self._wants or 0

    def _take(self, data: bytes, unseen: int) -> None:
        self._come += len(data) + unseen
        if not isinstance(self._wants, Long):
            self._kept += data
            self._message += data
            self._unseen += unseen

    def _answers(self) -> list[str]:
        """Give the script what it wanted, as far as it is there; return what that makes whole."""
        told = []
        while self._wants is not None and self._come == self._size:
            field, self._come = bytes(self._kept), 0
            self._kept.clear()
            told += self._asks(field)
        return told

    def _asks(self, field: bytes) -> list[str]:
        """Go on with the script until it wants something."""
        told = []
        try:
            wants = self._script.send(field)
            while isinstance(wants, str):
                told.append(wants)
                self._ends_message()
                wants = next(self._script)
            self._wants = wants
        except StopIteration:
            self._lost, self._wants = True, None
        return told

    def _ends_message(self) -> None:
        self._message.clear()
        self._unseen = 0
