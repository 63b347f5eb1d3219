"""What the suites are tried on: wheats, which are right, chaffs, which have one bug, open gaps.

A subject is a tree of its own, with one lab's programs in it; the lab's suite is run on it as an
instructor runs it, in a process of its own, and its result form is what the proof looks at.
"""

import importlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit import scaffold
from kit.lab import Lab

ROOT = Path(__file__).parents[2]
PROOF = Path(__file__).parent
LIMIT = 180  # seconds for one run of a suite; longer means that it hangs


@dataclass(frozen=True)
class Chaff:
    """A program with one realistic bug: the reference's text with `old` replaced by `new`.

    `old` stands in it once; several places are several pairs. `name` says what is wrong, `part`
    whose checks look at it, if that part has not the program's name.
    """

    program: str
    name: str
    changes: tuple[tuple[str, str], ...]
    part: str

    def applied_to(self, text: str) -> str:
        """Return the wrong program's text."""
        for old, new in self.changes:
            if text.count(old) != 1:
                raise ValueError(f"{self.program}, {self.name}: {text.count(old)} times {old!r}")
            text = text.replace(old, new)
        return text


def chaff(program: str, name: str, *changes: str, part: str = "") -> Chaff:
    """Return a chaff: after its name the texts come in pairs, what is there and what is wrong."""
    pairs = tuple(zip(changes[::2], changes[1::2], strict=True))
    return Chaff(program, name, pairs, part or program)


@dataclass(frozen=True)
class Subject:
    """A tree to try a lab's suite on: the solutions with these gaps open (None: all of them),
    and with these files put over them. `part` limits the run to one program's checks; `options`
    go to pytest.
    """

    lab: str
    name: str
    files: tuple[tuple[str, str], ...] = ()
    opened: tuple[int, ...] | None = ()
    part: str = ""
    options: tuple[str, ...] = ()

    def tried(self, *options: str) -> dict[str, Any]:
        """Run the suite on it, and return the result form."""
        with tempfile.TemporaryDirectory(prefix="socket-labs-proof-") as folder:
            tree, out = Path(folder, "tree"), Path(folder, "result.json")
            scaffold.make(ROOT, tree / scaffold.LABS, self.opened)
            for name, text in self.files:
                (tree / scaffold.LABS / self.lab / name).write_text(text, encoding="utf-8")
            target = PROOF.parent / self.lab / (f"test_{self.part}.py" if self.part else "")
            words = ["-m", "pytest", str(target), "--tree", str(tree), "--json", str(out)]
            run = subprocess.run(
                [sys.executable, *words, *self.options, *options],
                cwd=ROOT,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=LIMIT,
                check=False,
            )
            if not out.exists():
                raise RuntimeError(f"no result for {self.name}:\n{run.stdout}\n{run.stderr}")
            (result,) = json.loads(out.read_text(encoding="utf-8"))
            more = {"exit_code": run.returncode, "left_over": _inside(tree)}
            return {**result, **more}


def labs() -> list[str]:
    """Return the folders of the labs that have a proof."""
    return sorted(folder.name for folder in PROOF.glob("lab*_*") if (folder / "chaffs.py").exists())


def wheats(lab: str) -> list[Subject]:
    """Return a lab's right programs."""
    folders = sorted((PROOF / lab / "wheats").iterdir())
    return [
        Subject(
            lab,
            folder.name,
            tuple((file.name, file.read_text(encoding="utf-8")) for file in folder.glob("*.py")),
        )
        for folder in folders
        if folder.name != "__pycache__"
    ]


def chaffs(lab: str) -> list[Subject]:
    """Return a lab's wrong programs, each to be tried by the checks of that program."""
    return [
        Subject(
            lab,
            f"{wrong.part}: {wrong.name}",
            ((f"{wrong.program}.py", wrong.applied_to(_solution(lab, wrong.program))),),
            part=part_of(lab, wrong.part),
        )
        for wrong in importlib.import_module(f"proof.{lab}.chaffs").CHAFFS
    ]


def gap_bodies(lab: str, program: str) -> list[str]:
    """Return what fills a program's gaps in the reference, for chaffs that fill them otherwise."""
    gaps = scaffold.gaps(_solution(lab, program), program)
    return ["".join(f"{line}\n" for line in gap.body) for gap in gaps]


def part_of(lab: str, program: str) -> str:
    """Return the part of a lab's suite that tries a program: a file a program, or one a pair."""
    pair = f"{program.partition('_')[0]}_pair"
    return pair if _has_part(lab, pair) else program


def parts_with_programs(lab: str) -> set[str]:
    """Return the parts that look at programs, and not at the machine."""
    programs = [file.stem for file in (ROOT / scaffold.SOLUTIONS / lab).glob("*.py")]
    return {part for part in (part_of(lab, name) for name in programs) if _has_part(lab, part)}


def open_gaps(lab: str) -> list[Subject]:
    """Return, for each gap of a lab, a tree in which this gap alone is open.

    The run ends at the first check that does not pass: it has to name the gap.
    """
    return [
        Subject(
            lab,
            f"{program}: TODO {number}",
            opened=(number,),
            part=program if _has_part(lab, program) else "",
            options=("-x",),
        )
        for program, numbers in _gaps(lab).items()
        for number in numbers
    ]


def one_part_done(lab: str) -> list[Subject]:
    """Return, for each part of a lab that has TODOs, a tree in which these alone are done."""
    every = {number for numbers in _gaps(lab).values() for number in numbers}
    return [
        Subject(lab, part.module, opened=tuple(every.difference(part.todos)))
        for part in suite_of(lab).parts
        if part.todos
    ]


def suite_of(lab: str) -> Lab:
    """Return what a lab's suite says of itself."""
    suite = importlib.import_module(f"{lab}.lab").LAB
    assert isinstance(suite, Lab)
    return suite


def _has_part(lab: str, name: str) -> bool:
    return (PROOF.parent / lab / f"test_{name}.py").exists()


def _gaps(lab: str) -> dict[str, list[int]]:
    files = sorted((ROOT / scaffold.SOLUTIONS / lab).glob("*.py"))
    found = {
        file.stem: [gap.number for gap in scaffold.gaps(file.read_text("utf-8"), file.name)]
        for file in files
    }
    return {program: numbers for program, numbers in found.items() if numbers}


def _inside(tree: Path) -> list[str]:
    """Return the processes whose working folder is in a tree; only Linux tells."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(tree):
                found.append((process / "cmdline").read_bytes().decode("utf-8", "replace"))
        except OSError:  # it has ended, or it is somebody else's
            continue
    return found


def _solution(lab: str, program: str) -> str:
    return (ROOT / scaffold.SOLUTIONS / lab / f"{program}.py").read_text(encoding="utf-8")
