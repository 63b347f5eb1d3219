"""The stage of a check: it starts the programs, records their story, and clears up after them."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit import hints, scaffold, system
from kit.failure import Failure, Seen
from kit.program import Program, Stdin, ended
from kit.story import Story
from kit.tree import Tree

PATIENCE = 3.0  # seconds until "it did not come" is certain
START_PATIENCE = 15.0  # seconds for a program to start, on the slowest machine
QUIET = 0.15  # seconds after which "nothing came" is believed, where nothing later can prove it
USUAL = ("--port", "0")


class House:
    """Where all programs of a test run live: it knows each, and starts the usual servers ahead.

    While one check runs on a server, the next check's server is started beside it.
    """

    def __init__(self, tree: Tree, lab: str, seed: int) -> None:
        system.adopt_orphans()
        system.let_programs_be_interrupted()
        self.tree, self.lab, self.seed = tree, lab, seed
        self._folder = tempfile.TemporaryDirectory(prefix="socket-labs-")
        self._started = 0
        self._living: list[Program] = []
        self._spares: dict[str, Program] = {}

    def start(
        self,
        name: str,
        arguments: tuple[str, ...],
        *,
        buffered: bool = False,
        stdin: Stdin = "open",
    ) -> Program:
        """Start a program; see `Program`."""
        self._started += 1
        answers = Path(self._folder.name, f"{self._started}")
        program = Program(
            self.tree, self.lab, name, arguments, answers, buffered=buffered, stdin=stdin
        )
        self._living.append(program)
        return program

    def usual(self, name: str) -> Program:
        """Return the server `name` on any free port, started ahead if possible."""
        program = self._spares.pop(name, None) or self.start(name, USUAL)
        self._spares[name] = self.start(name, USUAL)
        return program

    def end(self, programs: list[Program]) -> None:
        """End these programs, and whatever took itself out of their reach."""
        for program in programs:
            program.close()
            self._living.remove(program)
        ours = {program.process.pid for program in self._living}
        system.end_orphans(ours.__contains__)

    def close(self) -> None:
        """End everything."""
        self.end([*self._living])
        self._folder.cleanup()


class Stage:
    """What a check stands on. Programs and peers that it opens live until the check is over."""

    def __init__(self, house: House, name: str) -> None:
        self.house = house
        self.random = random.Random(f"{house.seed} {name}")
        self.story = Story()
        self.programs: list[Program] = []

    def program(
        self, name: str, *arguments: str, buffered: bool = False, stdin: Stdin = "open"
    ) -> Program:
        """Start a program with these arguments."""
        return self._enters(self.house.start(name, arguments, buffered=buffered, stdin=stdin))

    def server(
        self, name: str, *arguments: str, buffered: bool = False, stdin: Stdin = "open"
    ) -> Program:
        """Start a server, and wait until it says that it can be reached."""
        if arguments or buffered or stdin != "open":
            given = arguments or USUAL
            program = self.program(name, *given, buffered=buffered, stdin=stdin)
        else:
            program = self._enters(self.house.usual(name))
        self.sees_ready(program)
        return program

    def sees_ready(self, program: Program) -> tuple[str, int]:
        """Wait for the ready line, and return the host and the port that it names."""
        self._waits_for_start(program)
        address = program.ready_at
        if address is None:
            printed = "\n".join(program.stdout.lines) or "nothing on stdout"
            seen = Seen("ended" if program.over else "silence", "Listening on HOST:PORT", printed)
            raise self.failure(f"{program.name} did not say that it can be reached", seen)
        if not 0 < address[1] < 65_536:
            seen = Seen("told", "the port that it really has", f"{address[1]}")
            raise self.failure(f"the ready line of {program.name} names an impossible port", seen)
        return address

    def word(self) -> str:
        """Return a text that no program can know beforehand."""
        return f"hello-{self.random.randrange(16**6):06x}"

    def requires(
        self, holds: bool, sentence: str, *, expected: str, received: str, hint: str = ""
    ) -> None:
        """Fail with `sentence` unless the check's own condition holds."""
        if not holds:
            raise self.failure(sentence, Seen("told", expected, received), hint)

    def failure(self, sentence: str, seen: Seen, hint: str = "") -> Failure:
        """Return a failure with where the programs stand at this moment; the caller raises it."""
        places, outcome, todo = [], "", None
        for program in self.programs:
            if program.exit_code is not None:
                program.waits_until(lambda program=program: program.over, 0.5)
                outcome = f"{program.name} {ended(program.exit_code)}"
                if crash := program.exception():
                    outcome += f": {crash}"
            places += program.places()
            todo = todo or program.todo
        cause = hint if hint and seen.kind == "told" else hints.cause(seen, self.programs) or hint
        asked = scaffold.todo_text(self.house.tree.root, places) if todo else ""
        return Failure(sentence, seen, self.story.told(), places, outcome, cause, todo, asked)

    def close(self) -> None:
        """End the programs of this check."""
        self.house.end(self.programs)

    def _enters(self, program: Program) -> Program:
        program.joins(self.story)
        self.programs.append(program)
        return program

    def _waits_for_start(self, program: Program) -> None:
        """Wait for the ready line: longer than usual, but not on a program that only sleeps."""
        began = time.monotonic()
        worked: float | None = -1.0
        while time.monotonic() < began + START_PATIENCE:
            if program.waits_until(lambda: bool(program.ready_at) or program.over, 0.5):
                return
            if program.todo:
                return
            now = system.processor_time(program.process.pid)
            if now is not None and now == worked and time.monotonic() > began + PATIENCE:
                return
            worked = now


@contextmanager
def opened(house: House, name: str) -> Iterator[Stage]:
    """Open a stage for the check `name`, and clear it when that is over, however it ended."""
    stage = Stage(house, name)
    try:
        yield stage
    finally:
        stage.close()
