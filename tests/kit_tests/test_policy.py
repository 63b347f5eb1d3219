"""The policy of a course: what is read from grading.toml, and what it makes of results."""

from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import pytest

from grading import policy
from grading.policy import LabRules, Late, Policy, PolicyError
from kit import lab
from kit.lab import Lab
from kit.result import CheckResult, Reason
from reports.grades import Grades, LabGrade, Part, Student, StudentGrades, Suite

HANDBOOK = Path(__file__).parents[2] / "docs/en/instructors.md"
CHAT = Lab(
    "lab4",
    "Chat",
    (
        lab.Part("test_framing", "Framing", "1-framing"),
        lab.Part("test_reader", "Who never reads", "8-who-never-reads"),
    ),
)
ECHO = Lab("lab1", "Echo", (lab.Part("test_udp_server", "UDP server", "the-udp-server"),))


def read(folder: Path, text: str) -> Policy:
    """Read a policy with this text."""
    file = folder / "grading.toml"
    file.write_text(text, encoding="utf-8")
    return policy.read(file, [ECHO, CHAT])


def check(part: str, number: int, points: int, max_points: int, reason: Reason = "") -> CheckResult:
    """Make the result of a check of the chat."""
    result = CheckResult(
        id=f"lab4_chat/test_{part}.py::test_{number}",
        lab="lab4",
        part=part,
        title=f"check {number}",
        max_points=max_points,
        verdict="passed" if points else "failed",
        points=points,
        reason=reason,
    )
    if reason:
        result.verdict, result.sentence = "not run", f"because of the {reason}"
    return result


CHECKS = [
    check("framing", 1, 2, 2),
    check("framing", 2, 0, 4),
    check("reader", 3, 3, 3),
    check("reader", 4, 0, 1),
]


# What is read.


def test_without_a_file_all_is_as_the_defaults_say(tmp_path: Path) -> None:
    assert policy.read(None, [CHAT]) == read(tmp_path, "# nothing\n") == Policy()


def test_the_example_of_the_handbook_is_read(tmp_path: Path) -> None:
    example = HANDBOOK.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    assert policy.__doc__
    assert example in policy.__doc__

    found = read(tmp_path, example)

    assert found == Policy(
        "last",
        Late(penalty=Fraction(10), free=Fraction(1), most=Fraction(5)),
        {
            "lab4": LabRules(
                frozenset({"test_reader"}),
                {"test_framing": Fraction(10), "test_reader": Fraction(0)},
            )
        },
    )


