"""Markdown: the results of one run, as a forge shows it under a job; a class as a table."""

from collections.abc import Iterable

from exports.lines import LabForm, broken
from kit.result import CheckResult, module_of
from reports import feedback
from reports.feedback import plain
from reports.grades import Grades, LabGrade, Part, Student, StudentGrades, Suite
from reports.words import clean, grade_of, number, total

TITLE = "Socket Labs"


def summary(labs: Iterable[LabForm]) -> str:
    """Return the results of one run, as a student gets them when a class is graded."""
    graded = [_graded(lab) for lab in labs]
    one = StudentGrades(Student(TITLE), [grade for _, grade in graded])
    return feedback.text(Grades("", "", "", [suite for suite, _ in graded], [one]), one)


def table(grades: Grades) -> str:
    """Return a table with a row for each student. It names everybody: mind who can read it."""
    titles = [
        f"{suite.lab} {suite.title}, of {number(suite.max_points)}" for suite in grades.suites
    ]
    lines = [_row(["student", *titles, "total"]), f"|---|{'---:|' * (len(titles) + 1)}"]
    for one in grades.students:
        cells = [_cell(grade_of(one, suite)) for suite in grades.suites]
        lines.append(_row([one.student.name, *cells, total(one)]))
    return clean("\n".join(lines) + "\n")


def _graded(lab: LabForm) -> tuple[Suite, LabGrade]:
    """Return a result as if it had been graded, without a policy."""
    checks = [CheckResult(**check) for check in lab["checks"]]
    parts: dict[str, Part] = {}
    earned: dict[str, float] = {}
    for check in checks:
        module = module_of(check.id)
        part = parts.setdefault(module, Part(module, check.part, 0))
        part.max_points += 0 if check.reason == "system" else check.max_points
        earned[module] = earned.get(module, 0) + check.points
    suite = Suite(lab["lab"], lab["title"], lab["max_points"], list(parts.values()))
    grade = LabGrade(lab["lab"], "graded", lab["max_points"], lab["points"], lab["points"])
    grade.parts, grade.checks, grade.trouble = earned, checks, broken(lab)
    grade.state = "not graded" if grade.trouble else "graded"
    return suite, grade


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(plain(cell) for cell in cells)} |"


def _cell(grade: LabGrade) -> str:
    return number(grade.points) if grade.state == "graded" else grade.state
