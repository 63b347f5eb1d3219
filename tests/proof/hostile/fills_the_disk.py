"""Writes files without end, wherever it may write."""

import contextlib
import os
from itertools import count
from pathlib import Path

own = Path(os.environ["SOCKET_LABS_WHEREABOUTS"]).parent
cache = Path(__file__).with_name("__pycache__")
for number in count():
    for place in (own, cache, Path("/tmp"), Path("/dev/shm"), Path("/dev"), Path("/")):
        with contextlib.suppress(OSError), (place / f"full-{number}").open("wb") as file:
            while True:
                file.write(bytes(10_000_000))
