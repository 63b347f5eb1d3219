"""What a submission consists of: a folder, a zip or a tar, read without trusting a name in it.

Nothing is unpacked here: files come one by one, with a relative path and their bytes, and what is
left out comes with the reason. Links are never followed, names never leave the submission.
"""

import functools
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

MOST_FILES = 5_000
MOST_BYTES = 64_000_000  # of all files together, unpacked
ENDINGS = (".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tbz2", ".txz", ".tar")
FOREIGN = (".rar", ".7z")  # archives that cannot be read
ENCRYPTED = 0x1  # a bit of a zip's flags (PKWARE's APPNOTE 4.4.4)
SKIPPED = {".git", ".hg", ".svn", ".nox", ".venv", "venv", "__pycache__", "__MACOSX", ".idea"}


class Unreadable(Exception):
    """A submission that cannot be read; the text says why."""


class NoArchive(Unreadable):
    """A file that holds no others, such as a report."""


class File(NamedTuple):
    """A file of a submission; `left_out` says why its bytes were not taken."""

    path: PurePosixPath
    data: bytes = b""
    left_out: str = ""


def files(submission: Path) -> Iterator[File]:
    """Yield the files of a submission. Raises Unreadable, also in the middle."""
    if submission.is_symlink():
        raise Unreadable("it is a link")
    if submission.is_dir():
        found = _of_folder(submission)
    elif not is_archive(submission):
        name = submission.name.lower()
        if name.endswith(ENDINGS):
            raise Unreadable("it is empty, cut off or damaged")
        kind = Unreadable if name.endswith(FOREIGN) else NoArchive
        raise kind("it is neither a folder nor a zip nor a tar")
    elif zipfile.is_zipfile(submission):
        found = _of_zip(submission)
    else:
        found = _of_tar(submission)
    return _within_limits(found)


def single_files(named: Mapping[PurePosixPath, Path]) -> Iterator[File]:
    """Yield files that lie side by side, each with the path that it is to have.

    Raises Unreadable.
    """
    return _within_limits(_read_in(file, path) for path, file in named.items())


def _within_limits(found: Iterable[File]) -> Iterator[File]:
    count = size = 0
    try:
        for file in found:
            count, size = count + 1, size + len(file.data)
            if count > MOST_FILES or size > MOST_BYTES:
                raise Unreadable(f"it has more than {MOST_FILES:,} files or {MOST_BYTES:,} bytes")
            yield file
    except Unreadable:
        raise
    except Exception as error:  # what a damaged archive makes of a parser, nobody has listed
        raise Unreadable(f"it cannot be read: {error}") from error


def is_called_one(name: str) -> bool:
    """Tell whether a file has an archive's name, also one that cannot be read."""
    return name.lower().endswith((*ENDINGS, *FOREIGN))


def is_archive(file: Path) -> bool:
    """Tell whether a file is a zip or a tar, whatever its name."""
    try:
        return file.is_file() and (zipfile.is_zipfile(file) or tarfile.is_tarfile(file))
    except Exception:  # as above
        return False


def _of_folder(folder: Path) -> Iterator[File]:
    for at, folders, names in os.walk(folder):
        here = Path(at)
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted([*names, *(n for n in folders if (here / n).is_symlink())]):
            path = PurePosixPath((here / name).relative_to(folder).as_posix())
            yield _read_in(here / name, path)


def _read_in(file: Path, path: PurePosixPath) -> File:
    if file.is_symlink():
        return File(path, left_out="a link")
    if not file.is_file():
        return File(path, left_out="not a regular file")
    return _read(path, file.stat().st_size, file.read_bytes)


def _of_zip(archive: Path) -> Iterator[File]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            path, trouble = _checked(info.filename)
            if info.is_dir() or SKIPPED.intersection(path.parts):
                continue
            if info.external_attr >> 16 & 0o170000 == 0o120000:
                trouble = "a link"
            if trouble:
                yield File(path, left_out=trouble)
            elif info.flag_bits & ENCRYPTED:
                raise Unreadable("it has a password")
            else:
                yield _read(path, info.file_size, functools.partial(opened.read, info))


def _of_tar(archive: Path) -> Iterator[File]:
    with tarfile.open(archive) as opened:
        for info in opened:
            path, trouble = _checked(info.name)
            if info.isdir() or SKIPPED.intersection(path.parts):
                continue
            if not info.isreg():
                trouble = "a link" if info.issym() or info.islnk() else "not a regular file"
            if trouble:
                yield File(path, left_out=trouble)
                continue
            content = opened.extractfile(info)
            assert content
            yield _read(path, info.size, content.read)


def _read(path: PurePosixPath, size: int, read: Callable[[], bytes]) -> File:
    """Read a file that says how long it is, and is not believed to be short when it is not."""
    if size > MOST_BYTES:
        return File(path, left_out=f"{size:,} bytes are too many")
    return File(path, read())


def _checked(name: str) -> tuple[PurePosixPath, str]:
    """Return the path of a name in an archive, and what is wrong with it, if anything."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or (path.parts and path.parts[0].endswith(":")):
        return path, "an absolute path"
    if ".." in path.parts:
        return path, "a path that leads outside"
    return path, ""