def test_the_handbook_describes_each_field_of_the_grades() -> None:
    section = HANDBOOK.read_text(encoding="utf-8").partition("## The form of the grades\n")[2]
    forms = (Grades, Suite, Part, StudentGrades, Student, LabGrade)

    names = {field.name for form in forms for field in fields(form)}

    assert not [name for name in names if f"`{name}`" not in section]


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "grading.toml"
    file.write_bytes("\ufeff# політика\r\n[late]\r\npenalty = 2.5\r\n".encode())

    assert policy.read(file, []).late.penalty == Fraction(5, 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("attempts = last", 1),
        ("\n\n[late\n", 3),
        ("[lab4]\nhidden = ['reader'\n\n", 2),
        ("[late]\nfree = 1\nfree = 2", 3),
        (f"[late]\nfree = {'9' * 5_000}\nmost = 2", 2),
        (f"\nattempts = {'[' * 9_000}{']' * 9_000}\n", 2),
    ],
)
def test_what_is_not_toml_is_said_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(PolicyError) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'grading.toml'}:{line}: ")
    assert "(at " not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("# 課\n\natempts = 1", "3: 'atempts' is not known here, only attempts, late, lab1, lab4"),
        ('attempts = "first"', '1: attempts is either "last" or "best", not "first"'),
        ("attempts = 2026-11-22", '1: attempts is either "last" or "best", not "2026-11-22"'),
        ("late = 3", "1: late is a table: its keys stand below a line [late]"),
        (
            "[late]\nfree = 1\n\npenlty = 5",
            "4: 'penlty' is not known here, only penalty, free, most",
        ),
        ("[late]\npenalty = -1", "2: penalty is a number from 0 to 1,000,000"),
        (
            "[late]\n# penalty = 1\npenalty = '5'",
            '3: penalty is a number from 0 to 1,000,000, not "5"',
        ),
        ("late.most = true", "1: most is a number from 0 to 1,000,000, not true"),
        ("[late]\nfree = nan", "2: free is a number from 0 to 1,000,000, not NaN"),
        (f"[late]\nfree = {'9' * 99}", f"2: free is a number from 0 to 1,000,000, not {'9' * 40}…"),
        ("[late]\nfree = 2\nmost = 1", "3: most is less than free"),
        ("[late]\nmost = 1\n[lab9.points]\na = 1", "3: 'lab9' is not known here, only"),
        ("[lab4]\nhidden = '読'", '2: hidden is a list of parts, such as ["reader"], not "読"'),
        ("[lab4]\nhidden = [3]", '2: hidden is a list of parts, such as ["reader"], not [3]'),
        (
            "[lab4]\nhidden = [\n  'framing',\n  'Reader',\n]\n",
            "2: 'Reader' is not known here, only framing, reader",
        ),
        ("[lab4]\npoints = 5", "2: lab4.points is a table"),
        ("[lab1.points]\nudp_server = 1\nframing = 2", "3: 'framing' is not known here, only udp_"),
        ("[lab4]\n\npoints = { framing = 1, reader = -2 }", "3: reader is a number from 0"),
        ("[lab4]\npoints.reader = 1\npoints.'a\\nb' = 1", "3: 'a\\\\nb' is not known here"),
        ("[[lab4]]\nhidden = []", "1: lab4 is a table"),
    ],
)
def test_what_a_policy_cannot_say_is_named_with_its_line(
    tmp_path: Path, text: str, trouble: str
) -> None:
    with pytest.raises(PolicyError) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path / 'grading.toml'}:{trouble}")
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "grading.toml"
    with pytest.raises(PolicyError, match=r"grading\.toml: "):
        policy.read(file, [])

    file.write_bytes(b"# fine\n# \xff\n")
    with pytest.raises(PolicyError, match=r"grading\.toml:2: not UTF-8"):
        policy.read(file, [])


# What it makes of results.


def test_unscaled_points_are_the_plain_sum_as_whole_numbers() -> None:
    grade = Policy().grade(CHAT, CHECKS, 0)

    assert grade == LabGrade(
        *("lab4", "graded", 10, 5, 5),
        parts={"test_framing": 2, "test_reader": 3},
        checks=CHECKS,
    )
    assert {type(points) for points in (grade.points, grade.max_points)} == {int}


def test_a_part_counts_what_the_policy_gives_it(tmp_path: Path) -> None:
    found = read(tmp_path, "[lab4]\nhidden = ['reader']\n[lab4.points]\nframing = 10\nreader = 0")

    grade = found.grade(CHAT, CHECKS, 0)

    assert (grade.points, grade.max_points) == (3.33, 10)
    assert grade.parts == {"test_framing": 3.33, "test_reader": 0}
    assert found.suite(CHAT, CHECKS) == Suite(
        *("lab4", "Chat", 10),
        parts=[
            Part("test_framing", "Framing", 10),
            Part("test_reader", "Who never reads", 0, hidden=True),
        ],
    )


def test_three_thirds_make_a_whole(tmp_path: Path) -> None:
    thirds = Lab("lab4", "Thirds", tuple(lab.Part(f"test_{name}", name, "") for name in "abc"))
    file = tmp_path / "grading.toml"
    file.write_text("[lab4.points]\na = 1\nb = 1\nc = 1", encoding="utf-8")
    checks = [
        check(name, number, number % 2, 1 + number % 2) for name in "abc" for number in (1, 2)
    ]

    grade = policy.read(file, [thirds]).grade(thirds, checks, 0)

    assert grade.parts == {"test_a": 0.33, "test_b": 0.33, "test_c": 0.33}
    assert (grade.points, grade.max_points) == (1, 3)


