"""Where the typed text comes from, as something that a selector can wait for.

On POSIX that is stdin itself. On Windows select() takes sockets only: a thread reads there, and
passes on what it gets through a pair of them.
"""

import codecs
import contextlib
import os
import shutil
import socket
import sys
import threading
import unicodedata

try:
    import termios
except ImportError:  # Windows
    termios = None

PIECE = 16_384  # bytes


class Source:
    """Typed bytes: `fileno()` for the selector, then `read()`; nothing means the end."""

    def __init__(self, terminal: bool) -> None:
        self.stdin = sys.stdin.fileno() if sys.stdin else None
        self.relay: socket.socket | None = None
        self.found = None
        if terminal and termios:
            self.found = termios.tcgetattr(self.stdin)
            keywise = termios.tcgetattr(self.stdin)
            keywise[3] &= ~(termios.ICANON | termios.ECHO)
            keywise[6][termios.VMIN], keywise[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self.stdin, termios.TCSADRAIN, keywise)
        elif os.name == "nt":
            os.system("")  # noqa: S605, S607 - makes the console understand escape sequences
            self.relay, other = socket.socketpair()
            pump = _pump_keys if terminal else _pump
            threading.Thread(target=pump, args=(other,), daemon=True).start()

    def fileno(self) -> int:
        if self.relay:
            return self.relay.fileno()
        return -1 if self.stdin is None else self.stdin

    def read(self) -> bytes:
        if self.relay:
            return self.relay.recv(PIECE)
        try:
            return os.read(self.fileno(), PIECE)
        except OSError:  # the terminal is gone, or stdin was closed before the start
            return b""

    def close(self) -> None:
        if self.found:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.stdin, termios.TCSADRAIN, self.found)


def _pump(relay: socket.socket) -> None:
    with relay:
        while sys.stdin and (piece := os.read(sys.stdin.fileno(), PIECE)):
            relay.sendall(piece)


def _pump_keys(relay: socket.socket) -> None:
    import msvcrt

    with relay:
        while (key := msvcrt.getwch()) not in "\x03\x1a":
            if key in "\0\xe0":
                msvcrt.getwch()  # the second half of an arrow or the like
            else:
                relay.sendall(key.encode("utf-8", "replace"))


class PlainLines:
    """Typed text without a terminal: whole lines, and nothing is drawn."""

    prompt = ""

    def __init__(self) -> None:
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest = ""

    def feed(self, piece: bytes) -> list[str]:
        """Return the lines that are complete now; the last one needs no end."""
        *lines, rest = (self.rest + self.decoder.decode(piece, not piece)).split("\n")
        if not piece and rest:
            lines.append(rest)
            rest = ""
        self.rest = rest
        return [line.removesuffix("\r") for line in lines]

    def show(self, text: str) -> None:
        print(text, flush=True)

    def ask(self, prompt: str) -> None:
        self.prompt = prompt


class KeyedLine(PlainLines):
    """The line that is typed on a terminal, drawn by us, so that we can put it elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = False  # Ctrl+D was pressed on an empty line
        self.escape = False
        self.rows = 0  # the cursor is so many rows below the prompt

    def feed(self, piece: bytes) -> list[str]:
        lines = []
        for key in self.decoder.decode(piece):
            if self.escape:
                self.escape = not key.isalpha() and key != "~"
            elif key == "\x1b":
                self.escape = True
            elif key in "\r\n":
                lines.append(self.rest)
                self.draw()
                print()
                self.rest, self.rows = "", 0
            elif key in "\b\x7f":
                self.rest = self.rest[:-1]
            elif key == "\x15":
                self.rest = ""
            elif key == "\x04" and not self.rest:
                self.ends = True
            elif key.isprintable():
                self.rest += key
        self.draw()
        return lines

    def show(self, text: str) -> None:
        self.wipe()
        print(text)
        self.draw()

    def ask(self, prompt: str) -> None:
        self.wipe()
        self.prompt = prompt
        self.draw()

    def wipe(self) -> None:
        up = f"\x1b[{self.rows}A" if self.rows else ""
        print(f"\r{up}\x1b[J", end="", flush=True)
        self.rows = 0

    def draw(self) -> None:
        self.wipe()
        text = f"{self.prompt}{self.rest}"
        width = sum(1 + (unicodedata.east_asian_width(letter) in "FW") for letter in text)
        self.rows = max(0, width - 1) // shutil.get_terminal_size().columns
        print(text, end="", flush=True)
