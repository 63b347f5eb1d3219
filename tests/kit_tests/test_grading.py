"""A class is graded: what comes out, what happens once more, and after an end in the middle."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from grading import course
from grading.run import WORK, Judged
from kit import scaffold, system
from kit.box import Box
from kit.program import ended

ROOT = Path(__file__).parents[2]
LIMIT = 120.0  # seconds; longer means that it hangs
LAB = "lab1_echo"
GRADER = [sys.executable, os.fspath(ROOT / "tests/grading")]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"},
    "PYTHONPATH": os.fspath(ROOT / "tests"),
}


def command(submissions: Path, out: Path, *options: str) -> list[str]:
    """Return what grades a class, as the noxfile has it."""
    return [*GRADER, str(submissions), "--lab", "lab1", "--out", str(out), *options]


def run(words: list[str], folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run the grader in a folder, to the end."""
    return subprocess.run(
        words,
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )


def grade(submissions: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Grade a class to the end."""
    return run(command(submissions, out, *options))


def results(out: Path) -> dict[str, list[tuple[str, str]]]:
    """Return, for each student, the verdict of each check."""
    form = json.loads((out / "grades.json").read_text(encoding="utf-8"))
    return {
        one["student"]["name"]: [
            (check["id"], check["verdict"]) for lab in one["labs"] for check in lab["checks"]
        ]
        for one in form["students"]
    }


def grade_of(out: Path, name: str) -> dict[str, Any]:
    """Return what a student has for the lab."""
    form = json.loads((out / "grades.json").read_text(encoding="utf-8"))
    (found,) = (one for one in form["students"] if one["student"]["name"] == name)
    lab: dict[str, Any] = found["labs"][0]
    return lab


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a class: nothing done, one program done, and a file that is no submission."""
    folder = tmp_path_factory.mktemp("class")
    shutil.copytree(ROOT / scaffold.LABS / LAB, folder / "ann")
    with zipfile.ZipFile(folder / "花子.zip", "w") as archive:
        for file in (ROOT / scaffold.LABS / LAB).glob("*.py"):
            done = ROOT / scaffold.SOLUTIONS / LAB / file.name
            archive.write(done if file.name == "udp_client.py" else file, f"{LAB}/{file.name}")
    with zipfile.ZipFile(folder / "Зоя.zip", "w") as archive:
        archive.writestr("udp_server.py", "def\n")
    (folder / "Борис.txt").write_text("I forgot", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def out(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grade it once."""
    out = tmp_path_factory.mktemp("grades")
    first = grade(submissions, out)
    assert "Traceback" not in first.stderr
    assert first.returncode == 1  # one was not graded
    assert (
        "not graded: Борис.txt, lab1, Борис.txt: it is neither a folder nor a zip" in first.stdout
    )
    return out


def test_each_gets_what_was_earned(out: Path) -> None:
    assert grade_of(out, "ann")["points"] == 0
    assert 0 < grade_of(out, "花子")["points"] < 100
    assert grade_of(out, "Борис.txt")["state"] == "not graded"


def test_every_report_is_there(out: Path) -> None:
    for name in ("grades.json", "grades.csv", "junit.xml", "index.html"):
        assert (out / name).read_text(encoding="utf-8")
    for student in ("ann", "花子", "Борис_txt"):
        for name in ("feedback.md", "index.html"):
            assert (out / "students" / student / name).read_text(encoding="utf-8")


def test_of_the_graders_folders_students_are_told_nothing(out: Path) -> None:
    feedback = (out / "students/Зоя/feedback.md").read_text(encoding="utf-8")

    assert 'File "labs/lab1_echo/udp_server.py", line 1' in feedback
    assert ".work" not in feedback


def test_what_has_not_changed_is_not_judged_again(submissions: Path, out: Path) -> None:
    before = results(out)

    again = grade(submissions, out)

    assert "3 are as they were when they were graded" in again.stdout
    assert " left: " not in again.stderr
    assert results(out) == before


def test_what_has_changed_is(submissions: Path, out: Path, tmp_path: Path) -> None:
    changed = shutil.copytree(submissions, tmp_path / "class")
    shutil.copy(ROOT / scaffold.SOLUTIONS / LAB / "udp_client.py", changed / "ann")
    new = shutil.copytree(out, tmp_path / "new")

    again = grade(changed, new, "--compare", str(out))

    assert "1 of 1" in again.stderr
    assert grade_of(new, "ann")["points"] == grade_of(out, "花子")["points"]
    assert "ann  lab1  0 ->" in again.stdout


@pytest.mark.parametrize("number", ["SIGKILL", "SIGINT"])
def test_after_an_end_in_the_middle_it_goes_on(
    submissions: Path, out: Path, tmp_path: Path, number: str
) -> None:
    if system.WINDOWS:
        pytest.skip("another process is ended otherwise there")
    grader = subprocess.Popen(
        command(submissions, tmp_path, "--jobs", "1"),
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert grader.stderr
    assert "1 of 3" in grader.stderr.readline()
    grader.send_signal(signal.Signals[number])
    assert "Traceback" not in grader.communicate(timeout=LIMIT)[1]
    assert grader.returncode == (130 if number == "SIGINT" else -9)

    again = grade(submissions, tmp_path)

    assert "1 are as they were" in again.stdout
    assert results(tmp_path) == results(out)
    assert not (tmp_path / WORK).exists()
    assert left_over(tmp_path) == []


def left_over(folder: Path) -> list[str]:
    """Return the processes that a folder's name is in the command line of; only Linux tells."""
    deadline = time.monotonic() + LIMIT
    while found := [
        line
        for process in Path("/proc").glob("[0-9]*")
        if str(folder) in (line := _command_line(process))
    ]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)  # nothing tells us when a process of somebody else has ended
    return found


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:  # it has ended
        return ""


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        (["nowhere"], "nowhere is no folder"),
        ([".", "--lab", "lab99"], "there is no lab 'lab99'"),
        ([".", "--compare", "nowhere"], "nowhere: No such file"),
        ([".", "--policy", "nowhere.toml"], "nowhere.toml: No such file"),
        (["."], "has a folder of a lab in it: say --lab lab4"),
    ],
)
def test_what_cannot_be_done_gets_one_line_and_exit_code_2(
    tmp_path: Path, words: list[str], trouble: str
) -> None:
    stopped = run([*GRADER, *words], tmp_path)

    assert stopped.returncode == 2
    assert len(stopped.stderr.splitlines()) == 1
    assert stopped.stderr.startswith("[ERROR] ")
    assert trouble in stopped.stderr


