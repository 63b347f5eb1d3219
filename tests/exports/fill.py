"""Grades into the sheet that Moodle or Canvas exported, to be imported there again.

Canvas    Student,ID,SIS User ID,SIS Login ID,Section,Lab 4 (98765)
              Points Possible,,,,,10.00

Moodle    the gradebook    First name,Last name,ID number,Email address,Assignment: Lab 4 (Real),
                           Assignment: Lab 4 (Feedback)
          a worksheet      Identifier,Full name,Email address,Grade,Maximum grade,Feedback comments

Only cells of the labs' columns are filled. Points become their share of what the sheet says that
they are out of. What is not graded, and what else somebody has written there, is left alone.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from fractions import Fraction

from exports import moodle
from exports.columns import Column, columns
from exports.lines import ExportError, decimal, exact
from exports.people import TITLES, Matches, People, matched
from exports.sheet import Row, Sheet
from reports.grades import Grades, LabGrade, StudentGrades
from reports.words import counted, grade_of, number

_NUMBER = re.compile(r"\d+(?P<decimals>[.,]\d+)?")
_EMPTY = ("", "-")  # Moodle's


class Filling:
    """One sheet that is filled. What there is to say of it is in `told`, in lines."""

    def __init__(self, sheet: Sheet, grades: Grades, given: Mapping[str, str]) -> None:
        """`given` has titles of columns: of labs, and of what tells who is who. ExportError."""
        self._sheet, self._grades = sheet, grades
        self._columns = columns(sheet, grades.suites, given)
        self._people = People(sheet, {kind: given[kind] for kind in TITLES if kind in given})
        self._possible = next((row for row in sheet.rows if "Points Possible" in row[0]), None)
        self._comma = _has_commas(sheet)
        self._filled = Counter[str]()
        self._scales: dict[str, set[str]] = defaultdict(set)
        self._notes: list[str] = []
        self.told: list[str] = []

    def fill(self) -> None:
        """Fill all columns. Raises ExportError."""
        rows = [row for row in self._sheet.rows if row is not self._possible]
        clues = [self._people.clues(row) for row in rows]
        matches = matched([one.student for one in self._grades.students], clues)
        for who, place in sorted(matches.rows.items()):
            for column in self._columns:
                self._grade(self._grades.students[who], rows[place], column)
        here = {column.suite.lab for column in self._columns}
        self.told = [self._summary(column) for column in self._columns]
        self.told += [f"{lab.lab}: no column" for lab in self._grades.suites if lab.lab not in here]
        self.told += self._notes
        self._tell_of_strangers(matches, rows, [any(kinds) for kinds in clues])

    def _grade(self, one: StudentGrades, row: Row, column: Column) -> None:
        """Fill the cells of one student for one lab."""
        grade = grade_of(one, column.suite)
        stands = row[column.points]
        before, after = _number(stands), self._points(grade, row, column)
        reason = ""
        if grade.state == "not graded":
            reason = "not graded"
        elif stands not in _EMPTY and before is None:
            reason = f"{stands!r} stands there"
        elif grade.state == "missing" and before:
            reason = f"nothing was handed in, and {stands} stands there"
        if reason:
            self._note("left alone", one, column, reason)
            return
        if before != exact(after):
            text = number(after).replace(".", "," if self._comma else ".")
            row.fill(column.points, text)
            self._filled[column.suite.lab] += 1
            if before is not None:
                self._note("changed", one, column, f"{stands} -> {text}")
        self._feedback(one, row, column, grade)

    def _feedback(self, one: StudentGrades, row: Row, column: Column, grade: LabGrade) -> None:
        if column.feedback is None:
            return
        stands = row[column.feedback]
        if stands not in _EMPTY and not stands.startswith(moodle.OURS):
            self._note("left alone", one, column, "somebody has written feedback")
        else:
            row.fill(column.feedback, moodle.feedback(column.suite, grade))

    def _points(self, grade: LabGrade, row: Row, column: Column) -> float:
        """Return a grade's points as the sheet counts them, with at most two decimals."""
        told = ""
        if column.maximum is not None:
            told = row[column.maximum]
        elif self._possible is not None:
            told = self._possible[column.points]
        possible, ours = _number(told), exact(grade.max_points)
        if told and possible is None:
            title = self._sheet.titles[column.points]
            raise ExportError(f"{self._sheet.name}: {title!r} is not out of a number, but {told!r}")
        if not possible or not ours:
            self._scales[column.suite.lab].add(
                f"the sheet does not say what they are out of: {number(grade.max_points)} here"
            )
            return grade.points
        self._scales[column.suite.lab].add(f"{number(grade.max_points)} points are {told} there")
        return decimal(exact(grade.points) * possible / ours)

    def _summary(self, column: Column) -> str:
        lab, title = column.suite.lab, self._sheet.titles[column.points]
        scales = "".join(f"; {scale}" for scale in sorted(self._scales[lab]))
        return f"{lab}: {counted(self._filled[lab], 'cell')} of {title!r} filled{scales}"

    def _tell_of_strangers(self, matches: Matches, rows: list[Row], people: list[bool]) -> None:
        """Tell who is on one side alone, and who may be several."""
        names = [one.student.name for one in self._grades.students]
        self.told += [f"not in the sheet: {names[who]}" for who in matches.unknown]
        for who, places in sorted(matches.unclear.items()):
            lines = ", ".join(str(rows[place].line) for place in places)
            self.told.append(f"left alone: {names[who]}: not clear who it is, see line {lines}")
        known = set(matches.rows.values())
        for place, row in enumerate(rows):
            if people[place] and place not in known:
                self.told.append(f"not in the grades: line {row.line}, {self._people.name(row)}")

    def _note(self, what: str, one: StudentGrades, column: Column, why: str) -> None:
        self._notes.append(f"{what}: {one.student.name}, {column.suite.lab}: {why}")


def _number(text: str) -> Fraction | None:
    return Fraction(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def _has_commas(sheet: Sheet) -> bool:
    """Tell whether the numbers of a sheet have a decimal comma rather than a point."""
    signs = Counter[str]()
    for row in sheet.rows:
        for column in range(len(row.cells)):
            match = _NUMBER.fullmatch(row[column])
            if match and match["decimals"]:
                signs[match["decimals"][0]] += 1
    return signs[","] > signs["."]
