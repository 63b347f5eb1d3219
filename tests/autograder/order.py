"""What an autograder is made for: a lab, and what the course's policy says of it.

`autograder.json`, at the root of what is uploaded, has it.
"""

import importlib
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from exports.forms import lab_of
from exports.lines import LabForm
from exports.markdown import TITLE
from grading.policy import LabRules, Policy
from kit.lab import Lab
from kit.result import CheckResult
from reports.grades import Grades, Student, StudentGrades

FILE = "autograder.json"


class NotGraded(Exception):
    """There is no grade, which is no zero; the text says why, to instructors alone."""


@dataclass(frozen=True)
class Order:
    """A lab's folder, such as "lab4_chat", and its rules; lateness is the course system's."""

    lab: str
    rules: LabRules = LabRules()

    @property
    def suite(self) -> Lab:
        """What the lab's suite says of itself."""
        lab: Lab = importlib.import_module(f"{self.lab}.lab").LAB
        return lab

    def text(self) -> str:
        """Return it as a file has it."""
        points = {module: str(most) for module, most in self.rules.points.items()}
        told = {"lab": self.lab, "hidden": sorted(self.rules.hidden), "points": points}
        return json.dumps(told, indent=1, sort_keys=True) + "\n"

    def grades(self, checks: Sequence[CheckResult], seed: int, duration: float) -> Grades:
        """Return the grades of one student, who has these checks of this lab, and on time.

        The seed and the seconds are those of the run. Raises NotGraded.
        """
        lab = self.suite
        rules = Policy(labs={lab.name: self.rules})
        told = [replace(check, story=[]) for check in checks]  # no report here tells them
        grade = rules.grade(lab, told, days_late=0)
        if grade.state != "graded":
            raise NotGraded(grade.trouble)
        grade.seed, grade.duration = seed, duration
        one = StudentGrades(Student(TITLE), [grade])
        suites = [rules.suite(lab, told)]
        return Grades("", platform.python_version(), platform.platform(), suites, [one])


def form(grades: Grades) -> LabForm:
    """Return the lab of such grades as a result; the points of a check may be Fractions."""
    (suite,), (one,) = grades.suites, grades.students
    return lab_of(grades, suite, one.labs[0])


def read(file: Path) -> Order:
    """Return the order that a file has."""
    told = json.loads(file.read_text(encoding="utf-8"))
    points = {module: Fraction(most) for module, most in told["points"].items()}
    return Order(told["lab"], LabRules(frozenset(told["hidden"]), points))
