"""Make an autograder to upload: nox -s autograder -- lab4 --for gradescope."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.bundle import FORMS, content, zipped
from autograder.order import Order
from grading import policy
from grading.__main__ import Parser
from grading.course import all_labs
from grading.policy import LabRules, PolicyError
from grading.run import ROOT
from kit import system

NEXT = {
    "gradescope": "upload it in the assignment's Configure Autograder",
    "classroom50": "unpack it in the classroom50 repository, in CLASSROOM/autograders/ASSIGNMENT",
}


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    labs = [lab.name for lab in all_labs().values()]
    parser = Parser(prog="nox -s autograder --", description=__doc__)
    parser.add_argument("lab", choices=labs, help="e.g. lab4")
    parser.add_argument("--for", dest="form", choices=FORMS, required=True, help="what runs it")
    parser.add_argument("--out", type=Path, metavar="FILE", help="(default: LAB-FOR.zip)")
    parser.add_argument("--policy", type=Path, help="a grading.toml: hidden parts, and points")
    told = parser.parse_args(arguments)
    told.out = told.out or Path(f"{told.lab}-{told.form}.zip")
    return told


def main() -> int:
    """Write the zip, and return the exit code."""
    told = options()
    try:
        labs = all_labs()
        (folder,) = (folder for folder, lab in labs.items() if lab.name == told.lab)
        rules = policy.read(told.policy, list(labs.values())).labs.get(told.lab, LabRules())
        system.write(told.out, zipped(content(ROOT, Order(folder, rules), told.form)))
    except (PolicyError, OSError) as error:
        print(f"[ERROR] {error}", file=sys.stderr)
        return 2
    print(f"{told.out}: {NEXT[told.form]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
