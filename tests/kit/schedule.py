"""The schedule: checks wait most of the time, so many of them are run at once.

Each check has a stage of its own, so none can disturb another, and pytest asks for their outcomes
in the order of the work. A check is run when all that it builds on have passed.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field

from kit import system
from kit.failure import NotRun
from kit.stage import House, Stage, opened

AT_ONCE = 8  # checks; programs that start need a core each, those that wait need none


@dataclass
class Job:
    """A check to be run: its body takes the stage. `builds_on` are the ids of earlier checks.

    A `long` one, and what it builds on, is begun before others.
    """

    id: str
    body: Callable[[Stage], None]
    house: House
    builds_on: tuple[str, ...] = ()
    long: bool = False


@dataclass
class Outcome:
    """How a check ended: with an error, or because of an earlier check not at all, or well."""

    error: BaseException | None = None
    waits_for: str = ""
    duration: float = 0.0
    stage: Stage | None = field(default=None, repr=False)

    @property
    def passed(self) -> bool:
        """Whether what builds on it can be run; what this system cannot run stands in no way."""
        return not self.waits_for and (self.error is None or isinstance(self.error, NotRun))


class Schedule:
    """Runs jobs in threads of this process, from `begin` to `close`."""

    def __init__(self, at_once: int) -> None:
        system.adopt_orphans()
        system.clear_up_when_told_to_stop()
        self._pool = ThreadPoolExecutor(at_once, "check")
        self._outcomes: dict[str, Future[Outcome]] = {}
        self._houses: set[House] = set()

    def begin(self, jobs: Iterable[Job]) -> None:
        """Start: first what builds on nothing, then the rest, which may wait for it.

        None begins before what it builds on: all threads could wait for one that has none left.
        """
        jobs = [*jobs]
        early: set[str] = set()
        for job in reversed(jobs):
            if job.long or job.id in early:
                early.update((job.id, *job.builds_on))
        for job in sorted(jobs, key=lambda job: (bool(job.builds_on), job.id not in early)):
            self._houses.add(job.house)
            self._outcomes[job.id] = self._pool.submit(self._run, job)

    def outcome(self, id_: str) -> Outcome:
        """Wait for a check, and return how it ended."""
        while True:
            try:  # in slices: on Windows nothing else lets Ctrl+C through
                return self._outcomes[id_].result(timeout=0.5)
            except NotYet:
                continue

    def close(self) -> None:
        """Drop what has not begun, and end all programs."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for house in self._houses:
            house.end_all()
        self._pool.shutdown(wait=True)
        for house in self._houses:
            house.close()

    def _run(self, job: Job) -> Outcome:
        for id_ in job.builds_on:
            if id_ in self._outcomes and not self._outcomes[id_].result().passed:
                return Outcome(waits_for=id_)
        began = time.monotonic()
        outcome = Outcome()
        try:
            with opened(job.house, job.id) as outcome.stage:
                job.body(outcome.stage)
        except Exception as error:
            outcome.error = error
        outcome.duration = round(time.monotonic() - began, 3)
        return outcome
