"""Where a program stands: asked from outside while it lives, read from its traceback when it died.

On POSIX `faulthandler` answers a signal, on Windows it writes every half second; both into a file
that `inside/sitecustomize.py` opened in the program. See the documentation of `faulthandler`.
"""

import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

INSIDE = Path(__file__).with_name("inside")
VARIABLE = "SOCKET_LABS_WHEREABOUTS"
PATIENCE = 1.0  # seconds for an answer; without one the message lacks a line, no more
SHOWN_PLACES = 3
MOST_ANSWER = 1_000_000  # bytes; a program may write more there than we want to read
GIVEN = 2  # parts in the path of a file that all labs share, labs/frame.py

_LINE = re.compile(r'^ *File "(?P<file>.+)", line (?P<line>\d+)(?:,? in (?P<function>.+))?$')


@dataclass(frozen=True)
class Place:
    """A line of the student's code; `file` is relative to the tree's root, with slashes.

    `in_main` tells whether the main thread stands there.
    """

    file: str
    line: int
    function: str
    source: str
    in_main: bool = False

    def __str__(self) -> str:
        function = f" in {self.function}" if self.function else ""
        return f"{self.file}:{self.line}{function}: {self.source}"


def ask(pid: int, answers: Path, root: Path) -> list[Place]:
    """Return where each thread of the living program `pid` stands, the same place once."""
    if hasattr(signal, "SIGUSR1"):
        heard = _size(answers)
        if not heard:
            return []  # it has not come to its first line yet: the signal would end it
        try:
            os.kill(pid, signal.SIGUSR1)
        except ProcessLookupError:  # it has ended meanwhile
            return []
        text = _settled(answers, heard)
    else:
        text = _settled(answers, 0).rpartition("Timeout (")[2]
    places: list[Place] = []
    *others, main = re.split(r"^(?:Current thread|Thread) .*$", text, flags=re.MULTILINE)
    for thread in others:
        innermost = next(_places(thread, root), None)
        if innermost and innermost not in places:
            places.append(innermost)
    if innermost := next(_places(main, root), None):
        places = [place for place in places if place != innermost]
        places.append(replace(innermost, in_main=True))
    return places[-SHOWN_PLACES:]


def of_traceback(text: str, root: Path) -> list[Place]:
    """Return the innermost place in the student's own files that the last traceback names."""
    last = text[text.rfind("Traceback (most recent call last)") :] if "Traceback" in text else text
    places = [place for place in _places(last, root) if place.source]
    return places[-1:]  # a traceback names the innermost call last


def _places(text: str, root: Path) -> Iterator[Place]:
    # faulthandler writes what is not ASCII as \xNN and \uNNNN, a traceback writes it as it is.
    prefixes = (f"{root}{os.sep}", f"{root}{os.sep}".encode("ascii", "backslashreplace").decode())
    given = None
    for line in text.splitlines():
        match = _LINE.match(line)
        prefix = next((p for p in prefixes if match and match["file"].startswith(p)), None)
        if not match or not prefix:
            continue
        file = match["file"].removeprefix(prefix)
        place = Place(
            file.replace(os.sep, "/"),
            int(match["line"]),
            (match["function"] or "").strip(),
            _source(root / file, int(match["line"]), root),
        )
        if len(Path(file).parts) == GIVEN:
            given = place  # not the student's own file: told only when there is no other
        else:
            yield place
            given = None
    if given:
        yield given


def text_of(file: Path, root: Path) -> str:
    """Return the text of a file of the tree, "" for any other: a program may make links to it."""
    try:
        real = file.resolve()
        if not real.is_relative_to(root) or "__pycache__" in real.parts or not real.is_file():
            return ""
        return real.read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return ""


def _source(file: Path, line: int, root: Path) -> str:
    """Return a line of a file of the tree; a program may name any line."""
    lines = text_of(file, root).splitlines()
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _settled(answers: Path, before: int) -> str:
    """Return what was written after byte `before`, once it no longer grows."""
    deadline = time.monotonic() + PATIENCE
    size = before
    while time.monotonic() < deadline:
        time.sleep(0.01)  # nothing tells us that the signal handler has written its last line
        now = _size(answers)
        if now == size > before:
            break
        size = now
    try:
        # Whatever the program has put in the place of its file: nothing here waits, or is a link.
        flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(answers, os.O_RDONLY | flags), "rb") as file:  # noqa: PTH123 - a Path takes no flags
            file.seek(before)
            return file.read(MOST_ANSWER).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
