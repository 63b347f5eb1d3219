"""A line that is typed key by key on a terminal, below the lines that arrive."""

import codecs
import contextlib
import os
import shutil
import sys
import threading
import unicodedata
from collections.abc import Iterator

try:
    import termios
except ImportError:  # Windows
    termios = None


class Editor:
    """Draws the prompt and the typed text anew whenever something changes."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.prompt = ""
        self.typed = ""
        self.drawn = 0  # columns that prompt and text take now
        self.found = None

    def __enter__(self) -> "Editor":
        if termios:
            self.found = termios.tcgetattr(0)
            wanted = termios.tcgetattr(0)
            wanted[3] &= ~(termios.ECHO | termios.ICANON)
            wanted[6][termios.VMIN], wanted[6][termios.VTIME] = 1, 0
            termios.tcsetattr(0, termios.TCSADRAIN, wanted)
        else:
            os.system("")  # noqa: S605, S607 - lets the console obey what _erase() writes
        return self

    def __exit__(self, *_: object) -> None:
        with self.lock:
            if self.drawn:
                self._write("\n")
                self.drawn = 0
        if self.found:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(0, termios.TCSADRAIN, self.found)

    def show(self, text: str) -> None:
        """Put a line above what is being typed."""
        with self.lock:
            self._erase()
            self._write(f"{text}\n")
            self._draw()

    def says(self, prompt: str) -> None:
        with self.lock:
            self._erase()
            self.prompt = prompt
            self._draw()

    def lines(self) -> Iterator[str]:
        """Yield the lines that are typed, until the end of input."""
        for key in keys():
            with self.lock:
                if key in "\r\n":
                    line, self.typed, self.drawn = self.typed, "", 0
                    self._write("\n")
                elif key in "\4\x1a":  # Ctrl+D, and Ctrl+Z for Windows
                    if not self.typed:
                        return
                    continue
                else:
                    self._press(key)
                    continue
            yield line
            with self.lock:
                self._erase()
                self._draw()

    def _press(self, key: str) -> None:
        self._erase()
        if key in "\b\x7f":
            self.typed = self.typed[:-1]
        elif key == "\x15":  # Ctrl+U
            self.typed = ""
        elif key.isprintable():
            self.typed += key
        self._draw()

    def _draw(self) -> None:
        text = self.prompt + self.typed
        self.drawn = sum(2 if unicodedata.east_asian_width(c) in "FW" else 1 for c in text)
        self._write(text)

    def _erase(self) -> None:
        rows = (self.drawn - 1) // shutil.get_terminal_size().columns if self.drawn else 0
        self._write("\r" + "\x1b[A" * rows + "\x1b[J")
        self.drawn = 0

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def keys() -> Iterator[str]:
    """Yield the keys that are pressed, without those that are more than one character."""
    escape = ""
    for key in _keys():
        if key == "\x1b":
            escape = key
        elif escape:  # an arrow is ESC [ A, say
            escape += key
            if not (key in "[O;" or key.isdigit()):
                escape = ""
        else:
            yield key


def _keys() -> Iterator[str]:
    if termios:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with contextlib.suppress(OSError):  # the terminal is gone
            while piece := os.read(0, 1024):
                yield from decoder.decode(piece)
    else:
        import msvcrt

        while (key := msvcrt.getwch()) != "\x03":
            if key in "\0\xe0":  # an arrow or the like: its second half
                msvcrt.getwch()
            else:
                yield key