def test_what_this_system_cannot_check_counts_on_neither_side(tmp_path: Path) -> None:
    framing = [check("framing", 1, 2, 2), check("framing", 2, 0, 4, "system")]
    reader = [check("reader", 3, 0, 3, "system")]

    plain = Policy().grade(CHAT, framing + reader, 0)
    scaled = read(tmp_path, "[lab4.points]\nframing = 10\nreader = 9").grade(
        CHAT, framing + reader, 0
    )

    assert (plain.points, plain.max_points) == (2, 2)
    assert (scaled.points, scaled.max_points) == (10, 10)


@pytest.mark.parametrize("reason", ["todo", "builds on"])
def test_a_check_that_was_not_reached_earns_nothing_and_counts(reason: Reason) -> None:
    grade = Policy().grade(CHAT, [CHECKS[0], check("framing", 2, 0, 4, reason)], 0)
    assert (grade.state, grade.points, grade.max_points) == ("graded", 2, 6)


def test_what_the_kit_broke_is_not_graded_and_never_zero_silently() -> None:
    broken = [check("framing", 1, 0, 2, "kit"), check("reader", 3, 0, 3, "kit")]

    grade = Policy().grade(CHAT, [*CHECKS, *broken], 0)

    assert (grade.state, grade.points, grade.parts) == ("not graded", 0, {})
    assert grade.trouble == "check 1: because of the kit (and in 1 more)"
    assert grade.checks == [*CHECKS, *broken]
    assert Policy().grade(CHAT, [], 0).trouble == "no check was run"


@pytest.mark.parametrize(
    ("days", "points", "penalty"),
    [
        (0, 50, 0),
        (1, 50, 0),
        (1.01, 45, 5),
        (2, 45, 5),
        (2.5, 40, 10),
        (5, 30, 20),
        (5.1, 0, 50),
    ],
)
def test_each_day_begun_after_the_free_ones_costs(
    tmp_path: Path, days: float, points: float, penalty: float
) -> None:
    late = "[late]\npenalty = 10\nfree = 1\nmost = 5\n[lab4.points]\nframing = 150\nreader = 0"
    grade = read(tmp_path, late).grade(CHAT, CHECKS, days)
    assert (grade.earned, grade.points, grade.penalty) == (50, points, penalty)
    assert grade.days_late == days


def test_a_penalty_leaves_no_less_than_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "[late]\npenalty = 40").grade(CHAT, CHECKS, 3).points == 0


def test_a_tenth_of_a_day_that_is_free_is_no_day_begun(tmp_path: Path) -> None:
    found = read(tmp_path, "[late]\npenalty = 10\nfree = 0.1")
    assert found.grade(CHAT, CHECKS, 1.1).points == 4.5


def test_points_and_penalty_make_what_was_earned(tmp_path: Path) -> None:
    text = "[late]\npenalty = 12.5\n[lab4.points]\nframing = 10\nreader = 0"
    grade = read(tmp_path, text).grade(CHAT, CHECKS, 1)
    assert (grade.earned, grade.points, grade.penalty) == (3.33, 2.92, 0.41)


# Which attempt counts.


def attempts(*points: float | None) -> list[LabGrade]:
    """Make attempts with these points; None is not graded."""
    return [
        LabGrade("lab4", "not graded" if one is None else "graded", 100, one or 0.0)
        for one in points
    ]


def test_the_last_attempt_counts_whatever_it_is() -> None:
    chosen = Policy().chosen(attempts(80, 90, None))
    assert (chosen.state, chosen.attempt, chosen.attempts) == ("not graded", 3, 3)


@pytest.mark.parametrize(
    ("points", "attempt"),
    [
        ((80, 90, 70), 2),
        ((80, 70, 80), 3),
        ((0, None), 1),
        ((None, 0, None), 2),
        ((None, None), 2),
    ],
)
def test_the_best_attempt_counts(points: tuple[float | None, ...], attempt: int) -> None:
    chosen = Policy("best").chosen(attempts(*points))
    assert (chosen.attempt, chosen.attempts) == (attempt, len(points))
    assert chosen.points == (points[attempt - 1] or 0)
