"""Classroom 50: a student's checkout in, the form of the lab and feedback out, for autograder.py.

python -m autograder.classroom50 CHECKOUT FILE      as root where that is to be had
"""

import json
import sys
from pathlib import Path

from autograder import order
from autograder.judge import judge, take
from autograder.order import NotGraded
from grading.protection import ProtectionError
from grading.run import ROOT
from kit import system
from reports import feedback


def main() -> int:
    """Grade, and return the exit code: 1 if there is no grade."""
    checkout, file = map(Path, sys.argv[1:])
    wanted = order.read(ROOT / order.FILE)
    try:
        taken, note = take(wanted, checkout)
        judged = judge(taken)
        grades = wanted.grades(judged.checks, judged.seed, judged.duration)
    except (NotGraded, ProtectionError) as error:
        print(f"[ERROR] not graded: {error}", file=sys.stderr)
        return 1
    (grade,) = grades.students[0].labs
    grade.trouble, grade.left_out = note, taken.left_out
    told = {
        "lab": order.form(grades),
        "hidden": sorted(wanted.rules.hidden),
        "body": feedback.text(grades, grades.students[0]),
    }
    system.write(file, json.dumps(told, default=str))  # a Fraction is written as 1/3
    return 0


if __name__ == "__main__":
    sys.exit(main())
