"""What all reports say alike: points, days, parts, and text that came from students."""

import re
from collections.abc import Iterable

from kit.result import CheckResult, module_of
from kit.story import printable
from reports.grades import Grades, LabGrade, Part, Student, StudentGrades, Suite

# What spreadsheets take for the beginning of a formula, the wide forms in Japanese ones.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# What XML 1.0 forbids; half of it could also not be written as UTF-8, or would move a cursor.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Return a text with a sign in place of each character that no report can show."""
    return _FORBIDDEN.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return a text that stays on one line of whatever shows it."""
    return printable(" ".join(text.split()))


def number(value: float) -> str:
    """Return points or days with at most two decimals, whole numbers without any."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def counted(value: float, noun: str) -> str:
    """Return e.g. "1 day" or "2.5 days"."""
    return f"{number(value)} {noun}" + ("" if value == 1 else "s")


def score(points: float, max_points: float) -> str:
    """Return e.g. "7.5 of 10"."""
    return f"{number(points)} of {number(max_points)}"


def worth(check: CheckResult, part: Part, checks: Iterable[CheckResult]) -> str:
    """Return e.g. "0 of 2": what a check gave, as its part counts among `checks`, all of it."""
    if check.reason == "system":
        return "costs no points"
    most = sum(one.max_points for one in checks if one.reason != "system")
    weight = part.max_points / most if most else 0
    return score(check.points * weight, check.max_points * weight)


def lateness(grade: LabGrade) -> str:
    """Return e.g. "2 days late, 20 points less", or "" if there is neither."""
    told = [f"{counted(grade.days_late, 'day')} late"] if grade.days_late else []
    told += [f"{counted(grade.penalty, 'point')} less"] if grade.penalty else []
    return ", ".join(told)


def total(one: StudentGrades) -> str:
    """Return the sum over the labs, or "" while one of them is not graded: that is no zero."""
    return "" if any(lab.state == "not graded" for lab in one.labs) else number(one.points)


def grade_of(one: StudentGrades, suite: Suite) -> LabGrade:
    """Return what a student has for a lab."""
    missing = LabGrade(suite.lab, "missing", suite.max_points)
    return next((lab for lab in one.labs if lab.lab == suite.lab), missing)


def by_part(suite: Suite, checks: Iterable[CheckResult]) -> list[tuple[Part, list[CheckResult]]]:
    """Return the parts of a lab in the order of the work, each with its checks."""
    found: dict[str, list[CheckResult]] = {part.module: [] for part in suite.parts}
    for check in checks:
        found.setdefault(module_of(check.id), []).append(check)
    return [(part, found[part.module]) for part in suite.parts]


def folders_of(grades: Grades) -> dict[Student, str]:
    """Return a folder's name for each student, which no other one has."""
    folders: dict[Student, str] = {}
    taken: set[str] = set()
    for one in grades.students:
        student = one.student
        kept = "".join(c if c.isalnum() or c in " -" else "_" for c in student.name).strip()
        plain = name = kept[:60] or "_"
        if plain.casefold() in taken:
            plain = name = f"{plain} {student.id}".strip()
        number = 2
        while name.casefold() in taken:
            name, number = f"{plain} {number}", number + 1
        taken.add(name.casefold())
        folders[student] = name
    return folders
