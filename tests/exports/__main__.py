"""Make of results what others read: nox -s export -- GRADES --to FORMAT."""

import argparse
import io
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from exports import classroom50, forms, gradescope, markdown, moodle
from exports.fill import Filling
from exports.lines import ExportError, LabForm, broken
from exports.sheet import Sheet
from kit import system
from reports.grades import Grades
from reports.words import counted, folders_of, grade_of, one_line

EACH = ("gradescope", "classroom50")  # want a file for each student
SHEETS = ("moodle", "canvas")
OWNER = "{owner}"  # in a variable: the student's login


@dataclass
class Export:
    """What is written, one file or several by their names, and what there is to say of it."""

    content: bytes | dict[str, bytes]
    told: list[str] = field(default_factory=list)


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="nox -s export --", description=__doc__)
    parser.add_argument(
        "grades", type=Path, help="the folder of the grades, or what --json has written"
    )
    parser.add_argument("--to", choices=(*EACH, *SHEETS, "markdown"), required=True)
    parser.add_argument("--lab", default="", help="this lab alone")
    parser.add_argument(
        "--fill", type=Path, metavar="SHEET", help="a sheet that Moodle or Canvas exported"
    )
    parser.add_argument(
        "--column",
        type=_pair,
        action="append",
        default=[],
        metavar="LAB=TITLE",
        help="the column of SHEET for a lab (default: the one that has its name)",
    )
    parser.add_argument("--out", type=Path, help="a file, or a folder for a file a student")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Export, and return the exit code."""
    told = options(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        made = export(told, os.environ)
        deliver(made.content, told.out)
    except ExportError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"{error.filename2 or error.filename}: {error.strerror}")
    for line in made.told:
        print(one_line(line), file=sys.stdout if told.out else sys.stderr)
    return 0


def export(told: argparse.Namespace, environment: Mapping[str, str]) -> Export:
    """Return what was asked for. Raises ExportError, OSError."""
    _check(told)
    found = forms.read(told.grades)
    if isinstance(found, Grades):
        grades = _only(found, told.lab)
        if grades.suites:
            return _of_class(grades, told, environment)
    elif labs := [lab for lab in found if told.lab in ("", lab["lab"])]:
        return _of_run(labs, told, environment)
    raise ExportError(f"{told.grades}: there is no {told.lab or 'lab'} in it")


def deliver(content: bytes | dict[str, bytes], out: Path | None) -> None:
    """Write a file, or a new folder of files, whole or not at all; without `out`, to stdout.

    Raises ExportError, OSError.
    """
    if out is None:
        assert isinstance(content, bytes)
        sys.stdout.buffer.write(content)
        return
    partial = out.with_name(f"{out.name}.part")
    try:
        if isinstance(content, bytes):
            if out.is_dir():
                raise ExportError(f"{out}: it is a folder")
            partial.write_bytes(content)
        else:
            system.remove(partial)  # of an export that was killed
            partial.mkdir()
            for name, data in content.items():
                (partial / name).write_bytes(data)
            if out.is_dir():
                out.rmdir()  # it was made for us, and is empty
        partial.replace(out)
    except OSError:
        system.remove(partial) if partial.is_dir() else partial.unlink(missing_ok=True)
        raise


def _check(told: argparse.Namespace) -> None:
    """Refuse options that do not go together. Raises ExportError."""
    if told.fill and told.to not in SHEETS:
        raise ExportError(f"--fill is for {' and '.join(SHEETS)}")
    if told.column and not told.fill:
        raise ExportError("--column is for --fill")
    if told.to == "canvas" and not told.fill:
        raise ExportError("--to canvas needs --fill: a new column would be a new assignment there")
    if told.to in SHEETS and not told.out:
        raise ExportError(f"--to {told.to} needs --out FILE")
    if told.out and not told.out.absolute().parent.is_dir():
        raise ExportError(f"{told.out.parent}: there is no such folder")
    if told.fill and told.out.exists() and told.out.samefile(told.fill):
        raise ExportError(f"{told.out}: this is the sheet itself, and would be lost")


def _of_run(
    labs: list[LabForm], told: argparse.Namespace, environment: Mapping[str, str]
) -> Export:
    """Return the result of one run for a format. Raises ExportError."""
    if told.to in SHEETS:
        raise ExportError(f"{told.grades}: the result of one run, and no class")
    if told.to == "markdown":
        return Export(_bytes(markdown.summary(labs)))
    _one([lab["lab"] for lab in labs], told)
    if reason := broken(labs[0]):
        raise ExportError(f"{told.grades}: not graded: {reason}")
    if told.to == "gradescope":
        return Export(_json(gradescope.results(labs[0])))
    return Export(_json(classroom50.result(labs[0], environment)))


def _of_class(grades: Grades, told: argparse.Namespace, environment: Mapping[str, str]) -> Export:
    """Return a class for a format. Raises ExportError, OSError."""
    if told.to == "markdown":
        return Export(_bytes(markdown.table(grades)))
    if told.fill:
        sheet = Sheet(told.fill)
        is_canvas = {"ID", "Section"} <= set(sheet.titles)
        if is_canvas != (told.to == "canvas"):
            raise ExportError(f"{told.fill}: {told.to.title()} has other titles than this sheet")
        filling = Filling(sheet, grades, dict(told.column))
        filling.fill()
        return Export(sheet.data(), filling.told)
    if told.to == "moodle":
        text, lines = moodle.table(grades)
        return Export(_bytes(text), lines)
    _one([suite.lab for suite in grades.suites], told)
    if not told.out:
        raise ExportError(f"--to {told.to} makes a file for each student: say --out FOLDER")
    if told.out.exists() and (not told.out.is_dir() or any(told.out.iterdir())):
        raise ExportError(f"{told.out}: it is there already")
    return _each(grades, told.to, environment)


def _each(grades: Grades, to: str, environment: Mapping[str, str]) -> Export:
    """Return a file for each student who has a grade. Raises ExportError."""
    (suite,) = grades.suites
    hidden = [part.module for part in suite.parts if part.hidden]
    names = folders_of(grades)
    files: dict[str, bytes] = {}
    made = Export(files)
    for one in grades.students:
        who, grade = one.student, grade_of(one, suite)
        if grade.state != "graded":
            made.told.append(f"no file: {who.name}: {grade.state}")
            continue
        if to == "classroom50" and not who.login:
            made.told.append(f"no file: {who.name}: no login is known")
            continue
        lab = forms.lab_of(grades, suite, grade)
        if to == "gradescope":
            form = gradescope.results(lab, hidden, forms.penalty(grade))
        else:
            form = classroom50.result(lab, _of_owner(environment, suite.lab, who.login), hidden)
        files[f"{suite.lab} {names[who]}.json"] = _json(form)
    made.told.append(counted(len(files), "file"))
    return made


def _of_owner(environment: Mapping[str, str], lab: str, login: str) -> dict[str, str]:
    """Return the variables of one student's repository."""
    variables = {"ASSIGNMENT": lab, **environment, "OWNER": login}
    return {name: value.replace(OWNER, login) for name, value in variables.items()}


def _only(grades: Grades, lab: str) -> Grades:
    """Return the grades of one lab, if it is named."""
    if not lab:
        return grades
    suites = [suite for suite in grades.suites if suite.lab == lab]
    students = [
        replace(one, labs=[grade for grade in one.labs if grade.lab == lab])
        for one in grades.students
    ]
    return replace(grades, suites=suites, students=students)


def _one(labs: list[str], told: argparse.Namespace) -> None:
    """Be sure that there is one lab. Raises ExportError."""
    if len(labs) > 1:
        raise ExportError(f"{told.grades} has {', '.join(labs)}: say which, --lab {labs[0]}")


def _json(form: dict[str, Any]) -> bytes:
    return _bytes(json.dumps(form, ensure_ascii=False, indent=1) + "\n")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="replace")


def _pair(text: str) -> tuple[str, str]:
    lab, _, title = text.partition("=")
    if not lab or not title:
        raise argparse.ArgumentTypeError(f"{text!r} is not LAB=TITLE")
    return lab, title


def _failed(reason: str) -> int:
    print(f"[ERROR] {one_line(reason)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
