"""Lab 3: a progress bar. Given to you: it teaches nothing about sockets."""

import shutil
import sys
import time
from types import TracebackType

REDRAWN = 0.1  # seconds between two pictures of the bar
WIDTH = 20  # characters of the bar itself


class Progress:
    """A bar on stderr, if that is a terminal: how much is done of `size` bytes, how fast.

    A context manager: when the block is left, the line of the bar is empty again.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name, self._size, self._done = name, size, 0
        self._began = self._drawn = time.monotonic()
        self._shown = sys.stderr is not None and sys.stderr.isatty()

    def __enter__(self) -> "Progress":
        self._draw()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._write("")

    def advance(self, count: int) -> None:
        """Count `count` more bytes as done."""
        self._done += count
        if time.monotonic() >= self._drawn + REDRAWN:
            self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        took = self._drawn - self._began
        rate = self._done / took if took else 0.0
        left = (self._size - self._done) / rate if rate else 0.0
        share = self._done / self._size if self._size else 1.0
        bar = "#" * int(share * WIDTH)
        self._write(
            f"{share:4.0%} [{bar:<{WIDTH}}] {_amount(self._done)} of {_amount(self._size)}, "
            f"{_amount(rate)}/s, {int(left) // 60}:{int(left) % 60:02} left  {self._name}"
        )

    def _write(self, text: str) -> None:
        """Put this text in the place of the line, one column narrower so that it never wraps."""
        if self._shown:
            columns = (shutil.get_terminal_size().columns or 80) - 1  # a terminal may not know
            wide = "".join(c if c.isprintable() else "?" for c in text)
            while (
                len(wide) + sum(ord(c) > 0x10FF for c in wide) > columns
            ):  # wide characters take two
                wide = wide[:-1]
            sys.stderr.write(f"\r{' ' * columns}\r{wide}")
            sys.stderr.flush()


def _amount(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError
