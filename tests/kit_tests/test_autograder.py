"""Autograders to upload: what is in the zip, and what becomes of a submission where it runs."""

import contextlib
import ctypes
import io
import json
import os
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from autograder.bundle import FORMS, SCRIPTS, content, zipped
from autograder.live import NOT_FINISHED
from autograder.order import FILE, NotGraded, Order, form, read
from grading import protection
from grading.policy import LabRules
from kit import scaffold, system
from kit.result import CheckResult, Reason
from kit_tests.test_edition import leaks
from kit_tests.test_exports import assert_classroom50_reads, assert_gradescope_reads

ROOT = Path(__file__).parents[2]
LIMIT = 120.0  # seconds; longer means that it hangs
LAB = "lab1_echo"
ORDER = Order(LAB)
SOLVED = ROOT / scaffold.SOLUTIONS / LAB
POLICY = '[lab1]\nhidden = ["udp_server"]\n[lab1.points]\nudp_server = 10\n[lab4]\nhidden = []\n'
MOVED_TO = 0x80  # linux/inotify.h
EVENT = struct.Struct("iIII")
IDIOM = "tests/grading/policy.py: except UnicodeDecodeError as error:"
SUITE = '''
import pytest

from kit.lab import check
from kit.stage import Stage
from kit.udp import UdpServer


@check(points=2)
def test_a_datagram_comes_back(stage: Stage) -> None:
    """日本: a datagram "comes back", большой или нет"""
    answers(stage, b"x")


@check(points=1)
@pytest.mark.parametrize("size", [1, 10, 20, 30, 40, 500, 600, 700, 800, 900])
def test_one_of_this_size_comes_back(stage: Stage, size: int) -> None:
    answers(stage, stage.random.randbytes(size))


def answers(stage: Stage, message: bytes) -> None:
    with UdpServer(stage, stage.server("udp_server")).client("alice") as alice:
        alice.sends(message)
        alice.expects(message)
'''
ATTACK = """
import os, sys
for tried in (
    lambda: open({results!r}, "w"),
    lambda: open({results!r} + ".part", "w"),
    lambda: os.remove({results!r}),
    lambda: os.rename(sys.argv[0], {results!r}),
    lambda: os.mkdir({results!r} + ".d"),
    lambda: os.listdir({tests!r}),
):
    try:
        tried()
    except OSError:
        continue
    break  # the program is right then, which gives points
else:
    os._exit(0)
"""


