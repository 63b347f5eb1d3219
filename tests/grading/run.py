"""One submission after the other, several at once: a tree, a worker that judges it, a result.

What was judged is kept with a key of all that it depends on, so that it is not judged again.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from grading.intake import Submission
from grading.protection import Protection
from kit import system
from kit.result import CheckResult

ROOT = Path(__file__).parents[2]
WORK, KEPT = ".work", ".judged"  # in the folder of the grades
LOOK = 0.5  # seconds between two looks at what a submission uses
MOST_MEMORY = 3 << 30  # bytes of all programs of a submission together
CLEARING_UP = 15.0  # seconds for a worker that was told to stop
NOT_REPORTED = "it was not reported before the time was up"
CLEAN = ("LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TEMP", "TMP")  # variables that programs get


class Stopped(Exception):
    """The grading was stopped."""


@dataclass
class Judged:
    """What came of a submission: the checks, or `trouble` why there are none."""

    checks: list[CheckResult] = field(default_factory=list)
    trouble: str = ""
    seed: int = 0
    duration: float = 0.0  # seconds

    @property
    def final(self) -> bool:
        """Whether judging once more could give nothing else: the kit did not break."""
        return bool(self.checks) and not any(check.reason == "kit" for check in self.checks)


class Judge:
    """Judges submissions in `folder`, the folder of the grades; `limit` is seconds for each."""

    def __init__(self, folder: Path, protection: Protection, limit: float) -> None:
        self._folder, self._protection, self._limit = folder, protection, limit
        self._kit = _digest([ROOT / "tests/conftest.py", ROOT / "tests/kit", ROOT / "solutions"])
        self._suites: dict[str, str] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End what runs, and let `judge` raise Stopped from now on."""
        self._stopped.set()

    def known(self, submission: Submission) -> Judged | None:
        """Return what came of this very submission with this very kit earlier, if it was judged."""
        try:
            kept = json.loads(self._kept(submission).read_text(encoding="utf-8"))
            if kept.pop("key") != self._key(submission):
                return None
            checks = [CheckResult(**check) for check in kept.pop("checks")]
            return Judged(checks, **kept)
        except (OSError, ValueError, TypeError, KeyError):  # none, or one of another form
            return None

    def judge(self, submission: Submission, job: int) -> Judged:
        """Judge a submission as job number `job`, and keep what came of it. Raises Stopped."""
        work = self._folder / WORK / str(job)
        with _fresh(work):
            tree = work / "tree"
            submission.write(ROOT, tree)
            judged = _Run(self, work, tree, submission.lab, job).judged()
        if judged.final:
            file = self._kept(submission)
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file, json.dumps({"key": self._key(submission), **asdict(judged)}))
        return judged

    def _kept(self, submission: Submission) -> Path:
        return self._folder / KEPT / submission.lab / f"{submission.entry.name}.json"

    def _key(self, submission: Submission) -> str:
        suite = self._suites.setdefault(submission.lab, _digest([ROOT / "tests" / submission.lab]))
        depends_on = (submission.digest, self._kit, suite, sys.version, self._protection.told)
        return hashlib.sha256("\0".join(depends_on).encode()).hexdigest()


