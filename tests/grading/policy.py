"""The policy of a course, `grading.toml`, and what it makes of the results of checks.

attempts = "last"            # or "best": which of several submissions of a student counts

[late]
penalty = 10                 # percent of the earned points for each day begun; default 0
free = 1                     # days that cost nothing; default 0
most = 5                     # days after which nothing is left; default: none

[lab4]
hidden = ["reader"]          # parts of which students see the points alone

[lab4.points]                # what a part counts, instead of the sum of its checks
framing = 10
reader = 0

Every key may be left out, and so may the file. A part has the name of its file of checks without
"test_". With the [late] of this example three days late are two that cost: 20 percent.

Of a part a student earns the share of its checks' points, of what this system can check, times
what the part counts; a part of which nothing can be checked here counts nothing.
"""

import importlib
import json
import math
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from kit.lab import Lab
from kit.result import CheckResult, module_of
from reports.grades import LabGrade, Part, Suite

# mypy, told of Python 3.10, asks for tomli, which pytest brings to 3.10 alone.
tomllib = importlib.import_module("tomli" if sys.version_info < (3, 11) else "tomllib")

POLICY = "grading.toml"
MOST = 1_000_000  # a larger number is a typing error
SHOWN = 40  # characters of a value that is wrong

_TOML_ERROR = re.compile(r"(?P<what>.*) \(at (line (?P<line>\d+), column \d+|end of document)\)")


class PolicyError(Exception):
    """A policy that cannot be used; the text is one line with the file, the line and the reason."""


@dataclass(frozen=True)
class Late:
    """What lateness costs: `penalty` in percent a day, `free` and `most` in days."""

    penalty: Fraction = Fraction(0)
    free: Fraction = Fraction(0)
    most: Fraction | None = None

    def share_left(self, days: float) -> Fraction:
        """Return which share of the earned points is left after so many days, from 0 to 1."""
        late = Fraction(str(days))
        if self.most is not None and late > self.most:
            return Fraction(0)
        begun = max(0, math.ceil(late - self.free))
        return max(Fraction(0), 1 - begun * self.penalty / 100)


@dataclass(frozen=True)
class LabRules:
    """What a policy says of one lab: hidden parts, and what a part counts, by their modules."""

    hidden: Collection[str] = ()
    points: Mapping[str, Fraction] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """How results become grades; without anything said, the defaults."""

    attempts: Literal["last", "best"] = "last"
    late: Late = Late()
    labs: Mapping[str, LabRules] = field(default_factory=dict)

    def suite(self, lab: Lab, checks: Sequence[CheckResult]) -> Suite:
        """Return a lab with what its parts count, given the results of all its checks."""
        counts = self._counts(lab, _by_part(lab, checks))
        hidden = self._rules(lab).hidden
        parts = [
            Part(part.module, part.title, _number(counts[part.module]), part.module in hidden)
            for part in lab.parts
        ]
        return Suite(lab.name, lab.title, _number(sum(counts.values())), parts)

    def grade(self, lab: Lab, checks: Sequence[CheckResult], days_late: float) -> LabGrade:
        """Return what the results of all checks of a lab make, so many days after the deadline.

        Points have at most two decimals, and whole ones are ints. If the kit broke in a check, or
        there is none, the lab is not graded. What else a LabGrade tells is left to the caller.
        """
        by_part = _by_part(lab, checks)
        counts = self._counts(lab, by_part)
        total = _number(sum(counts.values()))
        grade = LabGrade(lab.name, "graded", total, days_late=days_late, checks=list(checks))
        if trouble := _trouble(checks):
            grade.state, grade.trouble = "not graded", trouble
            return grade
        earned = {module: counts[module] * _share(by_part[module]) for module in counts}
        exact = sum(earned.values(), Fraction(0))
        left = exact * self.late.share_left(days_late)
        grade.parts = {module: _number(points) for module, points in earned.items()}
        grade.earned, grade.points = _number(exact), _number(left)
        grade.penalty = _number(_rounded(exact) - _rounded(left))
        return grade

    def chosen(self, attempts: Sequence[LabGrade]) -> LabGrade:
        """Return the one that counts of a student's attempts, at least one, the earliest first.

        The best is the one with most points after the penalty: a graded one before one that is
        not, the later one of two that are equal. Which it is and of how many is told in a copy.
        """
        numbered = list(enumerate(attempts, 1))
        number, grade = numbered[-1]
        if self.attempts == "best":
            number, grade = max(
                numbered, key=lambda one: (one[1].state == "graded", one[1].points, one[0])
            )
        return replace(grade, attempt=number, attempts=len(attempts))

    def _rules(self, lab: Lab) -> LabRules:
        return self.labs.get(lab.name, LabRules())

    def _counts(
        self, lab: Lab, by_part: Mapping[str, Sequence[CheckResult]]
    ) -> dict[str, Fraction]:
        """Return what each part counts here, in the order of the work."""
        points = self._rules(lab).points
        sums = {
            module: Fraction(sum(check.max_points for check in checks))
            for module, checks in by_part.items()
        }
        return {module: points.get(module, most) if most else most for module, most in sums.items()}


