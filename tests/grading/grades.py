"""The grades of a class: the one form from which every page and table is made.

`grades.json` has it; docs/en/instructors.md#the-form-of-the-grades describes each field.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from grading.students import Student
from kit.result import CheckResult

FORM = "socket-labs/grades/1"

State = Literal["graded", "not graded", "missing"]


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


@dataclass
class Grades:
    """A graded class. `protection` says what stood between the programs and the verdict."""

    protection: str
    python: str
    system: str
    suites: list[Suite]
    students: list[StudentGrades]

    def as_dict(self) -> dict[str, Any]:
        """Return the documented form; of checks that passed the story is left out."""
        told = {"form": FORM} | asdict(self)
        for student in told["students"]:
            for lab in student["labs"]:
                for check in lab["checks"]:
                    if check["verdict"] == "passed":
                        check["story"] = []
        return told
