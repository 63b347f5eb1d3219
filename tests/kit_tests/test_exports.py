"""Exports: every form is one that its system reads, and a course's own sheet keeps all it has."""

import codecs
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from exports import classroom50, forms, gradescope, markdown, moodle
from exports.__main__ import main
from exports.columns import columns
from exports.fill import Filling
from exports.lines import ExportError, LabForm
from exports.people import matched
from exports.sheet import Sheet
from grading.students import read_roster
from kit.result import CheckResult, LabResult
from reports.grades import Grades, LabGrade, Part, Student, StudentGrades, Suite

TESTS = Path(__file__).parents[1]

ANN = Student("Ann Doe", "s01", "ann@example.org", login="ann")
BOB = Student('Bob "Bo", Smith', "s02", "bob@example.org")
HANAKO = Student("佐藤 花子", "s03", "hanako@example.org", login="hanako")
IVAN = Student("Іван Петренко", "s04", "ivan@example.org", login="ivan")
GRACE = Student("Grace Lee", "s05", "grace@example.org", login="grace")

FEEDBACK = 'іван чекав, а прийшло "<b>こんにちは</b>",\nand\x1b[2J no more\ud800'

SUITE = Suite(
    "lab4",
    "Chat",
    10,
    [Part("test_login", "Login", 6), Part("test_trap", "Trap", 4, hidden=True)],
)

RUNNER = {
    "CLASSROOM": "net",
    "ASSIGNMENT": "lab4",
    "OWNER": "ann",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://github.com/org/net-lab4-ann/commit/a1b2c3d",
    "RELEASE_URL": "https://github.com/org/net-lab4-ann/releases/tag/submit%2F2026",
}


def check(name: str, module: str = "test_login", points: int = 2, message: str = "") -> CheckResult:
    """Return a check that passed, or that failed with a message."""
    return CheckResult(
        id=f"lab4_chat/{module}.py::test_{name}",
        lab="lab4",
        part="Login" if module == "test_login" else "Trap",
        title=name.replace("_", " "),
        max_points=points,
        verdict="failed" if message else "passed",
        points=0 if message else points,
        sentence=message,
        message=message,
    )


CHECKS = [
    check("a_name_is_taken"),
    check("an_empty_name", points=1, message=FEEDBACK),
    check("a_secret", "test_trap", message="the trap was found"),
    check("another_secret", "test_trap"),
]


def result(*checks: CheckResult, points: float | None = None) -> LabForm:
    """Return the result of one run, as --json writes it."""
    lab = LabResult("lab4", "Chat", "labs/lab4_chat", "3.12.1", "Linux", 7, 1.25, list(checks))
    return lab.as_dict() | ({} if points is None else {"points": points})


def graded(points: float, penalty: float = 0) -> LabGrade:
    """Return a grade with these points: of CHECKS, Login counts 6 and gave 4, Trap 4 and gave 2."""
    grade = LabGrade("lab4", "graded", 10, points, points + penalty, penalty)
    grade.days_late = 2 if penalty else 0
    grade.checks = CHECKS
    return grade


def a_class(*, also: Student | None = None) -> Grades:
    """Return a class in which everything occurs."""
    students = [
        StudentGrades(ANN, [graded(10)]),
        StudentGrades(BOB, [graded(8.75)]),
        StudentGrades(GRACE, [LabGrade("lab4", "not graded", 10, trouble="it is a rar")]),
        StudentGrades(IVAN, [LabGrade("lab4", "missing", 10)]),
        StudentGrades(HANAKO, [graded(5.4, penalty=0.6)]),
    ]
    more = [StudentGrades(also, [graded(6)])] if also else []
    return Grades("none", "3.12.1", "Linux", [SUITE], students + more)


# Gradescope: https://gradescope-autograders.readthedocs.io/en/latest/specs/


VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}
OUTPUT = {"text", "html", "simple_format", "md", "ansi"}
OF_RESULTS: dict[str, Callable[[Any], bool]] = {
    "score": lambda told: type(told) in (int, float),
    "execution_time": lambda told: type(told) in (int, float),
    "output": lambda told: isinstance(told, str),
    "output_format": OUTPUT.__contains__,
    "test_output_format": OUTPUT.__contains__,
    "test_name_format": OUTPUT.__contains__,
    "visibility": VISIBILITY.__contains__,
    "stdout_visibility": VISIBILITY.__contains__,
    "extra_data": lambda told: isinstance(told, dict),
    "tests": lambda told: isinstance(told, list),
}
OF_A_TEST: dict[str, Callable[[Any], bool]] = {
    "score": lambda told: type(told) in (int, float) and told >= 0,
    "max_score": lambda told: type(told) in (int, float) and told >= 0,
    "status": {"passed", "failed"}.__contains__,
    "name": lambda told: isinstance(told, str),
    "name_format": OUTPUT.__contains__,
    "number": lambda told: isinstance(told, str),
    "output": lambda told: isinstance(told, str),
    "output_format": OUTPUT.__contains__,
    "tags": lambda told: isinstance(told, list) and all(isinstance(tag, str) for tag in told),
    "visibility": VISIBILITY.__contains__,
    "extra_data": lambda told: isinstance(told, dict),
}


def assert_gradescope_reads(form: dict[str, Any]) -> None:
    """Check a results.json: no other field than those that are documented, each of its kind."""
    json.dumps(form, ensure_ascii=False).encode("utf-8")
    wrong = [name for name, told in form.items() if not OF_RESULTS[name](told)]
    for test in form["tests"]:
        wrong += [name for name, told in test.items() if not OF_A_TEST[name](told)]
    assert wrong == []


def test_gradescope_gets_a_test_for_each_check_with_the_message_of_one_that_failed() -> None:
    form = gradescope.results(result(*CHECKS))

    assert_gradescope_reads(form)
    assert form["score"] == sum(test["score"] for test in form["tests"]) == 4
    assert [test["number"] for test in form["tests"]] == ["1.1", "1.2", "2.1", "2.2"]
    assert form["tests"][1] == {
        "number": "1.2",
        "name": "Login: an empty name",
        "score": 0,
        "max_score": 1,
        "status": "failed",
        "tags": ["Login"],
        "visibility": "visible",
        "output": FEEDBACK.replace("\x1b", "\ufffd").replace("\ud800", "\ufffd"),
    }


def test_of_a_hidden_part_gradescope_gets_one_hidden_test_without_a_word() -> None:
    form = gradescope.results(result(*CHECKS), {"test_trap"})

    assert_gradescope_reads(form)
    assert form["tests"][2:] == [
        {
            "number": "2",
            "name": "Trap (hidden)",
            "score": 2,
            "max_score": 4,
            "status": "failed",
            "tags": ["Trap"],
            "visibility": "hidden",
        }
    ]
    assert "secret" not in json.dumps(form)


def test_a_result_that_is_not_complete_yet_can_be_read_by_gradescope() -> None:
    waiting = [replace(one, verdict="not run", points=0, message="", sentence="") for one in CHECKS]

    form = gradescope.results(result(*waiting))

    assert_gradescope_reads(form)
    assert form["score"] == 0
    assert {test["output"] for test in form["tests"]} == {"it has not been run"}


def test_what_a_system_cannot_check_is_left_out() -> None:
    cannot = replace(CHECKS[0], verdict="not run", reason="system", points=0)

    form = gradescope.results(result(cannot, *CHECKS[1:]))

    assert [test["number"] for test in form["tests"]] == ["1.1", "2.1", "2.2"]


def test_a_grade_is_exported_with_the_points_of_the_policy_and_the_penalty() -> None:
    grades = a_class()
    grade = grades.students[-1].labs[0]

    lab = forms.lab_of(grades, SUITE, grade)
    form = gradescope.results(lab, {"test_trap"}, forms.penalty(grade))

    assert_gradescope_reads(form)
    assert form["score"] == 5.4
    assert [test["score"] for test in form["tests"]] == [4, 0, 2]
    assert [test["max_score"] for test in form["tests"]] == [4, 2, 4]
    assert form["output"] == "Earned: 6 points; 2 days late, 0.6 points less."


# Classroom 50: schemas/result-v1.schema.json of foundation50/classroom50


