"""A course: what is to be graded, and how; and the grades that come of it."""

import hashlib
import importlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grading import policy
from grading.intake import Submission, entries, take_in
from grading.policy import POLICY, Policy
from grading.run import ROOT, Judged, fingerprint
from grading.students import ROSTER, Roster, read_roster, student_of
from kit import scaffold
from kit.lab import Lab
from kit.result import CheckResult
from reports.grades import Grades, LabGrade, Shard, Student, StudentGrades, Suite


class Wrong(Exception):
    """Something that was asked for cannot be done; the text says what, in one line."""


@dataclass
class Course:
    """What is to be graded, and how; with a `shard`, only the students who are in it."""

    labs: dict[str, Lab]  # by the folder's name
    roster: Roster
    policy: Policy
    shard: Shard | None = None
    submissions: list[Submission] = field(default_factory=list)

    def has(self, student: Student) -> bool:
        """Tell whether a student is graded here."""
        return self.shard is None or self.shard.has(self.roster.key(student))

    def strangers(self) -> list[str]:
        """Return the names of those who have handed in something and are not in the roster."""
        students = [submission.student for submission in self.submissions]
        unknown = [student.name for student in students if not self.roster.has(student)]
        return sorted({*unknown}) if self.roster.students else []


def read(
    folder: Path,
    out: Path,
    names: Sequence[str] = (),
    rules: Path | None = None,
    share: tuple[int, int] | None = None,
) -> Course:
    """Take in a folder of submissions; `out` is where the grades will be, which may lie in it.

    `names` are the labs (default: those handed in), `rules` is the policy (default: the folder's,
    if it has one). Of a `share`, e.g. (3, 20), only that twentieth of the students is taken.
    Raises Wrong, PolicyError, RosterError.
    """
    if not folder.is_dir():
        raise Wrong(f"{folder} is no folder")
    known = {lab.name: name for name, lab in all_labs().items()}
    for name in names:
        if name not in known:
            raise Wrong(f"there is no lab {name!r}: {', '.join(known)}")
    file = rules or folder / POLICY
    there = file if rules or file.exists() else None
    chosen = policy.read(there, list(all_labs().values()))
    roster = read_roster(folder / ROSTER) if (folder / ROSTER).exists() else Roster()
    ours = {out.resolve(), *out.resolve().parents}
    found = [entry for entry in entries(folder) if folder.resolve() / entry.name not in ours]
    labs = [known[name] for name in names] or _handed_in(found, roster)
    if not labs:
        raise Wrong(f"no submission in {folder} has a folder of a lab in it: say --lab lab4")
    course = Course({name: all_labs()[name] for name in labs}, roster, chosen)
    if share:
        entered = [*(entry.name for entry in found), *map(repr, roster.students)]
        course.shard = Shard(
            *share,
            kit=fingerprint("grading", *labs),
            policy=_digest([there.read_text("utf-8-sig")] if there else []),
            submissions=_digest(entered),
        )
    taken = [
        take_in(entry, lab, programs(lab), roster)
        for lab in labs
        for entry in found
        if course.has(student_of(entry.name))
    ]
    course.submissions = _that_count(taken, roster)
    return course


def _that_count(taken: list[Submission], roster: Roster) -> list[Submission]:
    """Leave out what has nothing of a lab, where the same entry or student has something."""
    with_some_lab = {one.entry for one in taken if not one.absent}
    with_this_lab: dict[tuple[str, str], list[Submission]] = {}
    for one in taken:
        if not one.absent:
            with_this_lab.setdefault((roster.key(one.student), one.lab), []).append(one)
    count = []
    for one in taken:
        if not one.absent:
            count.append(one)
        elif one.entry not in with_some_lab:
            attempts = with_this_lab.get((roster.key(one.student), one.lab), [])
            for attempt in attempts:
                attempt.left_out.append(f"{one.entry.name}: {one.trouble}")
            if not attempts:
                count.append(one)
    return count


def graded(course: Course, judged: Mapping[int, Judged], protection: str) -> Grades:
    """Make the grades of what came of the submissions: for each student, for each lab, one."""
    students: dict[str, Student] = {}
    attempts: dict[tuple[str, str], list[LabGrade]] = {}
    results: dict[str, list[Sequence[CheckResult]]] = {folder: [] for folder in course.labs}
    for place, submission in enumerate(course.submissions):
        key = course.roster.key(submission.student)
        students.setdefault(key, submission.student)
        grade = _grade(course, submission, judged[place])
        attempts.setdefault((key, submission.lab), []).append(grade)
        results[submission.lab].append(judged[place].checks)
    for student in filter(course.has, course.roster.students):
        students.setdefault(course.roster.key(student), student)
    everyone = [
        StudentGrades(
            student,
            [
                course.policy.chosen(attempts[key, folder])
                if (key, folder) in attempts
                else LabGrade(lab.name, "missing", 0)
                for folder, lab in course.labs.items()
            ],
        )
        for key, student in students.items()
    ]
    suites = [_suite(course, lab, results[folder]) for folder, lab in course.labs.items()]
    return Grades(
        protection,
        platform.python_version(),
        platform.platform(),
        suites,
        everyone,
        course.shard,
    ).complete()


def _grade(course: Course, submission: Submission, judged: Judged) -> LabGrade:
    """Return what one submission is worth."""
    lab = course.labs[submission.lab]
    grade = LabGrade(lab.name, "not graded", 0)
    if judged.checks:
        grade = course.policy.grade(lab, judged.checks, submission.student.days_late)
    grade.entry, grade.left_out = submission.entry.name, submission.left_out
    grade.trouble = grade.trouble or judged.trouble
    grade.seed, grade.duration = judged.seed, judged.duration
    return grade


def _suite(course: Course, lab: Lab, results: Iterable[Sequence[CheckResult]]) -> Suite:
    """Return a lab as it could be graded at best: a check may be impossible for a while."""
    suites = [course.policy.suite(lab, checks) for checks in ((), *results)]
    return max(suites, key=lambda suite: suite.max_points)


def all_labs() -> dict[str, Lab]:
    """Return the labs that can be graded, by their folders' names."""
    folders = sorted(path.parent.name for path in (ROOT / "tests").glob("lab[1-9]*_*/lab.py"))
    return {folder: importlib.import_module(f"{folder}.lab").LAB for folder in folders}


def _handed_in(found: Iterable[Path], roster: Roster) -> list[str]:
    """Return the folders of the labs that some submission has by name."""
    labs = []
    for folder in all_labs():
        if any(not take_in(entry, folder, (), roster).trouble for entry in found):
            labs.append(folder)
    return labs


def programs(lab: str) -> list[str]:
    """Return the files of a lab that are programs, for example of "lab4_chat"."""
    files = (scaffold.origin(ROOT) / lab).glob("*.py")
    return [file.name for file in files if not file.name.startswith("_")]


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()
