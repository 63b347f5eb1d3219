"""Typing and showing at the same time. Given to you: it teaches nothing about sockets.

On a terminal the line that is being typed stays whole below whatever arrives; the keys are read one
by one, so this module edits the line itself. Elsewhere lines come in, lines go out.
"""

import codecs
import contextlib
import os
import queue
import re
import shutil
import signal
import sys
import threading
import unicodedata
from types import TracebackType

if sys.platform == "win32":
    import msvcrt

    def _windows_key() -> str:
        """Wait for a key, and return what it sends elsewhere."""
        key = msvcrt.getwch()
        if key in "\0\xe0":  # a key that is no character
            return _WINDOWS.get(msvcrt.getwch(), "\0")
        if "\ud800" <= key <= "\udbff":  # half of a character
            key += msvcrt.getwch()
        return key.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

else:
    import termios
    import tty

SLICE = 0.5  # seconds: on Windows Ctrl+C does not interrupt a longer wait

# What keys send, one by one: a sequence that begins with escape, or a character.
_KEY = re.compile(r"\x1b\[[0-9;]*[@-~]|\x1bO.|\x1b[^\[O]|[^\x1b]", re.DOTALL)
_LEFT, _RIGHT, _UP, _DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
_HOME, _END, _DELETE = "\x1b[H", "\x1b[F", "\x1b[3~"
_SAME = {"\x01": _HOME, "\x05": _END, "\x02": _LEFT, "\x06": _RIGHT, "\x10": _UP, "\x0e": _DOWN}
_SAME |= {f"\x1bO{last}": f"\x1b[{last}" for last in "ABCDHF"} | {"\x1b[1~": _HOME, "\x1b[4~": _END}
_WINDOWS = dict(zip("KMHPGOS", (_LEFT, _RIGHT, _UP, _DOWN, _HOME, _END, _DELETE), strict=True))


class Ended(Exception):
    """Another thread has ended the reading."""


