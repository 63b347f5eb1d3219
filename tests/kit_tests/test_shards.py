"""A class graded in shards: who is in which, and that they join to what one run gives."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grading import course, output
from grading.compare import CompareError
from grading.intake import Submission
from grading.merge import MergeError, merged
from grading.run import Judged
from grading.students import Roster, student_of
from kit import scaffold
from kit.result import CheckResult
from kit_tests.test_grading import GRADER, LAB, ROOT, grade, results, run
from reports.grades import Grades, Shard, Student

OF = 20
NAMES = ["ann", "Борис", "花子", "Bo Li", "Zoë", "=1+1", "李 小龙", "Dee", "Олена", "rené"]


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a class of 40: attempts, twins, one that cannot be read, some who handed in nothing."""
    folder = tmp_path_factory.mktemp("class")
    entries = [*NAMES, *(f"student {number}" for number in range(20))]
    entries += [f"Ann Doe_{number}_assignsubmission_file_" for number in range(5)]
    entries += ["doeann_LATE_0_7_lab1.tgz", "doeann_0_8_lab1-1.tgz", "doeann_99_9_lab1-1.tgz"]
    for name in entries:
        (folder / name / LAB).mkdir(parents=True)
        (folder / name / LAB / "udp_server.py").write_text(f"# {name}", encoding="utf-8")
    (folder / "carl.txt").write_text("I forgot", encoding="utf-8")
    (folder / "roster.csv").write_text(
        "name,id,email,late\nBo Li,,bo@uni.edu,2\nAnn Doe,1,ann@uni.edu,\nAnn Doe,2,,1\n"
        "Дарина,77,,\nMax,,,\n佐藤 花子,78,hanako@uni.edu,\n",
        encoding="utf-8",
    )
    (folder / "grading.toml").write_text(
        'attempts = "best"\n[late]\npenalty = 10\n[lab1]\nhidden = ["udp_client"]\n'
        "[lab1.points]\ntcp_server = 7\n",
        encoding="utf-8",
    )
    return folder


def judged(submission: Submission) -> Judged:
    """Stand for the judge: some three checks a part, which depend on what was handed in."""
    if submission.trouble:
        return Judged(trouble=submission.trouble)
    bits = hashlib.sha256(b"".join(submission.files.values())).digest()
    lab = course.all_labs()[submission.lab]
    checks = [
        CheckResult(
            *(f"{submission.lab}/{part.module}.py::test_{number}", lab.name, part.title),
            *(f"check {number}", 2, "passed" if bits[4 * at + number] % 2 else "failed"),
            points=2 * (bits[4 * at + number] % 2),
            sentence="花子 чекає",
            story=[{"time": 0.0, "who": "花子", "mark": "..", "what": "чекає"}],
        )
        for at, part in enumerate(lab.parts)
        for number in range(3)
    ]
    if bits[31] < 40:
        checks[0].verdict, checks[0].reason = "not run", "kit"
    if bits[30] < 120:  # a port was taken
        checks[1].verdict, checks[1].reason, checks[1].points = "not run", "system", 0
    return Judged(checks, seed=bits[0], duration=bits[1] / 8)


def graded(submissions: Path, out: Path, share: tuple[int, int] | None = None) -> Grades:
    """Grade a class, or a share of it, without running anything; write its reports."""
    taken = course.read(submissions, out, ["lab1"], share=share)
    results = {place: judged(one) for place, one in enumerate(taken.submissions)}
    grades = course.graded(taken, results, "none")
    output.write_all(grades, out)
    return grades


@pytest.fixture(scope="module")
def shards(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Grade it in twenty shards."""
    folder = tmp_path_factory.mktemp("shards")
    for number in range(1, OF + 1):
        graded(submissions, folder / str(number), (number, OF))
    return [folder / str(number) for number in range(1, OF + 1)]


def files(folder: Path) -> dict[str, str]:
    """Return all files in a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in found}


def test_twenty_shards_make_every_report_that_one_run_makes(
    submissions: Path, shards: list[Path], tmp_path: Path
) -> None:
    whole = graded(submissions, tmp_path / "whole")

    output.write_all(merged(reversed(shards)), tmp_path / "merged")

    assert len({lab.state for one in whole.students for lab in one.labs}) == 3
    assert files(tmp_path / "merged") == files(tmp_path / "whole")


def test_each_student_is_in_one_shard_with_all_attempts(
    submissions: Path, shards: list[Path]
) -> None:
    found: list[Submission] = []
    for number in range(1, OF + 1):
        found += course.read(submissions, Path("grades"), ["lab1"], share=(number, OF)).submissions
    students = [one.student for place in shards for one in Grades.from_dict(form(place)).students]

    entries = {path.name for path in submissions.iterdir()} - {"roster.csv", "grading.toml"}
    assert sorted(one.entry.name for one in found) == sorted(entries)
    assert len(students) == len(set(students)) == 40
    assert [one.id for one in students if one.name == "Bo Li"] == [""]
    assert {"Max", "佐藤 花子", "Дарина"} < {one.name for one in students}


def test_a_shard_does_not_depend_on_who_else_is_in_the_class() -> None:
    """Nor on the system: what was in a shard stays there."""
    keys = ["id 12345", "name 佐藤 花子", "name Іван Петренко"]

    found = [[number for number in range(1, 21) if Shard(number, 20).has(key)] for key in keys]

    assert found == [[7], [4], [13]]


