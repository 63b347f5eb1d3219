"""The last whole result of each lab, as `.labs/labN/result.json` keeps it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kit.result import FORM

FOLDER, REPORT = ".labs", "report.html"

_LAB = {
    "lab": str,
    "title": str,
    "folder": str,
    "points": int,
    "max_points": int,
    "seed": int,
    "duration": (int, float),
    "digest": str,
    "whole": bool,
    "checks": list,
}
_CHECK = {
    "id": str,
    "part": str,
    "title": str,
    "points": int,
    "max_points": int,
    "verdict": str,
    "reason": str,
    "sentence": str,
    "hint": str,
    "message": str,
    "story": list,
}
_LINE = {"time": (int, float), "who": str, "mark": str, "what": str}
_VERDICTS = ("passed", "failed", "not run")


class KeptError(Exception):
    """A file that should hold a result does not; the text says why, in one line."""


def file_of(root: Path, lab: str) -> Path:
    """Return where the last whole result of a lab is kept, e.g. of "lab1"."""
    return root / FOLDER / lab / "result.json"


def read(file: Path) -> list[dict[str, Any]]:
    """Return the labs of a result form. Raises KeptError, or FileNotFoundError if there is none."""
    try:
        labs = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise KeptError(f"cannot be read: {error}") from None
    if not isinstance(labs, list) or not all(_is_lab(lab) for lab in labs):
        raise KeptError("is no result of this kit")
    return labs


def read_one(file: Path, lab: str) -> dict[str, Any]:
    """Return the result of a lab, which is alone in its file. Raises as `read` does."""
    labs = read(file)
    if [one["lab"] for one in labs] != [lab]:
        raise KeptError(f"is no result of {lab}")
    return labs[0]


def _is_lab(lab: Any) -> bool:
    return _has(lab, _LAB) and lab.get("form") == FORM and all(map(_is_check, lab["checks"]))


def _is_check(check: Any) -> bool:
    known = _has(check, _CHECK) and check["verdict"] in _VERDICTS
    return known and all(_has(line, _LINE) for line in check["story"])


def _has(told: Any, shape: dict[str, Any]) -> bool:
    return isinstance(told, dict) and all(
        isinstance(told.get(name), kind) for name, kind in shape.items()
    )


def first_to_do(checks: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the check to be looked at next, None if there is none: what broke in the kit first."""
    told = [check for check in checks if check["message"]]
    broken = (check for check in told if check["reason"] == "kit")
    return next(broken, told[0] if told else None)


def next_step(lab: dict[str, Any]) -> str:
    """Return the line that says what to look at next in a lab of the result form."""
    check = first_to_do(lab["checks"])
    if not check:
        passed = all(check["verdict"] == "passed" for check in lab["checks"])
        every = "all checks" if lab["whole"] else "the chosen checks"
        return f"{every} pass" if passed else "nothing failed"
    name = f"{check['part']}, {check['title']}"
    return f"the kit broke, report it: {name}" if check["reason"] == "kit" else f"Next: {name}"
