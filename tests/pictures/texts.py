"""Texts in pictures: how wide they are, cut and wrapped, and safe whatever is in them."""

import unicodedata

UNPRINTABLE_WIDE = ("Mn", "Me", "Cf")  # marks that stand on the character before them


def visible(text: str) -> str:
    """Return a text in which whatever has no picture of its own is written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def quoted(text: str, size: str = "", *, more: bool = False, most: int = 48) -> str:
    """Return a text in double quotes, in about `most` columns at most; if cut, with its `size`.

    It is also cut if `more` of it is not there.
    """
    escaped = visible(text[:most].replace("\\", "\\\\").replace('"', '\\"'))
    if not more and len(text) <= most and width(escaped) <= most:
        return f'"{escaped}"'
    return f'"{_head(escaped, most - 1)}…" ({size or f"{len(text):,} characters"})'


def width(text: str) -> int:
    """Return how many columns of a terminal, or of a monospaced font, a text takes (UAX #11)."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def cut(text: str, most: int) -> str:
    """Return a text of at most `most` columns; where one was longer, "…" is its end."""
    if width(text) <= most:
        return text
    return _head(text, most - 1) + "…"


def wrapped(text: str, most: int, lines: int) -> list[str]:
    """Return a text as at most so many lines of at most `most` columns; "…" ends what is cut."""
    found: list[str] = []
    while len(found) < lines - 1 and width(text) > most:
        head = _head(text, most)
        at = head.rfind(" ", len(head) // 2)  # a word is cut only where it is a long one
        head = head if at < 0 or text[len(head)] == " " else head[:at]
        found.append(head.rstrip())
        text = text[len(head) :].lstrip()
    return [*found, cut(text, most)]


def _head(text: str, most: int) -> str:
    taken = 0
    for at, char in enumerate(text):
        taken += _width(char)
        if taken > most:
            return text[:at]
    return text


def _width(char: str) -> int:
    if unicodedata.category(char) in UNPRINTABLE_WIDE:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