def test_attempts_are_one_students_whatever_the_entries_tell() -> None:
    twins = [Student("Bo Li", login="bo1"), Student("Bo Li", login="bo2")]
    roster = Roster([Student("Ann Doe"), *twins])

    def keys(*students: Student) -> set[str]:
        return {roster.key(one) for raw in students for one in (raw, roster.known(raw))}

    assert keys(Student("Ann Doe", "12345"), Student("annDoe")) == {"name anndoe"}
    assert keys(Student("Carl", "12345")) == {"id 12345"}
    assert keys(Student("bo1"), twins[0]) == {"login bo1"}
    assert keys(Student("bo2"), twins[1]) == {"login bo2"}


def test_names_that_are_not_utf_8_stay_apart() -> None:
    assert student_of("Bo\udcd0.zip") == Student("Bo\\udcd0")
    assert student_of("Bo\udcd1.zip") == Student("Bo\\udcd1")


def form(place: Path) -> dict[str, Any]:
    """Return the grades in a folder as they are written."""
    told: dict[str, Any] = json.loads((place / "grades.json").read_text("utf-8"))
    return told


def test_grades_read_back_as_they_were_and_pass_over_what_is_new(shards: list[Path]) -> None:
    told = form(shards[0])

    again = Grades.from_dict(told | {"weather": "fine"})

    assert again.as_dict() == told


def changed(place: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write the grades in a folder anew, with a change."""
    told = form(place)
    change(told)
    (place / "grades.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda told: told.update(form="socket-labs/grades/2"), "2/grades.json: not of the form"),
        (lambda told: told.update(shard=None), "2: no shard: it was graded without --shard"),
        (lambda told: told.pop("students"), "2: no whole grading: 'students'"),
        (lambda told: told.update(students=[5]), "2: no whole grading: "),
        (lambda told: told["shard"].update(of=3), "2: graded into another number of shards than"),
        (lambda told: told["shard"].update(kit="x"), "2: graded with another kit than"),
        (lambda told: told["shard"].update(policy="x"), "2: graded with another policy than"),
        (lambda told: told["shard"].update(submissions="x"), "2: graded of other submissions"),
        (lambda told: told.update(suites=[]), "2: graded in other labs than"),
        (lambda told: told["shard"].update(number=1), "2: shard 1 of 20 is also in"),
    ],
)
def test_what_makes_no_class_is_refused(
    shards: list[Path], tmp_path: Path, change: Callable[[dict[str, Any]], object], trouble: str
) -> None:
    second = shutil.copytree(shards[1], tmp_path / "2")
    changed(second, change)

    with pytest.raises((MergeError, CompareError)) as raised:
        merged([shards[0], second, *shards[2:]])

    assert trouble in str(raised.value)
    assert "\n" not in str(raised.value)


def test_shards_that_are_not_there_are_named(shards: list[Path]) -> None:
    with pytest.raises(MergeError) as raised:
        merged([*shards[:4], *shards[6:]])
    assert str(raised.value) == "of 20 shards there is no 5, 6"


@pytest.mark.parametrize(
    ("name", "text"),
    [("roster.csv", "name\nann\n"), ("grading.toml", 'attempts = "last"\n'), ("late.zip", "")],
)
def test_shards_tell_that_the_class_has_changed_between_them(
    submissions: Path, tmp_path: Path, name: str, text: str
) -> None:
    changing = shutil.copytree(submissions, tmp_path / "class")
    graded(changing, tmp_path / "1", (1, 2))
    (changing / name).write_text(text, encoding="utf-8")
    graded(changing, tmp_path / "2", (2, 2))

    with pytest.raises(MergeError, match="another policy|other submissions"):
        merged([tmp_path / "1", tmp_path / "2"])


def test_two_shards_that_are_really_run_and_merged_equal_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    for name in ("ann", "Борис"):
        shutil.copytree(ROOT / scaffold.LABS / LAB, folder / name)
    shutil.copy(ROOT / scaffold.SOLUTIONS / LAB / "udp_client.py", folder / "ann")
    (folder / "花子.txt").write_text("I forgot", encoding="utf-8")
    words = [*GRADER, str(folder), "--lab", "lab1", "--shard"]

    ends = [run([*words, share], tmp_path) for share in ("1/2", "2/2")]
    joined = run([*GRADER, "--merge", "grades/1-of-2", "grades/2-of-2"], tmp_path)
    grade(folder, tmp_path / "whole")

    assert sorted(end.returncode for end in ends) == [0, 1]
    assert "; shard 2 of 2; protection: " in ends[1].stdout
    assert joined.returncode == 1
    assert "not graded: 花子.txt, lab1, 花子.txt: it is neither" in joined.stdout
    assert "3 students" in joined.stdout
    assert results(tmp_path / "grades") == results(tmp_path / "whole")


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        (["--merge", "nowhere"], "nowhere: No such file"),
        (["--merge", "here", "--policy", "grading.toml"], "--merge takes shards, --out and"),
        (["--merge", "here", "--jobs", str(os.cpu_count())], "--merge takes shards, --out and"),
        (["--merge", "here", "--out", "here"], "here is one of the shards: say another --out"),
        ([], "name the folder with the submissions"),
        ([".", "--shard", "0/20"], "argument --shard: '0/20' is no shard such as 3/20"),
        ([".", "--shard", "21/20"], "'21/20' is no shard"),
        ([".", "--shard", "3"], "'3' is no shard"),
    ],
)
def test_what_cannot_be_done_gets_one_line_and_exit_code_2(
    tmp_path: Path, words: list[str], trouble: str
) -> None:
    stopped = run([*GRADER, *words], tmp_path)

    assert stopped.returncode == 2
    assert stopped.stderr.startswith("[ERROR] ")
    assert trouble in stopped.stderr
    assert len(stopped.stderr.splitlines()) == 1
