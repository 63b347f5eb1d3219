"""A program under test, run as a subprocess; its stdin and stdout are a peer like any other."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Literal

from kit import system, whereabouts
from kit.box import Box
from kit.failure import Seen
from kit.story import Mark, Story
from kit.tree import Tree, command
from kit.whereabouts import Place

KEPT_OUTPUT = 1_000_000  # bytes a stream; what comes later is read and dropped
TOLD_WORD = 60  # characters of an argument in the story
TOLD_LINE = 300  # characters of an output line in the story
PATIENCE = 3.0  # seconds until "it did not come" is certain
STOP_LIMIT = 2.0  # seconds that the contract gives a program to stop
SECOND_SIGNAL = 1.0  # seconds after which a program that may have missed a signal gets another

_READY = re.compile(r"Listening on (\S+):(\d+)")
_TRACEBACK = re.compile(r"^Traceback \(most.*\n(?:(?:[ \t].*)?\n)*(\S.*)", re.MULTILINE)
_TODO = re.compile(r"^NotImplementedError: TODO (\d+)", re.MULTILINE)

Stdin = Literal["open", "empty", "closed", "terminal"]
"""What a program is typed into; a terminal is its stdout and stderr, too."""


class Output:
    """What a program has printed on one stream, whole lines and the rest."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended = False
        self._rest = b""
        self._size = 0

    @property
    def text(self) -> str:
        """All that was kept, the unfinished last line included."""
        return "".join(f"{line}\n" for line in self.lines) + self._rest.decode("utf-8", "replace")

    def feed(self, data: bytes) -> list[str]:
        """Take what was read, b"" at the end; return the lines that it made whole."""
        if self._size > KEPT_OUTPUT:
            self.ended = not data
            return []
        self._size += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        if not data:
            self.ended = True
            whole, self._rest = ([self._rest] if self._rest else []), b""
        new = [line.decode("utf-8", "replace").removesuffix("\r") for line in whole]
        self.lines += new
        return new


