"""The keyboard and the screen: what is typed, line by line, and what is shown meanwhile."""

import asyncio
import codecs
import contextlib
import os
import re
import shutil
import sys
import threading
import unicodedata
from collections.abc import Iterator

try:
    import termios
except ImportError:  # Windows
    termios = None

# One key each: Alt with a key, an arrow and the like, or a character.
KEY = re.compile(r"\x1b(?:[\[O][0-9;]*[A-Za-z~]|[^\[O]|$)|.", re.DOTALL)


class Console:
    """The screen, where only lines are printed, and a queue of lines that a thread reads."""

    terminal = False

    def __init__(self) -> None:
        # It is bounded: who pipes a large file into us waits until it is sent.
        self.lines: asyncio.Queue[str | None] = asyncio.Queue(maxsize=100)
        self.loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, daemon=True).start()

    def show(self, text: str) -> None:
        print(text, flush=True)

    def mode(self, mode: str) -> None:
        """Show the mode; an empty one means that a name is asked for."""
        if mode:
            self.show(mode)

    def restore(self) -> None:
        """Leave the terminal as it was."""

    # in the thread that reads; the loop may end at any time

    def _read(self) -> None:
        with contextlib.suppress(RuntimeError, asyncio.CancelledError, OSError):
            for line in self._lines():
                asyncio.run_coroutine_threadsafe(self.lines.put(line), self.loop).result()
            asyncio.run_coroutine_threadsafe(self.lines.put(None), self.loop).result()

    def _lines(self) -> Iterator[str]:
        """Yield lines, without Python's own buffer: a thread that waits in it cannot be left."""
        rest = b""
        while sys.stdin and (piece := os.read(sys.stdin.fileno(), 65_536)):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace").rstrip("\r")
        if rest:
            yield rest.decode(errors="replace")


class Terminal(Console):
    """A terminal whose line is edited here, as only then it is known when others arrive."""

    terminal = True

    def __init__(self) -> None:
        self.prompt = ""
        self.typed = ""
        self.row = 0  # of the cursor, below the prompt's first
        self.lock = threading.Lock()
        self.found = None
        if termios:
            self.found = termios.tcgetattr(0)
            attributes = termios.tcgetattr(0)
            attributes[3] &= ~(termios.ECHO | termios.ICANON)
            attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
            termios.tcsetattr(0, termios.TCSADRAIN, attributes)
        else:
            os.system("")  # noqa: S605, S607 - switches the console's escape sequences on
        super().__init__()

    def show(self, text: str) -> None:
        with self.lock:
            self._draw(f"{text}\n")

    def mode(self, mode: str) -> None:
        with self.lock:
            self.prompt = f"{mode or 'your name:'} "
            self._draw()

    def restore(self) -> None:
        os.write(1, b"\n")  # print() might have been interrupted by the signal that leads here
        if self.found:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(0, termios.TCSADRAIN, self.found)

    def _lines(self) -> Iterator[str]:
        for key in self._keys():
            with self.lock:
                line = None
                if key in ("\r", "\n"):
                    line, self.typed = self.typed, ""
                    self._draw(f"{self.prompt}{line}\n")
                elif key in ("\x04", "\x1a") and not self.typed:
                    return
                elif key in ("\x7f", "\b"):
                    self.typed = self.typed[:-1]
                    self._draw()
                elif key == "\x15":
                    self.typed = ""
                    self._draw()
                elif key.isprintable():
                    self.typed += key
                    self._draw()
            if line is not None:
                yield line

    def _keys(self) -> Iterator[str]:
        if termios:
            decode = codecs.getincrementaldecoder("utf-8")("replace").decode
            while piece := os.read(0, 1024):
                yield from KEY.findall(decode(piece))
        else:
            import msvcrt

            while (key := msvcrt.getwch()) != "\x03":
                if key in ("\0", "\xe0"):
                    msvcrt.getwch()  # an arrow or the like comes as two
                else:
                    yield key

    def _draw(self, above: str = "") -> None:
        """Draw prompt and line anew, `above` over them."""
        up = f"\x1b[{self.row}A" if self.row else ""
        line = self.prompt + self.typed
        columns = sum(2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in line)
        self.row = (columns - 1) // shutil.get_terminal_size().columns if columns else 0
        print(f"\r{up}\x1b[J{above}{line}", end="", flush=True)


def console() -> Console:
    """Return what fits to where we were started."""
    both = sys.stdin and sys.stdout and sys.stdin.isatty() and sys.stdout.isatty()
    return Terminal() if both else Console()
