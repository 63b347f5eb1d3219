"""The result of a lab's suite: the one form from which every report is made.

`--json FILE` writes it; docs/en/architecture.md#the-result-form describes each field.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from kit import system

FORM = "socket-labs/result/1"

Verdict = Literal["passed", "failed", "not run"]
Reason = Literal["", "todo", "builds on", "system", "kit"]
"""Why a check was not run: a TODO waits; an earlier check did not pass; this system cannot; the
kit itself broke (then nobody may be graded by it)."""


@dataclass
class CheckResult:
    """One check. `where`, `message` and the like are empty unless it failed; times in seconds.

    `timeout`: something did not come in time, which a busy machine can be the cause of.
    """

    id: str
    lab: str
    part: str
    title: str
    max_points: int
    verdict: Verdict
    points: int = 0
    reason: Reason = ""
    sentence: str = ""
    expected: str = ""
    received: str = ""
    where: list[str] = field(default_factory=list)
    hint: str = ""
    read_on: str = ""
    timeout: bool = False
    duration: float = 0.0
    story: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""


@dataclass
class LabResult:
    """One lab's checks, in the order in which they were run.

    `digest` is of the programs' files, `whole` says whether all checks of the lab were chosen.
    """

    lab: str
    title: str
    folder: str
    python: str
    system: str
    seed: int
    duration: float
    checks: list[CheckResult]
    digest: str = ""
    whole: bool = True

    @property
    def points(self) -> int:
        """What was earned."""
        return sum(check.points for check in self.checks)

    @property
    def max_points(self) -> int:
        """What could be earned here: a check that this system cannot run counts on neither side."""
        return sum(check.max_points for check in self.checks if check.reason != "system")

    def as_dict(self) -> dict[str, Any]:
        """Return the documented form."""
        head = {"form": FORM, "points": self.points, "max_points": self.max_points}
        return head | asdict(self)


def module_of(check: str) -> str:
    """Return the module of a check's part by its id, e.g. "test_reader"."""
    return PurePosixPath(check.partition("::")[0]).stem


def worst(first: CheckResult, second: CheckResult) -> CheckResult:
    """Return the worse of two results of one check: what broke at its end counts as well."""
    rank = {"passed": 0, "not run": 1, "failed": 2}
    return max(first, second, key=lambda result: (result.reason == "kit", rank[result.verdict]))


def write(results: Iterable[LabResult], file: Path) -> None:
    """Write results as JSON, the file whole or not at all."""
    text = json.dumps([result.as_dict() for result in results], ensure_ascii=False, indent=1)
    system.write(file, text + "\n")
