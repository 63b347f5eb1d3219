"""The stage of a check: it starts the programs, records their story, and clears up after them."""

import functools
import random
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kit import hints, scaffold, system, whereabouts
from kit.box import Box
from kit.failure import Failure, NotRun, Seen
from kit.program import PATIENCE, Program, Stdin, ended
from kit.story import Story
from kit.tree import Tree

START_PATIENCE = 15.0  # seconds for a program to start, on the slowest machine
TRIES = 3  # of a scenario that the test itself was too slow for
QUIET = 0.15  # seconds after which "nothing came" is believed, where nothing later can prove it
START_WORK = 4.0  # seconds of computing; a program that starts slowly does not compute so long
LETTERS = bytes(ord("a") + byte % 26 for byte in range(256))  # a letter for every byte
USUAL = ("--port", "0")
PORT_WRITTEN = "--port 0 takes any free port: is another one written into the program?"


class House:
    """Where all programs of a lab's suite run; it knows each that lives."""

    def __init__(
        self, tree: Tree, lab: str, seed: int, away: bool = False, box: str = "none"
    ) -> None:
        self.tree, self.lab, self.seed, self.away = tree, lab, seed, away
        self._folder = Path(tempfile.mkdtemp(prefix="socket-labs-"))
        bytecode = (tree.root / tree.package).rglob("__pycache__")
        self._box = Box(box, [tree.root, whereabouts.INSIDE], [self._folder, *bytecode])
        self._box.gives(self._folder)
        self._lock = threading.Lock()
        self._started = 0
        self._closing = False
        self._living: list[Program] = []

    def folder(self) -> Path:
        """Make an empty folder, and return it."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        self._box.gives(folder)
        return folder

    def start(
        self,
        name: str,
        arguments: tuple[str, ...],
        folder: Path,
        *,
        buffered: bool = False,
        stdin: Stdin = "open",
    ) -> Program:
        """Start a program; see `Program`."""
        with self._lock:
            if self._closing:
                raise NotRun("the run was broken off")
            self._started += 1
            answers = self._folder / f"{self._started}"
            program = Program(
                self.tree,
                self.lab,
                name,
                arguments,
                folder,
                self.folder(),
                answers,
                box=self._box,
                buffered=buffered,
                stdin=stdin,
            )
            self._living.append(program)
            return program

    def end(self, programs: Iterable[Program]) -> None:
        """End these programs."""
        for program in programs:
            program.close()
            with self._lock:
                if program in self._living:
                    self._living.remove(program)

    def end_all(self) -> None:
        """End every program, and start none any more."""
        with self._lock:
            self._closing = True
        self.end([*self._living])

    def close(self) -> None:
        """End everything, also what took itself out of its program's reach."""
        self.end_all()
        system.end_orphans()
        system.remove(self._folder)


