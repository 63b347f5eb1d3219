"""A check's story as a ladder: a column for each peer and program, and what happened between them.

    ladder(check) -> Ladder, of which `pictures.svg` and `pictures.mermaid` make a picture

Each line of the story becomes one step, with these exceptions:

- Lines of one peer over one link in one direction are one arrow, if all but the last end within a
  message, and neither that peer did anything else in between nor did anything go over a wire.
- What took no byte off a TCP connection is left out.
- The end of a story, where the kit ended the programs by SIGKILL, is left out.
- The middle of a long story is left out; a step says how many steps these are.

An arrow is what was sent or received, and the end of a TCP connection, or of one direction of it.
"""

import base64
from dataclasses import dataclass
from typing import Any, Literal

from pictures.texts import visible
from pictures.words import Reader, Words, piece, words_of

MOST_STEPS = 80  # a longer picture nobody follows; what went wrong stands at its end
MOST_DETAILS = 6  # lines of what was expected and received
CLEARED_UP = "is ended by SIGKILL"

Kind = Literal["start", "note", "arrow", "wait", "print", "fail", "cut"]
"""A program starts; somebody does something; bytes or an end go over a wire; somebody waits in
vain; a program prints a line; the check fails; so many steps are left out."""

Line = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One rung of a ladder; its text is one line, in which everything can be seen.

    `time` is in seconds since the story's beginning, `column` whose step it is. An arrow goes from
    there `to` another column, over a `wire`, tcp or udp; its `flag`, FIN or RST, says that TCP ends
    by it. A wait took so many `seconds`. `mark` is the story's: a program prints on stdout (|) or
    on stderr (!). `details` of the failing step say what was expected and what came. It tells so
    many `lines` of the story.
    """

    time: float
    kind: Kind
    column: str
    text: str
    to: str = ""
    wire: str = ""
    flag: str = ""
    seconds: float = 0.0
    mark: str = ""
    details: tuple[str, ...] = ()
    lines: int = 1


@dataclass(frozen=True)
class Ladder:
    """Columns from left to right, of which some are programs, and steps from first to last.

    `timed`: whether the steps' times are to be shown.
    """

    columns: list[str]
    steps: list[Step]
    programs: frozenset[str] = frozenset()
    timed: bool = True


def ladder(check: Line, words: Words | None = None) -> Ladder:
    """Return the ladder of a check of the result form; `words` are those of its lab by default."""
    rungs = Rungs(words or words_of(check.get("lab", "")))
    steps = [step for line in _without_end(check["story"]) for step in rungs.add(line)]
    steps += rungs.end()
    steps.sort(key=lambda step: step.time)  # what broke off within a message was told late
    if check["verdict"] == "failed":
        steps.append(_failing(check, steps))
    shown = _short(steps)
    there = {name for step in shown for name in (step.column, step.to)}
    columns = [name for name in rungs.columns() if name in there]
    return Ladder(columns or [shown[-1].column], shown, frozenset(rungs.programs))


class Rungs:
    """Makes steps of a story's lines, which may come one by one."""

    def __init__(self, words: Words) -> None:
        self.programs: list[str] = []
        self._peers: list[str] = []
        self._programs_call = False  # they are clients, and the peers are servers
        self._words = words
        self._readers: dict[tuple[Any, ...], tuple[Reader, Reader]] = {}
        self._held: Line | None = None  # the latest line of what is to be one arrow
        self._lines = 0  # how many lines it has, which may be megabytes
        self._texts: list[str] = []  # the messages in it
        self._latest: dict[str, float] = {}  # when each did something

    def add(self, line: Line) -> list[Step]:
        """Return the steps that are whole with this line of the story."""
        self._sees(line)
        goes_over = line["mark"] in ("->", "<-") and not _ends(line)
        if goes_over and line.get("wire") == "tcp" and not line["size"]:
            return []
        steps = self.end() if self._held and self._interrupts(self._held, line) else []
        steps += self._sent(line) if goes_over and "wire" in line else [self._step(line)]
        self._latest[line["who"]] = line["time"]
        return steps

    def end(self) -> list[Step]:
        """Return the arrow of what has come of a message that is not whole as yet, if any has."""
        if not self._held:
            return []
        line = self._held
        rest = self._reader(line).rest()
        text = " + ".join([*self._texts, rest] if rest else self._texts)
        step = _arrow(line, line["other"], text or piece(b""), self._lines)
        self._held, self._lines, self._texts = None, 0, []
        return [step]

    def columns(self) -> list[str]:
        """Return the columns: calls go from left to right, and a server has its clients around it.

        Peers and programs stand in the order in which they appeared.
        """
        peers = [name for name in self._peers if name not in self.programs]
        if self._programs_call:
            return [*self.programs, *peers]
        half = (len(peers) + 1) // 2
        return [*peers[:half], *self.programs, *peers[half:]]

    def _sees(self, line: Line) -> None:
        if line["mark"] in ("$", "|", "!"):
            self._knows(line["who"], self.programs)
        elif line["who"] not in self.programs:
            self._knows(line["who"], self._peers)
        if "wire" in line:
            self._knows(line["other"], self.programs)
            self._programs_call = line["role"] == "server"

    def _knows(self, name: str, names: list[str]) -> None:
        if name not in names:
            names.append(name)

    def _interrupts(self, held: Line, line: Line) -> bool:
        """Tell whether this line cannot belong to the arrow that is held, and ends it."""
        if all(line.get(key, "") == held.get(key, "") for key in ("who", "mark", *LINK, "flag")):
            return False
        return line["who"] == held["who"] or line["mark"] in ("->", "<-", "..") or _ends(line)

    def _sent(self, line: Line) -> list[Step]:
        reader = self._reader(line)
        data = base64.b64decode(line["data"])
        self._texts += reader.feed(data, line["size"] - len(data))
        self._held = line
        self._lines += 1
        return [] if reader.rest() else self.end()

    def _reader(self, line: Line) -> Reader:
        """Return the reader of the direction in which this went."""
        link = tuple(line[key] for key in LINK)
        if link not in self._readers:
            self._readers[link] = self._words(line["wire"])
        return self._readers[link][(line["mark"] == "->") != (line["role"] == "client")]

    def _step(self, line: Line) -> Step:
        who, mark, text = line["who"], line["mark"], visible(line["what"])
        if mark in ("->", "<-") or _ends(line):
            other = line.get("other") or next(reversed(self.programs), who)
            return _arrow(line, other, text)
        seconds = line["time"] - self._latest.get(who, line["time"]) if mark == ".." else 0.0
        return Step(line["time"], KINDS[mark], visible(who), text, seconds=seconds, mark=mark)


