"""The tree under test: where the programs lie, and how one of them is started."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from kit import whereabouts

# What belongs to our own pytest run and is none of a program's business.
NOT_PASSED_ON = (
    "PYTEST_",
    "PYTHONDONTWRITEBYTECODE",  # else each start compiles the lab's modules again
    "PYTHONSAFEPATH",
    "PYTHONWARNINGS",
    "PYTHONUNBUFFERED",
    "NOX_",
    "COLUMNS",
    "LINES",
)

# Taken once: pytest changes a variable for each test, while other threads start programs.
INHERITED = {
    name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)
}


@dataclass(frozen=True)
class Tree:
    """A folder that holds `labs/` (a student's programs) or `solutions/` (the references)."""

    root: Path
    package: str

    def folder(self, lab: str) -> Path:
        """Return where a lab's programs lie, e.g. for "lab1_echo"."""
        return self.root / self.package / lab

    def words(self, lab: str, program: str, arguments: tuple[str, ...]) -> list[str]:
        """Return a command as a person would type it."""
        return ["python", "-m", f"{self.package}.{lab}.{program}", *arguments]

    def environment(self, buffered: bool, temporary: Path, answers: Path) -> dict[str, str]:
        """Return the environment variables of a program; its temporary files go to `temporary`.

        `buffered` leaves stdout as Python has it on a pipe: what is not flushed stays inside.
        """
        variables = {**INHERITED}
        variables["PYTHONPATH"] = os.pathsep.join([str(whereabouts.INSIDE), str(self.root)])
        variables["PYTHONUTF8"] = "1"
        variables["TMPDIR"] = str(temporary)  # removed with all in it when the suite ends
        variables["TERM"] = "xterm"  # what kit.terminal understands, should it get a terminal
        variables[whereabouts.VARIABLE] = str(answers)
        if not buffered:
            variables["PYTHONUNBUFFERED"] = "1"
        return variables


def command(words: list[str], stdin_closed: bool) -> list[str]:
    """Return what is really run for `words`: this very Python, on POSIX also without a stdin."""
    if stdin_closed and os.name == "posix":
        close = "import os, sys; os.close(0); os.execv(sys.argv[1], sys.argv[1:])"
        return [sys.executable, "-c", close, sys.executable, *words[1:]]
    return [sys.executable, *words[1:]]