class Terminal:
    """What the user types, and what the user is shown. A context manager; any thread may `show`."""

    def __init__(self) -> None:
        streams = (sys.stdin, sys.stdout)
        self.is_terminal = all(stream is not None and stream.isatty() for stream in streams)
        self._typed: queue.SimpleQueue[str | None] = queue.SimpleQueue()  # "" is the end of input
        self._keys = ""  # typed, but not looked at
        self._drawing = threading.RLock()  # held by whoever writes, or changes what follows
        self._prompt = ""
        self._line, self._at = "", 0  # what is being typed, and where the cursor stands in it
        self._reading = False
        self._history: list[str] = []
        self._back = 0  # how far the user has gone back in it

    def __enter__(self) -> "Terminal":
        if self.is_terminal and sys.platform != "win32":
            self._saved = termios.tcgetattr(sys.stdin)
            self._take_over()
            signal.signal(signal.SIGCONT, self._take_over)  # after Ctrl+Z and fg
        threading.Thread(target=self._read_keyboard, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.is_terminal and self._reading:
            self._write("\n")
        if self.is_terminal and sys.platform != "win32":
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._saved)

    def read(self) -> str:
        """Wait for a line, and return it. Raises EOFError at its end, and Ended after `end`."""
        with self._drawing:
            self._reading = True
            self._draw()
        while (line := self._edited_line() if self.is_terminal else self._next_line()) is None:
            self._keys += self._next_piece()
        return line

    def show(self, text: str) -> None:
        """Show a line at once, above the one that is being typed."""
        with self._drawing:
            self._clear()
            self._write(f"{text}\n")
            self._draw()

    def prompt(self, text: str) -> None:
        """Let this stand before what is being typed, if this is a terminal."""
        with self._drawing:
            self._prompt = text
            self._draw()

    def end(self) -> None:
        """Let `read` raise Ended, now and from now on."""
        self._typed.put(None)

    def _take_over(self, *_: object) -> None:
        """Get keys from the terminal, not lines, and let nobody else show them."""
        if sys.platform != "win32":
            tty.setcbreak(sys.stdin, termios.TCSADRAIN)
            with self._drawing:
                self._draw()

    # What is typed.

    def _read_keyboard(self) -> None:
        """Pass on what is typed, piece by piece, for ever: nothing can interrupt this."""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        piece = b""
        with contextlib.suppress(OSError):  # the terminal has been closed
            if sys.platform == "win32":
                while self.is_terminal:
                    self._typed.put(_windows_key())
            while sys.stdin is not None and (piece := os.read(sys.stdin.fileno(), 65_536)):
                self._typed.put(decoder.decode(piece))
        self._typed.put("")

    def _next_piece(self) -> str:
        piece: str | None = None
        while True:
            with contextlib.suppress(queue.Empty):
                piece = self._typed.get(timeout=SLICE)
                break
        if not piece:
            self._typed.put(piece)
            if piece is None:
                raise Ended
            if not self._keys or self.is_terminal:
                raise EOFError
            return "\n"  # the last line has no end
        return piece

    def _next_line(self) -> str | None:
        line, end, rest = self._keys.partition("\n")
        if not end:
            return None
        self._keys = rest
        return line

    def _edited_line(self) -> str | None:
        with self._drawing:
            while key := _KEY.match(self._keys):
                self._keys = self._keys[key.end() :]
                if key[0] in "\r\n":
                    return self._finished()
                self._press(_SAME.get(key[0], key[0]))
            self._draw()
        return None

    def _finished(self) -> str:
        line = self._line
        self._clear()
        self._write(f"{self._prompt}{line}\n")
        self._line, self._at, self._back, self._reading = "", 0, 0, False
        if line:
            self._history.append(line)
        return line

    def _press(self, key: str) -> None:
        before, after = self._line[: self._at], self._line[self._at :]
        if key == "\x03":  # Ctrl+C, on Windows; elsewhere it is a signal
            raise KeyboardInterrupt
        if key == "\x04" and not self._line:  # Ctrl+D
            raise EOFError
        if key in "\x7f\b":
            before = before[:-1]
        elif key in (_DELETE, "\x04"):
            after = after[1:]
        elif key == _LEFT:
            before, after = before[:-1], before[-1:] + after
        elif key == _RIGHT:
            before, after = before + after[:1], after[1:]
        elif key == _HOME:
            before, after = "", before + after
        elif key == _END:
            before, after = before + after, ""
        elif key in (_UP, _DOWN):
            before, after = self._recalled(1 if key == _UP else -1), ""
        elif key == "\x15":  # Ctrl+U
            before = ""
        elif key == "\x0b":  # Ctrl+K
            after = ""
        elif key == "\x17":  # Ctrl+W
            before = before.rstrip().rpartition(" ")[0]
        elif key == "\t" or unicodedata.category(key[0]) != "Cc":
            before += " " if key == "\t" else key
        self._line, self._at = before + after, len(before)

    def _recalled(self, step: int) -> str:
        self._back = min(max(self._back + step, 0), len(self._history))
        return self._history[-self._back] if self._back else ""

    # What is shown. The line being typed takes one row, whatever its length: the part around the
    # cursor is drawn. Spaces wipe out and backspaces go back, which every terminal understands.

    def _draw(self) -> None:
        if not (self.is_terminal and self._reading):
            return
        columns = _columns()
        prompt = _fitting(self._prompt, columns // 2)
        room = columns - _width(prompt)
        before = _fitting(self._line[: self._at][::-1], room)[::-1]
        after = _fitting(self._line[self._at :], room - _width(before))
        rest = room - _width(before) - _width(after)
        back = "\b" * (rest + _width(after))
        self._write(f"\r{prompt}{before}{after}{' ' * rest}{back}")

    def _clear(self) -> None:
        if self.is_terminal and self._reading:
            self._write(f"\r{' ' * _columns()}\r")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _columns() -> int:
    return max(shutil.get_terminal_size().columns - 1, 1)  # the last one would wrap


def _width(text: str) -> int:
    """Return how many columns a text takes: two for a Japanese character, none for an accent."""
    return sum(map(_columns_of, text))


def _columns_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):  # marks, joiners
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _fitting(text: str, room: int) -> str:
    """Return the beginning of a text that fits into this many columns."""
    end = 0
    for char in text:
        room -= _width(char)
        if room < 0:
            break
        end += 1
    return text[:end]
