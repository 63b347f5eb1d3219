"""The story of a check: who did what, in one list, in the order in which it happened."""

import base64
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any, Literal

Mark = Literal["$", "--", "->", "<-", "..", "|", "!"]
"""What a line of the story tells: a program starts, somebody acts, sends, receives or waits in
vain, a program prints on stdout, on stderr."""

SHOWN_BYTES = 60  # of a long piece of data: enough to see what it is
SHOWN_LINES = 40  # of a long story: its first and its last lines tell what went wrong
KEPT_EVENTS = 2_000  # a program that prints without end must not fill our memory
KEPT_DATA = 65_536  # bytes of a story's data, for pictures: enough for all but floods
KEPT_PIECE = 4_096  # bytes of one piece of data

# Controls but tabs and line feeds, and marks that turn the direction of what follows (UAX #9).
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Link:
    """What joins a peer with a program: a TCP connection, or two ports that speak UDP.

    `role` and `port` are those of the peer, `other` and `other_port` those of the program.
    """

    wire: Literal["tcp", "udp"]
    role: Literal["client", "server"]
    port: int
    other: str
    other_port: int


@dataclass(frozen=True)
class Event:
    """One line of the story; `time` is in seconds on the clock of `time.monotonic`.

    Where bytes went over a link, `data` is their beginning and `size` their number. `flag` is what
    TCP calls an end that is told here: of one direction, or of the whole connection.
    """

    time: float
    who: str
    mark: Mark
    what: str
    link: Link | None = None
    data: bytes = b""
    size: int = 0
    flag: Literal["", "FIN", "RST"] = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the documented form; `data` is base64 (RFC 4648) in it."""
        told = {"time": self.time, "who": self.who, "mark": self.mark, "what": self.what}
        if self.link:
            data = base64.b64encode(self.data).decode()
            told |= asdict(self.link) | {"size": self.size, "data": data, "flag": self.flag}
        return told


class Story:
    """What happened since `began`, told by peers and programs, from any thread."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.events: list[Event] = []
        self._silent = False
        self._room = KEPT_DATA

    @contextmanager
    def sums_up(self, who: str, what: str) -> Iterator[None]:
        """Tell all that happens inside this block in one line: the same thing many times over."""
        self.tell(who, "--", what)
        self._silent = True
        try:
            yield
        finally:
            self._silent = False

    def tell(
        self,
        who: str,
        mark: Mark,
        what: str | bytes,
        link: Link | None = None,
        flag: Literal["", "FIN", "RST"] = "",
        landmark: re.Pattern[bytes] | None = None,
    ) -> None:
        """Add what happens now; bytes are shown as `shown` shows them."""
        if len(self.events) >= KEPT_EVENTS or self._silent:
            return
        now = time.monotonic()
        if isinstance(what, str):
            self.events.append(Event(now, who, mark, what, link, flag=flag))
            return
        kept = what[: min(KEPT_PIECE, self._room)]
        self._room -= len(kept)
        self.events.append(
            Event(now, who, mark, shown(what, landmark=landmark), link, kept, len(what))
        )

    def told(self) -> list[Event]:
        """Return the events in the order of time; what came before the story begins at 0."""
        return [
            replace(event, time=max(0.0, round(event.time - self.began, 6)))
            for event in sorted(self.events, key=lambda event: event.time)
        ]


def shown(data: bytes, limit: int = SHOWN_BYTES, landmark: re.Pattern[bytes] | None = None) -> str:
    """Return bytes as a person reads them: a text if they are one, the middle left out if long.

    What `landmark` finds first is shown as a whole, also where it is in the middle.
    """
    if len(data) <= limit:
        return repr(data)
    head, tail = data[: limit * 2 // 3], data[-limit // 3 :]
    found = landmark.search(data) if landmark else None
    if found and len(head) < found.end() and found.start() < len(data) - len(tail):
        return f"{head!r} … {found[0]!r} … {tail!r} ({len(data):,} bytes)"
    return f"{head!r} … {tail!r} ({len(data):,} bytes)"


def printable(text: str) -> str:
    """Return a text that cannot move the cursor, wipe out the screen or turn the line around."""
    return _CONTROL.sub(lambda char: char[0].encode("unicode_escape").decode(), text)


def as_lines(events: list[Event]) -> list[str]:
    """Return a story as lines of text: what happens several times over is one line, and the middle
    of a long story is left out.
    """
    runs = [
        [*same] for _, same in groupby(events, lambda event: (event.who, event.mark, event.what))
    ]
    lines = [_line(run[0]) + f"  ({len(run)} times)" * (len(run) > 1) for run in runs]
    if len(lines) > SHOWN_LINES:
        half = SHOWN_LINES // 2
        left_out = len(lines) - 2 * half
        lines[half:-half] = [f"       …  {left_out} lines left out"]
    return lines


def _line(event: Event) -> str:
    if event.mark == "$":
        return f"{event.time:8.3f}  $ {event.what}"
    return f"{event.time:8.3f}  {event.who} {event.mark} {printable(event.what)}"
