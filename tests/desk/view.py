"""What came of a run, on one screen: the score, and the first thing to do."""

from collections import Counter
from typing import Any

from desk.kept import first_to_do, next_step
from desk.lines import bar
from kit.story import printable
from pictures.texts import cut, visible, width

STORY = "  what happened"  # the line of a message after which its story is told, up to an empty one
BAR = 40  # columns
VERDICTS = ("passed", "failed", "not run")


def lines(lab: dict[str, Any], columns: int, rows: int) -> list[str]:
    """Return a screen of so many columns and rows; a message that is too long loses its middle."""
    checks, points, most = lab["checks"], lab["points"], lab["max_points"]
    run = f"{lab['folder']}, {lab['duration']:.1f} s, --seed {lab['seed']}"
    counts = Counter(check["verdict"] for check in checks)
    told = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    some = "" if lab["whole"] else " in the chosen checks"
    head = [
        cut(visible(f"{lab['lab']}  score {points} of {most}{some}  ({run})"), columns),
        cut(f"{bar(points, most, min(BAR, columns))}  {told}", columns),
        "",
        cut(visible(next_step(lab)), columns),
        "",
    ]
    check = first_to_do(checks)
    if check is None:
        return head
    told = check["message"]
    if check["reason"] == "kit":  # a traceback, which says at its end what it is about
        told = f"{check['sentence']}\n\n{told}"
    message = printable(told).expandtabs().splitlines()
    return [*head, *fitted(message, columns, rows - len(head) - 1), ""]


def fitted(message: list[str], columns: int, rows: int) -> list[str]:
    """Return a message in so many rows; of its story the beginning goes first, then the end of all.

    How a story ends tells what went wrong.
    """
    if _rows(message, columns) <= rows:
        return message
    begin, end = _story(message)
    before, story, after = message[:begin], message[begin:end], message[end:]
    left_out = 0
    while story and _rows([*before, "", *story, *after], columns) > rows:
        story, left_out = story[1:], left_out + 1
    if left_out:
        story = [f"  {'':7}…  {left_out} {'line' if left_out == 1 else 'lines'} left out", *story]
    kept = [*before, *story, *after]
    while len(kept) > 1 and _rows(kept, columns) > rows:
        kept.pop()
    return kept


def _story(message: list[str]) -> tuple[int, int]:
    """Return where the lines of the story begin and end."""
    if STORY not in message:
        return len(message), len(message)
    begin = message.index(STORY) + 1
    end = begin
    while end < len(message) and message[end]:
        end += 1
    return begin, end


def _rows(text: list[str], columns: int) -> int:
    """Return how many rows lines take that a terminal breaks where they are too long."""
    return sum(max(1, -(-width(line) // columns)) for line in text)
