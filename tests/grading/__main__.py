"""Grade a class: nox -s grade -- SUBMISSIONS. docs/en/instructors.md tells all about it."""

import argparse
import io
import os
import sys
from pathlib import Path
from typing import NoReturn

from grading import compare, course, merge, output, protection
from grading.compare import CompareError
from grading.course import Wrong
from grading.judging import judge_all
from grading.merge import MergeError
from grading.policy import POLICY, PolicyError
from grading.protection import ProtectionError
from grading.run import WORK, Judge
from grading.students import RosterError
from kit import system
from reports.grades import Grades
from reports.words import counted, one_line

LIMIT = 300  # seconds for a submission; a suite takes 10 to 20 on one core
INTERRUPTED = 130  # exit code after Ctrl+C
OF_MERGING = {"merge", "out", "compare"}


class Parser(argparse.ArgumentParser):
    """Reads a command line; what is wrong with it takes one line."""

    def error(self, message: str) -> NoReturn:
        """Say it, and end."""
        self.exit(2, f"[ERROR] {message}\n")


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(prog="nox -s grade --", description=__doc__)
    parser.add_argument(
        "submissions", type=Path, nargs="?", help="a folder with a submission an entry"
    )
    parser.add_argument(
        "--lab", action="append", default=[], help="grade this lab (default: those handed in)"
    )
    parser.add_argument(
        "--out", type=Path, help="(default: grades; with --shard 3/20, grades/3-of-20)"
    )
    parser.add_argument("--jobs", type=_count, help="submissions at once (default: the cores)")
    parser.add_argument(
        "--sandbox", choices=protection.KINDS, default="auto", help="(default: the best there is)"
    )
    parser.add_argument(
        "--policy", type=Path, help=f"(default: {POLICY} in SUBMISSIONS, if it is there)"
    )
    parser.add_argument("--again", action="store_true", help="grade what has not changed, too")
    parser.add_argument("--time-limit", type=_count, help=f"seconds for one (default: {LIMIT})")
    parser.add_argument(
        "--compare", type=Path, metavar="OLD", help="tell whose points are others than there"
    )
    parser.add_argument(
        "--shard", type=_shard, metavar="3/20", help="grade the third of 20 shards of the class"
    )
    parser.add_argument(
        "--merge", type=Path, nargs="+", metavar="DIR", help="join the grades of all shards"
    )
    told = parser.parse_args(arguments)
    asked = {name for name, value in vars(told).items() if value != parser.get_default(name)}
    if told.merge and not asked <= OF_MERGING:
        parser.error("--merge takes shards, --out and --compare, and nothing else")
    if not told.merge and not told.submissions:
        parser.error("name the folder with the submissions")
    told.jobs = told.jobs or _cores()
    told.time_limit = told.time_limit or LIMIT
    told.out = told.out or Path("grades", *(["{}-of-{}".format(*told.shard)] if told.shard else []))
    return told


def main() -> int:
    """Grade, and return the exit code: 1 if something could not be graded."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    told = options()
    try:
        old = compare.read(told.compare) if told.compare else None
        grades = join(told) if told.merge else grade(told)
    except (
        *(Wrong, CompareError, MergeError, PolicyError, ProtectionError, RosterError),
        OSError,
    ) as error:
        print(f"[ERROR] {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on where it was", file=sys.stderr)
        return INTERRUPTED
    output.write_all(grades, told.out)
    report(grades, told.out)
    if old is not None:
        new = compare.read(told.out)
        print(*compare.differences(old, new) or ["nothing changed"], sep="\n")
    states = [lab.state for student in grades.students for lab in student.labs]
    return int("not graded" in states)


def grade(told: argparse.Namespace) -> Grades:
    """Take submissions in and judge them."""
    taken = course.read(told.submissions, told.out, told.lab, told.policy, told.shard)
    work = (told.out / WORK).resolve()
    system.remove(work)  # of a run that was killed
    work.mkdir(parents=True)
    shield = protection.choose(told.sandbox, work)
    names = ", ".join(lab.name for lab in taken.labs.values())
    shard = "; shard {} of {}".format(*told.shard) if told.shard else ""
    count = counted(len(taken.submissions), "submission")
    print(f"{count}, {names}{shard}; protection: {shield.told}", flush=True)
    judge = Judge(told.out.resolve(), shield, told.time_limit)
    judged = judge_all(judge, taken.submissions, told.jobs, told.again)
    system.remove(work)
    if strangers := taken.strangers():
        print(f"not in the roster: {one_line(', '.join(strangers))}")
    return course.graded(taken, judged, shield.told)


def join(told: argparse.Namespace) -> Grades:
    """Join shards; the grades go to a folder of their own."""
    for place in told.merge:
        if told.out.resolve() == (place.parent if place.is_file() else place).resolve():
            raise Wrong(f"{told.out} is one of the shards: say another --out")
    return merge.merged(told.merge)


def report(grades: Grades, out: Path) -> None:
    """Say what could not be graded, and where the grades are."""
    for one in grades.students:
        troubles: dict[str, list[str]] = {}
        for lab in one.labs:
            if lab.state == "not graded":
                troubles.setdefault(f"{lab.entry}: {lab.trouble}", []).append(lab.lab)
        for trouble, labs in troubles.items():
            print(f"not graded: {one_line(', '.join([one.student.name, *labs, trouble]))}")
    print(f"{counted(len(grades.students), 'student')}: {out / 'index.html'}")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is no shard such as 3/20")
    return int(number), int(count)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