WHEN = re.compile(r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
OF_A_RESULT: dict[str, Callable[[Any], bool]] = {
    "schema": "classroom50/result/v1".__eq__,
    **dict.fromkeys(
        ("classroom", "assignment", "owner", "commit", "release", "review"),
        lambda told: isinstance(told, str) and told != "",
    ),
    "assignment_type": {"individual", "group"}.__contains__,
    "submission": lambda told: isinstance(told, str) and told.startswith("submit/"),
    "datetime": lambda told: bool(WHEN.fullmatch(told)),
    "score": lambda told: type(told) is int and told >= 0,
    "max-score": lambda told: type(told) is int and told >= 0,
    "tests": lambda told: isinstance(told, list),
}


def assert_classroom50_reads(form: dict[str, Any]) -> None:
    """Check a result.json: all required fields, no other, each of its kind; and the sums."""
    json.dumps(form, ensure_ascii=False).encode("utf-8")
    assert form.keys() == OF_A_RESULT.keys()
    assert [name for name, told in form.items() if not OF_A_RESULT[name](told)] == []
    for test in form["tests"]:
        assert {"test-name", "passed", "score", "max-score"} <= test.keys()
        assert isinstance(test["test-name"], str)
        assert test["test-name"]
        assert type(test["passed"]) is bool
        assert type(test["score"]) is type(test["max-score"]) is int
        assert 0 <= test["score"] <= test["max-score"]
    for name in ("score", "max-score"):
        assert form[name] == sum(test[name] for test in form["tests"])


def test_classroom50_gets_what_its_schema_wants() -> None:
    form = classroom50.result(result(*CHECKS), RUNNER, {"test_trap"})

    assert_classroom50_reads(form)
    assert (form["score"], form["max-score"]) == (4, 7)
    assert form["review"] == RUNNER["COMMIT_URL"]
    assert [test["test-name"] for test in form["tests"]] == [
        "Login: a name is taken",
        "Login: an empty name",
        "Trap (hidden)",
    ]
    assert "secret" not in json.dumps(form)


@pytest.mark.parametrize("points", [0, 0.4, 0.5, 1, 1.49, 2.5])
@pytest.mark.parametrize("most", [0.5, 1 / 3, 0.25, 7])
def test_points_that_have_to_be_whole_keep_their_sum(points: float, most: float) -> None:
    third = [replace(one, max_points=most, points=most * (not one.message)) for one in CHECKS * 5]  # type: ignore[arg-type]

    form = classroom50.result(result(*third, points=points), RUNNER)

    assert_classroom50_reads(form)
    assert form["max-score"] == int(20 * most + 0.5)
    assert form["score"] == int(points + 0.5)


def test_whole_numbers_are_given_to_the_largest_remainders() -> None:
    assert classroom50.apportioned([Fraction(1, 2), Fraction(3, 2), Fraction(1)], 4) == [1, 2, 1]
    assert classroom50.apportioned([Fraction(2), Fraction(1), Fraction(0)], 3) == [2, 1, 0]
    assert classroom50.apportioned([Fraction(0), Fraction(0)], 0) == [0, 0]


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"CLASSROOM": ""}, "Classroom 50 wants the variables CLASSROOM"),
        ({"OWNER": "", "COMMIT_URL": ""}, "Classroom 50 wants the variables COMMIT_URL, OWNER"),
        (
            {"SUBMISSION_TAG": "v1"},
            "Classroom 50 wants a SUBMISSION_TAG that begins with submit/",
        ),
    ],
)
def test_what_the_runner_did_not_say_is_named(change: dict[str, str], trouble: str) -> None:
    with pytest.raises(ExportError) as raised:
        classroom50.result(result(*CHECKS), RUNNER | change)
    assert str(raised.value) == trouble


# Markdown


def test_a_run_is_summed_up_as_its_feedback() -> None:
    text = markdown.summary([result(*CHECKS)])

    assert "## lab4 Chat: 4 of 7 points\n" in text
    assert "| Trap | 2 | 4 |\n" in text
    assert "```text\nthe trap was found\n```" in text
    assert "こんにちは" in text
    text.encode("utf-8")


def test_a_run_in_which_the_kit_broke_has_no_points() -> None:
    broke = replace(CHECKS[0], verdict="not run", reason="kit", points=0, message="KeyError")

    text = markdown.summary([result(broke, *CHECKS[1:])])

    assert "## lab4 Chat: not graded\n" in text
    assert "the kit itself broke in 'a name is taken'" in text


