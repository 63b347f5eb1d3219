"""What stands between a student's program and the verdict: the best that works here, said aloud."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from kit.box import Box

KINDS = ("auto", "bwrap", "limits", "none")
FIRST_USER = 60_600  # a user id that Debian's policy leaves to nobody; each job has its own
PROBE = 20.0  # seconds
NETWORK = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--die-with-parent", "--"]

LIMITS = "limits on memory, processor time, processes and file sizes"
BOXES = f"bubblewrap: each program in a box, each submission on a network of its own; {LIMITS}"


class ProtectionError(Exception):
    """The protection that was asked for cannot be had here; the text says why."""


@dataclass(frozen=True)
class Protection:
    """How submissions are run. `told` says it in the reports, `box` is a kind of `kit.box`."""

    told: str
    box: str = "none"
    limited: bool = True
    other_users: bool = False

    def around(self, words: list[str]) -> list[str]:
        """Return what starts the process that judges, on a network of its own where that works."""
        return [*NETWORK, *words] if self.box == "bwrap" else words

    def box_of(self, job: int) -> str:
        """Return the kind of box that job number `job` runs its programs in; see `kit.box`."""
        return f"{self.box}:{FIRST_USER + job}" if self.other_users else self.box


def choose(wanted: str, folder: Path) -> Protection:
    """Return the protection that was asked for, "auto" for the best that works in `folder`.

    Raises ProtectionError.
    """
    root = hasattr(os, "getuid") and os.getuid() == 0
    if wanted in ("auto", "bwrap"):
        trouble = _trouble_with_boxes(root, folder)
        if not trouble:
            told = f"{BOXES}; the programs run as another user" if root else BOXES
            return Protection(told, "bwrap", other_users=root)
        if wanted == "bwrap":
            raise ProtectionError(trouble)
    if wanted == "none":
        return Protection("none: the programs run as you, and can do what you can", limited=False)
    if sys.platform == "win32":
        told = "none but processes of their own: this system has no limits; they run as you"
        return Protection(told, limited=False)
    if root and not _trouble([], Box(f"user:{FIRST_USER}"), folder):
        told = f"another user, and {LIMITS}; one network for all, and files that all may read"
        return Protection(told, "user", other_users=True)
    told = f"{LIMITS} alone: against accidents, not against intent; the programs run as you"
    return Protection(told)


def _trouble_with_boxes(root: bool, folder: Path) -> str:
    """Say why bubblewrap does not work here, or "" if it does."""
    if not shutil.which("bwrap"):
        return "bwrap is not installed (Debian: bubblewrap)"
    box = Box(f"bwrap:{FIRST_USER}" if root else "bwrap", [folder])
    return _trouble(NETWORK, box, folder)


def _trouble(outside: list[str], box: Box, folder: Path) -> str:
    """Say what is wrong with a program that is started in this way, or "" if it works."""
    words = [*outside, *box.command([sys.executable, "-c", "import socket"], folder)]
    try:
        run = subprocess.run(
            words,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=PROBE,
            check=False,
            **box.identity(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{words[0]} does not work here: {error}"
    return f"{words[0]} does not work here: {run.stderr.strip()}" if run.returncode else ""
