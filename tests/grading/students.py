"""Who a submission is from: what Moodle and Canvas make of a name, and the course's own roster.

Moodle's bulk download     Ann Doe_12345_assignsubmission_file_      a folder, or in front of a file
Canvas's bulk download     doeann_LATE_12345_67890_lab4-1.zip        LATE and -1 where they apply:
                                                                     each file for itself
anything else              ann                                       the name of the folder or file
roster.csv                 name,id,email,login,late                  any order, more columns allowed

Of these `late` is a number of days, such as 0, 1 or 1.5; where it is empty, Canvas's LATE is a day.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

from grading.archives import ENDINGS, FOREIGN
from reports.grades import Student

ROSTER = "roster.csv"
COLUMNS = ("name", "id", "email", "login", "late")

_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(file|onlinetext)(_(?P<file>.*))?"
)
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_(?P<file>.+)")
_AGAIN = re.compile(r"-\d+(?=\.py$)")  # what Canvas adds to a file that is handed in again
_DAYS = re.compile(r"\d{1,4}([.,]\d{1,4})?")  # Excel writes 1,5 in many countries
_ENDINGS = (*ENDINGS, *FOREIGN)  # of those that cannot be read it is said whose they are


class RosterError(Exception):
    """A roster that cannot be used; the text names the file and the line."""


class Roster:
    """The students of a course, as the course itself lists them.

    Of those who are among `timed` it knows how late they are, also that they are not late.
    """

    def __init__(
        self, students: Iterable[Student] = (), timed: Collection[Student] = frozenset()
    ) -> None:
        self.students = list(students)
        self._timed = timed
        self._by_id: dict[str, Student] = {}
        self._by_name: dict[str, list[Student]] = {}
        for student in self.students:
            if student.id:
                self._by_id[student.id] = student
            for name in {_plain(student.name), _plain(student.login)} - {""}:
                self._by_name.setdefault(name, []).append(student)

    def known(self, student: Student) -> Student:
        """Return the student as the roster has him or her: by id, then by a name or login.

        A name or login counts only if no other student has it; where the id is another one's, see
        `doubt`. What the roster does not tell, the id or the days, stays as it is.
        """
        found = self._found(student)
        if found is None:
            return student
        days_late = found.days_late if found in self._timed else student.days_late
        return replace(found, id=found.id or student.id, days_late=days_late)

    def doubt(self, student: Student) -> str:
        """Say whose the id is and whose the name, if they are two students', else "".

        The numbers that course systems put into names are not always the course's own.
        """
        by_id, by_name = self._by_id.get(student.id), self._named(student)
        if not by_id or not by_name or by_id is by_name:
            return ""
        return f"the roster has the id {student.id} for {by_id.name}, the name for {by_name.name}"

    def has(self, student: Student) -> bool:
        """Tell whether the roster has this student."""
        return self._found(student) is not None

    def key(self, student: Student) -> str:
        """Return what all attempts of a student have in common: the id, the login, or the name."""
        found = self._found(student) or student
        told = {"id": found.id, "login": found.login, "name": found.name}
        return next(f"{kind} {_plain(text)}" for kind, text in told.items() if text)

    def _found(self, student: Student) -> Student | None:
        by_name = self._named(student)
        return by_name if self.doubt(student) else self._by_id.get(student.id) or by_name

    def _named(self, student: Student) -> Student | None:
        same_name = self._by_name.get(_plain(student.name), [])
        return same_name[0] if len(same_name) == 1 else None


def read_roster(file: Path) -> Roster:
    """Read a CSV with the columns name, id, email, login, late; only name must be there.

    UTF-8, with or without a byte order mark; comma, semicolon or tab, or what a first line says
    that is for Excel, such as "sep=;". Raises RosterError.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RosterError(f"{file}: not UTF-8") from None
    except OSError as error:
        raise RosterError(f"{file}: {error.strerror}") from None
    lines = [*io.StringIO(text, newline="")]
    above = next((at for at, line in enumerate(lines) if _begins_a_table(line)), 0)
    delimiter = max(",;\t", key="".join(lines[: above + 1]).count)
    rows = csv.DictReader(lines, delimiter=delimiter, strict=True)
    for _ in range(above):
        next(rows.reader)
    try:
        return _roster(file, rows)
    except csv.Error as error:  # such as a quotation mark that is not closed
        raise RosterError(f"{file}:{rows.line_num + 1}: {error}") from None


def _begins_a_table(line: str) -> bool:
    return bool(line.strip(" ,;\t\r\n")) and not line.lower().startswith("sep=")


def _roster(file: Path, rows: "csv.DictReader[str]") -> Roster:
    titles = [(title or "").strip().lower() for title in rows.fieldnames or ()]
    columns = dict(zip(titles, rows.fieldnames or (), strict=True))
    head = max(1, rows.line_num)
    if twice := [column for column in COLUMNS if titles.count(column) > 1]:
        raise RosterError(f"{file}:{head}: two columns are called {twice[0]}")
    if "name" not in columns:
        found = ", ".join(filter(None, titles)) or "nothing"
        raise RosterError(f"{file}:{head}: there is no column called name, only: {found}")
    students: list[Student] = []
    timed: set[Student] = set()
    lines: dict[str, int] = {}
    for row in rows:
        name, number, email, login, late = (
            (row.get(columns.get(column, "")) or "").strip() for column in COLUMNS
        )
        if not (name or number or email or login):
            continue  # as Excel leaves them at the end
        if not name:
            raise RosterError(f"{file}:{rows.line_num}: a student without a name")
        if late and not _DAYS.fullmatch(late):
            raise RosterError(f"{file}:{rows.line_num}: late is {late!r}, not a number of days")
        student = Student(name, number, email, float(late.replace(",", ".") or 0), login)
        key = Roster().key(student)
        if key in lines:
            raise RosterError(f"{file}:{rows.line_num}: the {key} is also on line {lines[key]}")
        lines[key] = rows.line_num
        students.append(student)
        if late:
            timed.add(student)
    return Roster(students, timed)


def student_of(entry: str) -> Student:
    """Return who an entry of the folder of submissions is from, by its name.

    Names of files need not be UTF-8; what cannot be written as such becomes e.g. "\\udcff".
    """
    entry = entry.encode("utf-8", "backslashreplace").decode("utf-8")
    if match := _MOODLE.fullmatch(entry):
        return Student(match["name"], match["id"])
    name = next((entry[: -len(end)] for end in _ENDINGS if entry.lower().endswith(end)), entry)
    if match := _CANVAS.fullmatch(name):
        return Student(match["name"], match["id"], days_late=1.0 if match["late"] else 0.0)
    return Student(name)


def file_alone(entry: str) -> str:
    """Return what a student called a Python file that a course system hands on alone, else ""."""
    match = _MOODLE.fullmatch(entry) or _CANVAS.fullmatch(entry)
    name = match["file"] or "" if match else ""
    return _AGAIN.sub("", name) if name.endswith(".py") else ""


def _plain(name: str) -> str:
    """Return a name for comparing: without blanks and case, as Canvas writes it.

    macOS writes "é" as two characters, a roster as one: both are one here (Unicode's NFC).
    """
    return unicodedata.normalize("NFC", "".join(name.split()).casefold())
