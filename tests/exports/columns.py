"""Which column of a sheet is for which lab: what `--column` says, else an unmistakable title.

lab4 is "Lab 4", "lab04", "Lab 4: Chat", with Canvas's number behind it or Moodle's "Assignment: "
and " (Real)" around it. "Lab 4 quiz" may be something else, and has to be asked for.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from exports.lines import ExportError
from exports.people import TITLES, plain
from exports.sheet import Sheet
from reports.grades import Suite

FEEDBACK, MAXIMUM = ".feedback", ".maximum"  # after a lab, in --column

_TAIL = re.compile(r"\s*\((\d+|Real)\)$")
_FEEDBACK_TAIL = re.compile(r"\s*\(Feedback\)$|\s+feedback$")
_KIND = re.compile(r"^Assignment: ")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


@dataclass(frozen=True)
class Column:
    """A lab's columns, by their numbers. `maximum` says row by row what points are out of."""

    suite: Suite
    points: int
    feedback: int | None
    maximum: int | None


def columns(sheet: Sheet, suites: Sequence[Suite], given: Mapping[str, str]) -> list[Column]:
    """Return the columns of all labs that have one. Raises ExportError if none has, or several."""
    labs = [suite.lab for suite in suites]
    known = [*labs, *(lab + end for lab in labs for end in (FEEDBACK, MAXIMUM)), *TITLES]
    for name in given:
        if name not in known:
            raise ExportError(f"--column {name}: known are {', '.join(known)}")
    found = list(_found(sheet, suites, given))
    if not found:
        titles = ", ".join(map(repr, sheet.titles))
        raise ExportError(
            f"{sheet.name}: no title is that of {' or '.join(labs)}: "
            f"say e.g. --column {labs[-1]}=TITLE, one of {titles}"
        )
    for place, column in enumerate(found):
        for other in found[:place]:
            if column.points == other.points:
                title = sheet.titles[column.points]
                raise ExportError(f"{title!r} is for {other.suite.lab} or for {column.suite.lab}")
    return found


def _found(sheet: Sheet, suites: Sequence[Suite], given: Mapping[str, str]) -> Iterator[Column]:
    for suite in suites:
        lab = suite.lab
        if lab in given:
            points = sheet.column(given[lab])
        else:
            own = [at for at, title in enumerate(sheet.titles) if _is_of(title, suite)]
            if len(own) > 1:
                titles = " or ".join(repr(sheet.titles[at]) for at in own)
                raise ExportError(f"{sheet.name}: {lab} may be {titles}: say --column {lab}=TITLE")
            if not own:
                continue
            points = own[0]
        feedback, maximum = (
            sheet.column(given[lab + end]) if lab + end in given else by_itself
            for end, by_itself in (
                (FEEDBACK, _feedback(sheet, points)),
                (MAXIMUM, _beside_grade(sheet, points, "Maximum grade")),
            )
        )
        yield Column(suite, points, feedback, maximum)


def _is_of(title: str, suite: Suite) -> bool:
    """Tell whether a title can be that of no other lab, and nothing else of this lab."""
    bare = _TAIL.sub("", title)
    names = {_plain(suite.lab), _plain(suite.lab + suite.title)}
    return bool({_plain(bare), _plain(_KIND.sub("", bare))} & names)


def _feedback(sheet: Sheet, points: int) -> int | None:
    """Return the column of Moodle's that has the feedback to these points."""
    bare = _TAIL.sub("", sheet.titles[points])
    for column, title in enumerate(sheet.titles):
        if _FEEDBACK_TAIL.search(title) and _FEEDBACK_TAIL.sub("", title) == bare:
            return column
    return _beside_grade(sheet, points, "Feedback comments")


def _beside_grade(sheet: Sheet, points: int, title: str) -> int | None:
    """Return a column of Moodle's worksheet for one assignment, if it is one."""
    if sheet.titles[points] != "Grade":
        return None
    return next(iter(sheet.columns([title])), None)


def _plain(title: str) -> str:
    return _ZEROS.sub("", plain(title))
