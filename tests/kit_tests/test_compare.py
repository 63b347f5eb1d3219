"""Two gradings compared: whose points changed, and why."""

import json
from pathlib import Path
from typing import Any

import pytest

from grading import compare
from grading.compare import CompareError, differences
from kit.result import CheckResult, Reason
from reports.grades import Grades, LabGrade, Part, State, Student, StudentGrades, Suite

ANN = Student("Ann Doe", "1")


def check(number: int, passed: bool = True, reason: Reason = "") -> CheckResult:
    """Make the result of a check of the chat."""
    return CheckResult(
        id=f"lab4_chat/test_framing.py::test_{number}",
        lab="lab4",
        part="Framing",
        title=f"check {number}",
        max_points=5,
        verdict="not run" if reason else "passed" if passed else "failed",
        points=5 if passed else 0,
        reason=reason,
        sentence="" if passed and not reason else f"alice heard\nnothing in {number} s",
    )


def graded(points: float, *checks: CheckResult, **more: Any) -> LabGrade:
    """Make a grade for the chat, by default all of it for the one part that there is."""
    told: dict[str, Any] = {"earned": points, "parts": {"test_framing": points}}
    return LabGrade("lab4", "graded", 10, points, checks=list(checks), **(told | more))


def without(state: State, trouble: str = "") -> LabGrade:
    """Make what there is without a grade for the chat."""
    return LabGrade("lab4", state, 10, trouble=trouble)


def grading(
    *students: tuple[Student, LabGrade], labs: tuple[str, ...] = ("lab4",), most: float = 10
) -> Any:
    """Make a grading, as it is read back from its file; students without a grade are missing."""
    suites = [Suite(lab, "Chat", most, [Part("test_framing", "Framing", most)]) for lab in labs]
    grades = [StudentGrades(student, [grade]) for student, grade in students]
    return json.loads(json.dumps(Grades("none", "3.13", "Linux", suites, grades).as_dict()))


def of_ann(old: LabGrade, new: LabGrade) -> list[str]:
    """Return what is said of a student whose grade was this, and is that."""
    return differences(grading((ANN, old)), grading((ANN, new)))


def test_of_a_grade_that_is_the_same_nothing_is_said() -> None:
    assert of_ann(graded(5, check(1), duration=2.5), graded(5, check(1), duration=3.5)) == []
    assert of_ann(without("missing"), without("missing")) == []


def test_checks_that_pass_now_and_fail_now_are_named() -> None:
    old = graded(5, check(1, passed=False), check(2), check(3))
    new = graded(8.25, check(1), check(2, passed=False), check(3))

    assert of_ann(old, new) == [
        "Ann Doe  lab4  5 -> 8.25",
        "  Framing  5 of 10 -> 8.25 of 10",
        "  + check 1",
        "  - check 2: alice heard nothing in 2 s",
    ]


def test_checks_that_came_and_went_are_named() -> None:
    old = graded(5, check(1), check(2), check(3))
    new = graded(10, check(2, passed=False, reason="system"), check(3), check(4))

    assert of_ann(old, new)[2:] == [
        "  ~ check 2: alice heard nothing in 2 s",
        "  + check 4 (a new check)",
        "  ~ check 1: no longer checked",
    ]


def test_a_penalty_and_another_attempt_are_named() -> None:
    old = graded(10, check(1))
    new = graded(
        *(8.5, check(1)),
        **{"earned": 10.0, "penalty": 1.5, "days_late": 1.5, "attempt": 2, "attempts": 2},
        parts={"test_framing": 10},
    )

    assert of_ann(old, new) == [
        "Ann Doe  lab4  10 -> 8.5",
        "  attempt 2 of 2 counts, before 1",
        "  penalty 0 -> 1.5, 1.5 days late",
    ]