LINK = ("wire", "role", "port", "other", "other_port")
KINDS: dict[str, Kind] = {"$": "start", "--": "note", "..": "wait", "|": "print", "!": "print"}


def _ends(line: Line) -> bool:
    return bool(line.get("flag"))


def _arrow(line: Line, other: str, text: str, lines: int = 1) -> Step:
    ends = visible(line["who"]), visible(other)
    column, to = reversed(ends) if line["mark"] == "<-" else ends
    return Step(
        *(line["time"], "arrow", column, text, to),
        wire=line.get("wire", ""),
        flag=line.get("flag", ""),
        mark=line["mark"],
        lines=lines,
    )


def _without_end(story: list[Line]) -> list[Line]:
    end = len(story)
    while end and story[end - 1]["what"] == CLEARED_UP:
        end -= 1
    return story[:end]


def _failing(check: Line, steps: list[Step]) -> Step:
    """Return the last step of a failed check; its column is who the sentence speaks of."""
    sentence = visible(check["sentence"])
    names = [name for step in reversed(steps) for name in (step.to, step.column) if name]
    column = next((name for name in names if sentence.startswith(name)), "")
    told = [
        f"{what}  {visible(line)}"
        for what in ("expected", "received")
        for line in check.get(what, "").splitlines()
    ]
    return Step(
        max((step.time for step in steps), default=0.0),
        "fail",
        column or next(iter(names), "program"),
        sentence,
        details=tuple(told[:MOST_DETAILS]),
        lines=0,
    )


def _short(steps: list[Step]) -> list[Step]:
    if len(steps) <= MOST_STEPS:
        return steps
    half = MOST_STEPS // 2
    out = steps[half:-half]
    note = f"{len(out):,} steps left out"
    lines = sum(step.lines for step in out)
    return [*steps[:half], Step(out[-1].time, "cut", "", note, lines=lines), *steps[-half:]]
