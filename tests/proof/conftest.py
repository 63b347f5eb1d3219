"""Runs the suites on the subjects, several at a time, ahead of the tests on their results."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from proof import golden
from proof.subjects import PROOF, Subject

AT_ONCE = 3  # suites; each runs many checks at once itself

_runs = pytest.StashKey[dict[Subject, Future[dict[str, Any]]]]()
_accepted = pytest.StashKey[dict[Subject, str]]()
_again = pytest.StashKey[list[str]]()
_room = threading.Semaphore(AT_ONCE)
_door = threading.Lock()  # held by who waits for room: without it one who wants all of it starves


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say whether new golden messages are taken over."""
    group = parser.getgroup("labs")
    group.addoption("--accept", action="store_true", help="take over what the chaffs say now")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the runs for those tests that were chosen, in their order."""
    session.config.stash[_accepted] = {}
    session.config.stash[_again] = []
    runs = session.config.stash[_runs] = {}
    if session.config.option.collectonly:
        return
    pool = ThreadPoolExecutor(AT_ONCE, "suite")
    session.config.add_cleanup(lambda: pool.shutdown(cancel_futures=True))
    for item in session.items:
        subject = item.callspec.params.get("subject") if hasattr(item, "callspec") else None
        if subject and subject not in runs:
            runs[subject] = pool.submit(_beside_others, subject)


def _beside_others(subject: Subject) -> dict[str, Any]:
    with _door:
        _room.acquire()
    try:
        return subject.tried()
    finally:
        _room.release()


@pytest.fixture
def result(subject: Subject, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the result form of the lab's suite on this subject."""
    return request.config.stash[_runs][subject].result()


@pytest.fixture
def again(subject: Subject, request: pytest.FixtureRequest) -> Callable[[], dict[str, Any]]:
    """Return what runs the suite once more on this subject, with nothing of ours beside it."""

    def run() -> dict[str, Any]:
        request.config.stash[_again].append(f"{subject.lab}, {subject.name}")
        with _door:
            for _ in range(AT_ONCE):
                _room.acquire()
        try:
            return subject.tried()
        finally:
            _room.release(AT_ONCE)

    return run


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> dict[Subject, str] | None:
    """Return where new golden messages are gathered, or None when they are to be compared."""
    return request.config.stash[_accepted] if request.config.getoption("accept") else None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which runs were repeated: many of them are a reason to look at those checks."""
    for name in config.stash.get(_again, []):
        terminalreporter.write_line(f"run again alone: {name}")


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Write down what was accepted, in the order of the chaffs."""
    accepted = session.config.stash.get(_accepted, {})
    for lab in {subject.lab for subject in accepted}:
        from proof.subjects import chaffs

        file = PROOF / lab / "golden.txt"
        new = {subject.name: text for subject, text in accepted.items() if subject.lab == lab}
        known = golden.read(file) | new
        golden.write(file, {s.name: known[s.name] for s in chaffs(lab) if s.name in known})
    yield
