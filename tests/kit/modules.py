"""The files that a lab's programs are made of: Python's modules, and no trace of an editor."""

import hashlib
import os
from pathlib import Path

Look = dict[Path, tuple[int, int]]
"""What a look at files sees: when each was changed, in nanoseconds, and its size in bytes."""


def files(labs: Path, lab: str) -> list[Path]:
    """Return the modules in a lab's folder, e.g. "lab1_echo", and those that all labs share."""
    found = [path for path in labs.glob("*.py") if _is_module(path.name)]
    for place, folders, names in os.walk(labs / lab):
        folders[:] = [name for name in folders if name.isidentifier() and name != "__pycache__"]
        found += [Path(place, name) for name in names if _is_module(name)]
    return sorted(found)


def _is_module(name: str) -> bool:
    """Tell a module from what editors and their checkers keep beside one for a while."""
    stem, dot, ending = name.partition(".")
    passing = stem.startswith("flycheck_") or stem.endswith("_flymake")  # Emacs
    return ending == "py" and stem.isidentifier() and not passing


def look(labs: Path, lab: str) -> Look:
    """Look at a lab's files now; one that is just being replaced is not there."""
    seen = {}
    for file in files(labs, lab):
        try:
            told = file.stat()
        except OSError:
            continue
        seen[file] = (told.st_mtime_ns, told.st_size)
    return seen


def digest(labs: Path, lab: str) -> str:
    """Return what changes when a lab's files do, and only then: SHA-256 in hexadecimal."""
    told = hashlib.sha256()
    for file in files(labs, lab):
        try:
            data = file.read_bytes()
        except OSError:
            continue
        told.update(f"{file.relative_to(labs).as_posix()}\0{len(data)}\0".encode() + data)
    return told.hexdigest()
