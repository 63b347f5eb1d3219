"""What teachers look at: the class at a glance, and a page for each student.

Each page is one file without scripts that asks for nothing from outside.
"""

from collections.abc import Callable
from dataclasses import asdict
from urllib.parse import quote

from grading.charts import SIGNS, css, hardest, heat_map, histogram, legend, outcome
from kit.result import CheckResult
from pictures import drawn
from reports.grades import Grades, LabGrade, Part, Student, StudentGrades, Suite
from reports.markup import Html, joined, page, tag
from reports.words import by_part, counted, grade_of, lateness, number, score, total, worth

LONG = 12  # lines of a message that are shown at once; a longer one opens with a click
A_FEW = 3  # names of files that a table has room for


def index(grades: Grades, folder_of: Callable[[Student], str]) -> str:
    """Return the page of the class; students' pages are at students/<folder>/index.html."""

    def link(one: StudentGrades) -> Html:
        folder = quote(folder_of(one.student), safe="")
        name = one.student.name
        return tag("a", name, href=f"students/{folder}/index.html", title=name)

    labs = [tag("a", _name(suite), href=f"#{suite.lab}") for suite in grades.suites]
    return page(
        f"Grades: {', '.join(_name(suite) for suite in grades.suites)}",
        tag("h1", "Grades"),
        tag("p", f"{counted(len(grades.students), 'student')}. {_ran(grades)}", class_="quiet"),
        tag("nav", *labs, tag("a", "Students", href="#students")),
        *(_lab_of_class(grades, suite, link) for suite in grades.suites),
        tag("section", tag("h2", "Students"), _students(grades, link), id="students"),
    )


def student(grades: Grades, one: StudentGrades) -> str:
    """Return a student's page, with all that a teacher needs to explain the grade."""
    who = ", ".join(text for text in (one.student.id, one.student.email) if text)
    most = number(sum(suite.max_points for suite in grades.suites))
    points = f"{total(one)} of {most} points" if total(one) else "not graded as a whole"
    return page(
        f"{one.student.name}: {points}",
        tag("nav", tag("a", "The class", href="../../index.html")),
        tag("h1", one.student.name),
        tag("p", who) if who else "",
        tag("p", tag("b", points)) if len(grades.suites) > 1 else "",
        *(_lab_of_student(suite, grade_of(one, suite)) for suite in grades.suites),
        tag("p", _ran(grades), class_="quiet"),
    )


def _name(suite: Suite) -> str:
    return f"{suite.lab} {suite.title}"


def _ran(grades: Grades) -> str:
    return f"Python {grades.python} on {grades.system}; protection: {grades.protection}."


def _lab_of_class(grades: Grades, suite: Suite, link: Callable[[StudentGrades], Html]) -> Html:
    points = tag("div", tag("h3", "Points"), histogram(grades, suite))
    hard = tag("div", tag("h3", "Which checks most fail"), hardest(grades, suite))
    return tag(
        "section",
        tag("h2", _name(suite)),
        tag("div", points, hard, class_="beside"),
        tag("h3", "Students by checks"),
        legend(),
        heat_map(grades, suite, link),
        id=suite.lab,
    )


def _students(grades: Grades, link: Callable[[StudentGrades], Html]) -> Html:
    several = len(grades.suites) > 1
    heads = ["Student", *(f"{suite.lab}, of {number(suite.max_points)}" for suite in grades.suites)]
    heads += ["Total"] if several else []
    heads += ["Late", "Trouble", "Left out"]
    rows = []
    for one in grades.students:
        labs = [grade_of(one, suite) for suite in grades.suites]
        numbers = [number(lab.points) if lab.state == "graded" else lab.state for lab in labs]
        numbers += [total(one) or "–"] if several else []
        rows.append(
            tag(
                "tr",
                tag("th", link(one), scope="row"),
                *(tag("td", text, class_="n") for text in numbers),
                *(
                    tag("td", *(tag("div", line) for line in _each(labs, of, several)))
                    for of in (lateness, _trouble, _left_out)
                ),
            )
        )
    head = tag("thead", tag("tr", *(tag("th", text, scope="col") for text in heads)))
    return tag("div", tag("table", head, tag("tbody", *rows), class_="rows"), class_="scroll")


def _each(labs: list[LabGrade], of: Callable[[LabGrade], str], several: bool) -> list[str]:
    """Return what there is to say of each lab, with its name where there are several."""
    return [f"{lab.lab}: {of(lab)}" if several else of(lab) for lab in labs if of(lab)]


