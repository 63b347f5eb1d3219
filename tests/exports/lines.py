"""What every export of one lab is made of: a line for each check, one alone for a hidden part."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kit.result import module_of
from reports.words import clean

LabForm = Mapping[str, Any]
"""One lab of the result form, docs/en/architecture.md#the-result-form; points may be fractions."""

NOT_YET = "it has not been run"


class ExportError(Exception):
    """Something that cannot be exported; the text says why, in one line."""


@dataclass(frozen=True)
class Line:
    """A check, or all of a hidden part; `text` says why it did not pass, of a hidden part nothing.

    `number` is the place of the part and of the check in it, such as "2.1".
    """

    number: str
    part: str
    title: str
    points: Fraction
    max_points: Fraction
    passed: bool
    text: str = ""
    hidden: bool = False

    @property
    def name(self) -> str:
        """What tells it from the other lines, for people."""
        return f"{self.part}: {self.title}" if self.title else f"{self.part} (hidden)"


def lines(lab: LabForm, hidden: Collection[str] = ()) -> Iterator[Line]:
    """Yield the lines of a lab; `hidden` are modules of parts, such as "test_reader".

    What this system cannot check counts on neither side, and has no line.
    """
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for check in lab["checks"]:
        if check["reason"] != "system":
            parts.setdefault(module_of(check["id"]), []).append(check)
    for number, (module, checks) in enumerate(parts.items(), 1):
        each = [_line(f"{number}.{place}", check) for place, check in enumerate(checks, 1)]
        if module in hidden:
            yield _together(str(number), each)
        else:
            yield from each


def broken(lab: LabForm) -> str:
    """Return why a result is no grade, in one line: the kit itself broke; or "" if it is one."""
    for check in lab["checks"]:
        if check["reason"] == "kit":
            return f"the kit itself broke in {check['title']!r}"
    return "" if lab["checks"] else "no check was run"


def exact(points: float | Fraction) -> Fraction:
    """Return points as they are written, 0.1 as a tenth."""
    return Fraction(str(points))


def whole(points: Fraction) -> int:
    """Return points without decimals, a half upwards, as on paper."""
    return math.floor(points + Fraction(1, 2))


def decimal(points: Fraction) -> float:
    """Return points with at most two decimals, a half upwards; whole ones are ints."""
    hundredths = whole(points * 100)
    return hundredths / 100 if hundredths % 100 else hundredths // 100


def _line(number: str, check: Mapping[str, Any]) -> Line:
    passed = check["verdict"] == "passed"
    return Line(
        number,
        clean(check["part"]),
        clean(check["title"]),
        exact(check["points"]),
        exact(check["max_points"]),
        passed,
        "" if passed else clean(check["message"] or check["sentence"] or NOT_YET),
    )


def _together(number: str, each: list[Line]) -> Line:
    return Line(
        number,
        each[0].part,
        "",
        sum((line.points for line in each), Fraction(0)),
        sum((line.max_points for line in each), Fraction(0)),
        all(line.passed for line in each),
        hidden=True,
    )
