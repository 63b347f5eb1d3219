"""Grade a class: nox -s grade -- SUBMISSIONS. docs/en/instructors.md tells all about it."""

import argparse
import importlib
import io
import json
import os
import platform
import queue
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from grading import compare, feedback, pages, policy, protection, tables
from grading.compare import CompareError
from grading.grades import Grades, LabGrade, StudentGrades
from grading.intake import Submission, entries, take_in
from grading.policy import POLICY, Policy, PolicyError
from grading.protection import Protection, ProtectionError
from grading.run import ROOT, WORK, Judge, Judged, write
from grading.students import ROSTER, Roster, RosterError, Student, read_roster
from kit import system
from kit.lab import Lab
from kit.result import CheckResult
from kit.scaffold import SOLUTIONS

LIMIT = 300.0  # seconds for a submission; a suite takes 10 to 20 on one core
BAR = 30  # characters
INTERRUPTED = 130  # exit code after Ctrl+C


class Wrong(Exception):
    """Something that was asked for cannot be done; the text says what, in one line."""


@dataclass
class Course:
    """What is to be graded, and how."""

    labs: dict[str, Lab]  # by the folder's name
    roster: Roster
    policy: Policy
    submissions: list[Submission] = field(default_factory=list)


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="nox -s grade --", description=__doc__)
    parser.add_argument("submissions", type=Path, help="a folder with a submission an entry")
    parser.add_argument(
        "--lab", action="append", default=[], help="grade this lab (default: those handed in)"
    )
    parser.add_argument("--out", type=Path, default=Path("grades"), help="(default: grades)")
    parser.add_argument(
        "--jobs", type=_count, default=_cores(), help="submissions at once (default: the cores)"
    )
    parser.add_argument(
        "--sandbox", choices=protection.KINDS, default="auto", help="(default: the best there is)"
    )
    parser.add_argument(
        "--policy", type=Path, help=f"(default: {POLICY} in SUBMISSIONS, if it is there)"
    )
    parser.add_argument("--again", action="store_true", help="grade what has not changed, too")
    parser.add_argument(
        "--time-limit", type=_count, default=LIMIT, help="seconds for one (default: %(default)g)"
    )
    parser.add_argument(
        "--compare", type=Path, metavar="OLD", help="tell whose points are others than there"
    )
    return parser.parse_args(arguments)


def main() -> int:
    """Grade, and return the exit code: 1 if something could not be graded."""
    told = options()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        old = compare.read(told.compare) if told.compare else None
        course = read_course(told)
        work = (told.out / WORK).resolve()
        system.remove(work)  # of a run that was killed
        work.mkdir(parents=True)
        shield = protection.choose(told.sandbox, work)
    except (Wrong, CompareError, PolicyError, ProtectionError, RosterError, OSError) as error:
        print(f"[ERROR] {error}", file=sys.stderr)
        return 2
    names = ", ".join(lab.name for lab in course.labs.values())
    print(f"{len(course.submissions)} submissions, {names}; protection: {shield.told}", flush=True)
    judge = Judge(told.out.resolve(), shield, told.time_limit)
    try:
        judged = judge_all(judge, course.submissions, told.jobs, told.again)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on where it was", file=sys.stderr)
        return INTERRUPTED
    grades = graded(course, judged, shield)
    system.remove(work)
    write_all(grades, told.out)
    report(grades, told.out)
    if old is not None:
        for line in compare.differences(old, grades.as_dict()) or ["nothing changed"]:
            print(line)
    states = [lab.state for student in grades.students for lab in student.labs]
    return int("not graded" in states)


