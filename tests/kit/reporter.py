"""The pytest plugin that turns tests into checks: order, gates, results, exit code.

A check's result travels as a dict in the `user_properties` of its report (so also into JUnit XML
and through xdist), and every report is made from these dicts alone.
"""

import functools
import importlib
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from kit import message, modules, result, screen
from kit.failure import Failure
from kit.lab import Lab, title
from kit.result import CheckResult, LabResult
from kit.schedule import Job, Schedule
from kit.stage import House, Stage
from kit.tree import Tree

_CHECK = pytest.StashKey[CheckResult]()
_BUILDS_ON = pytest.StashKey[tuple[str, ...]]()
_PROPERTY = "check"


class Reporter:
    """One pytest run of checks."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.began = time.monotonic()
        self.labs: dict[str, Lab] = {}
        self.results: dict[str, CheckResult] = {}
        self.screen: screen.Screen | None = None
        self.schedule = Schedule(config.getoption("at_once"))
        self._some = any("::" in argument for argument in config.args)  # are chosen, not all
        self._passed_over = ""
        self._digests: dict[str, str] = {}

    # Before the checks: who builds on whom, and in what order.

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Bring the checks into the order of the work, and see what each builds on."""
        checks = [item for item in items if item.get_closest_marker("check")]
        places = {item: self._describe(item) for item in checks}
        items.sort(key=lambda item: places.get(item, ("~", 0)))
        gates: dict[Path, str] = {}
        ids: dict[tuple[Path, str], str] = {}  # by file and name, in whichever class
        for item in items:
            if own := item.stash.get(_CHECK, None):
                gate = gates.setdefault(item.path, own.id)
                named = ids.get((item.path, _mark(item).kwargs["after"]), gate)
                item.stash[_BUILDS_ON] = tuple({gate, named} - {own.id})
                ids[item.path, _name(item)] = own.id

    def _describe(self, item: pytest.Item) -> tuple[str, int]:
        """Give the item its result, not run as yet, and return its place in the order."""
        assert isinstance(item, pytest.Function)
        folder = item.path.parent.name
        lab = self.labs.get(folder)
        if lab is None:
            lab = self.labs[folder] = importlib.import_module(f"{folder}.lab").LAB
        place = lab.part_of(item.path.stem)
        part = lab.parts[place]
        variant = f" ({item.callspec.id})" if hasattr(item, "callspec") else ""
        item.stash[_CHECK] = CheckResult(
            id=item.nodeid.partition("/")[2],
            lab=lab.name,
            part=part.title,
            title=title(item.function) + variant,
            max_points=_mark(item).kwargs["points"],
            verdict="not run",
            read_on=lab.handout(part),
        )
        return (lab.name, place)

    # One check.

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """See that only some checks are chosen."""
        self._some = True
        self._passed_over = next((_name(item) for item in items if _CHECK in item.stash), "")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """List every check that was chosen: one that never reports has not passed."""
        checks = [item.stash[_CHECK] for item in session.items if _CHECK in item.stash]
        self.results = {own.id: own for own in checks}
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal and checks and len(checks) == len(session.items):
            self.screen = screen.Screen(terminal, list(self.labs.values()), len(checks))

    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Begin with the checks that were chosen; pytest asks for them one by one afterwards."""
        if self.config.option.collectonly:
            return
        tree = self._tree()
        for folder in self.labs:  # before anything runs: what is saved later is not what is judged
            self._digests[folder] = modules.digest(tree.root / tree.package, folder)
        houses = {
            folder: House(
                tree,
                folder,
                self.config.getoption("seed"),
                self.labs[folder].away,
                self.config.getoption("box"),
            )
            for folder in {item.path.parent.name for item in session.items if _CHECK in item.stash}
        }
        self.schedule.begin(
            Job(
                item.stash[_CHECK].id,
                functools.partial(_call, item),
                houses[item.path.parent.name],
                item.stash[_BUILDS_ON],
                _mark(item).kwargs["long"],
            )
            for item in session.items
            if _CHECK in item.stash
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Instead of calling a check, ask the schedule how it ended."""
        own = pyfuncitem.stash.get(_CHECK, None)
        if own is None:
            return None
        outcome = self.schedule.outcome(own.id)
        own.duration = outcome.duration
        if outcome.stage:  # what comes after a failure is the kit's, which ends the programs
            error = outcome.error
            story = error.story if isinstance(error, Failure) else outcome.stage.story.told()
            own.story = [event.as_dict() for event in story]
        if outcome.waits_for:
            earlier = self.results.get(outcome.waits_for)
            title = earlier.title if earlier else outcome.waits_for
            own.reason, own.sentence = "builds on", f'builds on "{title}"'
            pytest.skip(own.sentence)
        if outcome.error:
            raise outcome.error
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        """Put the check's result into each of its reports."""
        report: pytest.TestReport = yield  # type: ignore[assignment]
        own = item.stash.get(_CHECK, None)
        if own is None:
            return report  # type: ignore[return-value]
        error = call.excinfo.value if call.excinfo else None
        if error is None and call.when == "call":
            own.verdict, own.points = "passed", own.max_points
        elif isinstance(error, Exception):  # pytest's own outcomes are none; a skip is one of them
            message.explain(own, error)
            _shape(report, own)
        if error or call.when == "call":
            report.user_properties = [(_PROPERTY, asdict(own))]
        return report  # type: ignore[return-value]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the result, and show it when the check is over."""
        told = dict(report.user_properties).get(_PROPERTY)
        if not isinstance(told, dict):
            return
        new = CheckResult(**told)
        known = self.results.get(new.id, new)
        self.results[new.id] = new if report.when == "call" else result.worst(known, new)
        if self.screen:
            self.screen.shows(self.results[new.id])

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Keep pytest from printing a letter a check where the screen prints a line a check."""
        if self.screen and isinstance(report, pytest.TestReport):
            if report.when == "call" or report.outcome != "passed":
                return report.outcome, "", ""
            return "", "", ""
        return None

    # After the checks.

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Say with the exit code whether every check passed, and write the result form."""
        self.schedule.close()
        complete = all(
            own.verdict == "passed" or own.reason == "system" for own in self.results.values()
        )
        complete = complete or self.config.option.collectonly
        if exitstatus == pytest.ExitCode.OK and not complete:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        file = self.config.getoption("json")
        if file and not hasattr(self.config, "workerinput"):
            result.write(self.lab_results(), Path(file))

    def pytest_unconfigure(self) -> None:
        """End everything, also when pytest itself was broken off."""
        self.schedule.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the score, and what to do next."""
        if self.screen:
            self.screen.sums_up(self.lab_results())
        elif self._passed_over and not self.results:
            one = self._passed_over
            terminalreporter.write_line(f"no check has such a name; one is called {one}")

    def _tree(self) -> Tree:
        root = Path(self.config.getoption("tree") or self.config.rootpath).resolve()
        return Tree(root, self.config.getoption("package"))

    def lab_results(self) -> list[LabResult]:
        """Return the results by lab."""
        return [
            LabResult(
                lab=lab.name,
                title=lab.title,
                folder=f"{self._tree().package}/{folder}",
                python=platform.python_version(),
                system=platform.platform(),
                seed=self.config.getoption("seed"),
                duration=round(time.monotonic() - self.began, 3),
                checks=[own for own in self.results.values() if own.lab == lab.name],
                digest=self._digests.get(folder, ""),
                whole=self._is_whole(lab),
            )
            for folder, lab in self.labs.items()
        ]

    def _is_whole(self, lab: Lab) -> bool:
        own = (check for check in self.results.values() if check.lab == lab.name)
        chosen = {result.module_of(check.id) for check in own}
        return not self._some and all(part.module in chosen for part in lab.parts)


def _name(item: pytest.Item) -> str:
    """Return the name of a test's function, which is unique in its file."""
    return getattr(item, "originalname", item.name)


def _mark(item: pytest.Item) -> pytest.Mark:
    mark = item.get_closest_marker("check")
    assert mark
    return mark


def _call(item: pytest.Item, stage: Stage) -> None:
    """Run the body of a check, which takes the stage and what it is parametrized with."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    item.obj(stage=stage, **parameters)  # type: ignore[attr-defined]


def _shape(report: pytest.TestReport, own: CheckResult) -> None:
    """Let pytest's own words for a report say what our result says."""
    if own.reason == "kit":
        return  # our bug: the traceback stays as it is
    if own.reason == "system":
        report.outcome = "skipped"
        report.longrepr = (report.location[0], report.location[1] or 0, own.sentence)
    else:
        report.longrepr = own.message
