"""What stands on a terminal after all that a program has written to it: a small emulator.

It knows what line editors and curses write for TERM=xterm (see "XTerm Control Sequences"); what
only changes colours or modes is skipped.
"""

import re
import unicodedata

COLUMNS, ROWS = 80, 24

_TOKEN = re.compile(
    r"\x1b\[(?P<numbers>[0-9;]*)(?P<final>[@-~])"  # moves, and wipes out
    r"|\x1b\[[<-?][0-?]*[ -/]*[@-~]|\x1b\[[0-?]*[ -/]+[@-~]"  # modes
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles
    r"|\x1b[ -/]+.|\x1b(?P<escape>[^\[\]])"
    r"|(?P<char>[^\x1b])",
    re.DOTALL,
)


class Terminal:
    """A screen of 80 by 24. Each cell holds a character, "" is the right half of a wide one."""

    def __init__(self) -> None:
        self._clear()
        self._saved = (0, 0)
        self._last = " "

    def _clear(self) -> None:
        self._cells = [[" "] * COLUMNS for _ in range(ROWS)]
        self._row = self._column = 0

    @property
    def rows(self) -> list[str]:
        """What stands in each row."""
        return ["".join(cells).rstrip() for cells in self._cells]

    @property
    def current(self) -> str:
        """What stands in the row where the cursor is."""
        return self.rows[self._row]

    def feed(self, text: str) -> None:
        """Take what a program wrote; a line feed begins a new line, as it does on any terminal."""
        for token in _TOKEN.finditer(text):
            if token["char"]:
                self._put(token["char"])
            elif token["final"]:
                numbers = [int(number or 0) for number in token["numbers"].split(";")]
                self._obey(token["final"], [*numbers, 0])
            elif token["escape"]:
                self._escape(token["escape"])

    def _put(self, char: str) -> None:
        if char == "\r":
            self._column = 0
        elif char == "\n":
            self._column = 0
            self._down()
        elif char == "\b":
            self._column = max(min(self._column, COLUMNS - 1) - 1, 0)
        elif char == "\t":
            self._column = min(self._column // 8 * 8 + 8, COLUMNS - 1)
        elif unicodedata.category(char) != "Cc":
            self._show(char)

    def _show(self, char: str) -> None:
        if unicodedata.combining(char):
            return
        width = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if self._column + width > COLUMNS:  # only now: a full row does not end by itself
            self._put("\n")
        cells = [char, ""][:width]
        self._cells[self._row][self._column : self._column + width] = cells
        self._column += width
        self._last = char

    def _down(self) -> None:
        if self._row == ROWS - 1:
            self._cells = [*self._cells[1:], [" "] * COLUMNS]
        else:
            self._row += 1

    def _obey(self, final: str, numbers: list[int]) -> None:
        first, second = numbers[0], numbers[1]
        count, cells, at = max(first, 1), self._cells[self._row], min(self._column, COLUMNS - 1)
        if final in "ABCD":
            down, right = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}[final]
            self._go(self._row + down * count, at + right * count)
        elif final in "EF":
            self._go(self._row + (count if final == "E" else -count), 0)
        elif final == "G":
            self._go(self._row, count - 1)
        elif final == "d":
            self._go(count - 1, at)
        elif final in "Hf":
            self._go(count - 1, max(second, 1) - 1)
        elif final == "K":
            begin, end = [(at, COLUMNS), (0, at + 1), (0, COLUMNS)][min(first, 2)]
            cells[begin:end] = [" "] * (end - begin)
        elif final == "J":
            self._obey("K", numbers)
            rows = [range(self._row + 1, ROWS), range(self._row), range(ROWS)][min(first, 2)]
            for row in rows:
                self._cells[row] = [" "] * COLUMNS
        elif final in "PX@":  # characters taken out, wiped out, pushed to the right
            blank = [" "] * count
            rest = {"P": cells[at + count :], "X": blank + cells[at + count :], "@": blank}[final]
            more = cells[at:] if final == "@" else []
            self._cells[self._row] = (cells[:at] + rest + more + [" "] * COLUMNS)[:COLUMNS]
        elif final in "LM":  # lines pushed down, taken out
            above, below = self._cells[: self._row], self._cells[self._row :]
            blank_rows = [[" "] * COLUMNS for _ in range(min(count, ROWS))]
            below = blank_rows + below if final == "L" else below[count:] + blank_rows
            self._cells = (above + below)[:ROWS]
        elif final == "b":
            for _ in range(count):
                self._show(self._last)

    def _go(self, row: int, column: int) -> None:
        self._row = min(max(row, 0), ROWS - 1)
        self._column = min(max(column, 0), COLUMNS - 1)

    def _escape(self, letter: str) -> None:
        if letter == "7":
            self._saved = self._row, self._column
        elif letter == "8":
            self._row, self._column = self._saved
        elif letter in "DE":
            self._down()
            self._column *= letter == "D"
        elif letter == "M" and self._row == 0:
            self._cells = [[" "] * COLUMNS, *self._cells[:-1]]
        elif letter == "M":
            self._row -= 1
        elif letter == "c":
            self._clear()


def shown(text: str) -> Terminal:
    """Return a terminal on which this text has been written."""
    terminal = Terminal()
    terminal.feed(text)
    return terminal
