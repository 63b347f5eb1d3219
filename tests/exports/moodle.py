"""Moodle: what stands in a cell of feedback, and a sheet of our own where there is none to fill.

Columns are mapped by hand when a sheet is imported: https://docs.moodle.org/en/Grade_import
"""

import csv
import html
import io

from exports.forms import penalty
from reports.grades import Grades, LabGrade, Suite
from reports.words import FORMULA, by_part, clean, counted, grade_of, number, one_line, score

OURS = "Socket Labs, "  # begins each cell, so that it is known again
LISTED = 10  # checks in a cell

_QUIET = ("builds on", "system")  # reasons that another check tells, or that cost no points


def feedback(suite: Suite, grade: LabGrade) -> str:
    """Return a cell of feedback: the points, and what did not pass, but nothing of hidden parts.

    Moodle shows it as HTML: what comes from a student's program is escaped, and <br> ends a line.
    """
    if grade.state == "missing":
        return f"{OURS}{suite.lab}: nothing was handed in"
    told = [f"{OURS}{suite.lab}: {score(grade.points, grade.max_points)} points"]
    told += [text for text in [penalty(grade)] if text]
    failed = [
        f"{part.title}, {check.title}: {check.sentence}"
        for part, checks in by_part(suite, grade.checks)
        for check in checks
        if not part.hidden and check.verdict != "passed" and check.reason not in _QUIET
    ]
    told += failed[:LISTED]
    if len(failed) > LISTED:
        told.append(f"and {counted(len(failed) - LISTED, 'check')} more")
    return "<br>\n".join(html.escape(one_line(clean(line)), quote=False) for line in told)


def table(grades: Grades) -> tuple[str, list[str]]:
    """Return a sheet with a row for each student, and a line for each who is not in it.

    An empty cell would take a grade away, so that a student with a lab not graded has no row.
    """
    rows, told = io.StringIO(), []
    writer = csv.writer(rows, lineterminator="\r\n")
    titles = [f"{suite.lab} {suite.title}" for suite in grades.suites]
    columns = (cell for title in titles for cell in (title, f"{title} feedback"))
    writer.writerow(["ID number", "Email address", *columns])
    for one in grades.students:
        who = one.student
        own = [(suite, grade_of(one, suite)) for suite in grades.suites]
        open_ = [suite.lab for suite, grade in own if grade.state == "not graded"]
        if open_:
            told.append(f"left out: {who.name}: not graded: {', '.join(open_)}")
        elif not who.id and not who.email:
            told.append(f"left out: {who.name}: neither id nor e-mail is known")
        elif who.id.startswith(FORMULA) or who.email.startswith(FORMULA):
            told.append(f"left out: {who.name}: a spreadsheet takes the id or e-mail for a formula")
        else:
            cells = (
                cell
                for suite, grade in own
                for cell in (number(grade.points), feedback(suite, grade))
            )
            writer.writerow([who.id, who.email, *cells])
    return rows.getvalue(), told