class Program:
    """A program under test. It lives until `close`, and nothing of it lives longer."""

    def __init__(
        self,
        tree: Tree,
        lab: str,
        name: str,
        arguments: tuple[str, ...],
        folder: Path,
        temporary: Path,
        answers: Path,
        *,
        box: Box,
        buffered: bool = False,
        stdin: Stdin = "open",
    ) -> None:
        self.name = name
        self.tree = tree
        self.folder, self.temporary = folder, temporary  # where it runs; for its temporary files
        self.story = Story()  # until a check takes the program into its own
        self.stdout, self.stderr = Output(), Output()
        self.exit_code: int | None = None
        self.todo: int | None = None  # the number of the gap that it ran into
        self._answers = answers
        self._box = box
        self._looked_at = 0  # how many lines of stdout `prints` has gone past
        self._changed = threading.Condition()
        self._typing = threading.Lock()
        # Readable for ever once the program has ended or met a TODO, so that whoever waits for a
        # socket can wait for this too; select() on Windows takes nothing but sockets.
        self.bell, self._ringer = socket.socketpair()

        self._started_at, self._ended_at = time.monotonic(), 0.0
        words = tree.words(lab, name, arguments)
        self.story.tell(name, "$", _as_typed(words))
        screen, terminal = system.terminal() if stdin == "terminal" else (None, None)
        pipe: dict[str, int] = {"open": subprocess.PIPE}
        self.process = subprocess.Popen(
            box.command(command(words, stdin == "closed"), folder),
            cwd=folder,
            env=tree.environment(buffered, temporary, answers),
            stdin=terminal or pipe.get(stdin, subprocess.DEVNULL),
            stdout=terminal or subprocess.PIPE,
            stderr=terminal or subprocess.PIPE,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            **box.identity(),
        )
        if screen and terminal:
            os.close(terminal)
            self._keyboard: IO[bytes] | None = os.fdopen(os.dup(screen), "wb", 0)
            self.stderr.ended = True  # all comes out on the screen
            self._watch(self._read, os.fdopen(screen, "rb", 0), self.stdout, "|")
        else:
            assert self.process.stdout
            assert self.process.stderr
            self._keyboard = self.process.stdin
            self._watch(self._read, self.process.stdout, self.stdout, "|")
            self._watch(self._read, self.process.stderr, self.stderr, "!")
        self._watch(self._wait_for_end)

    def joins(self, story: Story, failure: Callable[[str, Seen, str], Exception]) -> None:
        """Go on in this story, with what happened up to now; `failure` makes its failures."""
        with self._changed:
            story.events += self.story.events
            self.story = story
        self._failure = failure

    @property
    def pid(self) -> int:
        """Its process, whatever is around it."""
        return self._box.process_of(self.process.pid)

    # What it does, as the others see it.

    def waits_until(self, condition: Callable[[], bool], patience: float) -> bool:
        """Wait until `condition` holds, which only its output or its end can change."""
        with self._changed:
            return self._changed.wait_for(condition, patience)

    def is_ready(self, within: float) -> bool:
        """Wait until it says that it can be reached, or has ended; tell whether it said so."""
        self.waits_until(lambda: self.ready_at is not None or self.over, within)
        return self.ready_at is not None

    def has_ended(self, within: float) -> bool:
        """Wait until it has ended and all that it printed has been read."""
        return self.waits_until(lambda: self.over, within)

    def has_stopped(self, within: float) -> bool:
        """Wait until it has ended."""
        return self.waits_until(lambda: self.exit_code is not None, within)

    @property
    def over(self) -> bool:
        """Whether it has ended and all that it printed has been read."""
        return self.exit_code is not None and self.stdout.ended and self.stderr.ended

    @property
    def ready_at(self) -> tuple[str, int] | None:
        """The host, as it was printed, and the port of its ready line."""
        return next(
            (
                (match[1], int(match[2]))
                for line in self.stdout.lines
                if (match := _READY.search(line))
            ),
            None,
        )

    def places(self) -> list[Place]:
        """Return where it stands now, or where it was when an exception ended it."""
        if self.exit_code is None and self.todo is None:
            return whereabouts.ask(self.pid, self._answers, self.tree.root.resolve())
        return self.crashed_at()

    def crashed_at(self) -> list[Place]:
        """Return where the last exception that it told of came up, or the first TODO."""
        text = self.stderr.text
        first = _TODO.search(text)
        root = self.tree.root.resolve()
        return whereabouts.of_traceback(text[: first.end()] if first else text, root)

    def measured(self, measure: Callable[[int], int]) -> int:
        """Return what `kit.system` measures of its process, for which it has to live."""
        try:
            return measure(self.pid)
        except OSError:
            seen = Seen("ended", f"{self.name} goes on", "it has ended")
            raise self._failure(f"{self.name} ended while it was watched", seen, "") from None

    def exception(self) -> str:
        """Return what the last traceback that it printed ends with, if it printed one."""
        told = _TRACEBACK.findall(self.stderr.text)
        return told[-1] if told else ""

    def lived(self) -> float:
        """Return how many seconds passed from its start to its end, or up to now."""
        return (self._ended_at or time.monotonic()) - self._started_at

    def prints(self, line: str, hint: str = "") -> None:
        """Wait until it prints this as a line of its own; other lines may stand before it."""
        alone = "the text alone on a line of its own: no label, no prompt, decode() bytes"
        self.comes_to(lambda printed: printed == line, line, hint, alone)

    def shows(self, *texts: str, hint: str = "") -> str:
        """Wait until it prints a line with all these texts in it, and return that line.

        Other lines may stand before it.
        """
        return self.comes_to(
            lambda line: all(text in line for text in texts), f"… {' … '.join(texts)} …", hint
        )

    def comes_to(
        self, fits: Callable[[str], bool], expected: str, hint: str = "", otherwise: str = ""
    ) -> str:
        """Wait for the next line on stdout that fits, go past it, and return it.

        `otherwise` is the likely cause when it came with something else around it, `hint` that of
        anything else.
        """

        def found() -> int | None:
            lines = self.stdout.lines
            return next((at for at in range(self._looked_at, len(lines)) if fits(lines[at])), None)

        self.waits_until(
            lambda: found() is not None or self.over or self.todo is not None, PATIENCE
        )
        if (at := found()) is not None:
            self._looked_at = at + 1
            return self.stdout.lines[at]
        since = self.stdout.lines[self._looked_at :]
        told = [*(since or ["nothing on stdout"]), *self.stderr.lines]
        seen = Seen("silence", _cut(expected), "\n".join(map(_cut, told)))
        cause = otherwise if otherwise and any(expected in line for line in since) else hint
        raise self._failure(f"{self.name} did not print the line that was expected", seen, cause)

    def logs(self, *texts: str) -> None:
        """Wait until it prints a line with all these texts in it, on whichever stream."""

        def logged() -> bool:
            lines = [*self.stdout.lines, *self.stderr.lines]
            return any(all(text in line for text in texts) for line in lines)

        if not self.waits_until(lambda: logged() or self.over, PATIENCE) or not logged():
            seen = Seen("told", " … ".join(texts), self.stdout.text + self.stderr.text)
            raise self._failure(f"{self.name} did not log what was expected", seen, "")

    def succeeds(self, within: float = PATIENCE) -> None:
        """Wait until it ends with exit code 0."""
        self.has_stopped(within)
        if self.exit_code == 0:
            return
        how = "it runs on" if self.exit_code is None else ended(self.exit_code)
        seen = Seen(
            "silence" if self.exit_code is None else "told", "it ends with exit code 0", how
        )
        raise self._failure(f"{self.name} did not end with exit code 0", seen, "")

    # What is done to it.

    def types(self, text: str) -> None:
        """Write to its stdin; a program that has closed it, or never reads, misses the text."""
        self.story.tell(self.name, "--", f"is typed {_cut(text)!r}")
        self._watch(self._write, text.encode())

    def ends_input(self) -> None:
        """Close its stdin, as Ctrl+D does, when all that was typed has been taken."""
        self.story.tell(self.name, "--", "is told that the input ends")
        self._watch(self._write, b"")

    def is_told_to_stop(self, signal_name: str, limit: float) -> bool:
        """Send SIGINT (as Ctrl+C does) or SIGTERM; tell whether it has ended within `limit` s.

        A signal that comes just before a program begins to wait wakes nobody, in any Python
        program: so it is sent when the program sleeps, or where nobody can see that, twice.
        """
        self._waits_until_it_sleeps()
        self.story.tell(self.name, "--", f"is sent {signal_name}")
        self._send(signal_name)
        if system.processor_time(self.pid) is None:  # nothing told us whether it slept
            if self.has_stopped(within=SECOND_SIGNAL):
                return True
            self._send(signal_name)
        return self.has_stopped(within=limit)

    def close(self) -> None:
        """End it and all that it started."""
        system.end_tree(self.process)
        self.has_ended(within=2.0)
        for end in (self.bell, self._ringer):
            end.close()
        if self._keyboard:
            self._watch(self._write, b"")

    # Inside.

    def _send(self, signal_name: str) -> None:
        try:
            if system.WINDOWS:
                self.process.send_signal(getattr(signal, "CTRL_BREAK_EVENT"))  # noqa: B009
            elif signal_name == "SIGINT":
                os.killpg(os.getpgid(self.pid), signal.SIGINT)  # a terminal tells the whole group
            elif self.process.poll() is None:
                os.kill(self.pid, getattr(signal, signal_name))
        except (ProcessLookupError, PermissionError):
            pass  # it has ended by itself: that is what the caller looks at

    def _waits_until_it_sleeps(self) -> None:
        """Wait until it waits itself, 1 s at most: the moment before a call does not count."""
        deadline = time.monotonic() + 1.0
        worked = -1.0
        while time.monotonic() < deadline and self.exit_code is None:
            now = system.processor_time(self.pid)
            if now is None or (now == worked and system.sleeping(self.pid)):
                return
            worked = now
            self.has_stopped(within=0.005)

    def _write(self, data: bytes) -> None:
        """Write in a thread of its own: a program that does not read must not hold us up."""
        assert self._keyboard
        with self._typing:
            try:
                if data:
                    self._keyboard.write(data)
                    self._keyboard.flush()
                else:
                    self._keyboard.close()
            except (OSError, ValueError):  # broken pipe; Windows: invalid argument; closed by us
                self.story.tell(self.name, "--", "did not take it: its stdin is closed")

    def _watch(self, target: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=target, args=arguments, daemon=True).start()

    def _read(self, stream: IO[bytes], output: Output, mark: Mark) -> None:
        with stream:
            while True:
                try:
                    data = os.read(stream.fileno(), 65_536)
                except OSError:  # Linux: the other side of a terminal is closed (man 4 pts)
                    data = b""
                with self._changed:
                    for line in output.feed(data):
                        if 'File "<frozen ' not in line:  # that is how Python itself begins
                            self.story.tell(self.name, mark, line[:TOLD_LINE])
                        if output is self.stderr and (gap := _TODO.match(line)):
                            self.todo = self.todo or int(gap[1])  # the first of several
                            self._ring()
                    self._changed.notify_all()
                if not data:
                    return

    def _wait_for_end(self) -> None:
        exit_code = self._box.exit_code(self.process.wait())
        with self._changed:
            self.exit_code, self._ended_at = exit_code, time.monotonic()
            self.story.tell(self.name, "--", ended(exit_code))
            self._ring()
            self._changed.notify_all()

    def _ring(self) -> None:
        try:
            self._ringer.send(b"!")
        except OSError:  # closed: nobody listens any more
            pass


def ended(exit_code: int) -> str:
    """Say how a program ended; POSIX gives the signal that did it as a negative number."""
    if exit_code < 0:
        names = {number.value: number.name for number in signal.Signals}
        return f"is ended by {names.get(-exit_code, f'signal {-exit_code}')}"
    return f"ends with exit code {exit_code}"


def _cut(line: str) -> str:
    return line if len(line) <= TOLD_WORD else f"{line[:TOLD_WORD]}… ({len(line):,} characters)"


def _as_typed(words: list[str]) -> str:
    def typed(word: str) -> str:
        short = word if len(word) <= TOLD_WORD else f"{word[:TOLD_WORD]}…"
        return short if short.isprintable() and short and " " not in short else repr(short)

    return " ".join(typed(word) for word in words)