def test_a_class_is_a_table_in_which_no_name_is_markdown() -> None:
    text = markdown.table(a_class(also=Student("|<b>[x](y)\n`", "s06")))

    assert text.splitlines() == [
        "| student | lab4 Chat, of 10 | total |",
        "|---|---:|---:|",
        "| Ann Doe | 10 | 10 |",
        '| Bob "Bo", Smith | 8.75 | 8.75 |',
        "| Grace Lee | not graded |  |",
        "| Іван Петренко | missing | 0 |",
        "| 佐藤 花子 | 5.4 | 5.4 |",
        r"| \|\<b\>\[x\](y) \` | 6 | 6 |",
    ]


# Sheets

CANVAS = '''\
Student,ID,SIS User ID,SIS Login ID,Section,Lab 4 (98765),Quiz: Lab 4 (98766),Labs Current Score
,,,,,Manual Posting,,
    Points Possible,,,,,20.00,5.00,(read only)
"Doe, Ann",3101,s01,ann,Net-A,,1.00,0.00
"Lee, Grace",3102,s05,grace,Net-A,,,
"Smith, Bob ""Bo""",3103,s02,bob@example.org,"Net-A, Net-B",17.50 ,4.50,"70.00"
"Петренко, Іван",3104,,,"Net-B
Львів",EX,,
"佐藤, 花子",3105,s03,hanako,Net-B,"9.00",,
"Young, Neil",3106,s99,neil,Net-B,,,
"Student, Test",3199,,8d1f0e,Net-A,,,
'''

GRADEBOOK = '''\
"First name",Surname,"ID number","Email address","Assignment: Lab 4: Chat (Real)",\
"Assignment: Lab 4: Chat (Feedback)","Course total (Real)","Last downloaded from this course"
Ann,Doe,s01,ann@example.org,-,,-,1764000000
花子,佐藤,,Hanako@Example.org,3.00,"Come and see me, ""please""",3.00,1764000000
Іван,Петренко,,,-,,-,1764000000
'''

WORKSHEET = """\
Identifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",\
"Last modified (submission)","Last modified (grade)","Feedback comments"
"Participant 12345","Ann Doe",ann@example.org,"Submitted for grading",,100.00,Yes,\
"Tuesday, 24 November 2026, 1:00 PM",-,
"Participant 12346","佐藤 花子",hanako@example.org,"Submitted for grading",54.00,50.00,Yes,\
"Tuesday, 24 November 2026, 1:05 PM","Tuesday, 24 November 2026, 2:00 PM","Socket Labs, lab4: 1"
"""


def sheet_of(folder: Path, text: str | bytes) -> Sheet:
    """Return a sheet that has been read from a file."""
    file = folder / "sheet.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return Sheet(file)


def filled(folder: Path, text: str | bytes, **given: str) -> tuple[str, list[str]]:
    """Return a sheet with the class filled in, and what was told."""
    sheet = sheet_of(folder, text)
    filling = Filling(sheet, a_class(), {name.replace("_", "."): to for name, to in given.items()})
    filling.fill()
    return sheet.data().decode("utf-8"), filling.told


def changed_cells(before: str, after: str) -> list[tuple[int, int]]:
    """Return which cells of a sheet are others than before, as Python's own reader has them."""
    old, new = (list(csv.reader(io.StringIO(text))) for text in (before, after))
    assert [len(row) for row in old] == [len(row) for row in new]
    return [
        (row, column)
        for row, cells in enumerate(old)
        for column, cell in enumerate(cells)
        if new[row][column] != cell
    ]


def test_canvas_gets_points_out_of_its_own_and_nothing_else_changes(tmp_path: Path) -> None:
    text, told = filled(tmp_path, CANVAS)

    assert text == CANVAS.replace("ann,Net-A,,1.00", "ann,Net-A,20,1.00").replace(
        '"9.00"', '"10.8"'
    )
    assert told == [
        "lab4: 2 cells of 'Lab 4 (98765)' filled; 10 points are 20.00 there",
        "left alone: Grace Lee, lab4: not graded",
        "left alone: Іван Петренко, lab4: 'EX' stands there",
        "changed: 佐藤 花子, lab4: 9.00 -> 10.8",
        "not in the grades: line 10, Young, Neil",
        "not in the grades: line 11, Student, Test",
    ]


