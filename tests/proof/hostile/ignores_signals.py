"""Serves, and does not hear that it is to stop."""

import signal
from typing import Any


def ignore(number: int, _handler: Any) -> None:
    """Stand for signal.signal(), so that the frame cannot change it either."""
    _set(number, signal.SIG_IGN)


_set = signal.signal
for which in (signal.SIGINT, signal.SIGTERM):
    ignore(which, None)
signal.signal = ignore  # type: ignore[assignment]  # nobody sets them from now on