def test_in_the_folder_of_the_submissions_no_submission_is_imported(tmp_path: Path) -> None:
    shutil.copytree(ROOT / scaffold.LABS / LAB, tmp_path / "ann")
    (tmp_path / "argparse.py").write_text("raise SystemExit('I am in')", encoding="utf-8")

    for _ in range(2):  # the second time the grades lie there, too
        graded = run(command(Path(), Path("grades")), tmp_path)

        assert "I am in" not in graded.stdout + graded.stderr
        assert "2 students" in graded.stdout
        assert grade_of(tmp_path / "grades", "ann")["state"] == "graded"


def test_what_an_entry_has_not_of_one_of_several_labs_is_missing(tmp_path: Path) -> None:
    for name in ("ann/lab1_echo/a.py", "ann/lab2_multi_client/a.py", "bob/lab1_echo/a.py"):
        file = tmp_path / "class" / name
        file.parent.mkdir(parents=True)
        file.touch()
    (tmp_path / "class/carl.rar").touch()

    taken = course.read(tmp_path / "class", tmp_path / "grades", ["lab1", "lab2"])
    judged = {place: Judged(trouble=one.trouble) for place, one in enumerate(taken.submissions)}
    grades = course.graded(taken, judged, "none")

    assert {one.student.name: [lab.state for lab in one.labs] for one in grades.students} == {
        "ann": ["not graded", "not graded"],
        "bob": ["not graded", "missing"],
        "carl": ["not graded", "not graded"],
    }


