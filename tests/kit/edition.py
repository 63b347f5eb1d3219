"""The students' edition: the kit without solutions, without their proof, and without the grader.

`nox -s handout -- --out DIR --lab lab1` makes it, as a git repository with one commit. A document
or a file may mark what an edition has only together with something else, here a lab:

    Text<!-- with lab2 -->, and more of it<!-- end -->.

`with solutions` is in no edition. Where lines begin with `#`, `# with solutions` and `# end` do so.
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from kit import scaffold

SAYS = "Make the students' edition: a folder that is a git repository, without solutions."
ALWAYS = ("lab0", "lab1")  # the students' guide leads through their first steps
AS_THEY_ARE = (".editorconfig", ".gitattributes", ".gitignore", "LICENSE")
# What students run, and what that stands on.
ROOMS = ("kit", "desk", "exports", "pictures", "relay", "reports")
SOURCES = (".py", ".css")
CUT = ("noxfile.py", "pyproject.toml")
NOBODY = ("-c", "user.name=Socket Labs", "-c", "user.email=socket-labs@example.invalid")
ELSEWHERE = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE")

_PIECE = re.compile(r"<!-- with (\w+) -->(.*?)<!-- end -->", re.DOTALL)
_LINES = re.compile(r"\n+# with solutions\b.*?\n# end$", re.DOTALL | re.MULTILINE)
_PICTURE = re.compile(r"\]\(([\w/.-]+\.svg)\)")
_ROW = re.compile(r"^\|.*?(?:/(lab\d+)\.md\).*)?$", re.MULTILINE)


class EditionError(Exception):
    """An edition cannot be made; the text says why, in one line."""


def files(root: Path, labs: Iterable[str]) -> dict[str, bytes]:
    """Return what an edition with these labs ("lab1") and those of ALWAYS is made of.

    `root` is the kit's folder. The keys are paths in the edition, with slashes. `labs/` is the
    scaffold, with those of the shared modules that its programs import, and `.scaffold/` the same.
    Raises EditionError for a lab that there is not.
    """
    there = {*ALWAYS, *labs}
    if unknown := sorted(there - suites(root).keys()):
        raise EditionError(f"there is no lab {unknown[0]!r}: {', '.join(suites(root))}")
    texts = _kit(root, there) | _documents(root, there)
    content = {file: text.encode() for file, text in texts.items()}
    for program in _programs(root, there):
        for folder in (scaffold.LABS, scaffold.PRISTINE):
            content[Path(folder, program)] = scaffold.made(root, program)
    return {file.as_posix(): data for file, data in sorted(content.items())}


def suites(root: Path) -> dict[str, Path]:
    """Return the folder of each lab's suite, e.g. of "lab1"."""
    folders = sorted((root / "tests").glob("lab[0-9]*_*"))
    return {folder.name.partition("_")[0]: folder for folder in folders}


def fitted(text: str, there: Iterable[str]) -> str:
    """Return a document without what is marked for something that is not there."""
    return _PIECE.sub(lambda piece: piece[2] if piece[1] in there else "", text)


def write(content: dict[str, bytes], folder: Path) -> None:
    """Write an edition into a folder that is new or empty, as a git repository with one commit.

    The commit's author is who git says, else NOBODY. Raises EditionError, and writes nothing then.
    """
    if not shutil.which("git"):
        raise EditionError("git is needed, and is not installed")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EditionError(f"{folder} is there already, and is no empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as made:
        for name, data in content.items():
            file = Path(made, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        _commit(Path(made))
        for path in Path(made).iterdir():
            path.rename(folder / path.name)


def _commit(folder: Path) -> None:
    _git(folder, "init", "--quiet", "--template=")
    _git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
    _git(folder, "add", "--all", "--force")  # whatever the user ignores elsewhere
    try:
        _git(folder, "-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
        author: tuple[str, ...] = ()
    except EditionError:
        author = NOBODY
    _git(folder, *author, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", "Socket Labs")


def _git(folder: Path, *words: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    command = ["git", *words]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    if run.returncode:
        last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise EditionError(f"git {' '.join(words)}: {''.join(last)}")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _kit(root: Path, there: Iterable[str]) -> dict[Path, str]:
    """Return the commands, the rooms of the kit, and the suites."""
    folders = [root / "tests" / room for room in ROOMS] + [suites(root)[lab] for lab in there]
    every = [root / name for name in (*AS_THEY_ARE, *CUT, "tests/conftest.py")]
    every += (file for folder in folders for file in folder.rglob("*") if file.suffix in SOURCES)
    every.remove(root / "tests/kit/edition.py")
    texts = {file.relative_to(root): _text(file) for file in every}
    return texts | {Path(name): _LINES.sub("", texts[Path(name)]) for name in CUT}


def _documents(root: Path, there: Iterable[str]) -> dict[Path, str]:
    """Return the README, the students' guide and the handouts, and the pictures in them."""
    texts = {Path("README.md"): _readme(root, there)}
    for name in ("students", *there):
        for file in (root / "docs").glob(f"*/{name}.md"):
            text = texts[file.relative_to(root)] = fitted(_text(file), there)
            shown = (file.parent / picture for picture in _PICTURE.findall(text))
            texts |= {picture.relative_to(root): _text(picture) for picture in shown}
    return texts


def _readme(root: Path, there: Iterable[str]) -> str:
    """Return the README of an edition: its own words, and of the kit's table the labs in it."""
    rows = _ROW.finditer(_text(root / "README.md"))
    table = "\n".join(row[0] for row in rows if row[1] is None or row[1] in there)
    return _text(root / "tests/kit/edition.md").format(labs=table)


def _programs(root: Path, labs: Iterable[str]) -> list[Path]:
    """Return the files of these labs, and of the modules beside them those that they import."""
    every = scaffold.sources(root)
    beside = {file.stem: file for file in every if len(file.parts) == 1}
    wanted = [file for file in every if file.parts[0].partition("_")[0] in labs]
    wanted.append(beside.pop("__init__"))
    for file in wanted:  # it grows
        if file.suffix == ".py":
            names = _imported(scaffold.made(root, file)) & beside.keys()
            wanted += (beside.pop(name) for name in sorted(names))
    return wanted


def _imported(source: bytes) -> set[str]:
    """Return the names of modules, and of what is in them, that come from our own packages."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            names |= {node.module} if node.module else {alias.name for alias in node.names}
    return names


def main() -> int:
    """Make the edition that the command line asks for, and return the exit code."""
    parser = argparse.ArgumentParser(prog="nox -s handout --", description=SAYS)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--lab", action="append", default=[], help=f"beside {', '.join(ALWAYS)} (default: all)"
    )
    told = parser.parse_args()
    root = Path(__file__).parents[2]
    labs = sorted({*ALWAYS, *(told.lab or suites(root))})
    try:
        write(files(root, labs), told.out)
    except (EditionError, OSError) as error:
        print(f"[ERROR] {error}", file=sys.stderr)
        return 2
    print(f"{told.out} has {', '.join(labs)}, in one commit on main; nothing was pushed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
