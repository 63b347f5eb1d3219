"""Submissions in: of each only the lab's own files are taken, into a fresh tree."""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grading import archives
from grading.archives import File, NoArchive, Unreadable, is_archive, is_called_one
from grading.policy import POLICY
from grading.students import ROSTER, Roster, file_alone, student_of
from kit import scaffold
from reports.grades import Student

# Files that would speak to pytest, nox or Python itself instead of the network.
NEVER = {
    "conftest.py",
    "noxfile.py",
    "pytest.ini",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "sitecustomize.py",
    "tox.ini",
    "usercustomize.py",
}
BINARY = {".dll", ".dylib", ".pth", ".pyc", ".pyd", ".pyo", ".so"}


@dataclass
class Submission:
    """What one student handed in, for one lab. `trouble` says why it cannot be graded.

    `absent` means: because there is nothing of this lab in it.
    """

    entry: Path
    student: Student
    lab: str
    files: dict[PurePosixPath, bytes] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    trouble: str = ""
    absent: bool = False

    @property
    def digest(self) -> str:
        """What changes when a file does."""
        digest = hashlib.sha256()
        for path, data in sorted(self.files.items()):
            digest.update(os.fsencode(f"{path}\0{len(data)}\0") + data)
        return digest.hexdigest()

    def write(self, root: Path, tree: Path) -> None:
        """Make a tree with this submission in it; what it lacks is as the scaffold has it."""
        scaffold.make(root, tree / scaffold.LABS)
        for path, data in self.files.items():
            file = tree / scaffold.LABS / self.lab / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)


def entries(folder: Path) -> list[Path]:
    """Return what may be a submission, in the order of the names, and of the numbers in them.

    Of the Python files that a student has handed in one by one, the first stands for all.
    """

    def place(path: Path) -> list[tuple[int, str]]:
        pieces = re.split(r"(\d+)", path.name)
        return [(int(piece) if piece.isdecimal() else 0, piece) for piece in pieces]

    ours = (ROSTER, POLICY)
    found = (path for path in folder.iterdir() if path.name not in ours)
    visible = sorted((path for path in found if not path.name.startswith(".")), key=place)
    single = {student_of(path.name).id: path for path in reversed(visible) if file_alone(path.name)}
    return [
        path
        for path in visible
        if not file_alone(path.name) or single[student_of(path.name).id] == path
    ]


def take_in(entry: Path, lab: str, programs: Iterable[str], roster: Roster) -> Submission:
    """Return the submission of an entry for a lab, e.g. "lab4_chat", with these programs."""
    told = student_of(entry.name)
    submission = Submission(entry, roster.known(told), lab, trouble=roster.doubt(told))
    if submission.trouble:
        return submission
    found: list[File] = []
    try:
        for file in _files(entry):
            if file.left_out:
                submission.left_out.append(f"{file.path}: {file.left_out}")
            else:
                found.append(file)
    except Unreadable as error:
        submission.trouble, submission.absent = str(error), isinstance(error, NoArchive)
        return submission
    programs = sorted(programs)
    homes = _homes([file.path for file in found], lab, programs)
    if not homes:
        return _unpacked(submission, found, programs)
    home, *others = homes
    submission.left_out += [f"{other}: another folder of the lab" for other in others]
    for file in found:
        if not file.path.is_relative_to(home):
            continue
        path = file.path.relative_to(home)
        if reason := _why_not(path):
            submission.left_out.append(f"{path}: {reason}")
        else:
            submission.files[path] = file.data
    return submission


def _files(entry: Path) -> Iterator[File]:
    """Yield the files of a submission: of an archive, of a folder, or those handed in one by one.

    Raises Unreadable.
    """
    if not file_alone(entry.name):
        return archives.files(entry)
    number = student_of(entry.name).id
    named = {
        PurePosixPath(name): file
        for file in sorted(entry.parent.iterdir())
        if (name := file_alone(file.name)) and student_of(file.name).id == number
    }
    return archives.single_files(named)


def _unpacked(submission: Submission, found: list[File], programs: list[str]) -> Submission:
    """Look into the archives in a folder: Moodle makes one around what a student has packed."""
    entry, lab = submission.entry, submission.lab
    names = [file.path for file in found if is_archive(entry / file.path)]
    names += [file.path for file in found if is_called_one(file.path.name)]
    for name in dict.fromkeys(names):
        inner = entry / name
        packed = take_in(inner, lab, programs, Roster()) if inner.is_file() else None
        if packed and packed.absent:
            continue
        if packed and not packed.trouble:
            return replace(packed, entry=entry, student=submission.student)
        why = packed.trouble if packed else "an archive in an archive is not looked into"
        submission.trouble = submission.trouble or f"{name}: {why}"
    if not submission.trouble:
        submission.absent = True
        submission.trouble = f"there is no folder {lab}, and no {' or '.join(programs)}"
        if submission.left_out:
            count, first = len(submission.left_out), submission.left_out[0]
            submission.trouble += f"; {count} left out, the first: {first}"
        elif not found:
            submission.trouble = "it is empty"
    return submission


def _homes(paths: list[PurePosixPath], lab: str, programs: Collection[str]) -> list[PurePosixPath]:
    """Return the folders of a submission that may hold the lab's files, the least deep one first.

    In a whole clone of the kit that is labs/<lab>, and not solutions/<lab>.
    """
    folders = {folder for path in paths for folder in path.parents}
    named = [folder for folder in folders if folder.name == lab]
    in_labs = [folder for folder in named if folder.parent.name == scaffold.LABS]
    with_programs = [path.parent for path in paths if path.name in programs]
    for some in (in_labs, named, with_programs):
        if some:
            return sorted({*some}, key=lambda folder: (len(folder.parts), str(folder)))
    return []


def _why_not(path: PurePosixPath) -> str:
    """Return why a file of a lab's folder is not taken, or "" if it is."""
    if any(part.startswith(".") for part in path.parts):
        return "hidden"
    if path.name in NEVER:
        return "not for a lab to have"
    if path.suffix.lower() in BINARY:
        return "not source"
    return ""
