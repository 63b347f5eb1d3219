# /// script
# dependencies = ["nox>=2026.10.20"]
# ///
"""The commands of Socket Labs: `nox` lists them, `nox -s lab1` runs one.

What stands behind `--` goes to pytest: `nox -s lab1 -- -k udp`, `nox -s lab1 -- --solutions`.
"""

import ast
import importlib.util
import os
import sys
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
CLEARING_UP = 10.0  # seconds

# With pytest beside nox nothing needs to be installed: everything runs in place, also offline.
IN_PLACE = importlib.util.find_spec("pytest") is not None
PYTHON = sys.executable if IN_PLACE else "python"
nox.options.default_venv_backend = "none" if IN_PLACE else "uv|virtualenv"
nox.options.reuse_venv = "yes"


def pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest in place, or in an environment that is made for it once."""
    if not IN_PLACE:
        session.install(PYTEST)
    # A student's random.py beside the noxfile is not Python's.
    session.run(PYTHON, "-m", "pytest", *arguments, env={"PYTHONSAFEPATH": "1"}, external=IN_PLACE)


def add_lab(name: str, folder: Path) -> None:
    """Add a session that is named after a lab and tries the student's programs."""

    def check(session: nox.Session) -> None:
        pytest(session, f"tests/{folder.name}", *session.posargs)

    check.__doc__ = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
    nox.session(name=name)(check)


for lab, lab_folder in LABS.items():
    add_lab(lab, lab_folder)


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
    run_kit(session, "kit.scaffold", "make")


@nox.session(venv_backend="none")
def reset(session: nox.Session) -> None:
    """Give a lab's scaffold back: nox -s reset -- lab1. Your files are kept beside it."""
    run_kit(session, "kit.scaffold", "reset", *session.posargs)


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """Measure the solutions beside other programs: nox -s bench -- lab3. It is no test."""
    run_kit(session, "bench", *session.posargs)


@nox.session
def grade(session: nox.Session) -> None:
    """Grade a class: nox -s grade -- SUBMISSIONS. docs/en/instructors.md tells all about it."""
    if not IN_PLACE:
        session.install(PYTEST)
    with session.chdir(session.invoked_from):
        # With -m, Python would look for its modules among the submissions first.
        program = os.fspath(ROOT / "tests/grading")
        session.run(
            *(PYTHON, program, *session.posargs),
            env=KIT,
            external=True,
            interrupt_timeout=CLEARING_UP,
        )


def run_kit(session: nox.Session, module: str, *arguments: str) -> None:
    """Run a module of the kit as a program, with the Python that runs nox."""
    command = (sys.executable, "-m", module, *arguments)
    session.run(*command, env=KIT, external=True, interrupt_timeout=CLEARING_UP)


if __name__ == "__main__":
    nox.main()
