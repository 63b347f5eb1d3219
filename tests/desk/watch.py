"""Run a lab again at each save, and show the first thing to do: nox -s watch -- lab4.

Each run is a whole one, as the lab's own session runs it; nothing is remembered from run to run.

python -m desk.watch LAB COMMAND…      what runs the lab's suite
"""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from desk import kept, view
from desk.terminal import Terminal
from kit import modules, system

ROOT = Path(__file__).parents[2]
LOOK = 0.2  # seconds between two looks at the files: nothing tells of a save on every system
# What a run has started it ends itself when it is told to stop. On Linux it may take longer than
# that: what is left there becomes ours.
PATIENCE = 0.5 if system.LINUX else 10.0  # seconds


class Run:
    """A run of a lab's suite, which writes to our stdout, and its files into `folder`."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._form = folder / "result.json"
        self._process = subprocess.Popen(
            [*command, "--json", os.fspath(self._form)],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": os.fspath(folder)},
            stdin=subprocess.DEVNULL,
            start_new_session=not system.WINDOWS,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def ends(self) -> None:
        """End it, if it has not ended, with all that it has started."""
        if not self.is_over and not system.WINDOWS:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
        if not self.is_over:
            system.end_tree(self._process)
            self._process.wait()
        system.end_orphans()

    def results(self) -> list[dict[str, Any]]:
        """Return what came of it; nothing if pytest could not even begin."""
        try:
            return kept.read(self._form)
        except (FileNotFoundError, kept.KeptError):
            return []


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[Run]:
    """Run a suite inside the block; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="socket-labs-watch-"))
    try:
        run = Run(command, folder)
        try:
            yield run
        finally:
            run.ends()
    finally:
        system.remove(folder)


class Watch:
    """A lab that is run at each save, e.g. "lab4", whose folder is "lab4_chat"."""

    def __init__(self, lab: str, folder: str, command: Sequence[str], terminal: Terminal) -> None:
        self._lab, self._folder, self._command = lab, folder, command
        self._terminal = terminal

    def goes_on(self) -> None:
        """Return when q is typed. Raises EOFError if nobody can type any longer."""
        seen = self._look()
        while True:
            self._terminal.clears()
            self._says("begins")
            with running(self._command) as run:
                if not self._waits_for_a_save(run, seen):
                    return
            seen = self._look_when_all_is_saved()

    def _waits_for_a_save(self, run: Run, seen: modules.Look) -> bool:
        """Show what comes of the run; tell whether there was a save, or else q."""
        waits = True
        while self._terminal.key(LOOK) not in ("q", "Q"):
            if self._look() != seen:
                return True
            if waits and run.is_over:
                waits = False
                self._shows(run.results())
        return False

    def _look_when_all_is_saved(self) -> modules.Look:
        """Let an editor finish, which may take a file away and bring another for it."""
        seen = self._look()
        time.sleep(LOOK)
        while (now := self._look()) != seen:
            seen = now
            time.sleep(LOOK)
        return now

    def _look(self) -> modules.Look:
        return modules.look(ROOT / "labs", self._folder)

    def _shows(self, results: list[dict[str, Any]]) -> None:
        """Show the first thing to do; where the whole run stays to be seen, that is enough."""
        if self._terminal.is_screen and results:
            columns, rows = self._terminal.size
            self._terminal.clears()
            head, *rest = view.lines(results[0], columns, rows - 3)
            self._terminal.prints(head, bold=True)
            self._terminal.prints("\n".join([*rest, f"all of it: {kept.FOLDER}/{kept.REPORT}"]))
        ends = "q" if self._terminal.has_keys else "Ctrl+C"
        self._says(f"waits for a save in labs/{self._folder}; {ends} ends it")

    def _says(self, what: str) -> None:
        self._terminal.prints(f"{time.strftime('%H:%M:%S')}  {self._lab} {what}")


def folder_of(lab: str) -> str:
    """Return a lab's folder. Raises LookupError, which says in one line what is wrong."""
    folders = sorted(folder.name for folder in ROOT.glob("tests/lab[0-9]*_*"))
    found = [name for name in folders if name.partition("_")[0] == lab]
    if not found:
        known = ", ".join(name.partition("_")[0] for name in folders)
        wrong = f"{lab!r} is no lab;" if lab else "which lab?"
        raise LookupError(f"{wrong} say one of {known}")
    return found[0]


def main(arguments: Sequence[str]) -> int:
    """Watch a lab, and return the exit code."""
    lab, *command = arguments or [""]
    try:
        folder = folder_of(lab)
    except LookupError as error:
        print(f"[ERROR] {error.args[0]}", file=sys.stderr)
        return 2
    if any(word.partition("=")[0] == "--json" for word in command):
        print("[ERROR] watch needs --json for itself", file=sys.stderr)
        return 2
    prepare()
    with contextlib.suppress(KeyboardInterrupt, EOFError), Terminal() as terminal:
        if not terminal.has_keys:
            terminal.prints("stdin is no terminal, so q is not there; Ctrl+C ends it")
        Watch(lab, folder, command, terminal).goes_on()
    return 0


def prepare() -> None:
    """Let nothing outlive us, however we are told to stop, and nothing be too odd to be shown."""
    system.adopt_orphans()
    system.clear_up_when_told_to_stop()
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.default_int_handler)  # the terminal has been closed
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
