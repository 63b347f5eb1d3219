"""Where lines are typed: a terminal, on which others may arrive meanwhile, or anything else."""

import contextlib
import shutil
import sys
import threading
import unicodedata

try:
    import readline
    import termios
except ImportError:  # Windows
    readline = termios = None


class Plain:
    """No terminal: lines come in, lines go out, and no prompt between them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def show(self, text: str) -> None:
        with self.lock:
            print(text, flush=True)

    def ask(self) -> str | None:
        """Return the next line, or None at the end of input."""
        line = sys.stdin.readline() if sys.stdin else ""
        return line.removesuffix("\n") if line else None

    def says(self, prompt: str) -> None:
        """Show a question, or the mode."""
        self.show(prompt)

    def give_back(self) -> None:
        """Leave everything as it was found."""


class Terminal:
    """A prompt and a line that is typed; what arrives is put above them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.prompt = ""
        self.asking = False
        self.keys = ""  # what is typed, where there is no readline
        self.found = termios and termios.tcgetattr(sys.stdin)
        if readline:
            readline.parse_and_bind("set enable-bracketed-paste off")
            readline.parse_and_bind("tab: self-insert")

    def show(self, text: str) -> None:
        with self.lock:
            if self.asking:
                self._wipe()
                print(text, f"{self.prompt} {self._typed()}", sep="\n", end="", flush=True)
            else:
                print(text, flush=True)

    def says(self, prompt: str) -> None:
        """Change the prompt, also while a line is being typed."""
        with self.lock:
            if self.asking:
                self._wipe()
                print(f"{prompt} {self._typed()}", end="", flush=True)
            self.prompt = prompt

    def ask(self) -> str | None:
        """Return the next line, or None at the end of input."""
        try:
            return self._with_readline() if readline else self._with_keys()
        except EOFError:
            return None
        finally:
            self.asking = False

    def give_back(self) -> None:
        """Leave the terminal as it was found, with the cursor on a line of its own."""
        with self.lock:
            if self.asking:
                print(flush=True)
                self.asking = False
        if self.found:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSANOW, self.found)

    def _with_readline(self) -> str:
        self.lock.acquire()  # nothing is shown until the prompt stands there
        print("\r\x1b[J", end="", flush=True)
        hook = getattr(readline, "set_pre_input_hook", None)
        if hook:
            hook(self._begins)  # it is called then, by this thread
        else:
            self._begins()
        try:
            return input(f"{self.prompt} ")
        finally:
            if not self.asking:
                self.lock.release()

    def _begins(self) -> None:
        self.asking = True
        self.lock.release()

    def _with_keys(self) -> str:
        import msvcrt

        with self.lock:
            self.keys = ""
            self.asking = True
            print(f"{self.prompt} ", end="", flush=True)
        while True:
            key = msvcrt.getwch()
            with self.lock:
                match key:
                    case "\r" | "\n":
                        print(flush=True)
                        return self.keys
                    case "\x03":
                        raise KeyboardInterrupt
                    case "\x1a" if not self.keys:
                        raise EOFError
                    case "\b":
                        if self.keys:
                            self.keys = self.keys[:-1]
                            print("\b \b", end="", flush=True)
                    case "\0" | "\xe0":  # an arrow, say: a second one follows
                        msvcrt.getwch()
                    case _ if key.isprintable():
                        self.keys += key
                        print(key, end="", flush=True)

    def _typed(self) -> str:
        return readline.get_line_buffer() if readline else self.keys

    def _wipe(self) -> None:
        """Remove the prompt and what is typed, however many rows they fill."""
        if readline:
            columns = shutil.get_terminal_size().columns
            rows = _width(f"{self.prompt} {self._typed()}") // columns
            up = f"\x1b[{rows}A" if rows else ""
            print(f"\r{up}\x1b[J", end="")
        else:
            print("\r" + " " * _width(f"{self.prompt} {self.keys}") + "\r", end="")


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def keyboard() -> Plain | Terminal:
    """Return what fits to where the program was started."""
    if sys.stdin and sys.stdout and sys.stdin.isatty() and sys.stdout.isatty():
        return Terminal()
    return Plain()
