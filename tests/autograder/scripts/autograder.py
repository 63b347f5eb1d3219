"""Classroom 50 runs this for each submission, in the student's checkout.

It leaves result.json and release-body.md there, and ends with 0; anything else means that there is
no grade. Programs are to run as another user, so it becomes root for that where sudo lets it.
https://github.com/foundation50/classroom50/wiki/Advanced-Autograding describes what it meets.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTEST = "pytest>=9.2"


def main() -> int:
    """Grade the checkout that is the working directory, and return the exit code."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)  # another user has to read the kit
        kit = Path(shutil.copytree(HERE, folder / "kit"))
        form = folder / "form.json"
        root = as_root()
        python = with_pytest(root, folder)
        words = [*root, python, "-m", "autograder.classroom50", os.fspath(Path.cwd()), str(form)]
        tests = kit / "tests"
        variables = {**os.environ, "PYTHONPATH": os.fspath(tests)}
        if subprocess.run(words, cwd=tests, env=variables, check=False).returncode:
            return 1
        told = json.loads(form.read_text(encoding="utf-8"))
    sys.path.insert(0, os.fspath(HERE / "tests"))
    from exports import classroom50

    result = classroom50.result(told["lab"], os.environ, told["hidden"])
    files = {"result.json": json.dumps(result, indent=1) + "\n", "release-body.md": told["body"]}
    for name, text in files.items():
        Path(name).unlink(missing_ok=True)  # a student may have made a link of it
        Path(name).write_text(text, encoding="utf-8")
    return 0


def as_root() -> list[str]:
    """Return what runs a command as root, or nothing where this is root, or cannot be."""
    if os.getuid() == 0 or not shutil.which("sudo"):
        return []
    sudo = ["sudo", "-n"]
    return [] if subprocess.run([*sudo, "true"], check=False).returncode else sudo


def with_pytest(root: list[str], folder: Path) -> str:
    """Return a Python that has pytest for that user: this one, or one made in `folder`.

    Python looks for modules in the working directory, and that must not be the student's.
    """
    command = [*root, sys.executable, "-c", "import pytest"]
    quiet = subprocess.DEVNULL
    if subprocess.run(command, cwd=folder, stderr=quiet, check=False).returncode == 0:
        return sys.executable
    subprocess.run([sys.executable, "-m", "venv", "python"], cwd=folder, check=True)
    python = os.fspath(folder / "python/bin/python3")
    subprocess.run([python, "-m", "pip", "install", "--quiet", PYTEST], cwd=folder, check=True)
    return python


if __name__ == "__main__":
    sys.exit(main())
