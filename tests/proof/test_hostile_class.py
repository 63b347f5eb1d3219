"""A class with hostile submissions in it: each gets what it earned, and nobody else sees of it.

The programs of `hostile/` are handed in beside a right UDP server of lab 1, which runs them before
it serves. What they do needs walls; where there are none, they are not even started.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grading import protection
from grading.run import WORK
from kit import scaffold, system
from proof.subjects import PROOF, ROOT

LAB, PART, POINTS = "lab1_echo", "test_udp_server", 24
LIMIT = 400  # seconds; longer means that it hangs
HONEST = ("02 Анна", "09 花子")  # with one of them beside most of the others
SERVER = (ROOT / scaffold.SOLUTIONS / LAB / "udp_server.py").read_text(encoding="utf-8")
IMPORTS = "from .. import frame\n"
ATTACK = "from . import attack\n"
IN_A_BOX_ALONE = f"""\
from pathlib import Path

if Path("/proc/1/comm").read_text() != "bwrap\\n":
    raise SystemExit("there is no box around me")
{ATTACK}"""
SIGNALS = ("test_ctrl_c_ends_it_with_exit_code_0", "test_sigterm_ends_it_with_exit_code_0")
FORGERY = "import os\nprint('100 passed', flush=True)\nos._exit(0)\n"


@dataclass(frozen=True)
class Attack:
    """A hostile submission: a program of `hostile/`, or files in its folder or around it.

    `lost` are the checks that it does not pass, "all" if its server never serves. `walls` tells
    whether it is dangerous without a box.
    """

    name: str
    lost: tuple[str, ...] = ()
    walls: bool = False
    files: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        return self.name.partition(" ")[2].replace(" ", "_")

    def write(self, submissions: Path) -> None:
        """Hand it in."""
        top = submissions / self.name
        folder = top / scaffold.LABS / LAB
        folder.mkdir(parents=True)
        server = SERVER
        if not self.files:
            attack = IN_A_BOX_ALONE if self.walls else ATTACK
            server = SERVER.replace(IMPORTS, IMPORTS + attack)
            shutil.copy(PROOF / "hostile" / f"{self.program}.py", folder / "attack.py")
        (folder / "udp_server.py").write_text(server, encoding="utf-8")
        for name in self.files:
            for file in (top / name, folder / name):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(FORGERY, encoding="utf-8")


ALL = ("all",)
PATCHES = ("conftest.py", "pytest.py", "sitecustomize.py", "socket.py", "kit/__init__.py")
ATTACKS = (
    Attack("00 exits", ALL),
    Attack("01 uses neighbours", ALL, walls=True),
    Attack("03 reads", ALL, walls=True),
    Attack("04 deletes", walls=True),
    Attack("05 kills", walls=True),
    Attack("06 forges", walls=True),
    Attack("07 storms", walls=True),
    Attack("08 eats memory", ALL, walls=True),
    Attack("10 fills the disk", ALL, walls=True),
    Attack("11 floods", ALL),
    Attack("12 ignores signals", SIGNALS),
    Attack("13 outlives", walls=True),
    Attack("14 nests", walls=True),
    Attack("15 spies", ALL),
    Attack("16 patches", files=(*PATCHES, "labs/frame.py", "frame.py")),
)


@dataclass
class Class:
    """A graded class, and what was around it."""

    folder: Path
    walls: bool
    told: str
    output: str = ""
    grades: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    around: list[dict[str, str]] = field(default_factory=list, repr=False)
    kit: list[dict[str, str]] = field(default_factory=list, repr=False)

    @property
    def out(self) -> Path:
        """Where the grades are."""
        return self.folder / "grades"

    def looks_around(self) -> None:
        """Keep what is there now."""
        self.around.append(_files(self.folder, beside=self.out))
        places = ("docs", "labs", "solutions", "tests")
        self.kit.append({k: v for place in places for k, v in _files(ROOT / place).items()})

    def points(self, name: str) -> dict[str, float]:
        """Return a student's points, part by part."""
        parts: dict[str, float] = self.grades[name]["parts"]
        return parts

    def checks(self, name: str) -> list[dict[str, Any]]:
        """Return the results of the checks of a student's UDP server."""
        return [check for check in self.grades[name]["checks"] if PART in check["id"]]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Class:
    """Grade a class in which all of them have handed in, in one run of the grader."""
    folder = tmp_path_factory.mktemp("hostile")
    shield = protection.choose("auto", folder)
    found = Class(folder, shield.box == "bwrap", shield.told)
    submissions = folder / "submissions"
    for attack in ATTACKS:
        if found.walls or not attack.walls:
            attack.write(submissions)
    for name in HONEST:
        shutil.copytree(ROOT / scaffold.SOLUTIONS / LAB, submissions / name)
    for name in ("home", "temporary"):
        (folder / name).mkdir()
        (folder / name / "precious.txt").write_text("years of work", encoding="utf-8")
    found.looks_around()
    words = [sys.executable, "-m", "grading", str(submissions), "--lab", "lab1", "--jobs", "2"]
    words += ["--out", str(found.out), "--sandbox", "bwrap" if found.walls else "auto"]
    places = {"HOME": folder / "home", "TMPDIR": folder / "temporary", "PYTHONPATH": ROOT / "tests"}
    run = subprocess.run(
        words,
        env={**os.environ, **{name: str(place) for name, place in places.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )
    found.output = run.stdout
    found.looks_around()
    assert run.returncode == 0, run.stdout
    form = json.loads((found.out / "grades.json").read_text(encoding="utf-8"))
    found.grades = {one["student"]["name"]: one["labs"][0] for one in form["students"]}
    return found


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_hostile_submission_gets_what_it_earned(graded: Class, attack: Attack) -> None:
    if attack.name not in graded.grades:
        pytest.skip(f"it needs a box around it, and here there is: {graded.told}")
    checks = graded.checks(attack.name)

    lost = [check["id"].rpartition("::")[2] for check in checks if check["verdict"] != "passed"]

    every = [check["id"].rpartition("::")[2] for check in checks]
    assert sorted(lost) == sorted(every if attack.lost == ALL else attack.lost), graded.output
    earned = 0 if attack.lost == ALL else POINTS - len(attack.lost)
    assert graded.points(attack.name).pop(PART) == earned
    assert not any(points for part, points in graded.points(attack.name).items() if part != PART)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_neighbour_has_all_points(graded: Class, name: str) -> None:
    assert graded.grades[name]["points"] == 100


def test_everybody_is_graded(graded: Class) -> None:
    assert {one["state"] for one in graded.grades.values()} == {"graded"}
    assert "Traceback" not in graded.output


@pytest.mark.parametrize("name", ["01 uses neighbours", "03 reads"])
def test_who_looks_around_finds_nothing(graded: Class, name: str) -> None:
    if name not in graded.grades:
        pytest.skip(f"it needs a box around it, and here there is: {graded.told}")
    printed = [event["what"] for event in graded.checks(name)[0]["story"] if event["mark"] == "|"]

    assert printed
    assert set(printed) == {"found:"}


def test_no_file_is_shown_to_who_names_it(graded: Class) -> None:
    assert "root:" not in json.dumps(graded.grades["15 spies"])


def test_what_speaks_to_pytest_is_left_out(graded: Class) -> None:
    left_out = graded.grades["16 patches"]["left_out"]

    assert sorted(left_out) == [
        "conftest.py: not for a lab to have",
        "sitecustomize.py: not for a lab to have",
    ]


def test_no_process_is_left(graded: Class) -> None:
    if not system.LINUX:
        pytest.skip("this system does not tell where its processes are")

    assert _processes(graded.folder) == []


def test_nothing_is_left_behind_and_nothing_is_missing(graded: Class) -> None:
    before, after = graded.around

    assert after == before
    assert sorted(path.name for path in graded.out.iterdir()) == sorted(
        [".judged", "grades.csv", "grades.json", "index.html", "junit.xml", "students"]
    )
    assert not (graded.out / WORK).exists()


def test_the_kit_is_as_it_was(graded: Class) -> None:
    before, after = graded.kit

    assert after == before


def _files(top: Path, beside: Path | None = None) -> dict[str, str]:
    """Return the digest of each file in a folder, but for compiled ones and those in `beside`."""
    return {
        os.fspath(file): hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
        for file in top.rglob("*")
        if "__pycache__" not in file.parts and beside not in (file, *file.parents)
    }


def _processes(folder: Path) -> list[str]:
    """Return the command lines of the processes that are in a folder, or name it."""
    found = []
    for process in system.PROC.glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace")
            if os.fspath(folder) in words or (process / "cwd").readlink().is_relative_to(folder):
                found.append(words)
        except OSError:  # it has ended, or it is somebody else's
            continue
    return found
