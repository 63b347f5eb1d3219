"""All that is written of a graded class, in the folder of the grades."""

import json
from pathlib import Path

from grading import pages, tables
from kit import system
from reports import feedback
from reports.grades import GRADES, Grades
from reports.words import clean, folders_of


def write_all(grades: Grades, out: Path) -> None:
    """Write every report, each whole or not at all."""
    folders = folders_of(grades)
    system.remove(out / "students")  # who is no longer in the class has no page
    for one in grades.students:
        folder = out / "students" / folders[one.student]
        folder.mkdir(parents=True, exist_ok=True)
        system.write(folder / "index.html", pages.student(grades, one))
        system.write(folder / "feedback.md", feedback.text(grades, one))
    out.mkdir(parents=True, exist_ok=True)  # where nobody is
    system.write(out / "junit.xml", tables.junit(grades))
    system.write(out / "grades.csv", f"\ufeff{tables.csv_text(grades)}")
    system.write(out / "index.html", pages.index(grades, folders.__getitem__))
    form = json.dumps(grades.as_dict(), ensure_ascii=False, indent=1)
    system.write(
        out / GRADES, f"{clean(form)}\n"
    )  # as the reports have it, so that they can be made anew
