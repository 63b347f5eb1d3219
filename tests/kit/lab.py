"""What a lab's suite says of itself: its parts, in the order of the work, and a check's points.

# tests/lab1_echo/lab.py
LAB = Lab("lab1", "Echo", (Part("test_udp_server", "UDP server", "the-udp-server"), …))

# tests/lab1_echo/test_udp_server.py
@check(points=3)
def test_an_empty_datagram_comes_back(server): …
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import pytest

TOTAL_POINTS = 100

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Part:
    """One file of a lab's suite: one program, or one side of it.

    `module` is the file without ".py", `section` the heading in the lab's handout to read on at,
    `todos` are what must be done for its checks to pass. The first check of a part is its gate:
    while it does not pass, the others are not run.
    """

    module: str
    title: str
    section: str
    todos: tuple[int, ...] = ()


@dataclass(frozen=True)
class Lab:
    """A lab: the name of its nox session, its title, its parts in the order of the work.

    `away`: its programs work with files, so that each check starts them in a folder of its own.
    `port` is where its servers listen by default, over `wires`.
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    away: bool = False
    port: int = 0
    wires: tuple[Literal["tcp", "udp"], ...] = ("tcp",)

    def handout(self, part: Part) -> str:
        """Return where a student reads on after a failure in this part."""
        return f"docs/en/{self.name}.md#{part.section}"

    def part_of(self, module: str) -> int:
        """Return the place of a test module, by its last name, among the parts."""
        names = [part.module for part in self.parts]
        if module not in names:
            raise pytest.UsageError(f"{self.name}: lab.py does not name the part {module}")
        return names.index(module)


def check(
    points: int, *, after: Callable[..., Any] | None = None, long: bool = False
) -> Callable[[Test], Test]:
    """Make a test a check with points; it is not run while the check `after` does not pass.

    A `long` one takes more than a second: it is begun early, so that nothing waits for it alone.
    """

    def mark(test: Test) -> Test:
        name = after.__name__ if after else ""
        pytest.mark.check(points=points, after=name, long=long)(test)
        return test

    return mark


def title(test: Callable[..., Any]) -> str:
    """Return a check's title: the first line of its docstring, or its name as a sentence."""
    if test.__doc__:
        return test.__doc__.partition("\n")[0].rstrip(".")
    return test.__name__.removeprefix("test_").replace("_", " ")
