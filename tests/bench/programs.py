"""Other programs: which are there, how one is started and ended, and a room for their files."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kit import system
from kit.ports import free_port

ROOT = Path(__file__).parents[2]
MEMORY = Path("/dev/shm")  # on Linux files here are in memory: no disk is measured
SPARE = 100_000_000  # bytes that stay free where the files are
PATIENCE = 20.0  # seconds until a server is ready
LIMIT = 300.0  # seconds until a client is done
TRIES = 5  # ports: a free one may be taken before the server gets it

Output = int | IO[bytes]
Process = subprocess.Popen[bytes]


class Broken(Exception):
    """A program did not do its work; the text is one line for people."""


@dataclass(frozen=True)
class Peer:
    """A program to compare with: its command, and the Debian package to install."""

    command: str
    package: str

    @property
    def path(self) -> str | None:
        """Where it is on this machine, None if it is not installed."""
        folders = [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]
        return shutil.which(self.command, path=os.pathsep.join(folders))

    @property
    def missing(self) -> str:
        """A line that says what to install, empty if it is there."""
        told = f"  not measured: {self.command} is missing (Debian package {self.package})\n"
        return "" if self.path else told


def python(*words: str) -> list[str]:
    """Return the command that runs a module with this very Python: `python -m WORDS`."""
    return [sys.executable, "-m", *words]


@contextmanager
def started(command: list[str], **streams: Output) -> Iterator[Process]:
    """Start a program in the project's root; nothing of it lives longer than this block."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}"},
        start_new_session=os.name == "posix",
        **({"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL} | streams),  # type: ignore[call-overload]
    ) as process:
        try:
            yield process
        finally:
            _end(process)


@contextmanager
def serving(
    command: Callable[[int], list[str]], ready: str, **streams: Output
) -> Iterator[tuple[int, Process]]:
    """Start a server at a free port; give the port and the process when it can be reached.

    `command` makes the command for a port. A line with the pattern `ready` says that it can be
    reached, on stderr, or on stdout unless `streams` has that go elsewhere.
    """
    last = ""
    for _ in range(TRIES):
        port = free_port()
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | streams
        with started(command(port), **pipes) as process:
            stream = process.stdout or process.stderr
            assert stream
            with _deadline(process, PATIENCE):
                while (line := stream.readline()) and not re.search(ready.encode(), line):
                    last = line.decode("utf-8", "replace").strip()
            if not line:
                continue
            reader = threading.Thread(target=stream.read)  # it never waits for us
            reader.start()
            try:
                yield port, process
            finally:
                _end(process)
                reader.join()
            return
    raise Broken(f"{command(0)} does not serve: {last}")


def run(command: list[str], **streams: Output) -> float:
    """Run a program to its end and return how many seconds that took."""
    began = time.perf_counter()
    with started(command, **streams) as process:
        finish(process)
    return time.perf_counter() - began


def finish(process: Process) -> None:
    """Wait until a program ends by itself. Raises Broken if it fails or takes for ever."""
    with _deadline(process, LIMIT):  # wait(timeout) would look only now and then
        code = process.wait()
    if code:
        raise Broken(f"{process.args!r} ended with exit code {code}")


@contextmanager
def room(size: int) -> Iterator[Path]:
    """Give a folder for `size` bytes of files, in memory where that can be, and say where it is.

    It is removed at the end, with all that is in it.
    """
    needed = size + SPARE
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= needed
    parent = MEMORY if in_memory else Path(tempfile.gettempdir())
    print(f"  files in {parent} ({'memory' if in_memory else 'maybe a disk'})", flush=True)
    if (free := shutil.disk_usage(parent).free) < needed:
        raise Broken(f"{parent} has {free:,} bytes free; {needed:,} are needed")
    with tempfile.TemporaryDirectory(prefix="socket-labs-bench-", dir=parent) as folder:
        yield Path(folder)


@contextmanager
def _deadline(process: Process, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, system.end_tree, [process])
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(process: Process) -> None:
    if process.returncode is None:  # else its number may be somebody else's by now
        system.end_tree(process)