class Stage:
    """What a check stands on. Programs and peers that it opens live until the check is over."""

    def __init__(self, house: House, name: str) -> None:
        self.house = house
        self.random = random.Random(f"{house.seed} {name}")
        self.story = Story()
        self.programs: list[Program] = []
        self.silence = 0.0  # seconds: the longest time between two things that a peer said
        self._kept: list[socket.socket] = []

    def unless_slow(self, idle: float, scenario: Callable[[float], None]) -> None:
        """Play a scenario whose peers must not be silent for `idle` seconds, which it is given.

        If the test itself was too slow for that, it is played again with twice the time. What fails
        in the last try counts: no program gains anything by making the test slow.
        """
        for left in reversed(range(TRIES)):
            self.silence = 0.0
            try:
                scenario(idle)
                break
            except Failure:
                if not left or self.silence < idle / 2:
                    raise
            idle *= 2

    def keeps(self, sock: socket.socket) -> None:
        """Close this socket when the programs of this check have ended."""
        self._kept.append(sock)

    def program(
        self, name: str, *arguments: str, buffered: bool = False, stdin: Stdin = "open"
    ) -> Program:
        """Start a program with these arguments."""
        cwd = self.folder if self.house.away else self.house.tree.root
        program = self.house.start(name, arguments, cwd, buffered=buffered, stdin=stdin)
        program.joins(self.story, self.failure)
        self.programs.append(program)
        return program

    @functools.cached_property
    def folder(self) -> Path:
        """A folder of this check's own, empty at first, and removed at the end."""
        return self.house.folder()

    def server(
        self, name: str, *arguments: str, buffered: bool = False, stdin: Stdin = "open"
    ) -> Program:
        """Start a server, on any free port if nothing is said, and wait for its ready line."""
        program = self.program(name, *(arguments or USUAL), buffered=buffered, stdin=stdin)
        self.sees_ready(program)
        return program

    def sees_ready(self, program: Program) -> tuple[str, int]:
        """Wait for the ready line, and return the host and the port that it names."""
        self.waits_for_start(program)
        address = program.ready_at
        if address is None:
            printed = "\n".join(program.stdout.lines) or "nothing on stdout"
            seen = Seen("ended" if program.over else "silence", "Listening on HOST:PORT", printed)
            hint = PORT_WRITTEN if "address already in use" in program.stderr.text.lower() else ""
            raise self.failure(f"{program.name} did not say that it can be reached", seen, hint)
        if not 0 < address[1] < 65_536:
            seen = Seen("told", "the port that it really has", f"{address[1]}")
            raise self.failure(f"the ready line of {program.name} names an impossible port", seen)
        return address

    def word(self) -> str:
        """Return a text that no program can know beforehand."""
        return f"hello-{self.random.randrange(16**6):06x}"

    def text(self, size: int) -> bytes:
        """Return as many letters, which no program can know beforehand."""
        return self.random.randbytes(size).translate(LETTERS)

    def requires(
        self, holds: bool, sentence: str, *, expected: str, received: str, hint: str = ""
    ) -> None:
        """Fail with `sentence` unless the check's own condition holds."""
        if not holds:
            raise self.failure(sentence, Seen("told", expected, received), hint)

    def failure(self, sentence: str, seen: Seen, hint: str = "") -> Failure:
        """Return a failure with where the programs stand at this moment; the caller raises it."""
        places, outcome, todo = [], "", None
        latest = {program.name: program for program in self.programs}
        for program in self.programs:
            if program is latest[program.name]:
                outcome = _outcome(program) or outcome
            places += program.places()
            todo = todo or program.todo
        cause = hints.cause(seen, self.programs, places, hint)
        asked = scaffold.todo_text(self.house.tree.root, places) if todo else ""
        return Failure(sentence, seen, self.story.told(), places, outcome, cause, todo, asked)

    def close(self) -> None:
        """End the programs of this check, and remove what they wrote."""
        self.house.end(self.programs)
        for sock in self._kept:
            sock.close()
        if "folder" in self.__dict__:
            system.remove(self.folder)  # the house tries again at its end

    def waits_for_start(self, program: Program) -> None:
        """Wait for the ready line: longer than usual, unless it is seen to hang."""
        began = time.monotonic()
        worked: float | None = -1.0
        while time.monotonic() < began + START_PATIENCE:
            if program.waits_until(lambda: bool(program.ready_at) or program.over, 0.5):
                return
            if program.todo:
                return
            now = system.processor_time(program.pid)
            overdue = time.monotonic() > began + PATIENCE
            sleeps_on = overdue and now == worked and system.sleeping(program.pid)
            if now is not None and (sleeps_on or now > START_WORK):
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


def _outcome(program: Program) -> str:
    """Say how a program has ended, or what exception it has survived: that ended a thread of it."""
    if program.exit_code is not None:
        program.has_ended(within=0.5)
        crash = program.exception()
        return f"{program.name} {ended(program.exit_code)}" + (f": {crash}" if crash else "")
    if crash := program.exception():
        at = "".join(f" at {place.file}:{place.line}" for place in program.crashed_at())
        return f"{program.name} runs on after an exception{at}: {crash}"
    return ""