def read_course(told: argparse.Namespace) -> Course:
    """Take everything in. Raises Wrong, PolicyError, RosterError."""
    folder: Path = told.submissions
    if not folder.is_dir():
        raise Wrong(f"{folder} is no folder")
    known = {lab.name: name for name, lab in _labs().items()}
    for name in told.lab:
        if name not in known:
            raise Wrong(f"there is no lab {name!r}: {', '.join(known)}")
    file = told.policy or folder / POLICY
    rules = policy.read(file if told.policy or file.exists() else None, list(_labs().values()))
    roster = read_roster(folder / ROSTER) if (folder / ROSTER).exists() else Roster()
    found = [entry for entry in entries(folder) if entry.resolve() != told.out.resolve()]
    labs = [known[name] for name in told.lab] or _handed_in(found, roster)
    if not labs:
        raise Wrong(f"no submission in {folder} has a folder of a lab in it: say --lab lab4")
    course = Course({name: _labs()[name] for name in labs}, roster, rules)
    course.submissions = [
        take_in(entry, lab, _programs(lab), roster) for lab in labs for entry in found
    ]
    return course


def judge_all(
    judge: Judge, submissions: Iterable[Submission], jobs: int, again: bool
) -> dict[int, Judged]:
    """Judge submissions, several at once; return what came of each by its place."""
    judged: dict[int, Judged] = {}
    todo: dict[int, Submission] = {}
    for place, submission in enumerate(submissions):
        earlier = None if again or submission.trouble else judge.known(submission)
        if submission.trouble:
            judged[place] = Judged(trouble=submission.trouble)
        elif earlier:
            judged[place] = earlier
        else:
            todo[place] = submission
    if earlier_ones := sum(not one.trouble for one in judged.values()):
        print(f"{earlier_ones} are as they were when they were graded", flush=True)
    slots: queue.SimpleQueue[int] = queue.SimpleQueue()
    for slot in range(jobs):
        slots.put(slot)

    def judge_one(submission: Submission) -> Judged:
        slot = slots.get()
        try:
            return judge.judge(submission, slot)
        except (OSError, ValueError) as error:
            return Judged(trouble=f"it cannot be judged: {error}")
        finally:
            slots.put(slot)

    progress = Progress(len(todo))
    with ThreadPoolExecutor(jobs, "judge") as pool:
        futures = {pool.submit(judge_one, todo[place]): place for place in todo}
        try:
            for future in _as_completed(futures):
                judged[futures[future]] = future.result()
                progress.step(todo[futures[future]].student.name)
        except BaseException:
            judge.stop()
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            progress.end()
    return judged


def graded(course: Course, judged: Mapping[int, Judged], shield: Protection) -> Grades:
    """Make the grades of what came of the submissions: for each student, for each lab, one."""
    folders = list(course.labs)
    attempts: dict[tuple[str, str], dict[str, list[LabGrade]]] = {}
    students: dict[tuple[str, str], Student] = {}
    samples: dict[str, list[CheckResult]] = {}
    for place, submission in enumerate(course.submissions):
        one, lab, student = judged[place], course.labs[submission.lab], submission.student
        who = (student.id, "" if student.id else student.name)
        students.setdefault(who, student)
        grade = LabGrade(lab.name, "not graded", 0.0)
        if one.checks:
            samples.setdefault(submission.lab, one.checks)
            grade = course.policy.grade(lab, one.checks, student.days_late)
        grade.entry, grade.left_out = submission.entry.name, submission.left_out
        grade.trouble = grade.trouble or one.trouble
        grade.seed, grade.duration = one.seed, one.duration
        attempts.setdefault(who, {}).setdefault(submission.lab, []).append(grade)
    for student in course.roster.students:
        students.setdefault((student.id, "" if student.id else student.name), student)
    suites = {
        folder: course.policy.suite(course.labs[folder], samples.get(folder, ()))
        for folder in folders
    }
    everyone = []
    for who, student in sorted(students.items(), key=lambda pair: pair[1].name.casefold()):
        labs = []
        for folder in folders:
            tries = attempts.get(who, {}).get(folder, [])
            most = suites[folder].max_points
            labs.append(
                course.policy.chosen(tries)
                if tries
                else LabGrade(course.labs[folder].name, "missing", most)
            )
            labs[-1].max_points = labs[-1].max_points or most
        everyone.append(StudentGrades(student, labs))
    return Grades(
        shield.told,
        platform.python_version(),
        platform.platform(),
        list(suites.values()),
        everyone,
    )


