"""The grades of a class: the one form from which every page and table is made.

`grades.json` has it; docs/en/instructors.md#the-form-of-the-grades describes each field.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field, fields
from typing import Any, Literal, TypeVar

from kit.result import CheckResult

FORM = "socket-labs/grades/1"
GRADES = "grades.json"

State = Literal["graded", "not graded", "missing"]

T = TypeVar("T")


@dataclass(frozen=True)
class Student:
    """Who handed something in, and how late; empty is what nothing tells.

    `login` is the name of the account in the course system or on the forge, e.g. on GitHub.
    """

    name: str
    id: str = ""
    email: str = ""
    days_late: float = 0.0
    login: str = ""


@dataclass
class Part:
    """A part of a lab's suite. Of a hidden one students see the points alone."""

    module: str
    title: str
    max_points: float
    hidden: bool = False


@dataclass
class Suite:
    """A lab as it was graded: its parts, with the points that the policy gives them."""

    lab: str
    title: str
    max_points: float
    parts: list[Part]


@dataclass
class LabGrade:
    """What one student has for one lab; `trouble` says why it is not graded, or what was amiss.

    `earned` is what the checks gave, `points` what is left of it after `penalty`.
    """

    lab: str
    state: State
    max_points: float
    points: float = 0.0
    earned: float = 0.0
    penalty: float = 0.0
    days_late: float = 0.0
    entry: str = ""
    attempt: int = 1
    attempts: int = 1
    trouble: str = ""
    left_out: list[str] = field(default_factory=list)
    seed: int = 0
    duration: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)  # module: points
    checks: list[CheckResult] = field(default_factory=list)


@dataclass
class StudentGrades:
    """One student, with a grade for each lab that was graded."""

    student: Student
    labs: list[LabGrade]

    @property
    def points(self) -> float:
        """The sum over the labs."""
        return sum(lab.points for lab in self.labs)


@dataclass(frozen=True)
class Shard:
    """A part of a class, such as 3 of 20, and what is alike in all parts, each as a digest.

    `submissions` stands for the names of all entries, and the roster.
    """

    number: int
    of: int
    kit: str = ""
    policy: str = ""
    submissions: str = ""

    def has(self, key: str) -> bool:
        """Tell whether the student with this key is in it; in all of them, each is in one."""
        digest = hashlib.sha256(key.encode("utf-8")).digest()
        return int.from_bytes(digest, "big") % self.of == self.number - 1


@dataclass
class Grades:
    """A graded class. `protection` says what stood between the programs and the verdict."""

    protection: str
    python: str
    system: str
    suites: list[Suite]
    students: list[StudentGrades]
    shard: Shard | None = None

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> "Grades":
        """Return the grades of the documented form; names in it that are new are passed over.

        Raises AttributeError, KeyError or TypeError if it is not of the form.
        """
        suites = [
            _read(Suite, suite, parts=[_read(Part, part) for part in suite["parts"]])
            for suite in form["suites"]
        ]
        students = [
            StudentGrades(_read(Student, one["student"]), [_grade(lab) for lab in one["labs"]])
            for one in form["students"]
        ]
        shard = _read(Shard, form["shard"]) if form.get("shard") else None
        return _read(cls, form, suites=suites, students=students, shard=shard)

    def complete(self) -> "Grades":
        """Put the students in order, and say what could be had where nothing was run; return it."""
        self.students.sort(key=lambda one: (one.student.name.casefold(), *astuple(one.student)))
        most = {suite.lab: suite.max_points for suite in self.suites}
        for one in self.students:
            for lab in one.labs:
                lab.max_points = lab.max_points if lab.checks else most[lab.lab]
        return self

    def as_dict(self) -> dict[str, Any]:
        """Return the documented form."""
        return {"form": FORM} | asdict(self)


def _grade(form: Mapping[str, Any]) -> LabGrade:
    return _read(LabGrade, form, checks=[_read(CheckResult, check) for check in form["checks"]])


def _read(kind: type[T], form: Mapping[str, Any], **read: Any) -> T:
    """Make a dataclass of its form; `read` is what has been made of some of it already."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: form[name] for name in names & form.keys()} | read)
