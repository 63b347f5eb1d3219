"""One submission after the other, several at once: a tree, a worker that judges it, a result.

What was judged is kept with a key of all that it depends on, so that it is not judged again.
"""

import contextlib
import functools
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from grading.intake import Submission
from grading.protection import Protection
from kit import scaffold, system
from kit.result import CheckResult

ROOT = Path(__file__).parents[2]
WORK, KEPT = ".work", ".judged"  # in the folder of the grades
LOOK = 0.5  # seconds between two looks at what a submission uses
MOST_MEMORY = 3 << 30  # bytes of all programs of a submission together
MOST_DISK = 2 << 30  # bytes of all files of a submission together
ENTRY = 100_000  # bytes that a file or folder counts beside what is in it: looking takes time
CLEARING_UP = 15.0  # seconds for a worker that was told to stop
NOT_REPORTED = "it was not reported before the time was up"
CLEAN = ("LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TEMP", "TMP")  # variables that programs get


Listener = Callable[[Sequence[CheckResult]], Sequence[str]]
"""Asked before each run of a suite, with what is known by then, for more words to pytest."""


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

    def __init__(
        self,
        folder: Path,
        protection: Protection,
        limit: float,
        listener: Listener = lambda known: (),
    ) -> None:
        self._folder, self._protection, self._limit = folder, protection, limit
        self._listener = listener
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
            system.write(file, json.dumps({"key": self._key(submission), **asdict(judged)}))
        return judged

    def _kept(self, submission: Submission) -> Path:
        name = hashlib.sha256(os.fsencode(submission.entry.name)).hexdigest()  # never too long
        return self._folder / KEPT / submission.lab / f"{name}.json"

    def _key(self, submission: Submission) -> str:
        kit = fingerprint(submission.lab)
        depends_on = (submission.digest, kit, sys.version, self._protection.told)
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
        every = [f"tests/{self._lab}"]
        first = self._suite(every, [])
        if isinstance(first, str):
            return Judged(trouble=first)
        late = [f"tests/{check.id}" for check in first.checks if check.timeout]
        some = bool(late) and self._tries_again(first, late, "--at-once", "1")
        if some and any(check.reason == "builds on" for check in first.checks):
            self._tries_again(first, every)
        first.duration = round(time.monotonic() - began, 3)
        return first

    def _tries_again(self, first: Judged, targets: list[str], *options: str) -> bool:
        """Run checks once more, if there is time; those that pass now have passed. Tell if any."""
        if time.monotonic() >= self._deadline:
            return False
        second = self._suite(targets, first.checks, *options)
        if isinstance(second, str):
            return False
        first.checks = better(first.checks, second.checks)
        return any(check.verdict == "passed" for check in second.checks)

    def _suite(
        self, targets: list[str], known: Sequence[CheckResult], *options: str
    ) -> Judged | str:
        """Run checks; return what came of them, or why nothing did."""
        file, log = self._verdict / "result.json", self._verdict / "log.txt"
        file.unlink(missing_ok=True)
        core = _cores()[self._job % len(_cores())]
        words = [sys.executable, "-m", "grading.worker", str(core)]
        words += ["limited" if self._protection.limited else "unlimited"]
        words += [*targets, "--tree", os.fspath(self._tree), "--json", os.fspath(file)]
        words += ["--box", self._protection.box_of(self._job), "-p", "no:cacheprovider", *options]
        words += self._judge._listener(known)
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
        place = json.dumps(f"{self._tree}{os.sep}", ensure_ascii=False)[1:-1]
        try:  # tracebacks name files, and where the tree lay is of no use to a student
            (lab,) = json.loads(file.read_text(encoding="utf-8").replace(place, ""))
        except (OSError, ValueError):
            if not in_time:
                return f"it was stopped after {self._judge._limit:g} s, and nothing was reported"
            return f"the suite ended without a result: {_last_line(log)}"
        return Judged(reported(CheckResult(**check) for check in lab["checks"]), seed=lab["seed"])

    def _watch(self, worker: subprocess.Popen[bytes]) -> bool:
        """Wait for a worker; tell whether it ended by itself. Raises Stopped."""
        try:
            while worker.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(LOOK)
                _hold_back(_judging(worker, self._protection), self._work)
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


def reported(checks: Iterable[CheckResult]) -> list[CheckResult]:
    """Return checks as they count: one that did not report is failed.

    Of those that passed the story is left out: a class has many.
    """
    told = []
    for check in checks:
        if check.verdict == "not run" and not check.reason:
            check = replace(check, verdict="failed", sentence=NOT_REPORTED)
        told.append(replace(check, story=[]) if check.verdict == "passed" else check)
    return told


def better(first: Sequence[CheckResult], second: Iterable[CheckResult]) -> list[CheckResult]:
    """Return the first results of checks; those that pass the second time have passed."""
    passed = {check.id: check for check in second if check.verdict == "passed"}
    return [passed.get(check.id, check) for check in first]


def _tell_to_stop(worker: subprocess.Popen[bytes], protection: Protection) -> None:
    """Let a worker write down what it knows, and clear up."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.kill(_judging(worker, protection), signal.SIGTERM)
        worker.wait(CLEARING_UP)


def _judging(worker: subprocess.Popen[bytes], protection: Protection) -> int:
    """Return the process that judges: bubblewrap is around it, and passes no signal on."""
    pid = worker.pid
    return next(iter(system.children(pid)), pid) if protection.around([]) else pid


def _hold_back(judging: int, work: Path) -> None:
    """End programs of a submission that use too much memory or disk together, the largest first."""
    sizes = _sizes(judging, system.memory)
    if sum(sizes.values()) > MOST_MEMORY:
        sizes = _sizes(judging, system.share_of_memory)
    much = sum(sizes.values())
    full = _is_full(work)
    for pid in sorted(sizes, key=lambda pid: sizes[pid], reverse=True):
        if not full and much <= MOST_MEMORY:
            return
        much -= sizes[pid]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _sizes(judging: int, size_of: Callable[[int], int]) -> dict[int, int]:
    """Return the memory of each process that has come from the one that judges, in bytes."""
    sizes = {}
    left = system.children(judging)
    while left:
        pid = left.pop()
        left += system.children(pid)
        with contextlib.suppress(OSError, StopIteration):  # it has ended
            sizes[pid] = size_of(pid)
    return sizes


def _is_full(folder: Path) -> bool:
    """Tell whether a folder has more in it than a submission may write, or hides what it has."""
    size, left = 0, [os.fspath(folder)]
    while left and size <= MOST_DISK:
        try:
            with os.scandir(left.pop()) as found:
                for entry in found:
                    size += ENTRY
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    with contextlib.suppress(FileNotFoundError):
                        size += entry.stat(follow_symlinks=False).st_size
        except (FileNotFoundError, NotADirectoryError):  # it has just been removed
            continue
        except OSError:  # too deep for a path, or closed
            return True
    return size > MOST_DISK


@contextlib.contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    """Make a folder anew, and remove it in the end."""
    system.remove(folder)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        system.remove(folder)


def _cores() -> list[int]:
    """Return the numbers of the processor cores that we may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@functools.cache
def fingerprint(*rooms: str) -> str:
    """Return what changes when a Python file of the kit does, or one in these folders of tests/."""
    places = [ROOT / "tests/conftest.py", ROOT / "tests/kit", scaffold.origin(ROOT)]
    digest = hashlib.sha256()
    for place in [*places, *(ROOT / "tests" / room for room in rooms)]:
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{file.relative_to(ROOT).as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