def _trouble(lab: LabGrade) -> str:
    return lab.trouble


def _left_out(lab: LabGrade) -> str:
    few, more = lab.left_out[:A_FEW], len(lab.left_out) - A_FEW
    return "; ".join(few) + (f"; and {more} more" if more > 0 else "")


def _lab_of_student(suite: Suite, grade: LabGrade) -> Html:
    points = score(grade.points, grade.max_points) if grade.state == "graded" else grade.state
    parts = by_part(suite, grade.checks)
    return tag(
        "section",
        tag("h2", f"{_name(suite)}: {points}"),
        tag("p", grade.trouble, class_="trouble") if grade.trouble else "",
        *(tag("p", line) for line in _facts(grade)),
        _files_left_out(grade.left_out),
        _points_by_part(parts, grade) if grade.state == "graded" else "",
        *(_part(part, checks) for part, checks in parts if checks),
    )


def _facts(grade: LabGrade) -> list[str]:
    told = []
    if lateness(grade):
        told.append(f"Earned {number(grade.earned)}; {lateness(grade)}.")
    if grade.entry:
        attempt = f", attempt {grade.attempt} of {grade.attempts}" if grade.attempts > 1 else ""
        told.append(f"Handed in as {grade.entry}{attempt}.")
    if grade.checks:
        told.append(f"Ran {grade.duration:.1f} s with --seed {grade.seed}.")
    return told


def _files_left_out(names: list[str]) -> Html:
    if not names:
        return Html()
    files = tag("ul", *(tag("li", tag("code", name)) for name in names))
    said = f"{counted(len(names), 'file')} left out of the submission"
    if len(names) > A_FEW:
        return tag("details", tag("summary", said), files)
    return joined(tag("p", f"{said}:"), files)


def _points_by_part(parts: list[tuple[Part, list[CheckResult]]], grade: LabGrade) -> Html:
    rows = [
        tag(
            "tr",
            tag("th", part.title, _hidden(part), scope="row"),
            tag("td", score(grade.parts.get(part.module, 0), part.max_points), class_="n"),
            tag("td", f"{sum(check.verdict == 'passed' for check in checks)} of {len(checks)}"),
        )
        for part, checks in parts
    ]
    heads = (tag("th", text, scope="col") for text in ("Part", "Points", "Checks passed"))
    return tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="rows")


def _hidden(part: Part) -> Html:
    return joined(" ", tag("span", "hidden", class_="mark")) if part.hidden else Html()


def _part(part: Part, checks: list[CheckResult]) -> Html:
    passed = [check for check in checks if check.verdict == "passed"]
    waiting = [check for check in checks if check.reason == "builds on"]
    others = [
        check for check in checks if check.verdict != "passed" and check.reason != "builds on"
    ]
    points = {check.id: _quiet(worth(check, part, checks)) for check in checks}
    return joined(
        tag("h3", part.title, _hidden(part)),
        *(_check(check, points[check.id]) for check in others),
        _short("not run, as they build on others", waiting, points),
        _short("passed", passed, points),
    )


def _short(what: str, checks: list[CheckResult], points: dict[str, Html]) -> Html:
    if not checks:
        return Html()
    listed = tag("ul", *(tag("li", f"{check.title} ", points[check.id]) for check in checks))
    return tag("details", tag("summary", f"{counted(len(checks), 'check')} {what}"), listed)


def _quiet(text: str) -> Html:
    return tag("span", text, class_="quiet")


def _check(check: CheckResult, points: Html) -> Html:
    """Return a check that did not pass: what may be the cause first, then the whole message."""
    seen = outcome(check)
    message = check.message or check.sentence or "nothing was reported"
    told = tag("pre", message)
    long = message.count("\n") >= LONG
    if long:
        told = tag("details", tag("summary", check.sentence or "the whole message"), told)
    hint = check.hint if long or check.hint not in message else ""
    places = [place for place in check.where if long or place not in message]
    sign = tag("span", SIGNS[seen], class_=f"sign {css(seen)}")
    return tag(
        "div",
        tag("h4", sign, f" {check.title} ", points),
        tag("p", f"Likely cause: {hint}") if hint else "",
        *(tag("p", "The program was at ", tag("code", place)) for place in places),
        told,
        _picture(check),
        class_="check",
    )


def _picture(check: CheckResult) -> Html:
    if check.verdict != "failed" or not check.story:
        return Html()
    drawing = tag("div", Html(drawn(asdict(check))), class_="scroll")
    return tag("details", tag("summary", "the picture"), drawing)
