"""The scaffold: `labs/` is made from `solutions/`, where a marked body becomes a numbered TODO.

In a solution                           in the scaffold

    # gap 1: Send it back.              # TODO 1: Send it back.
    #   To where it came from.          #   To where it came from.
    reply(sock)                         raise NotImplementedError("TODO 1")
    # end gap

A students' edition has no `solutions/`. There it is made from `.scaffold/`, which has no gaps left.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.whereabouts import Place

SOLUTIONS, LABS, PRISTINE = "solutions", "labs", ".scaffold"

_BEGIN = re.compile(r"^(?P<indent> *)# gap (?P<number>\d+): (?P<text>.+)$")
_MORE = re.compile(r"^ *#   \S")
_END = re.compile(r"^ *# end gap$")


class MarkerError(Exception):
    """A marker in a solution that does not fit; the text names the file and the line."""


@dataclass(frozen=True)
class Gap:
    """One gap of a file: its number, the lines of its promise, and those of its solution."""

    number: int
    indent: str
    promise: tuple[str, ...]
    body: tuple[str, ...]

    @property
    def todo(self) -> list[str]:
        """What stands in the scaffold in its place."""
        first = self.promise[0].replace(f"# gap {self.number}:", f"# TODO {self.number}:", 1)
        raised = f'{self.indent}raise NotImplementedError("TODO {self.number}")'
        return [first, *self.promise[1:], raised]

    @property
    def solved(self) -> list[str]:
        """What stands in the solution."""
        return [*self.promise, *self.body, f"{self.indent}# end gap"]


def parts(text: str, name: str) -> Iterator[str | Gap]:
    """Yield the lines of a solution in order, each gap as one piece; `name` is for errors."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        begin = _BEGIN.match(lines[at])
        if not begin:
            if _END.match(lines[at]):
                raise MarkerError(f"{name}:{at + 1}: 'end gap' without a gap")
            yield lines[at]
            at += 1
            continue
        end = next((i for i in range(at + 1, len(lines)) if _END.match(lines[i])), None)
        if end is None or any(_BEGIN.match(line) for line in lines[at + 1 : end]):
            raise MarkerError(f"{name}:{at + 1}: gap {begin['number']} has no end")
        body = at + 1
        while _MORE.match(lines[body]):
            body += 1
        if body == end:
            raise MarkerError(f"{name}:{at + 1}: gap {begin['number']} is empty")
        yield Gap(
            int(begin["number"]), begin["indent"], tuple(lines[at:body]), tuple(lines[body:end])
        )
        at = end + 1


def scaffold(text: str, name: str, opened: Iterable[int] | None = None) -> str:
    """Return a solution's text with its gaps opened: all, or only those with these numbers."""
    lines: list[str] = []
    for part in parts(text, name):
        if isinstance(part, str):
            lines.append(part)
        elif opened is None or part.number in opened:
            lines += part.todo
        else:
            lines += part.solved
    return "\n".join(lines) + "\n"


def gaps(text: str, name: str) -> list[Gap]:
    """Return the gaps of a solution."""
    return [part for part in parts(text, name) if isinstance(part, Gap)]


def origin(root: Path) -> Path:
    """Return what `labs/` is made from: `.scaffold/` in a students' edition, else `solutions/`."""
    pristine = root / PRISTINE
    return pristine if pristine.is_dir() else root / SOLUTIONS


def sources(root: Path) -> list[Path]:
    """Return what of its origin has a counterpart in `labs/`, relative to it."""
    folder = origin(root)
    files = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    return sorted(file for file in files if "__pycache__" not in file.parts)


def make(root: Path, target: Path, opened: Iterable[int] | None = None, lab: str = "") -> None:
    """Write the scaffold of all labs, or of one lab's folder, into `target` (usually labs/)."""
    for file in sources(root):
        if lab and file.parts[0] != lab:
            continue
        place = target / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(made(root, file, opened))


def made(root: Path, file: Path, opened: Iterable[int] | None = None) -> bytes:
    """Return the content of a file of the scaffold, whose name is one of `sources`."""
    source = origin(root) / file
    if file.suffix != ".py":
        return source.read_bytes()
    return scaffold(source.read_text(encoding="utf-8"), str(file), opened).encode()


def todo_text(root: Path, places: list[Place]) -> str:
    """Return what the TODO at one of these places asks for: the comment above its `raise`."""
    for place in places:
        if "NotImplementedError" not in place.source:
            continue
        lines = (root / place.file).read_text(encoding="utf-8", errors="replace").splitlines()
        above: list[str] = []
        for line in reversed(lines[: place.line - 1]):
            if not line.lstrip().startswith("#"):
                break
            above.insert(0, line.strip().removeprefix("#").strip())
        return "\n".join(above)
    return ""


def reset(root: Path, lab: str) -> list[str]:
    """Give back the scaffold of a lab ("lab1"), and what all labs share; return what was done.

    What a student has changed is kept beside its place, under a name that nothing else has.
    """
    names = sorted(path.name for path in origin(root).glob("lab*_*"))
    folders = {name.partition("_")[0]: name for name in names}
    if lab not in folders:
        raise KeyError(f"there is no {lab or 'lab without a name'}; there are {', '.join(folders)}")
    done = []
    with tempfile.TemporaryDirectory() as folder:
        make(root, Path(folder))
        for name in (folders[lab], *(path.name for path in Path(folder).glob("*.py"))):
            fresh, here = Path(folder, name), root / LABS / name
            if _same(fresh, here):
                continue
            if here.exists():
                kept = _free_name(here)
                here.rename(kept)
                done.append(f"kept what was there: {LABS}/{kept.name}")
            here.parent.mkdir(exist_ok=True)
            (shutil.copytree if fresh.is_dir() else shutil.copyfile)(fresh, here)
            done.append(f"as it was in the beginning: {LABS}/{name}")
    return done or [f"{LABS}/{folders[lab]} is as it was in the beginning"]


def _same(fresh: Path, here: Path) -> bool:
    if fresh.is_file():
        return here.is_file() and fresh.read_bytes() == here.read_bytes()
    names = {path.name for path in here.glob("*")} - {"__pycache__"}
    ours = {path.name for path in fresh.iterdir()}
    return names == ours and all(_same(fresh / name, here / name) for name in ours)


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.name}.kept-{number}")).exists():
        number += 1
    return kept


def main(arguments: list[str]) -> None:
    """Make the scaffolds, or give one back: `make`, or `reset lab1`."""
    root = Path(__file__).parents[2]
    try:
        match arguments:
            case ["make"] if (root / SOLUTIONS).is_dir():
                make(root, root / LABS)
            case ["reset", lab]:
                print(*reset(root, lab), sep="\n")
            case _:
                sys.exit("[ERROR] name one lab: nox -s reset -- lab1")
    except (KeyError, MarkerError, OSError) as error:
        sys.exit(f"[ERROR] {error.args[0] if isinstance(error, KeyError) else error}")


if __name__ == "__main__":
    main(sys.argv[1:])
