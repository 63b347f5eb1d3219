"""Lines in a terminal: columns of a table, and what the terminal can show."""

from typing import TextIO

from pictures.texts import cut, visible, width

FULL, EMPTY, MORE = ("█", "#"), ("░", "."), ("…", "~")  # and what stands for it in plain ASCII


def is_plain(stream: TextIO) -> bool:
    """Tell whether a stream cannot show what is not ASCII, as far as it is ours."""
    try:
        "".join(sign for sign, _ in (FULL, EMPTY, MORE)).encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False


def cell(text: str, columns: int) -> str:
    """Return a text as a cell of a table, so many columns wide."""
    text = cut(visible(text), columns)
    return text + " " * (columns - width(text))


def bar(part: int, whole: int, columns: int) -> str:
    """Return a bar that is full if all is done, and only then."""
    done = min(max(part, 0), whole) * columns // whole if whole > 0 else 0
    return FULL[0] * done + EMPTY[0] * (columns - done)


def in_ascii(line: str) -> str:
    """Return a line with a sign of ASCII for each of ours that is none."""
    for sign, plain in (FULL, EMPTY, MORE):
        line = line.replace(sign, plain)
    return line