def read(file: Path | None, labs: Sequence[Lab]) -> Policy:
    """Read a policy for a course with these labs, which are all that it may name.

    No file makes the defaults. Raises PolicyError.
    """
    if file is None:
        return Policy()
    form = _Form(file, _text_of(file))
    top = form.table((), form.toml(), ["attempts", "late", *(lab.name for lab in labs)])
    attempts = top.get("attempts", "last")
    if attempts not in ("last", "best"):
        raise form.error(
            ("attempts",), f'attempts is either "last" or "best", not {_shown(attempts)}'
        )
    rules = {lab.name: form.lab(lab, top[lab.name]) for lab in labs if lab.name in top}
    return Policy(attempts, form.late(top.get("late", {})), rules)


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PolicyError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PolicyError(f"{file}:{line}: not UTF-8") from None


class _Form:
    """The text of a policy, from which an error gets its line. A path is the keys that lead there.

    Each method checks one thing in it, and returns it or raises PolicyError.
    """

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.text = text

    def toml(self) -> object:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            match = _TOML_ERROR.fullmatch(str(error))
            what = match["what"] if match else error
            line = match and match["line"] or self.text.rstrip("\n").count("\n") + 1
            raise PolicyError(f"{self.file}:{line}: {what}") from None
        except (RecursionError, ValueError):
            what = "thousands of digits or brackets, which Python does not read"
            raise PolicyError(f"{self.file}:{self._last_straw()}: {what}") from None

    def _last_straw(self) -> int:
        """Return the line at which Python gives up a text that is TOML."""
        lines = self.text.split("\n")
        for number in range(1, len(lines) + 1):
            try:
                tomllib.loads("\n".join(lines[:number]))
            except tomllib.TOMLDecodeError:
                continue
            except (RecursionError, ValueError):
                return number
        return len(lines)

    def late(self, value: object) -> Late:
        table = self.table(("late",), value, ["penalty", "free", "most"])
        late = Late(**{key: self.number(("late", key), number) for key, number in table.items()})
        if late.most is not None and late.most < late.free:
            raise self.error(("late", "most"), "most is less than free")
        return late

    def lab(self, lab: Lab, value: object) -> LabRules:
        modules = {part.module.removeprefix("test_"): part.module for part in lab.parts}
        table = self.table((lab.name,), value, ["hidden", "points"])
        hidden = table.get("hidden", [])
        if not isinstance(hidden, list) or not all(isinstance(part, str) for part in hidden):
            wanted = f'hidden is a list of parts, such as ["reader"], not {_shown(hidden)}'
            raise self.error((lab.name, "hidden"), wanted)
        for part in hidden:
            self.known((lab.name, "hidden"), part, modules)
        path = (lab.name, "points")
        points = self.table(path, table.get("points", {}), modules)
        return LabRules(
            frozenset(modules[part] for part in hidden),
            {modules[part]: self.number((*path, part), value) for part, value in points.items()},
        )

    def table(self, path: tuple[str, ...], value: object, keys: Iterable[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            name = ".".join(path)
            raise self.error(path, f"{name} is a table: its keys stand below a line [{name}]")
        for key in value:
            self.known((*path, key), key, keys)
        return value

    def number(self, path: tuple[str, ...], value: object) -> Fraction:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= MOST:
            wanted = f"{path[-1]} is a number from 0 to {MOST:,}, not {_shown(value)}"
            raise self.error(path, wanted)
        return Fraction(str(value))

    def known(self, path: tuple[str, ...], name: str, names: Iterable[str]) -> None:
        if name not in names:
            raise self.error(path, f"{name!r} is not known here, only {', '.join(names)}")

    def error(self, path: tuple[str, ...], what: str) -> PolicyError:
        return PolicyError(f"{self.file}:{_line_of(path, self.text)}: {what}")


def _line_of(path: tuple[str, ...], text: str) -> int:
    """Return the line on which the statement begins that first has this path.

    TOML itself finds it, however it is written: the path is there after the statement's last line,
    and no text that ends between its first line and its last one is TOML.
    """
    lines = text.split("\n")
    begins = 1
    for number in range(1, len(lines) + 1):
        try:
            found = tomllib.loads("\n".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue
        if _leads_somewhere(path, found):
            break
        begins = number + 1
    return begins


def _shown(value: object) -> str:
    """Return a value nearly as TOML writes it, and not all of a long one."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _leads_somewhere(path: tuple[str, ...], found: Any) -> bool:
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return True


def _by_part(lab: Lab, checks: Iterable[CheckResult]) -> dict[str, list[CheckResult]]:
    """Return the checks that this system can run, by their parts."""
    by_part: dict[str, list[CheckResult]] = {part.module: [] for part in lab.parts}
    for check in checks:
        if check.reason != "system":
            by_part[module_of(check.id)].append(check)
    return by_part


def _share(checks: Sequence[CheckResult]) -> Fraction:
    most = sum(check.max_points for check in checks)
    return Fraction(sum(check.points for check in checks), most) if most else Fraction(0)


def _trouble(checks: Sequence[CheckResult]) -> str:
    """Return why these results make no grade, or "" if they do."""
    if not checks:
        return "no check was run"
    broken = [check for check in checks if check.reason == "kit"]
    if not broken:
        return ""
    more = f" (and in {len(broken) - 1} more)" if len(broken) > 1 else ""
    return f"{broken[0].title}: {broken[0].sentence}{more}"


def _rounded(points: Fraction) -> Fraction:
    """Return points with two decimals, a half upwards, as on paper."""
    return Fraction(math.floor(points * 100 + Fraction(1, 2)), 100)


def _number(points: Fraction | int) -> float:
    rounded = _rounded(Fraction(points))
    return int(rounded) if rounded.denominator == 1 else float(rounded)
