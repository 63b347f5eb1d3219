"""What a person sees of a lab's suite in a terminal: a line a check, the score, the next step."""

from typing import Any

from kit.lab import Lab
from kit.result import CheckResult, LabResult

WIDTH = 78
MARKS = {"passed": ("✓", "+"), "failed": ("✗", "x"), "not run": ("·", ".")}
COLOURS = {"passed": "green", "failed": "red", "not run": "yellow"}


class Screen:
    """Writes through pytest's terminal: colours only where it shows them."""

    def __init__(self, terminal: Any, labs: list[Lab], checks: int) -> None:
        self.terminal = terminal
        self._left = checks
        self.labs = {lab.name: lab for lab in labs}
        self._part = ("", "")
        self._waiting = 0
        self._plain = not _can_show(terminal, "".join(mark for mark, _ in MARKS.values()))
        # The stock reporter keeps silent; what it would say is said here.
        config = terminal.config
        if config.option.verbose == -1:
            config.option.verbose = -2
        if config.option.tbstyle == "auto":
            config.option.tbstyle = "no"
        terminal.reportchars = ""

    def shows(self, own: CheckResult) -> None:
        """Print the line of a check that is over; those that build on others are only counted."""
        if self._part != (own.lab, own.part):
            self._shows_waiting()
            if self._part[0] != own.lab:
                self._line(f"\n{own.lab}  {self.labs[own.lab].title}", bold=True)
            self._line(f"\n{own.part}", bold=True)
            self._part = (own.lab, own.part)
        self._left -= 1
        if own.reason == "builds on":
            self._waiting += 1
            if not self._left:
                self._shows_waiting()
            return
        self._shows_waiting()
        note = "" if own.verdict == "passed" else own.sentence
        points = (
            f"{own.points}/{own.max_points}" if own.points < own.max_points else f"{own.points}"
        )
        self._entry(own.verdict, own.title, "-" if own.reason == "system" else points, note)

    def sums_up(self, labs: list[LabResult]) -> None:
        """Print the score of each lab, and the first thing to do next in full."""
        self._shows_waiting()
        for lab in labs:
            some = "" if lab.whole else " in the chosen checks"
            earned = f"score {lab.points} of {lab.max_points}{some}"
            run = f"{lab.folder}, {lab.duration:.1f} s, --seed {lab.seed}"
            self._line(f"\n{lab.lab}  {earned}  ({run})", bold=True)
        checks = [own for lab in labs for own in lab.checks]
        broken = [own for own in checks if own.reason == "kit"]
        open_ = [own for own in checks if own.message and own.reason != "kit"]
        if broken:
            self._line("\nThe kit broke, your program did not. Please report this:", red=True)
            self._line(broken[0].message)
        elif open_:
            self._line(f"\nNext: {open_[0].part}, {open_[0].title}\n", bold=True)
            self._line(open_[0].message)
        self._line("")

    def _shows_waiting(self) -> None:
        if self._waiting:
            more = (
                "1 more check builds"
                if self._waiting == 1
                else f"{self._waiting} more checks build"
            )
            self._entry("not run", f"{more} on that", "", "")
            self._waiting = 0

    def _entry(self, verdict: str, title: str, points: str, note: str) -> None:
        mark = MARKS[verdict][self._plain]
        self.terminal.write(f"  {mark} ", **{COLOURS[verdict]: True})
        self._line(f"{title:<{WIDTH - 10}} {points:>5}".rstrip())
        if note:
            self._line(f"      {note}", **{COLOURS[verdict]: True})

    def _line(self, text: str, **markup: bool) -> None:
        self.terminal.write_line(text, **markup)


def _can_show(terminal: Any, text: str) -> bool:
    encoding = getattr(terminal._tw._file, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
