"""Gradescope's results.json: https://gradescope-autograders.readthedocs.io/en/latest/specs/

A hidden part is one hidden test, without a word of what is in it. Where a test is hidden,
Gradescope does not show students their total.
"""

from collections.abc import Collection
from typing import Any

from exports.lines import LabForm, Line, decimal, exact, lines


def results(lab: LabForm, hidden: Collection[str] = (), note: str = "") -> dict[str, Any]:
    """Return one lab's result as Gradescope reads it; `hidden` are modules, such as "test_reader".

    The checks of the lab need not have been run yet. `note` is what a student reads above them.
    """
    told: dict[str, Any] = {
        "score": decimal(exact(lab["points"])),
        "execution_time": round(lab["duration"], 3),  # seconds
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "extra_data": {name: lab[name] for name in ("lab", "seed", "python", "system")},
        "tests": [_test(line) for line in lines(lab, hidden)],
    }
    return told | ({"output": note} if note else {})


def _test(line: Line) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": line.number,
        "name": line.name,
        "score": decimal(line.points),
        "max_score": decimal(line.max_points),
        "status": "passed" if line.passed else "failed",
        "tags": [line.part],
        "visibility": "hidden" if line.hidden else "visible",
    }
    return told | ({"output": line.text} if line.text else {})
