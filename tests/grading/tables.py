"""Grades for other programs: CSV for spreadsheets and course systems, JUnit XML for dashboards."""

import csv
import io
from xml.etree import ElementTree

from kit.result import CheckResult
from reports.grades import Grades, LabGrade, StudentGrades, Suite
from reports.words import FORMULA, clean, grade_of, number, total


def csv_text(grades: Grades) -> str:
    """Return a table with a row for each student.

    Points and the total are empty where a lab is not graded: an empty cell is no zero.
    """
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    columns = ("points", "max", "state", "days late", "penalty")
    labs = [f"{suite.lab} {column}" for suite in grades.suites for column in columns]
    writer.writerow(["name", "id", "email", *map(_cell, labs), "total"])
    for one in grades.students:
        who = one.student
        row = [_cell(who.name), _cell(who.id), _cell(who.email)]
        for suite in grades.suites:
            row += _cells(grade_of(one, suite))
        writer.writerow([*row, total(one)])
    return rows.getvalue()


def _cells(grade: LabGrade) -> list[str]:
    return [
        "" if grade.state == "not graded" else number(grade.points),
        number(grade.max_points),
        grade.state,
        number(grade.days_late),
        number(grade.penalty),
    ]


def _cell(text: str) -> str:
    line = clean(text).replace("\r", " ").replace("\n", " ")
    return f"'{line}" if text.startswith(FORMULA) else line


def junit(grades: Grades) -> str:
    """Return JUnit XML (xunit2) with a test suite for each student and lab."""
    root = ElementTree.Element("testsuites", name="Socket Labs")
    for one in grades.students:
        for suite in grades.suites:
            root.append(_suite(one, suite, grade_of(one, suite)))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _suite(one: StudentGrades, suite: Suite, grade: LabGrade) -> ElementTree.Element:
    if grade.state == "graded":
        cases = [_case(suite, check) for check in grade.checks]
    else:
        cases = [_no_case(suite, grade)]
    who = " ".join(text for text in (one.student.name, one.student.id) if text)
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    element = ElementTree.Element(
        "testsuite",
        {"name": clean(f"{who}: {suite.lab}")}
        | {name: str(count) for name, count in counts.items()}
        | {"time": f"{grade.duration:.3f}"},
    )
    element.extend(cases)
    return element


def _case(suite: Suite, check: CheckResult) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=clean(f"{suite.lab}.{check.part}"),
        name=clean(check.id.partition("::")[2]),  # two checks may have one title
        time=f"{check.duration:.3f}",
    )
    if check.verdict != "passed":
        outcome = "failure" if check.verdict == "failed" else "skipped"
        told = ElementTree.SubElement(case, outcome, message=clean(check.sentence))
        told.text = clean(check.message)
    return case


def _no_case(suite: Suite, grade: LabGrade) -> ElementTree.Element:
    """Return what stands for a lab without a verdict: an error, or nothing was handed in."""
    case = ElementTree.Element("testcase", classname=suite.lab, name=grade.state, time="0.000")
    outcome = "error" if grade.state == "not graded" else "skipped"
    message = clean(grade.trouble or grade.state)
    told = ElementTree.SubElement(case, outcome, message=message)
    told.text = message
    return case