class _Run:
    """One submission being judged, in a folder of its own."""

    def __init__(self, judge: Judge, work: Path, tree: Path, lab: str, job: int) -> None:
        self._judge, self._work, self._tree, self._lab, self._job = judge, work, tree, lab, job
        self._deadline = time.monotonic() + judge._limit
        self._protection = judge._protection
        self._prepare()

    def _prepare(self) -> None:
        """Let programs read the tree, and keep their bytecode, but not read or write the rest."""
        self._verdict = self._work / "verdict"
        self._temporary = self._work / "temporary"
        for folder in (self._verdict, self._temporary):
            folder.mkdir()
        self._verdict.chmod(0o700)
        _, _, user = self._protection.box_of(self._job).partition(":")
        for folder in {file.parent for file in self._tree.rglob("*.py")}:
            cache = folder / "__pycache__"
            cache.mkdir(exist_ok=True)
            if user and sys.platform != "win32":
                os.chown(cache, int(user), int(user))

    def judged(self) -> Judged:
        """Run the suite; what did not come in time is tried once more, alone, before it counts."""
        began = time.monotonic()
        first = self._suite([f"tests/{self._lab}"])
        if isinstance(first, str):
            return Judged(trouble=first)
        checks = {check.id: check for check in first.checks}
        again = {check.id for check in first.checks if check.timeout}
        while again and time.monotonic() < self._deadline:
            second = self._suite([f"tests/{id_}" for id_ in sorted(again)], "--at-once", "1")
            if isinstance(second, str):
                break
            better = {check.id for check in second.checks if check.verdict == "passed"}
            checks.update((check.id, check) for check in second.checks if check.id in better)
            waiting = [check for check in checks.values() if check.reason == "builds on"]
            again = {check.id for check in waiting} if better else set()
        first.checks = list(checks.values())
        first.duration = round(time.monotonic() - began, 3)
        return first

    def _suite(self, targets: list[str], *options: str) -> Judged | str:
        """Run checks; return what came of them, or why nothing did."""
        file, log = self._verdict / "result.json", self._verdict / "log.txt"
        file.unlink(missing_ok=True)
        core = _cores()[self._job % len(_cores())]
        words = [sys.executable, "-m", "grading.worker", str(core)]
        words += ["limited" if self._protection.limited else "unlimited"]
        words += [*targets, "--tree", os.fspath(self._tree), "--json", os.fspath(file)]
        words += ["--box", self._protection.box_of(self._job), "-p", "no:cacheprovider", *options]
        with log.open("wb") as output:
            worker = subprocess.Popen(
                self._protection.around(words),
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            in_time = self._watch(worker)
        try:
            (lab,) = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            if not in_time:
                return f"it was stopped after {self._judge._limit:g} s, and nothing was reported"
            return f"the suite ended without a result: {_last_line(log)}"
        checks = [CheckResult(**check) for check in lab["checks"]]
        for check in checks:
            if check.verdict == "not run" and not check.reason:
                check.verdict, check.sentence = "failed", NOT_REPORTED
        return Judged(checks, seed=lab["seed"])

    def _watch(self, worker: subprocess.Popen[bytes]) -> bool:
        """Wait for a worker; tell whether it ended by itself. Raises Stopped."""
        try:
            while worker.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(LOOK)
                _hold_back(worker.pid)
                if self._judge._stopped.is_set():
                    raise Stopped
                if time.monotonic() > self._deadline:
                    return False
            return True
        finally:
            if worker.poll() is None:
                _tell_to_stop(worker, self._protection)
                system.end_tree(worker)
                worker.wait()

    def _environment(self) -> dict[str, str]:
        """Return the variables of a worker: nothing of what the grader may have for itself."""
        variables = {name: os.environ[name] for name in CLEAN if name in os.environ}
        return variables | {
            "PYTHONPATH": os.fspath(ROOT / "tests"),
            "PYTHONSAFEPATH": "1",
            "PYTHONUTF8": "1",
            "HOME": os.fspath(self._temporary),
            "TMPDIR": os.fspath(self._temporary),
        }


def write(file: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    partial = file.with_name(f"{file.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def _tell_to_stop(worker: subprocess.Popen[bytes], protection: Protection) -> None:
    """Let a worker write down what it knows, and clear up."""
    pid = worker.pid
    if protection.around([]):
        pid = next(iter(system.children(pid)), pid)  # bubblewrap passes no signal on
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.kill(pid, signal.SIGTERM)
        worker.wait(CLEARING_UP)


def _hold_back(worker: int) -> None:
    """End the largest program of a submission whose programs use too much memory together."""
    sizes = {}
    for pid in _descendants(worker):
        with contextlib.suppress(OSError, StopIteration):  # it has ended
            sizes[pid] = system.memory(pid)
    if sum(sizes.values()) > MOST_MEMORY:
        with contextlib.suppress(ProcessLookupError):
            os.kill(max(sizes, key=lambda pid: sizes[pid]), signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    for child in system.children(pid):
        yield child
        yield from _descendants(child)


@contextlib.contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    """Make a folder anew, and remove it in the end."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cores() -> list[int]:
    """Return the numbers of the processor cores that we may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _digest(places: list[Path]) -> str:
    """Return what changes when a Python file in one of these places does."""
    digest = hashlib.sha256()
    for place in places:
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
