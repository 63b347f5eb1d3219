"""The walls around a program under test, for instructors who run the programs of others.

    none            as whoever runs the suite
    user:UID        as another user, where root runs the suite
    bwrap[:UID]     in a box of bubblewrap: it sees Python, its own lab and its own folder, no other
                    file and no other process; with UID also as another user

A student's own run needs none of this. See man 1 bwrap and man 1 setpriv.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kit import system

# What programs need of the system to run at all; what a system does not have is left out.
SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc")
NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--new-session")
CHANGE_USER = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
BY_A_SIGNAL = 128  # so a box says that a signal ended its program (man 1 bash, EXIT STATUS)


class BoxError(Exception):
    """A kind of box that does not exist; the text says so."""


class Box:
    """How programs are started, and which process is theirs then.

    `kind` is one of those above; a program may read the folders `seen` and write to `written`.
    """

    def __init__(
        self, kind: str = "none", seen: Sequence[Path] = (), written: Sequence[Path] = ()
    ) -> None:
        name, _, user = kind.partition(":")
        if name not in ("none", "user", "bwrap") or not (user or "0").isdigit():
            raise BoxError(f"{kind!r} is none of: none, user:UID, bwrap, bwrap:UID")
        self.user = int(user) if user else None
        self.walls = name == "bwrap"
        self._seen, self._written = seen, written

    def gives(self, folder: Path) -> None:
        """Give a folder to the user that programs run as."""
        if self.user is not None and sys.platform != "win32":
            os.chown(folder, self.user, -1)
            folder.chmod(0o750)  # bubblewrap enters it without root's rights, as root's group

    def command(self, words: Sequence[str], cwd: Path) -> list[str]:
        """Return what starts `words` in the folder `cwd`."""
        if not self.walls:
            return [*words]
        box = ["bwrap", *NAMESPACES, "--die-with-parent", "--cap-drop", "ALL"]
        box += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
        for folder in map(Path, SYSTEM):
            if folder.is_symlink():
                box += ["--symlink", os.fspath(folder.readlink()), os.fspath(folder)]
            elif folder.exists():
                box += ["--ro-bind", os.fspath(folder), os.fspath(folder)]
        seen = (Path(sys.base_prefix), Path(sys.prefix), *self._seen)
        shown = (*seen, *self._written)
        for parent in sorted({parent for folder in shown for parent in folder.parents}):
            box += ["--perms", "0755", "--dir", os.fspath(parent)]  # else 0700
        for folder in seen:
            box += ["--ro-bind", os.fspath(folder), os.fspath(folder)]
        for folder in self._written:
            box += ["--bind", os.fspath(folder), os.fspath(folder)]
        for place in ("/tmp", "/dev", "/"):  # in memory, which nobody would count
            box += ["--remount-ro", place]
        box += ["--chdir", os.fspath(cwd)]
        if self.user is None:
            return [*box, "--", *words]
        who = (f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups")
        return [*box, *CHANGE_USER, "--", "setpriv", *who, "--no-new-privs", "--", *words]

    def identity(self) -> dict[str, Any]:
        """Return who the program runs as: arguments for subprocess.Popen."""
        if self.walls or self.user is None:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def process_of(self, pid: int) -> int:
        """Return the process of the program whose start made the process `pid`."""
        if self.walls:
            for _ in ("bubblewrap", "the first process of the box"):
                pid = next(iter(system.children(pid)), pid)
        return pid

    def exit_code(self, code: int) -> int:
        """Return the program's own exit code; on POSIX it is -N if signal N ended it."""
        by_a_signal = code - BY_A_SIGNAL in {number.value for number in signal.Signals}
        return BY_A_SIGNAL - code if self.walls and by_a_signal else code
