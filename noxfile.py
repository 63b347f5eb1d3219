# /// script
# dependencies = ["nox>=2026.10.20"]
# ///
"""The commands of Socket Labs: `nox` lists them, `nox -s lab1` runs one.

What stands behind `--` goes to pytest: `nox -s lab1 -- -k udp`, `nox -s lab1 -- --sw`.
"""

import ast
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

if sys.version_info < (3, 10):
    sys.exit(
        f"[ERROR] Socket Labs needs Python 3.10 or newer, and this is {sys.version.split()[0]}"
    )

import nox

nox.needs_version = ">=2026.10.20"
nox.options.sessions = []

ROOT = Path(__file__).parent
LABS = {folder.name.partition("_")[0]: folder for folder in sorted(ROOT.glob("tests/lab[0-9]*_*"))}
PYTEST = "pytest>=9.2"
KIT = {"PYTHONPATH": os.fspath(ROOT / "tests")}  # where the kit's own programs find its modules
SAFE = {"PYTHONSAFEPATH": "1"}  # a student's random.py beside the noxfile is not Python's
CLEARING_UP = 10.0  # seconds

# With pytest beside nox nothing needs to be installed: everything runs in place, also offline.
IN_PLACE = importlib.util.find_spec("pytest") is not None
PYTHON = sys.executable if IN_PLACE else "python"
nox.options.default_venv_backend = "none" if IN_PLACE else "uv|virtualenv"
nox.options.reuse_venv = "yes"


def with_pytest(session: nox.Session) -> str:
    """Return a Python that has pytest: this one, or that of an environment made for it once."""
    if not IN_PLACE:
        session.install(PYTEST)
    return PYTHON


def pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest."""
    session.run(with_pytest(session), "-m", "pytest", *arguments, env=SAFE, external=IN_PLACE)


def run_kit(session: nox.Session, python: str, *words: str) -> None:
    """Run a program of the kit; a Ctrl+C leaves it time to clear up."""
    session.run(python, *words, env=KIT | SAFE, external=True, interrupt_timeout=CLEARING_UP)


def run_here(session: nox.Session, python: str, program: str, *arguments: str) -> None:
    """Run a program of the kit in the folder in which nox was called, whose files it is given.

    By its path: with -m, Python would look for its modules in that folder first.
    """
    with session.chdir(session.invoked_from):
        run_kit(session, python, os.fspath(ROOT / "tests" / program), *arguments)


def suite(lab: str, options: Sequence[str]) -> list[str]:
    """Return what pytest is told to try a student's lab."""
    return [f"tests/{LABS[lab].name}", "--pictures", ".labs", *options]


def add_lab(name: str, folder: Path) -> None:
    """Add a session that is named after a lab and tries the student's programs."""

    def check(session: nox.Session) -> None:
        pytest(session, *suite(name, session.posargs))

    check.__doc__ = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
    nox.session(name=name)(check)


for lab, lab_folder in LABS.items():
    add_lab(lab, lab_folder)


@nox.session(venv_backend="none")
def reset(session: nox.Session) -> None:
    """Give a lab's scaffold back: nox -s reset -- lab1. Your files are kept beside it."""
    run_kit(session, sys.executable, "-m", "kit.scaffold", "reset", *session.posargs)


@nox.session
def watch(session: nox.Session) -> None:
    """Run a lab again at each save: nox -s watch -- lab1. q ends it."""
    python = with_pytest(session)
    lab, *options = session.posargs or [""]
    command = (python, "-m", "pytest", *suite(lab, options)) if lab in LABS else ()
    run_kit(session, python, "-m", "desk.watch", lab, *command)


@nox.session(venv_backend="none")
def progress(session: nox.Session) -> None:
    """Show all labs at a glance, from the last whole run of each."""
    run_kit(session, sys.executable, "-m", "desk.progress", *session.posargs)


@nox.session
def trace(session: nox.Session) -> None:
    """Show what a client and a server say to each other: nox -s trace -- lab1."""
    run_kit(session, with_pytest(session), "-m", "relay", *session.posargs)


@nox.session(venv_backend="none")
def export(session: nox.Session) -> None:
    """Make of results what others read: nox -s export -- result.json --to markdown."""
    run_here(session, sys.executable, "exports", *session.posargs)


# with solutions: what follows is for the whole kit, and kit.edition leaves it out


@nox.session
def tests(session: nox.Session) -> None:
    """Test the kit: every suite on the solutions, the scaffold's guards, the kit's own tests."""
    pytest(session, "tests", "--ignore=tests/proof", "--solutions", *session.posargs)


@nox.session
def proof(session: nox.Session) -> None:
    """Prove the suites: right programs pass, wrong ones fail for the right reason."""
    pytest(session, "tests/proof", *session.posargs)


@nox.session(venv_backend="uv|virtualenv")
def lint(session: nox.Session) -> None:
    """Check format, style and types with ruff and mypy, which nothing else here needs."""
    session.install("ruff>=0.17,<0.18", "mypy>=2.4,<3", "nox", PYTEST)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")


@nox.session(venv_backend="none")
def scaffold(session: nox.Session) -> None:
    """Make labs/ from solutions/, where each marked gap becomes a TODO."""
    run_kit(session, sys.executable, "-m", "kit.scaffold", "make")


@nox.session
def pictures(session: nox.Session) -> None:
    """Make the handouts' pictures from what the solutions do, where they differ from before."""
    run_kit(session, with_pytest(session), "-m", "gallery")


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Measure the solutions beside other programs: nox -s bench -- lab3. It is no test."""
    run_kit(session, sys.executable, "-m", "bench", *session.posargs)


@nox.session
def grade(session: nox.Session) -> None:
    """Grade a class: nox -s grade -- SUBMISSIONS. docs/en/instructors.md tells all about it."""
    run_here(session, with_pytest(session), "grading", *session.posargs)


@nox.session(venv_backend="none")
def handout(session: nox.Session) -> None:
    """Make the students' edition, without solutions: nox -s handout -- --out DIR --lab lab1."""
    run_here(session, sys.executable, "kit/edition.py", *session.posargs)


@nox.session
def autograder(session: nox.Session) -> None:
    """Make an autograder to upload: nox -s autograder -- lab4 --for gradescope."""
    run_here(session, with_pytest(session), "autograder", *session.posargs)


# end


if __name__ == "__main__":
    nox.main()
