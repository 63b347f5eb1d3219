"""Gradescope: a submission in, results.json out, which is whole and true at every moment.

python -m autograder.gradescope FOLDER      /autograder there, with source/, submission/, results/

Before this, the script run_autograder has made a results.json that says that nothing is graded.
https://gradescope-autograders.readthedocs.io/en/latest/specs/ describes folders and file.
"""

import json
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder import order
from autograder.judge import judge, take
from autograder.order import NotGraded
from exports import gradescope
from grading.protection import ProtectionError
from grading.run import ROOT
from kit import system
from kit.result import CheckResult
from reports.words import clean

NOT_GRADED = {  # without a score: Gradescope wants one, and so takes this for no grade
    "output": (
        "Not graded, which is no zero: the autograder itself did not work. This is not your fault; "
        "tell your instructor, who finds the reason in its output."
    ),
    "output_format": "text",
    "stdout_visibility": "hidden",
}


def put(told: dict[str, Any], file: Path) -> None:
    """Replace results.json, whole."""
    system.write(file, json.dumps(told, ensure_ascii=False) + "\n")


def graded(root: Path, file: Path) -> dict[str, Any]:
    """Judge what lies in the folder, while `file` is kept true; return what is to be in it.

    Raises NotGraded, ProtectionError.
    """
    wanted = order.read(ROOT / order.FILE)
    taken, amiss = take(wanted, root / "submission")
    left_out = [f"left out: {name}" for name in taken.left_out]
    note = clean("\n".join(filter(None, [amiss, *left_out])))
    with tempfile.TemporaryDirectory() as private:
        live = Path(private, "live.json")

        def listener(known: Sequence[CheckResult]) -> list[str]:
            form = {"results": str(file), "note": note, "known": [asdict(one) for one in known]}
            live.write_text(json.dumps(form), encoding="utf-8")
            return ["-p", "autograder.live", "--live", str(live)]

        judged = judge(taken, listener)
    grades = wanted.grades(judged.checks, judged.seed, judged.duration)
    return gradescope.results(order.form(grades), wanted.rules.hidden, note)


def main() -> int:
    """Grade, and return the exit code: 1 if there is no grade."""
    root = Path(sys.argv[1])
    file = root / "results" / "results.json"
    try:
        told = graded(root, file)
    except Exception as error:  # a bug of ours is nobody's zero
        put(NOT_GRADED, file)
        if not isinstance(error, (NotGraded, ProtectionError)):
            traceback.print_exc()
        print(f"[ERROR] not graded: {error}", file=sys.stderr)
        return 1
    put(told, file)
    print(f"score {told['score']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
