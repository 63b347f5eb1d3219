"""A program under test: what its end tells."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit import system
from kit.failure import Seen
from kit.stage import House, Stage, opened
from kit.tree import Tree

A_THREAD_DIES = """\
import sys, threading

def serve():
    "й".encode("ascii")

thread = threading.Thread(target=serve)
thread.start()
thread.join()
print("so it goes on", file=sys.stderr)
threading.Event().wait()
"""
PATIENCE = 30.0  # seconds
TWO_TODOS = """\
import threading

def first():
    # TODO 1: Say hello.
    raise NotImplementedError("TODO 1")

def second():
    # TODO 2: Say good-bye.
    raise NotImplementedError("TODO 2")

thread = threading.Thread(target=first)
thread.start()
thread.join()
second()
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return a stage for the programs in labs/lab9_none of `tmp_path`."""
    (tmp_path / "labs/lab9_none").mkdir(parents=True)
    house = House(Tree(tmp_path, "labs"), "lab9_none", seed=1)
    with opened(house, "a check") as stage:
        yield stage
    system.remove(house.folder().parent)  # not close(): that ends all that this process has begun


def test_of_several_todos_the_one_that_it_came_to_first_is_told(stage: Stage) -> None:
    file = stage.house.tree.folder("lab9_none") / "server.py"
    file.write_text(TWO_TODOS, encoding="utf-8")
    program = stage.program("server")
    assert program.has_ended(PATIENCE)

    failure = stage.failure("alice waited", Seen("silence"))

    assert failure.todo == 1
    assert failure.asked == "TODO 1: Say hello."
    assert [place.function for place in failure.places] == ["first"]


def test_a_traceback_is_told_without_what_is_pythons_own(stage: Stage) -> None:
    file = stage.house.tree.folder("lab9_none") / "server.py"
    file.write_text("def main() -> None\n    print('привіт')\n", encoding="utf-8")
    program = stage.program("server")
    assert program.has_ended(PATIENCE)

    told = [event.what for event in stage.story.told() if event.mark == "!"]

    assert "frozen" not in "".join(told)
    assert told[0].startswith("Traceback")
    assert told[-1].startswith("SyntaxError")


def test_an_exception_that_ended_a_thread_is_told_while_the_program_lives(stage: Stage) -> None:
    file = stage.house.tree.folder("lab9_none") / "server.py"
    file.write_text(A_THREAD_DIES, encoding="utf-8")
    program = stage.program("server")
    assert program.waits_until(lambda: program.stderr.lines[-1:] == ["so it goes on"], PATIENCE)

    failure = stage.failure("alice waited", Seen("silence"))

    told = "server runs on after an exception at labs/lab9_none/server.py:4: UnicodeEncodeError: "
    assert failure.outcome.startswith(told)
