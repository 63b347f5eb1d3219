"""Who of a class is which row of a sheet: by id, then login or e-mail, then name; never a guess.

All that is known of somebody has to lead to one row: a number that leads to one row and a name that
leads to another are no match, and neither are two students for whom there is one row.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from exports.lines import ExportError
from exports.sheet import Row, Sheet
from reports.grades import Student

# What Moodle and Canvas call the columns that say who somebody is.
TITLES = {
    "id": ("ID", "SIS User ID", "ID number", "Identifier"),
    "login": ("SIS Login ID", "Username"),
    "email": ("Email address",),
    "name": ("Student", "Full name"),
    "first": ("FirstName", "First name"),
    "last": ("LastName", "Last name", "Surname"),
}

_PARTICIPANT = re.compile(r"\D+ (?P<id>\d+)")  # Moodle's Identifier, in whatever language

Clues = tuple[set[str], set[str], set[str]]  # ids; logins and addresses; names


@dataclass
class Matches:
    """Who is which row: students and rows by their places, and who is not, on either side."""

    rows: dict[int, int] = field(default_factory=dict)
    unknown: list[int] = field(default_factory=list)  # students whom no row fits
    unclear: dict[int, list[int]] = field(default_factory=dict)  # whom one of several rows may fit


class People:
    """Reads from the rows of a sheet who somebody is."""

    def __init__(self, sheet: Sheet, given: Mapping[str, str]) -> None:
        """`given` are titles of columns by what they tell (a key of TITLES). Raises ExportError."""
        self._columns = {
            kind: [sheet.column(given[kind])] if kind in given else sheet.columns(titles)
            for kind, titles in TITLES.items()
        }
        if not any(self._columns[kind] for kind in ("id", "login", "email", "name", "last")):
            raise ExportError(
                f"{sheet.name}: no column tells who somebody is: say e.g. --column email=TITLE"
            )

    def clues(self, row: Row) -> Clues:
        """Return what a row tells of somebody; nothing if it is not about a person."""
        ids, logins, emails, names, first, last = (
            [row[column] for column in self._columns[kind] if row[column]] for kind in TITLES
        )
        participants = (_PARTICIPANT.fullmatch(one) for one in ids)
        return (
            {*ids, *(match["id"] for match in participants if match)},
            {one.casefold() for one in logins + emails},
            {
                *(spelling for name in names for spelling in _spellings(name)),
                *(spelling for spelling in _spellings(", ".join(first + last))),
            }
            - {""},
        )

    def name(self, row: Row) -> str:
        """Return what a row calls somebody, for people."""
        kinds = ("name", "first", "last", "email", "login", "id")
        told = (row[column] for kind in kinds for column in self._columns[kind])
        return next((text for text in told if text), "")


def matched(students: Sequence[Student], rows: Iterable[Clues]) -> Matches:
    """Return which student is which row."""
    found: list[dict[str, set[int]]] = [defaultdict(set) for _ in range(3)]
    for place, clues in enumerate(rows):
        for by_clue, kind in zip(found, clues, strict=True):
            for clue in kind:
                by_clue[clue].add(place)
    matches = Matches()
    wanted: dict[int, list[int]] = defaultdict(list)
    for number, student in enumerate(students):
        led = [
            {row for clue in kind for row in by_clue.get(clue, ())}
            for by_clue, kind in zip(found, _clues(student), strict=True)
        ]
        led = [rows_led_to for rows_led_to in led if rows_led_to]
        if not led:
            matches.unknown.append(number)
        elif len(same := set.intersection(*led)) == 1:
            wanted[same.pop()].append(number)
        else:
            matches.unclear[number] = sorted(set.union(*led))
    for row, numbers in wanted.items():
        if len(numbers) == 1:
            matches.rows[numbers[0]] = row
        else:
            matches.unclear |= dict.fromkeys(numbers, [row])
    return matches


def _clues(student: Student) -> Clues:
    logins = {student.login.casefold(), student.email.casefold()} - {""}
    return {student.id} - {""}, logins, _spellings(student.name) - {""}


def _spellings(name: str) -> set[str]:
    """Return how a name may be written, in either order if there is a comma in it."""
    last, _, first = name.partition(",")
    return {plain(last + first), plain(first + last)}


def plain(name: str) -> str:
    """Return a name for comparing: letters, their marks and digits, without case."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(one for one in folded if unicodedata.category(one)[0] in "LMN")
