"""What the system knows of a process: Linux tells it in /proc (man 5 proc), others do not.

Where the answer is not to be had, a function returns None, or raises NotRun where a check is
about nothing else.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

from kit.failure import NotRun

PROC = Path("/proc")
LINUX = sys.platform == "linux"
WINDOWS = sys.platform == "win32"

# What a check that watches a process from outside says where it cannot.
NEEDS_LINUX = "this system does not show a program's descriptors, threads and memory; Linux does"

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt_orphans() -> None:
    """Become the parent of what our programs leave behind, so that `end_orphans` finds it."""
    if LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def clear_up_when_told_to_stop() -> None:
    """Let SIGTERM end this run as Ctrl+C does, so that no program outlives it.

    It also lets programs start with SIGINT as usual when we run in the background: a shell starts
    what runs there with SIGINT ignored, that is inherited, and a signal with a handler is back at
    its default in a new program (man 2 execve).
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a program started as the leader of its own group or session, with all in that group."""
    if WINDOWS:
        command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(command, capture_output=True, check=False, timeout=10)
        if process.poll() is None:
            process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # gone; macOS says the second of a dead group
        pass


def end_orphans() -> int:
    """End what programs left behind that took itself out of their groups; return how many.

    To be called when none of our own programs lives. Linux only: elsewhere nothing tells whose
    they were.
    """
    ended = 0
    while orphans := children():
        for pid in orphans:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
            ended += 1
    return ended


def entries(folder: Path) -> int:
    """Return how many entries a folder has; a program may have removed its own."""
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:
        return 0


def write(file: Path, content: bytes | str) -> None:
    """Write a file whole or not at all; texts as UTF-8, with "?" for what is none in a name."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    partial = file.with_name(f"{file.name}.part")
    partial.write_bytes(data)
    partial.replace(file)


def remove(folder: Path) -> None:
    """Remove a folder that programs could write to, with all in it; what cannot be, stays.

    Folders may be nested deeper than shutil.rmtree() can follow, or closed to everybody.
    """
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists() and not WINDOWS:
        for words in (["chmod", "-R", "--", "u+rwx"], ["rm", "-rf", "--"]):
            subprocess.run([*words, folder], capture_output=True, check=False)


def terminal() -> tuple[int, int]:
    """Open a pseudo-terminal of 80 by 24: return our end, and the one for a program."""
    if sys.platform == "win32":
        raise NotRun("this system has no pseudo-terminals")
    import fcntl
    import termios

    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return ours, its


def sleeping(pid: int) -> bool | None:
    """Tell whether every thread of the process waits for something."""
    if not LINUX:
        return None
    try:
        threads = list((PROC / str(pid) / "task").iterdir())
        states = [(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in threads]
    except OSError:
        return None
    return all(state == "S" for state in states)


def processor_time(pid: int) -> float | None:
    """Return the seconds that the threads of the process have computed, on all cores."""
    if not LINUX:
        return None
    try:
        threads = list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return None
    times = [_text(thread / "schedstat").split() for thread in threads]
    return sum(int(words[0]) for words in times if words) / 1e9  # none: it has just ended


def descriptors(pid: int) -> int:
    """Return how many descriptors (files, sockets, pipes) the process has open."""
    _linux_only()
    return len(list((PROC / str(pid) / "fd").iterdir()))


def limit_descriptors(pid: int, more: int) -> int:
    """Let the process open only so many descriptors more than now; return how many in all."""
    if sys.platform != "linux":
        raise NotRun(NEEDS_LINUX)
    import resource

    count = descriptors(pid) + more
    try:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, count))
    except PermissionError:  # it is another user's, and we are a root without all rights
        words = ["prlimit", f"--pid={pid}", f"--nofile={count}:{count}"]
        owner = (PROC / str(pid)).stat()
        subprocess.run(words, user=owner.st_uid, group=owner.st_gid, check=True)
    return count


def threads(pid: int) -> int:
    """Return how many threads the process has."""
    return _status(pid, "Threads")


def memory(pid: int) -> int:
    """Return how many bytes of memory the process uses now (the resident set)."""
    return _status(pid, "VmRSS") * 1024


def share_of_memory(pid: int) -> int:
    """Return how many bytes of memory the process uses; what several share is divided by them."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):  # we may not see it, or the system does not tell
        return memory(pid)


def peak_memory(pid: int) -> int:
    """Return the most bytes of memory that the process has used at once up to now."""
    return _status(pid, "VmHWM") * 1024


def owner_of_port(port: int, protocol: str) -> str | None:
    """Return "command (process 123)" of who holds a port on this machine; protocol: tcp or udp."""
    if not LINUX:
        return None
    table = (PROC / "net" / protocol).read_text().splitlines()[1:]
    rows = [row.split() for row in table]
    inodes = {f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], 16) == port}
    for process in PROC.glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                return f"{' '.join(words).strip()} (process {process.name})"
        except OSError:  # it ended, or it is somebody else's
            continue
    return None


def _status(pid: int, field: str) -> int:
    _linux_only()
    status = (PROC / str(pid) / "status").read_text()
    for line in status.splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid, "it has just ended")


def children(pid: int | str = "self") -> list[int]:
    """Return the processes that a process has started, and those that it has adopted."""
    if not LINUX:
        return []
    try:
        threads = list((PROC / str(pid) / "task").iterdir())
    except OSError:
        return []
    return [int(child) for thread in threads for child in _text(thread / "children").split()]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # a thread that has ended meanwhile
        return ""


def _linux_only() -> None:
    if not LINUX:
        raise NotRun(NEEDS_LINUX)