def test_a_decimal_comma_stays_one(tmp_path: Path) -> None:
    semicolons = (
        "Student;ID;SIS Login ID;Section;Lab 4 (9)\n    Points Possible;;;;10,00\n"
        "Петренко, Іван;4;ivan;A;\nSmith, Bob;2;bob@example.org;A;\n佐藤, 花子;3;hanako;A;5,40\n"
    )

    text, _ = filled(tmp_path, semicolons)

    assert text == semicolons.replace("ivan;A;", "ivan;A;0").replace(".org;A;", ".org;A;8,75")


def test_moodles_gradebook_gets_points_and_feedback(tmp_path: Path) -> None:
    text, told = filled(tmp_path, GRADEBOOK)

    ann, hanako, ivan = list(csv.reader(io.StringIO(text)))[1:]
    assert ann[4:] == [
        "10",
        "Socket Labs, lab4: 10 of 10 points<br>\nLogin, an empty name: "
        'іван чекав, а прийшло "&lt;b&gt;こんにちは&lt;/b&gt;", and\ufffd[2J no more\ufffd',
        "-",
        "1764000000",
    ]
    assert hanako[4:6] == ["5.4", 'Come and see me, "please"']
    assert ivan[4:6] == ["0", "Socket Labs, lab4: nothing was handed in"]
    assert told == [
        "lab4: 3 cells of 'Assignment: Lab 4: Chat (Real)' filled; "
        "the sheet does not say what they are out of: 10 here",
        "changed: 佐藤 花子, lab4: 3.00 -> 5.4",
        "left alone: 佐藤 花子, lab4: somebody has written feedback",
        'not in the sheet: Bob "Bo", Smith',
        "not in the sheet: Grace Lee",
    ]
    assert changed_cells(GRADEBOOK, text) == [(1, 4), (1, 5), (2, 4), (3, 4), (3, 5)]


def test_moodles_worksheet_is_filled_where_one_says_which_lab_it_is(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="sheet.csv: no title is that of lab4: say e.g. --column"):
        filled(tmp_path, WORKSHEET)

    text, told = filled(tmp_path, WORKSHEET, lab4="Grade")

    assert changed_cells(WORKSHEET, text) == [(1, 4), (1, 9), (2, 4), (2, 9)]
    _, ann, hanako = list(csv.reader(io.StringIO(text)))
    assert (ann[4], hanako[4]) == ("100", "27")
    assert hanako[9].startswith("Socket Labs, lab4: 5.4 of 10 points<br>\nEarned: 6 points; 2 d")
    assert told[0] == (
        "lab4: 2 cells of 'Grade' filled; 10 points are 100.00 there; 10 points are 50.00 there"
    )


def test_titles_in_another_language_are_named_by_hand(tmp_path: Path) -> None:
    text, told = filled(
        tmp_path,
        "ПІБ,Пошта,Оцінка,Максимум,Коментар\nІван П.,ivan@example.org,,5,\n",
        email="Пошта",
        name="ПІБ",
        lab4="Оцінка",
        lab4_maximum="Максимум",
        lab4_feedback="Коментар",
    )

    assert text.endswith('org,0,5,"Socket Labs, lab4: nothing was handed in"\n')
    assert told[0] == "lab4: 1 cell of 'Оцінка' filled; 10 points are 5 there"


def test_what_was_given_to_who_handed_in_nothing_is_left_alone(tmp_path: Path) -> None:
    text = "Email address,Lab 4\nivan@example.org,7.00\n"

    same, told = filled(tmp_path, text)

    assert same == text
    assert "left alone: Іван Петренко, lab4: nothing was handed in, and 7.00 stands there" in told


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("bom", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_a_sheet_keeps_its_bytes_whatever_it_is_written_in(
    tmp_path: Path, bom: bytes, encoding: str, delimiter: str, end: str
) -> None:
    lines = ['Name|"Lab ""4"", |x"|', '"佐藤\n花子"| 5" |""', "", "short", 'Іван||"|"', "last|"]
    data = bom + end.join(lines).replace("|", delimiter).encode(encoding)

    sheet = sheet_of(tmp_path, data)
    assert sheet.data() == data
    assert sheet.titles == ["Name", f'Lab "4", {delimiter}x', ""]

    sheet.rows[0].fill(2, '9"')
    sheet.rows[2].fill(1, "7")
    filled_in = ('5" |""', '5" |"9"""'), ("short", "short|7")
    expected = end.join(lines)
    for old, new in filled_in:
        expected = expected.replace(old, new)
    assert sheet.data() == bom + expected.replace("|", delimiter).encode(encoding)


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        ("Ім'я,Оцінка\n".encode("cp1251"), "neither UTF-8 nor UTF-16: save it as CSV in UTF-8"),
        ("Name,Lab 4\n".encode("utf-16-le"), "neither UTF-8 nor UTF-16: save it as CSV in UTF-8"),
        (b"PK\x03\x04\x14\x00\x06\x00", "neither UTF-8 nor UTF-16: save it as CSV in UTF-8"),
        (b"", "there is nothing in it"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes, trouble: str) -> None:
    with pytest.raises(ExportError) as raised:
        sheet_of(tmp_path, data)
    assert str(raised.value).endswith(f"sheet.csv: {trouble}")


def test_a_quote_that_is_not_closed_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"sheet.csv:3: a quote that is not closed"):
        sheet_of(tmp_path, 'Name,"Lab 4\n"\nann,"7\nbo,8\n')


