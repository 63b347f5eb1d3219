"""The pytest plugin that leaves behind, after a run, pictures of what went wrong: `--pictures`."""

import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from desk import kept, report
from kit import result, system
from kit.reporter import Reporter
from kit.result import CheckResult, LabResult
from pictures import FILES, SVG, files

LONGEST = 80  # characters of a folder's name: Windows has but 260 for a whole path
RESULT = "result.json"


class Pictures:
    """Writes into `folder`, for each lab of the run, what it leaves behind."""

    def __init__(self, config: pytest.Config, reporter: Reporter, folder: Path) -> None:
        self._config, self._reporter, self._folder = config, reporter, folder
        self._trouble = ""

    def pytest_sessionfinish(self) -> None:
        """Write the pictures, and of a whole run of the student's own programs the result."""
        if hasattr(self._config, "workerinput") or self._config.option.collectonly:
            return
        try:
            labs = [lab for lab in self._reporter.lab_results() if lab.checks]
            drawn: dict[str, bytes] = {}
            for lab in labs:
                drawn |= self._writes(lab)
            if labs:
                report.write(self._folder, [lab.as_dict() for lab in labs], drawn)
        except OSError as error:
            self._trouble = f"[ERROR] cannot write into {self._folder}: {error.strerror or error}"

    def _writes(self, lab: LabResult) -> dict[str, bytes]:
        """Write what a lab leaves behind, and return the pictures by their checks' ids."""
        place = self._folder / lab.lab
        _empty(place)
        place.mkdir(parents=True, exist_ok=True)
        names = folder_names(lab.checks)
        drawn = {}
        for check in lab.checks:
            if self._is_shown(check):
                shown = files(asdict(check), lab.lab)
                (place / names[check.id]).mkdir(exist_ok=True)
                for name, data in shown.items():
                    system.write(place / names[check.id] / name, data)
                drawn[check.id] = shown[SVG]
        if self._is_whole(lab):
            result.write([_without_passed_stories(lab)], place / RESULT)
        return drawn

    def _is_shown(self, check: CheckResult) -> bool:
        wanted = ("failed", "passed") if self._config.getoption("stories") else ("failed",)
        return check.verdict in wanted and bool(check.story)

    def _is_whole(self, lab: LabResult) -> bool:
        """Tell whether each check of the lab was run, and on the student's own programs."""
        return (
            lab.whole
            and self._config.getoption("package") == "labs"
            and not self._config.getoption("tree")
            and all(check.verdict != "not run" or check.reason for check in lab.checks)
        )

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where the picture is of the check to look at next, or else where pictures are."""
        if self._trouble:
            terminalreporter.write_line(self._trouble, red=True)
            return
        labs = self._reporter.lab_results()
        shown = [lab for lab in labs if any(map(self._is_shown, lab.checks))]
        if not shown:
            return
        place = self._folder / shown[0].lab
        first = next((check for lab in labs for check in lab.checks if check.message), None)
        if first and self._is_shown(first):
            checks = next(lab.checks for lab in labs if lab.lab == first.lab)
            place = self._folder / first.lab / folder_names(checks)[first.id] / SVG
        terminalreporter.write_line(f"pictures: {place}, and all in {self._folder / kept.REPORT}")


def folder_names(checks: Iterable[CheckResult]) -> dict[str, str]:
    """Return for the id of each check of a lab a name of a folder, on every system.

    It is made of the check's part and name, and is another one for each, also where upper and
    lower case are the same.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for check in checks:
        module, _, name = check.id.partition(".py::")
        name, bracket, variant = name.partition("[")
        words = f"{module.rpartition('/')[2]}.{name.rpartition('::')[2]}".replace("test_", "")
        plain = re.sub(r"[^A-Za-z0-9.-]+", "_", words + bracket + variant)[:LONGEST].strip("._")
        unique, copy = plain, 1
        while unique.lower() in taken:
            copy += 1
            unique = f"{plain}-{copy}"
        taken.add(unique.lower())
        names[check.id] = unique
    return names


def _without_passed_stories(lab: LabResult) -> LabResult:
    """Return a result as it is kept; nobody asks for the stories of what was right."""
    checks = [
        replace(check, story=[]) if check.verdict == "passed" else check for check in lab.checks
    ]
    return replace(lab, checks=checks)


def _empty(place: Path) -> None:
    """Remove what an earlier run left in a lab's folder, and nothing else."""
    for folder in place.iterdir() if place.is_dir() else ():
        if folder.is_dir():
            for name in FILES:
                (folder / name).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