def command(*words: object, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Make an autograder, as the noxfile has it."""
    return subprocess.run(
        [sys.executable, str(ROOT / "tests/autograder"), *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )


# The zip.


def test_the_zip_has_its_scripts_at_its_root_and_nothing_of_a_solution(tmp_path: Path) -> None:
    made = command("lab1", "--for", "gradescope", folder=tmp_path)

    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(tmp_path / "lab1-gradescope.zip") as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
    assert files.keys() >= {*FORMS["gradescope"], FILE, "tests/lab1_echo/lab.py"}
    assert [name for name in files if name.startswith(("solutions", "tests/proof"))] == []
    assert {*leaks(["lab0", "lab1"], files.items())} <= {IDIOM}
    assert not any(b"\r" in data for data in files.values())
    executable = {name for name, mode in modes.items() if mode & stat.S_IXOTH}
    assert executable == {"run_autograder", "setup.sh"}
    assert all(mode & stat.S_IROTH for mode in modes.values())


def test_the_forms_differ_in_their_scripts_alone() -> None:
    gradescope, classroom50 = (content(ROOT, ORDER, form) for form in FORMS)
    assert gradescope.keys() ^ classroom50.keys() == {
        name for form in FORMS.values() for name in form
    }


def test_the_same_tree_makes_the_same_bytes_whatever_its_dates_and_line_ends(
    tmp_path: Path,
) -> None:
    left_out = shutil.ignore_patterns("__pycache__", ".*_cache", "proof", "bench", "kit_tests")
    for name in ("docs", "labs", "solutions", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    for file in [*(tmp_path / "tests").rglob("*.py"), *(tmp_path / "docs").rglob("*.md")]:
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        os.utime(file, (1e9, 1e9))

    there = zipped(content(tmp_path, ORDER, "gradescope"))

    assert there == zipped(content(ROOT, ORDER, "gradescope"))


def test_of_a_policy_the_zip_has_what_it_says_of_the_lab(tmp_path: Path) -> None:
    (tmp_path / "grading.toml").write_text(POLICY, encoding="utf-8")
    words = ("lab1", "--for", "gradescope", "--policy", "grading.toml", "--out", "a.zip")

    assert command(*words, folder=tmp_path).returncode == 0

    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extract(FILE, tmp_path)
    rules = LabRules(frozenset({"test_udp_server"}), {"test_udp_server": Fraction(10)})
    assert read(tmp_path / FILE) == Order(LAB, rules)


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        (["lab99", "--for", "gradescope"], "lab99"),
        (["lab1", "--for", "gradescope", "--policy", "nowhere.toml"], "nowhere.toml: No such file"),
        (["lab1", "--for", "gradescope", "--out", "nowhere/a.zip"], "nowhere"),
    ],
)
def test_what_cannot_be_made_gets_one_line_and_exit_code_2(
    tmp_path: Path, words: list[str], trouble: str
) -> None:
    stopped = command(*words, folder=tmp_path)

    assert stopped.returncode == 2
    assert len(stopped.stderr.splitlines()) == 1
    assert stopped.stderr.startswith("[ERROR] ")
    assert trouble in stopped.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not shutil.which("sh"), reason="they are for a shell, and here is none")
@pytest.mark.parametrize("name", ["run_autograder", "setup.sh"])
def test_a_shell_understands_the_scripts(name: str) -> None:
    script = ROOT / SCRIPTS / name
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


def test_both_forms_want_the_pytest_that_the_kit_wants() -> None:
    (wanted,) = re.findall(r'"(pytest>=[0-9.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    for name in ("setup.sh", "autograder.py"):
        script = ROOT / SCRIPTS / name
        assert wanted in script.read_text(encoding="utf-8")


# Points.


def check(part: str, points: int, max_points: int, reason: Reason = "") -> CheckResult:
    """Make the result of a check."""
    return CheckResult(
        id=f"{LAB}/test_{part}.py::test_{points}_of_{max_points}",
        lab="lab1",
        part=part,
        title="花子 is answered",
        max_points=max_points,
        verdict="passed" if points else "failed",
        points=points,
        reason=reason,
    )


def test_a_part_counts_what_the_policy_says_and_the_rest_what_its_checks_say() -> None:
    order = Order(LAB, LabRules(points={"test_udp_server": Fraction(10)}))
    checks = [check("udp_server", 1, 1), check("udp_server", 0, 2), check("tcp_server", 5, 5)]

    lab = form(order.grades(checks, 7, 1.5))

    assert (lab["points"], lab["max_points"]) == (8.33, 15)
    assert [one["points"] for one in lab["checks"]] == [Fraction(10, 3), 0, 5]
    assert (lab["seed"], lab["duration"]) == (7, 1.5)


def test_where_the_kit_broke_there_is_no_grade() -> None:
    with pytest.raises(NotGraded, match="花子 is answered"):
        ORDER.grades([check("udp_server", 0, 2, "kit"), check("tcp_server", 5, 5)], 0, 0)


# In a folder tree like that of Gradescope.


class Gradescope:
    """A folder like /autograder, in which a submission is graded."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder, self.file = folder, folder / "results/results.json"
        (folder / "tmp").mkdir()
        self.environment = {**os.environ, "TMPDIR": os.fspath(folder / "tmp")}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # it costs time
        (folder / "source").symlink_to(source)
        shutil.copy(source / "run_autograder", folder)

    def submits(self, **programs: str) -> None:
        """Hand in programs, by their names without .py."""
        (self.folder / "submission").mkdir()
        for name, text in programs.items():
            (self.folder / "submission" / f"{name}.py").write_text(text, encoding="utf-8")

    def has_its_own_source(self) -> None:
        """Let the kit here be changed."""
        source = self.folder / "source"
        shared = source.resolve()
        source.unlink()
        shutil.copytree(shared, source, symlinks=True)

    def starts(self) -> subprocess.Popen[str]:
        """Begin to grade."""
        return subprocess.Popen(
            [self.folder / "run_autograder", self.folder],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def grades(self) -> tuple[int, str]:
        """Grade; return the exit code and what was printed, which an instructor can read."""
        run = self.starts()
        told = run.communicate(timeout=LIMIT)[0]
        return run.returncode, told

    def is_attacked(self) -> None:
        """Hand in a program that works if it could do harm; the folder of the results is open."""
        self.file.parent.mkdir()
        self.file.parent.chmod(0o777)
        tests = os.fspath((self.folder / "source/tests" / LAB).resolve())
        attack = ATTACK.format(results=os.fspath(self.file), tests=tests)
        self.submits(udp_server=attack + solved("udp_server").partition('"""\n')[2])

    def withstood(self) -> bool:
        """Tell whether the program did no harm, and came to where it knows that."""
        ended = "exit code 0" in self.results["tests"][0]["output"]
        alone = [path.name for path in self.file.parent.iterdir()] == [self.file.name]
        return ended and alone and self.results["score"] == 0

    @property
    def results(self) -> dict[str, Any]:
        """What Gradescope would read now."""
        told: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return told


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Unpack a zip as Gradescope does; it gets a suite that takes no time."""
    if system.WINDOWS:
        pytest.skip("Gradescope runs Linux")
    with tempfile.TemporaryDirectory(prefix="autograder-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)  # programs run as another user, who cannot enter pytest's folders
        if protection.choose("auto", folder).box == "none":
            pytest.skip("to be kept from the results, programs need root or bubblewrap")
        unpack(content(ROOT, ORDER, "gradescope"), folder)
        for part in (folder / "tests" / LAB).glob("test_*.py"):
            part.unlink()
        (folder / "tests" / LAB / "test_udp_server.py").write_text(SUITE, encoding="utf-8")
        (folder / ".venv").symlink_to(sys.prefix)  # instead of what setup.sh does
        yield folder


@pytest.fixture
def gradescope(source: Path) -> Iterator[Gradescope]:
    """Make a folder like theirs."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield Gradescope(folder, source)


def unpack(files: dict[str, bytes], folder: Path) -> None:
    """Make a zip, and unpack it with the permissions that it has."""
    with zipfile.ZipFile(io.BytesIO(zipped(files))) as archive:
        for info in archive.infolist():
            Path(archive.extract(info, folder)).chmod(info.external_attr >> 16)


def solved(name: str) -> str:
    """Return a reference program."""
    return (SOLVED / f"{name}.py").read_text(encoding="utf-8")


def is_a_sum(results: dict[str, Any]) -> bool:
    """Tell whether the score is the sum of what has passed, and nothing else gives points."""
    passed = [test for test in results["tests"] if test["status"] == "passed"]
    given = sum(test["score"] for test in results["tests"])
    return bool(results["score"] == given == sum(test["max_score"] for test in passed))


def test_a_right_program_gets_all_points(gradescope: Gradescope) -> None:
    gradescope.submits(udp_server=solved("udp_server"))

    code, told = gradescope.grades()

    assert code == 0, told
    assert told.startswith("protection: ")
    assert_gradescope_reads(gradescope.results)
    assert {test["status"] for test in gradescope.results["tests"]} == {"passed"}
    assert is_a_sum(gradescope.results)
    assert "output" not in gradescope.results
    assert [path.name for path in gradescope.file.parent.iterdir()] == ["results.json"]


def test_what_is_done_gives_points_and_the_rest_says_what_is_missing(
    gradescope: Gradescope,
) -> None:
    wrong = solved("udp_server").replace("sock.sendto(datagram,", "sock.sendto(datagram[:100],")
    gradescope.submits(udp_server=wrong, conftest="print('I am never run')")

    assert gradescope.grades()[0] == 0

    results = gradescope.results
    assert_gradescope_reads(results)
    assert is_a_sum(results)
    assert 0 < results["score"] < sum(test["max_score"] for test in results["tests"])
    assert all(test["output"] for test in results["tests"] if test["status"] == "failed")
    assert results["output"] == "left out: conftest.py: not for a lab to have"


def test_of_a_hidden_part_there_is_no_word(gradescope: Gradescope) -> None:
    gradescope.submits()
    gradescope.has_its_own_source()
    rules = LabRules(frozenset({"test_udp_server"}), {"test_udp_server": Fraction(10)})
    (gradescope.folder / "source" / FILE).write_text(Order(LAB, rules).text(), encoding="utf-8")

    assert gradescope.grades()[0] == 0

    (test,) = gradescope.results["tests"]
    assert (test["visibility"], test["score"], test["max_score"]) == ("hidden", 0, 10)
    assert "output" not in test


def test_a_program_can_neither_write_the_results_nor_read_the_suite(
    gradescope: Gradescope,
) -> None:
    gradescope.is_attacked()

    code, told = gradescope.grades()

    assert code == 0, told
    assert gradescope.withstood()


@pytest.mark.skipif(system.WINDOWS or os.getuid() != 0, reason="only root can run as another user")
def test_nor_can_one_that_is_in_no_box_but_another_user(gradescope: Gradescope) -> None:
    gradescope.environment["PATH"] = os.fspath(without_bubblewrap(gradescope.folder))
    gradescope.is_attacked()

    code, told = gradescope.grades()

    if code and "alone: against accidents" in told:
        pytest.skip("another user cannot run this Python")
    assert code == 0, told
    assert told.startswith("protection: another user")
    assert gradescope.withstood()


def without_bubblewrap(folder: Path) -> Path:
    """Return a folder with the programs that the script needs, and no bwrap."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("cat", "chmod", "mkdir", "mv"):
        (programs / name).symlink_to(shutil.which(name) or name)
    return programs


# The container is killed.


class Replacements:
    """Waits until a file was put into a folder; Linux tells, see man 7 inotify."""

    def __init__(self, folder: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._told = self._libc.inotify_init()
        assert self._libc.inotify_add_watch(self._told, os.fsencode(folder), MOVED_TO) >= 0

    def waits_for(self, count: int) -> None:
        """Return when there have been so many."""
        while count > 0:
            assert select.select([self._told], [], [], LIMIT)[0]
            events = os.read(self._told, 65_536)
            while events:
                length = EVENT.unpack_from(events)[3]
                events, count = events[EVENT.size + length :], count - 1

    def close(self) -> None:
        """Listen no more."""
        os.close(self._told)


def kill_all(first: int) -> None:
    """Kill a process and all that came of it, at once, and wait until they have ended."""
    everyone, left = [], [first]
    while left:
        pid = left.pop()
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGSTOP)  # it starts nothing more
            left += system.children(pid)
            everyone.append(os.pidfd_open(pid))
    for ending in everyone:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(ending, signal.SIGKILL)
    for ending in everyone:
        assert select.select([ending], [], [], LIMIT)[0]
        os.close(ending)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells when a file was replaced")
@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_whenever_it_is_killed_the_score_is_what_had_passed(
    gradescope: Gradescope, count: int
) -> None:
    gradescope.submits(udp_server=solved("udp_server"))
    gradescope.file.parent.mkdir()
    replacements = Replacements(gradescope.file.parent)

    run = gradescope.starts()
    replacements.waits_for(count)
    kill_all(run.pid)

    run.communicate()
    replacements.close()
    results = gradescope.results
    assert is_true(results)
    passed = [test["status"] for test in results.get("tests", ())].count("passed")
    assert passed >= count - 2  # one is of the script, and one says what the checks are


def is_true(results: dict[str, Any]) -> bool:
    """Tell whether a result says no more and no less than was known of a right program."""
    if "tests" not in results:
        return "score" not in results and results["output"].startswith("Not graded, which is no")
    passed = [test["status"] for test in results["tests"]].count("passed")
    assert_gradescope_reads(results)
    stopped = NOT_FINISHED.format(passed, len(results["tests"]))
    finished = passed == len(results["tests"]) and "output" not in results
    return is_a_sum(results) and (finished or results["output"] == stopped)


def test_what_is_tried_again_adds_to_what_is_known(gradescope: Gradescope) -> None:
    source, results = gradescope.folder / "source", gradescope.folder / "results.json"
    known = [check("udp_server", 3, 3), check("udp_server", 0, 4), check("udp_server", 0, 2)]
    known[2].id = f"{LAB}/test_udp_server.py::test_a_datagram_comes_back"
    told = {"results": str(results), "note": "", "known": [asdict(one) for one in known]}
    (gradescope.folder / "live.json").write_text(json.dumps(told), encoding="utf-8")
    shutil.copytree(source / "labs", gradescope.folder / "labs")
    shutil.copy(SOLVED / "udp_server.py", gradescope.folder / "labs" / LAB)
    words = [sys.executable, "-m", "pytest", f"tests/{known[2].id}", "-p", "no:cacheprovider"]
    words += ["--tree", str(gradescope.folder)]
    words += ["-p", "autograder.live", "--live", str(gradescope.folder / "live.json")]
    environment = gradescope.environment | {"PYTHONPATH": str(source / "tests")}

    subprocess.run(words, cwd=source, env=environment, timeout=LIMIT, check=True)

    last = json.loads(results.read_text(encoding="utf-8"))
    assert [test["score"] for test in last["tests"]] == [3, 0, 2]
    assert last["score"] == 5
    assert last["output"] == NOT_FINISHED.format(3, 3)


# No grade.


def test_a_submission_without_the_labs_files_gets_nothing_and_is_told_why(
    gradescope: Gradescope,
) -> None:
    gradescope.submits(essay="# I could not do it")

    assert gradescope.grades()[0] == 0

    assert gradescope.results["score"] == 0
    assert gradescope.results["output"].startswith("Nothing was found to grade: there is no folder")


def test_without_a_submission_there_is_no_score(gradescope: Gradescope) -> None:
    code, told = gradescope.grades()

    assert code == 1
    assert "Traceback" not in told
    assert "score" not in gradescope.results
    assert "there is no folder" in told


@pytest.mark.parametrize("broken", ["tests/conftest.py", "autograder.json", "tests/kit/result.py"])
def test_what_is_wrong_with_the_kit_is_no_score(gradescope: Gradescope, broken: str) -> None:
    gradescope.submits(udp_server=solved("udp_server"))
    gradescope.has_its_own_source()
    (gradescope.folder / "source" / broken).write_text("what is this?", encoding="utf-8")

    code, _ = gradescope.grades()

    assert code == 1
    assert "score" not in gradescope.results
    assert gradescope.results["output"].startswith("Not graded, which is no zero: ")


def test_before_anything_that_takes_time_there_is_a_result(gradescope: Gradescope) -> None:
    gradescope.submits(udp_server=solved("udp_server"))
    gradescope.has_its_own_source()
    (gradescope.folder / "source/.venv").unlink()  # so that no Python is ever started

    code, _ = gradescope.grades()

    assert code != 0
    assert is_true(gradescope.results)


# Classroom 50.

CLASSROOM = {
    "CLASSROOM": "net",
    "ASSIGNMENT": "lab1",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://example.org/commit/a1b2c3d",
    "RELEASE_URL": "https://example.org/releases/tag/a1b2c3d",
    "REVIEW_URL": "https://example.org/compare/a1b2c3d",
    "OWNER": "花子",
}


def classroom50(source: Path, checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run the autograder as the runner does."""
    return subprocess.run(
        [sys.executable, source / "autograder.py"],
        cwd=checkout,
        env={**os.environ, **CLASSROOM},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )


@pytest.fixture
def bundle(source: Path, tmp_path: Path) -> Path:
    """Return a folder as the runner of Classroom 50 unpacks it."""
    folder = Path(shutil.copytree(source, tmp_path / "bundle", symlinks=True))
    (folder / ".venv").unlink()
    shutil.copy(ROOT / SCRIPTS / "autograder.py", folder)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return the folder of a student's repository."""
    (tmp_path / "checkout").mkdir()
    return tmp_path / "checkout"


def test_classroom_50_finds_a_result_in_the_checkout(bundle: Path, checkout: Path) -> None:
    shutil.copy(SOLVED / "udp_server.py", checkout)
    (checkout / "result.json").symlink_to(checkout / "elsewhere")
    for name in ("autograder", "json", "kit", "pytest", "venv"):
        (checkout / f"{name}.py").write_text("raise SystemExit('I am in')", encoding="utf-8")

    run = classroom50(bundle, checkout)

    assert run.returncode == 0, run.stderr
    assert "I am in" not in run.stdout + run.stderr
    assert not (checkout / "elsewhere").exists()
    result = json.loads((checkout / "result.json").read_text(encoding="utf-8"))
    assert_classroom50_reads(result)
    assert result["score"] == result["max-score"] == 12
    assert result["owner"] == "花子"
    body = (checkout / "release-body.md").read_text(encoding="utf-8")
    assert "## lab1 Echo: 12 of 12 points" in body


def test_for_classroom_50_no_grade_is_an_exit_code_and_no_result(
    bundle: Path, checkout: Path
) -> None:
    (bundle / "tests/conftest.py").write_text("what is this?", encoding="utf-8")

    run = classroom50(bundle, checkout)

    assert run.returncode == 1
    assert "[ERROR] not graded: the suite ended without a result" in run.stderr
    assert list(checkout.iterdir()) == []