# Which column is which lab's


@pytest.mark.parametrize(
    "title",
    [
        "lab4",
        "Lab 4 (98765)",
        "LAB 04",
        "Lab 4: Chat (12)",
        "Assignment: Lab 4 (Real)",
        "Lab4 Chat",
    ],
)
def test_a_title_that_is_a_labs_is_found(tmp_path: Path, title: str) -> None:
    sheet = sheet_of(tmp_path, f'Email address,Lab 3,"{title}"\n')

    (found,) = columns(sheet, [SUITE], {})

    assert found.points == 2


@pytest.mark.parametrize(
    "title",
    [
        *("Lab 4 quiz (98765)", "Lab 40", "Lab 14", "Chat", "Lab 4 (Percentage)", "Lab 4 (late)"),
        *("Quiz: Lab 4 (98765)", "Assignment: Lab 4 (Feedback)"),
    ],
)
def test_a_title_that_may_be_something_else_is_not(tmp_path: Path, title: str) -> None:
    sheet = sheet_of(tmp_path, f"Email address,{title}\n")

    with pytest.raises(ExportError, match="no title is that of lab4: say e.g. --column lab4=TITLE"):
        columns(sheet, [SUITE], {})
    (found,) = columns(sheet, [SUITE], {"lab4": title})

    assert found.points == 1


@pytest.mark.parametrize(
    ("titles", "given", "trouble"),
    [
        ("Lab 4,Lab 04", {}, "lab4 may be 'Lab 4' or 'Lab 04': say --column lab4=TITLE"),
        ("Lab 4", {"lab4": "Lab4"}, "no column is called 'Lab4'"),
        ("Lab 4,Lab 4", {"lab4": "Lab 4"}, "2 columns are called 'Lab 4'"),
        ("Lab 4", {"lab9": "Lab 4"}, "--column lab9: known are lab4, lab4.feedback, "),
    ],
)
def test_a_column_that_is_not_clear_is_refused(
    tmp_path: Path, titles: str, given: dict[str, str], trouble: str
) -> None:
    with pytest.raises(ExportError) as raised:
        columns(sheet_of(tmp_path, f"{titles}\n"), [SUITE], given)
    assert trouble in str(raised.value)


def test_one_column_is_not_for_two_labs(tmp_path: Path) -> None:
    suites = [SUITE, replace(SUITE, lab="lab5", title="Rooms")]
    with pytest.raises(ExportError, match="'Lab 4' is for lab4 or for lab5"):
        columns(sheet_of(tmp_path, "Lab 4,x\n"), suites, {"lab5": "Lab 4"})


# Who is who

ROWS = [
    ({"s01"}, {"ann", "ann@example.org"}, {"doeann", "anndoe"}),
    ({"s02"}, {"bo1@example.org"}, {"boli", "libo"}),
    ({"s03"}, {"bo2@example.org"}, {"boli", "libo"}),
    ({"7"}, set[str](), {"дорадою", "佐藤花子"}),
]


@pytest.mark.parametrize(
    ("student", "row"),
    [
        (Student("somebody", "s01"), 0),
        (Student("somebody", login="ANN"), 0),
        (Student("somebody", email="Ann@Example.org"), 0),
        (Student("ann  DOE"), 0),
        (Student("Doe, Ann"), 0),
        (Student("Bo Li", "s03"), 2),
        (Student("Bo Li", email="bo1@example.org"), 1),
        (Student("佐藤\u3000花子"), 3),
    ],
)
def test_a_student_is_found_by_whatever_is_known(student: Student, row: int) -> None:
    assert matched([student], ROWS).rows == {0: row}


