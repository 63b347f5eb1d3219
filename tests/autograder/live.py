"""The pytest plugin that keeps Gradescope's results.json true while a suite runs.

After each check the file is replaced by one with all that is known: when the container is killed,
at whatever moment, the score is the sum of what had passed.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from autograder import gradescope, order
from autograder.order import NotGraded
from exports import gradescope as exports
from grading.run import ROOT, better, reported
from kit.reporter import Reporter
from kit.result import CheckResult

NOT_FINISHED = "Grading was stopped before it was finished: {} of {} checks had reported."


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the file in which `autograder.gradescope` says what is wanted."""
    parser.addoption("--live", metavar="FILE", help="keep a results.json as this file says")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to listen."""
    told = json.loads(Path(config.getoption("live")).read_text(encoding="utf-8"))
    config.pluginmanager.register(Live(config, told))


class Live:
    """One run of a suite; `told` has the file, a note, and what an earlier run came to."""

    def __init__(self, config: pytest.Config, told: dict[str, Any]) -> None:
        self._config = config
        self._file, self._note = Path(told["results"]), told["note"]
        self._known = [CheckResult(**check) for check in told["known"]]
        self._order = order.read(ROOT / order.FILE)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """Name every check, as not reported."""
        self._put()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a check that has reported; `kit.reporter` has put its result into the report."""
        if report.user_properties:
            self._put()

    def _put(self) -> None:
        reporter = self._config.pluginmanager.get_plugin("labs-reporter")
        assert isinstance(reporter, Reporter)
        (lab,) = reporter.lab_results()
        waiting = sum(check.verdict == "not run" and not check.reason for check in lab.checks)
        checks = reported(lab.checks)
        checks = better(self._known, checks) if self._known else checks
        told = NOT_FINISHED.format(len(checks) - waiting, len(checks))
        note = "\n".join(filter(None, [told, self._note]))
        try:
            form = order.form(self._order.grades(checks, lab.seed, lab.duration))
            results = exports.results(form, self._order.rules.hidden, note)
        except NotGraded:
            results = gradescope.NOT_GRADED
        gradescope.put(results, self._file)