def states(class_: Path, *labs: str) -> dict[str, list[tuple[str, str]]]:
    """Return the states of a class in which nothing is run, and why."""
    taken = course.read(class_, class_.parent / "grades", labs)
    judged = {place: Judged(trouble=one.trouble) for place, one in enumerate(taken.submissions)}
    grades = course.graded(taken, judged, "none")
    return {
        one.student.name: [(lab.entry or lab.state, lab.trouble) for lab in one.labs]
        for one in grades.students
    }


def test_a_lab_that_could_not_be_read_is_not_missing(tmp_path: Path) -> None:
    ann = tmp_path / "class/ann"
    (ann / "lab1_echo").mkdir(parents=True)
    (ann / "lab1_echo/a.py").touch()
    (ann / "lab2.zip").write_bytes(b"PK cut off")

    assert states(tmp_path / "class", "lab1", "lab2") == {
        "ann": [("ann", ""), ("ann", "lab2.zip: it is empty, cut off or damaged")]
    }


def test_a_report_beside_the_program_is_no_attempt(tmp_path: Path) -> None:
    program = tmp_path / "class/doeann_7_88121_lab1/lab1_echo/a.py"
    program.parent.mkdir(parents=True)
    program.touch()
    (tmp_path / "class/doeann_7_88122_report.pdf").touch()
    (tmp_path / "class/roebob_8_88123_report.pdf").touch()

    assert states(tmp_path / "class", "lab1") == {
        "doeann": [("doeann_7_88121_lab1", "")],
        "roebob": [
            ("roebob_8_88123_report.pdf", "it is neither a folder nor a zip nor a tar"),
        ],
    }


def test_where_id_and_name_are_two_students_none_is_chosen(tmp_path: Path) -> None:
    program = tmp_path / "class/Ann Doe_12345_assignsubmission_file_/lab1_echo/a.py"
    program.parent.mkdir(parents=True)
    program.touch()
    (tmp_path / "class/roster.csv").write_text(
        "name,id\nBob Roe,12345\nAnn Doe,777\n", encoding="utf-8"
    )

    assert states(tmp_path / "class", "lab1") == {
        "Ann Doe": [
            (
                "Ann Doe_12345_assignsubmission_file_",
                "the roster has the id 12345 for Bob Roe, the name for Ann Doe",
            )
        ],
        "Bob Roe": [("missing", "")],
    }


def test_who_is_not_in_the_roster_is_named(tmp_path: Path) -> None:
    for name in ("ann", "alise", "боб"):
        (tmp_path / name / "lab1_echo").mkdir(parents=True)
        (tmp_path / name / "lab1_echo/a.py").touch()
    (tmp_path / "roster.csv").write_text("name\nann\nalice\nБоб\n", encoding="utf-8")

    assert course.read(tmp_path, tmp_path / "grades", ["lab1"]).strangers() == ["alise"]


def test_a_box_tells_an_exit_code_from_a_signal() -> None:
    box = Box("bwrap")

    assert box.exit_code(255) == 255  # sys.exit(-1)
    assert ended(box.exit_code(255)) == "ends with exit code 255"
    assert ended(box.exit_code(128 + signal.SIGTERM)) == "is ended by SIGTERM"
    assert ended(-40) == "is ended by signal 40"  # one without a name


@pytest.mark.parametrize("option", ["--box=castle", "--at-once=0"])
def test_an_option_that_cannot_be_used_gets_one_line(option: str) -> None:
    words = [sys.executable, "-m", "pytest", f"tests/{LAB}", option]

    stopped = run(words)

    assert stopped.returncode == pytest.ExitCode.USAGE_ERROR
    assert stopped.stderr.startswith(f"ERROR: {option.partition('=')[0]}: ")
    assert "Traceback" not in stopped.stderr