def write_all(grades: Grades, out: Path) -> None:
    """Write every report, each whole or not at all."""
    folders = _folders(grades)
    system.remove(out / "students")  # who is no longer in the class has no page
    for one in grades.students:
        folder = out / "students" / folders[one.student]
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "index.html", pages.student(grades, one))
        write(folder / "feedback.md", feedback.text(grades, one))
    write(out / "junit.xml", tables.junit(grades))
    write(out / "grades.csv", f"\ufeff{tables.csv_text(grades)}")
    write(out / "index.html", pages.index(grades, folders.__getitem__))
    form = json.dumps(grades.as_dict(), ensure_ascii=False, indent=1)
    write(out / compare.GRADES, f"{form}\n")


def report(grades: Grades, out: Path) -> None:
    """Say what could not be graded, and where the grades are."""
    for one in grades.students:
        for lab in one.labs:
            if lab.state == "not graded":
                told = f"{one.student.name}, {lab.lab}, {lab.entry}: {lab.trouble}"
                print(f"not graded: {compare.one_line(told)}")
    print(f"{len(grades.students)} students: {out / 'index.html'}")


class Progress:
    """How many submissions are done, and how long the rest will take; on stderr."""

    def __init__(self, count: int) -> None:
        self._count, self._done, self._began = count, 0, time.monotonic()
        self._moves = sys.stderr.isatty()

    def step(self, name: str) -> None:
        """Count one more, that of `name`."""
        self._done += 1
        left = (time.monotonic() - self._began) / self._done * (self._count - self._done)
        minutes, seconds = divmod(round(left), 60)
        told = f"{self._done} of {self._count}, {minutes}:{seconds:02} left"
        if self._moves:
            full = BAR * self._done // self._count
            text = f"\r[{'#' * full}{'.' * (BAR - full)}] {told} "
        else:
            text = f"{told}: {compare.one_line(name)}\n"
        sys.stderr.write(text)
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line of the bar."""
        if self._moves and self._done:
            sys.stderr.write("\n")


def _as_completed(futures: Mapping[Future[Judged], int]) -> Iterator[Future[Judged]]:
    """Yield futures as they end; wait in slices, as Windows lets no Ctrl+C through otherwise."""
    left = set(futures)
    while left:
        done, left = wait(left, timeout=0.5, return_when=FIRST_COMPLETED)
        yield from done


def _folders(grades: Grades) -> dict[Student, str]:
    """Return a folder's name for each student, which no other one has."""
    folders: dict[Student, str] = {}
    taken: set[str] = set()
    for one in grades.students:
        student = one.student
        kept = "".join(c if c.isalnum() or c in " -" else "_" for c in student.name).strip()
        plain = name = kept[:60] or "_"
        if plain.casefold() in taken:
            plain = name = f"{plain} {student.id}".strip()
        number = 2
        while name.casefold() in taken:
            name, number = f"{plain} {number}", number + 1
        taken.add(name.casefold())
        folders[student] = name
    return folders


def _handed_in(found: Iterable[Path], roster: Roster) -> list[str]:
    """Return the folders of the labs that some submission has by name."""
    labs = []
    for folder in _labs():
        if any(not take_in(entry, folder, (), roster).trouble for entry in found):
            labs.append(folder)
    return labs


def _labs() -> dict[str, Lab]:
    folders = sorted(path.parent.name for path in (ROOT / "tests").glob("lab[1-9]*_*/lab.py"))
    return {folder: importlib.import_module(f"{folder}.lab").LAB for folder in folders}


def _programs(lab: str) -> list[str]:
    files = (ROOT / SOLUTIONS / lab).glob("*.py")
    return [file.name for file in files if not file.name.startswith("_")]


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
