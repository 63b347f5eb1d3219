"""The story of a check: who did what, in one list, in the order in which it happened."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Mark = Literal["$", "--", "->", "<-", "..", "|", "!"]
"""What a line of the story tells: a program starts, somebody acts, sends, receives or waits in
vain, a program prints on stdout, on stderr."""

SHOWN_BYTES = 60  # of a long piece of data: enough to see what it is
SHOWN_LINES = 40  # of a long story: its first and its last lines tell what went wrong
KEPT_EVENTS = 2_000  # a program that prints without end must not fill our memory

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tabs and line feeds


@dataclass(frozen=True)
class Event:
    """One line of the story; `time` is in seconds on the clock of `time.monotonic`."""

    time: float
    who: str
    mark: Mark
    what: str


class Story:
    """What happened since `began`, told by peers and programs, from any thread."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.events: list[Event] = []
        self._silent = False

    @contextmanager
    def sums_up(self, who: str, what: str) -> Iterator[None]:
        """Tell all that happens inside this block in one line: the same thing many times over."""
        self.tell(who, "--", what)
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def tell(self, who: str, mark: Mark, what: str | bytes) -> None:
        """Add what happens now; bytes are shown as `shown` shows them."""
        if len(self.events) < KEPT_EVENTS and not self._silent:
            text = what if isinstance(what, str) else shown(what)
            self.events.append(Event(time.monotonic(), who, mark, text))

    def told(self) -> list[Event]:
        """Return the events in the order of time; what came before the story begins at 0."""
        return [
            Event(max(0.0, round(event.time - self.began, 6)), event.who, event.mark, event.what)
            for event in sorted(self.events, key=lambda event: event.time)
        ]


def shown(data: bytes, limit: int = SHOWN_BYTES) -> str:
    """Return bytes as a person reads them: a text if they are one, the middle left out if long."""
    if len(data) <= limit:
        return repr(data)
    head, tail = data[: limit * 2 // 3], data[-limit // 3 :]
    return f"{head!r} … {tail!r} ({len(data):,} bytes)"


def printable(text: str) -> str:
    """Return a text that cannot move the cursor or wipe out the screen of whoever reads it."""
    return _CONTROL.sub(lambda char: char[0].encode("unicode_escape").decode(), text)


def as_lines(events: list[Event]) -> list[str]:
    """Return a story as lines of text, the middle of a long one left out."""
    lines = [_line(event) for event in events]
    if len(lines) > SHOWN_LINES:
        half = SHOWN_LINES // 2
        left_out = len(lines) - 2 * half
        lines[half:-half] = [f"       …  {left_out} lines left out"]
    return lines


def _line(event: Event) -> str:
    if event.mark == "$":
        return f"{event.time:8.3f}  $ {event.what}"
    return f"{event.time:8.3f}  {event.who} {event.mark} {printable(event.what)}"
