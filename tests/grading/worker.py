"""The process that judges one submission: it limits itself and what it starts, then it is pytest.

python -m grading.worker CORE LIMITED …      what pytest is to do
"""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

import pytest

MOST_MEMORY = 3 << 30  # bytes a process, all its threads' stacks included
MOST_FILE = 1 << 30  # bytes a file
MOST_TIME = 120  # seconds of computing a process
MOST_TASKS = 2_000  # processes and threads of one submission at once; a suite needs some 600

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def limit() -> None:
    """Limit what this process and its children may use; see man 2 setrlimit. Not on Windows."""
    if sys.platform == "win32":
        return
    import resource

    for what, most in (
        ("RLIMIT_DATA", MOST_MEMORY),
        ("RLIMIT_FSIZE", MOST_FILE),
        ("RLIMIT_CPU", MOST_TIME),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NPROC", _tasks_of(os.getuid()) + MOST_TASKS),
    ):
        number = getattr(resource, what)
        hard = resource.getrlimit(number)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(number, (most, most))


def _tasks_of(user: int) -> int:
    """Return how many tasks a user has, who is not root: root's do not count."""
    if not user:
        return 0
    tasks = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            if process.stat().st_uid == user:
                tasks += len(list((process / "task").iterdir()))
    return tasks


def live_no_longer_than_the_grader() -> None:
    """Be told to stop when the grader ends, however it does; on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        with contextlib.suppress(OSError):
            # If memory runs short, it is to end what we started, and not somebody else's work.
            Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def main() -> None:
    """Limit, and judge."""
    core, limited, *arguments = sys.argv[1:]
    live_no_longer_than_the_grader()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    if limited == "limited":
        limit()
    sys.exit(pytest.main(arguments))


if __name__ == "__main__":
    main()
