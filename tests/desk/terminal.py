"""The terminal that a watch stands on: keys without Enter, a clean screen, all as before after it.

Where stdin is no terminal there are no keys, and where stdout is none nothing is wiped out.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from types import TracebackType

from desk.lines import in_ascii, is_plain

if sys.platform == "win32":
    import ctypes
    import msvcrt
else:
    import select
    import termios
    import tty

CLEAR = "\x1b[2J\x1b[H"  # ECMA-48: ED, CUP
BOLD, USUAL = "\x1b[1m", "\x1b[m"  # SGR

_STDIN = 0
_BETWEEN_KEYS = 0.02  # seconds; Windows cannot wait for a key and the clock at once
_STD_OUTPUT_HANDLE, _MODES = -11, 1 | 2 | 4  # wincon.h: what is usual, and escape sequences


class Terminal:
    """Takes the terminal over inside a `with` block."""

    def __init__(self) -> None:
        self.has_keys = os.isatty(_STDIN)
        self.is_screen = sys.stdout.isatty()

    def __enter__(self) -> "Terminal":
        if sys.platform == "win32":
            kernel = ctypes.windll.kernel32
            kernel.SetConsoleMode(kernel.GetStdHandle(_STD_OUTPUT_HANDLE), _MODES)
        elif self.has_keys:
            self._saved = termios.tcgetattr(_STDIN)
            self._take_over()
            signal.signal(signal.SIGCONT, self._take_over)  # after Ctrl+Z and fg
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if sys.platform != "win32" and self.has_keys:
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
            with contextlib.suppress(termios.error):  # it has been closed
                termios.tcsetattr(_STDIN, termios.TCSADRAIN, self._saved)

    def _take_over(self, *_: object) -> None:
        if sys.platform != "win32":
            with contextlib.suppress(termios.error):  # a terminal that is closed says SIGCONT, too
                tty.setcbreak(_STDIN, termios.TCSADRAIN)

    def key(self, seconds: float) -> str:
        """Wait so long for a key and return it, "" if none came. Raises EOFError at the end."""
        if not self.has_keys:
            time.sleep(seconds)
            return ""
        if sys.platform == "win32":
            until = time.monotonic() + seconds
            while not msvcrt.kbhit():
                if time.monotonic() > until:
                    return ""
                time.sleep(_BETWEEN_KEYS)
            return msvcrt.getwch()
        if not select.select([_STDIN], [], [], seconds)[0]:
            return ""
        try:
            typed = os.read(_STDIN, 1)
        except OSError:  # it has been closed, as Linux says it
            typed = b""
        if not typed:
            raise EOFError
        return typed.decode("ascii", "replace")

    def clears(self) -> None:
        """Begin with an empty screen."""
        if self.is_screen:
            self.prints(CLEAR, end="")

    def prints(self, text: str, *, bold: bool = False, end: str = "\n") -> None:
        """Show a text at once, in the signs that there are here. Raises EOFError at the end."""
        if is_plain(sys.stdout):
            text = in_ascii(text)
        if bold and self.is_screen:
            text = f"{BOLD}{text}{USUAL}"
        try:
            print(text, end=end, flush=True)
        except OSError:
            raise EOFError from None

    @property
    def size(self) -> tuple[int, int]:
        """How many columns and rows there are now."""
        columns, rows = shutil.get_terminal_size()
        return columns, rows
