"""All labs at a glance: points, and the next step, from the last whole run of each."""

import argparse
import io
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from desk import kept
from desk.lines import bar, cell, in_ascii, is_plain
from kit import modules
from pictures.texts import cut, visible, wrapped

ROOT = Path(__file__).parents[2]
WIDTH = 80  # columns of a terminal
LAB, TITLE, BAR = 5, 20, 20  # columns of a table
INDENT = LAB + 1
NOTE = 2  # lines of what is said of a lab


def table(root: Path) -> Iterator[str]:
    """Yield the lines of a table of all labs that have a suite; `root` is the kit's folder."""
    for folder in sorted(root.glob("tests/lab[0-9]*_*")):
        lab, _, title = folder.name.partition("_")
        file = kept.file_of(root, lab)
        try:
            when = file.stat().st_mtime
            result = kept.read_one(file, lab)
        except FileNotFoundError:
            yield _row(lab, title.replace("_", " "), 0, 1, "not run yet")
        except (OSError, kept.KeptError) as error:
            yield _row(lab, title.replace("_", " "), 0, 1, "not known")
            yield from _note(f"{file.relative_to(root).as_posix()} {error}")
        else:
            yield from _known(result, root / "labs", folder.name, when)


def _known(result: dict[str, Any], labs: Path, folder: str, when: float) -> Iterator[str]:
    lab, points, most = result["lab"], result["points"], result["max_points"]
    told = f"{points:>3} of {most:<3}  {datetime.fromtimestamp(when):%Y-%m-%d %H:%M}"
    yield _row(lab, result["title"], points, most, told)
    yield from _note(kept.next_step(result))
    if _is_older(result, labs, folder):
        yield from _note(f"older than your files; run it again: nox -s {lab}")


def _is_older(result: dict[str, Any], labs: Path, folder: str) -> bool:
    """Tell whether files have changed since they were judged, in whatever way they were saved."""
    return bool(result["digest"] != modules.digest(labs, folder))


def _row(lab: str, title: str, points: int, most: int, told: str) -> str:
    row = f"{cell(lab, LAB)} {cell(title, TITLE)} {bar(points, most, BAR)} {told}"
    return cut(row, WIDTH)


def _note(text: str) -> Iterator[str]:
    for line in wrapped(visible(text), WIDTH - INDENT, NOTE):
        yield " " * INDENT + line


def main() -> int:
    """Print the table, and return the exit code."""
    argparse.ArgumentParser(prog="nox -s progress --", description=__doc__).parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    plain = is_plain(sys.stdout)
    for line in table(ROOT):
        print(in_ascii(line) if plain else line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
