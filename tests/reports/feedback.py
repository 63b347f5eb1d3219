"""What a student gets back, in Markdown: no word of others, of hidden parts the points alone."""

import re

from kit.result import CheckResult
from reports.grades import Grades, LabGrade, Part, StudentGrades, Suite
from reports.words import by_part, clean, counted, grade_of, lateness, number, score, total, worth

LISTED = 20  # files that were left out; an archive may have thousands

_MARKS = re.compile(r"([\\`*_\[\]<>&|~#])")


def text(grades: Grades, one: StudentGrades) -> str:
    """Return one student's feedback on all labs, in the order of the work."""
    blocks = [f"# {plain(one.student.name)}"]
    if len(grades.suites) > 1 and total(one):
        most = sum(suite.max_points for suite in grades.suites)
        blocks.append(f"{total(one)} of {number(most)} points in all labs")
    for suite in grades.suites:
        blocks += _lab(suite, grade_of(one, suite))
    return clean("\n\n".join(blocks) + "\n")


def _lab(suite: Suite, grade: LabGrade) -> list[str]:
    graded = grade.state == "graded"
    points = f"{score(grade.points, grade.max_points)} points" if graded else grade.state
    blocks = [f"## {plain(f'{suite.lab} {suite.title}')}: {points}"]
    if grade.trouble:
        blocks += ["What was amiss:", _fenced(_trouble(suite, grade))]
    if grade.left_out:
        blocks += ["Left out of the submission:", _files(grade.left_out)]
    if graded:
        blocks.append(_parts(suite, grade))
        if lateness(grade):
            blocks.append(f"Earned: {counted(grade.earned, 'point')}; {lateness(grade)}.")
        for part, checks in by_part(suite, grade.checks):
            blocks += _part(part, checks)
    return blocks


def _trouble(suite: Suite, grade: LabGrade) -> str:
    """Return the trouble, without the name of a hidden check in which there was some."""
    for part, checks in by_part(suite, grade.checks):
        if part.hidden and any(check.title in grade.trouble for check in checks):
            return "there was trouble in a hidden part; who grades this lab knows more"
    return grade.trouble


def _parts(suite: Suite, grade: LabGrade) -> str:
    rows = ["| part | points | of |", "|---|---:|---:|"]
    for part in suite.parts:
        title = plain(part.title) + (" (hidden)" if part.hidden else "")
        points = number(grade.parts.get(part.module, 0))
        rows.append(f"| {title} | {points} | {number(part.max_points)} |")
    return "\n".join(rows)


def _part(part: Part, checks: list[CheckResult]) -> list[str]:
    """Return the checks of a part that did not pass; of a hidden part nothing at all."""
    if part.hidden:
        return []
    blocks = []
    for check in checks:
        if check.verdict != "passed" and check.reason != "builds on":
            blocks.append(f"**{plain(check.title)}** ({worth(check, part, checks)})")
            blocks.append(_fenced(check.message or check.sentence or "nothing was reported"))
    if waiting := sum(check.reason == "builds on" for check in checks):
        blocks.append(f"Not run, as they build on others: {counted(waiting, 'check')}.")
    return [f"### {plain(part.title)}", *blocks] if blocks else []


def _files(names: list[str]) -> str:
    lines = [f"- {_code(name)}" for name in names[:LISTED]]
    if len(names) > LISTED:
        lines.append(f"- and {len(names) - LISTED} more")
    return "\n".join(lines)


def plain(text: str) -> str:
    """Return a text on one line in which nothing is Markdown or HTML."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Return a text on one line as it is."""
    fence, told = _longer(1, text), " ".join(text.split())
    return f"{fence} {told} {fence}" if "`" in told else f"{fence}{told}{fence}"


def _fenced(text: str) -> str:
    """Return a text as it is, between fences that it cannot close."""
    fence = _longer(3, text)
    return f"{fence}text\n{text}\n{fence}"


def _longer(least: int, text: str) -> str:
    """Return backticks: at least so many, and more than any run of them in a text."""
    runs = (len(run) for run in re.findall("`+", text))
    return "`" * max(least, 1 + max(runs, default=0))