def test_a_part_that_counts_more_is_named() -> None:
    old, new = grading((ANN, graded(5, check(1)))), grading((ANN, graded(10, check(1))), most=20)

    assert differences(old, new) == ["Ann Doe  lab4  5 -> 10", "  Framing  5 of 10 -> 10 of 20"]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (
            without("not graded", "the kit\nitself broke"),
            graded(0, check(1, passed=False)),
            ["not graded -> 0", "  before: the kit itself broke"],
        ),
        (
            graded(80, check(1)),
            without("not graded", "it is a link"),
            ["80 -> not graded", "  now: it is a link"],
        ),
        (without("missing"), graded(80), ["missing -> 80"]),
    ],
)
def test_a_state_that_changed_is_told_with_its_reason(
    old: LabGrade, new: LabGrade, lines: list[str]
) -> None:
    assert of_ann(old, new) == [f"Ann Doe  lab4  {lines[0]}", *lines[1:]]


def test_a_lab_of_which_a_student_has_no_grade_is_missing() -> None:
    old, new = grading((ANN, graded(80))), grading((ANN, graded(80)))
    new["students"][0]["labs"] = []

    assert differences(old, new) == ["Ann Doe  lab4  80 -> missing"]


def test_who_came_and_who_went_is_told() -> None:
    old = grading((ANN, graded(80)), (Student("Олена Ш", "2"), graded(7)))
    new = grading((Student("山田 花子", "3"), graded(9)), (ANN, graded(80)))

    assert differences(old, new) == [
        "山田 花子  lab4  new: 9",
        "Олена Ш  lab4  7, no longer there",
    ]


def test_students_are_matched_by_id_then_by_a_name_that_has_not_two_ids() -> None:
    old = grading(
        (Student("doeann", "1"), graded(1)),
        (Student("Bo Li"), graded(3)),
        (Student("Bo Li", "2"), graded(2)),
        (Student("Carl", "7"), graded(5)),
    )
    new = grading(
        (Student("Bo Li", "4"), graded(30)),
        (Student("Bo Li", "2"), graded(20)),
        (ANN, graded(10)),
        (Student("Carl", "8"), graded(5)),
    )

    assert [line for line in differences(old, new) if not line.startswith(" ")] == [
        "Bo Li (4)  lab4  3 -> 30",
        "Bo Li (2)  lab4  2 -> 20",
        "Ann Doe  lab4  1 -> 10",
        "Carl (8)  lab4  new: 5",
        "Carl (7)  lab4  5, no longer there",
    ]


def test_a_lab_that_one_grading_has_takes_one_line() -> None:
    old = grading((ANN, graded(80)), labs=("lab4", "lab1"))
    new = grading((ANN, graded(80)), labs=("lab4", "lab5"))

    assert differences(old, new) == [
        "lab5  was not graded before",
        "lab1  is not graded this time",
    ]


def test_what_students_wrote_cannot_move_the_cursor() -> None:
    old = grading((Student("ann\x1b[2J\nbo"), graded(1)))
    new = grading((Student("ann\x1b[2J\nbo"), without("not graded", "\x1b[2J\u202e")))

    lines = differences(old, new)

    assert len(lines) == 2
    assert "\x1b" not in "".join(lines)
    assert "\n" not in "".join(lines)


def test_a_grading_is_read_from_its_folder_or_its_file(tmp_path: Path) -> None:
    told = grading((Student("Олена Ш"), graded(80)))
    file = tmp_path / "grades.json"
    file.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")

    assert compare.read(tmp_path) == compare.read(file) == told


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (b'{"form": "socket', "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", "not of the form socket-labs/grades/1"),
        (b'{"form": "socket-labs/result/1"}', "not of the form socket-labs/grades/1"),
    ],
)
def test_what_is_no_grading_is_named(tmp_path: Path, data: bytes, trouble: str) -> None:
    file = tmp_path / "grades.json"
    file.write_bytes(data)
    with pytest.raises(CompareError) as raised:
        compare.read(tmp_path)
    assert str(raised.value) == f"{file}: {trouble}"


def test_a_grading_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match=r"old: "):
        compare.read(tmp_path / "old")
    with pytest.raises(CompareError, match=r"grades\.json: "):
        compare.read(tmp_path)