@pytest.mark.parametrize(
    ("student", "rows"),
    [
        (Student("Bo Li"), [1, 2]),
        (Student("Ann Doe", "s02"), [0, 1]),
        (Student("somebody", "s01", "bo1@example.org"), [0, 1]),
    ],
)
def test_a_student_who_may_be_several_is_nobody(student: Student, rows: list[int]) -> None:
    matches = matched([student], ROWS)

    assert matches.rows == {}
    assert matches.unclear == {0: rows}


def test_two_students_are_never_one_row() -> None:
    matches = matched([Student("Ann Doe"), Student("a", "s01"), Student("Bo Li", "s02")], ROWS)

    assert matches.rows == {2: 1}
    assert matches.unclear == {0: [0], 1: [0]}


def test_a_student_whom_nothing_leads_to_is_unknown() -> None:
    assert matched([Student("Ann D", "01", "x@example.org")], ROWS).unknown == [0]


def test_who_is_not_clear_is_told_with_the_lines(tmp_path: Path) -> None:
    text = "Full name,Lab 4\nAnn Doe,\nann doe,\n"

    same, told = filled(tmp_path, text)

    assert same == text
    assert "left alone: Ann Doe: not clear who it is, see line 2, 3" in told


def test_the_roster_tells_logins_and_knows_entries_by_them(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("login,name\nhanako,佐藤 花子\nbo,Bo Li\n,Bo\n", encoding="utf-8")
    roster = read_roster(file)

    assert roster.known(Student("Hanako")) == Student("佐藤 花子", login="hanako")
    assert roster.known(Student("bo")) == Student("bo")


# Moodle without a sheet


def test_moodle_gets_a_row_for_whoever_can_be_known_there() -> None:
    formula = Student("x", "=1+1", "x@example.org")
    grades = a_class(also=formula)
    grades.students.append(StudentGrades(Student("Nobody"), [graded(1)]))

    text, told = moodle.table(grades)

    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["ID number", "Email address", "lab4 Chat", "lab4 Chat feedback"]
    assert [row[:3] for row in rows[1:]] == [
        ["s01", "ann@example.org", "10"],
        ["s02", "bob@example.org", "8.75"],
        ["s04", "ivan@example.org", "0"],
        ["s03", "hanako@example.org", "5.4"],
    ]
    assert "secret" not in text
    assert told == [
        "left out: Grace Lee: not graded: lab4",
        "left out: x: a spreadsheet takes the id or e-mail for a formula",
        "left out: Nobody: neither id nor e-mail is known",
    ]


# The command


def export(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a folder, with nothing that is installed beside Python."""
    return subprocess.run(
        [sys.executable, "-S", TESTS / "exports", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.fspath(TESTS), "PYTHONUTF8": "1", **variables},
        capture_output=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a folder with the grades of a class, the result of one run, and Canvas's sheet."""
    (tmp_path / "grades").mkdir()
    form = json.dumps(a_class().as_dict()).replace("\\ud800", "")
    (tmp_path / "grades/grades.json").write_text(form, encoding="utf-8")
    (tmp_path / "result.json").write_text(json.dumps([result(*CHECKS)]), encoding="utf-8")
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    return tmp_path


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    course: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Run:
    """Return what runs the command in this process: words -> exit code, stdout, stderr."""
    monkeypatch.chdir(course)
    for name in RUNNER:
        monkeypatch.delenv(name, raising=False)

    def command(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        said = capfdbinary.readouterr()
        return code, said.out.decode("utf-8"), said.err.decode("utf-8")

    return command


def test_a_class_becomes_a_file_for_each_student_who_has_a_grade(course: Path, run: Run) -> None:
    _, said, _ = run("grades", "--to", "gradescope", "--out", "out")

    assert said.splitlines() == [
        "no file: Grace Lee: not graded",
        "no file: Іван Петренко: missing",
        "3 files",
    ]
    assert sorted(file.name for file in (course / "out").iterdir()) == [
        "lab4 Ann Doe.json",
        "lab4 Bob _Bo__ Smith.json",
        "lab4 佐藤 花子.json",
    ]
    form = json.loads((course / "out/lab4 佐藤 花子.json").read_text(encoding="utf-8"))
    assert_gradescope_reads(form)
    assert form["score"] == 5.4
    assert form["tests"][-1]["visibility"] == "hidden"


def test_for_classroom50_each_student_has_variables_of_the_own_repository(course: Path) -> None:
    variables = RUNNER | {"COMMIT_URL": "https://github.com/org/net-{owner}/commits"}

    done = export(course, "grades", "--to", "classroom50", "--out", "out", **variables)

    assert 'no file: Bob "Bo", Smith: no login is known' in done.stdout.decode("utf-8")
    form = json.loads((course / "out/lab4 佐藤 花子.json").read_text(encoding="utf-8"))
    assert_classroom50_reads(form)
    assert form["owner"] == "hanako"
    assert form["commit"] == form["review"] == "https://github.com/org/net-hanako/commits"
    assert (form["score"], form["max-score"]) == (5, 10)


def test_without_out_a_summary_is_all_that_stdout_has(course: Path) -> None:
    done = export(course, "result.json", "--to", "markdown", PYTHONIOENCODING="ascii")

    assert done.returncode == 0
    assert done.stderr == b""
    assert done.stdout.decode("utf-8") == markdown.summary(forms.read(course / "result.json"))  # type: ignore[arg-type]


def test_the_filled_sheet_is_another_file(course: Path, run: Run) -> None:
    code, said, _ = run(
        *("grades", "--to", "canvas", "--fill", "canvas.csv"),
        *("--column", "lab4=Lab 4 (98765)", "--out", "filled.csv"),
    )

    assert code == 0
    assert (course / "canvas.csv").read_text(encoding="utf-8") == CANVAS
    expected, told = filled(course, CANVAS)
    assert (course / "filled.csv").read_text(encoding="utf-8") == expected
    assert said.splitlines() == told


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ("grades --to canvas --out x", "--to canvas needs --fill: a new column would be a new a"),
        ("grades --to moodle", "--to moodle needs --out FILE"),
        ("grades --to gradescope", "--to gradescope makes a file for each student: say --out F"),
        ("grades --to gradescope --out grades", "grades: it is there already"),
        ("grades --to gradescope --out no/x", "no: there is no such folder"),
        ("grades --to markdown --lab lab5", "grades: there is no lab5 in it"),
        ("grades --to markdown --fill canvas.csv", "--fill is for moodle and canvas"),
        ("grades --to moodle --column a=b --out x", "--column is for --fill"),
        ("grades --to moodle --fill canvas.csv --out x", "canvas.csv: Moodle has other titles"),
        ("grades --to canvas --fill no.csv --out x", "no.csv: No such file or directory"),
        ("grades --to canvas --fill canvas.csv --out canvas.csv", "canvas.csv: this is the sheet"),
        ("result.json --to moodle --out x", "result.json: the result of one run, and no class"),
        ("result.json --to classroom50", "Classroom 50 wants the variables CLASSROOM"),
        ("canvas.csv --to markdown", "canvas.csv: not JSON"),
        ("other.json --to markdown", "other.json: neither of the form socket-labs/grades/1 nor"),
        ("grades --to markdown --out grades", "grades: it is a folder"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line_and_nothing_is_written(
    course: Path, run: Run, words: str, trouble: str
) -> None:
    (course / "other.json").write_text('[{"form": "socket-labs/result/1"}]', encoding="utf-8")
    before = sorted((file, file.stat().st_mtime_ns) for file in course.rglob("*"))

    code, said, complaint = run(*words.split())

    assert complaint.startswith("[ERROR] ")
    assert complaint.count("\n") == 1
    assert trouble in complaint
    assert (code, said) == (2, "")
    assert sorted((file, file.stat().st_mtime_ns) for file in course.rglob("*")) == before


def test_a_run_in_which_the_kit_broke_is_no_grade(course: Path, run: Run) -> None:
    broke = replace(CHECKS[0], verdict="not run", reason="kit", points=0)
    (course / "broken.json").write_text(json.dumps([result(broke)]), encoding="utf-8")

    code, _, complaint = run("broken.json", "--to", "gradescope", "--out", "results.json")

    assert code == 2
    assert "broken.json: not graded: the kit itself broke in 'a name is taken'" in complaint
    assert not (course / "results.json").exists()
