"""The files for courses in docs/courses/, and our own CI: what they call is there.

Their shell lines are run, with programs that only write down what they are called with. Neither
Slurm nor GitHub nor GitLab is here: that those do with a file what we think is not tried.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exports import __main__ as exports
from grading import __main__ as grading
from kit import system

ROOT = Path(__file__).parents[2]
COURSES = ROOT / "docs/courses"
CI = ROOT / ".github/workflows/ci.yml"
LIMIT = 60.0  # seconds; longer means that it hangs

INSTALL = ["python", "-m", "pip", "install", "nox", "pytest"]
QUIETLY = ["python", "-m", "pip", "install", "--quiet", "nox", "pytest"]
BOXES = [
    ["sudo", "apt-get", "update"],
    ["sudo", "apt-get", "install", "--yes", "bubblewrap"],
    ["sudo", "sysctl", "kernel.apparmor_restrict_unprivileged_userns=0"],
]
LAB = ["nox", "-s", "lab1", "--", "--json", "result.json", "--junitxml", "junit.xml"]
EXPORT = ["nox", "-s", "export", "--", "result.json", "--to", "markdown"]
GRADE = ["nox", "-s", "grade", "--", "class", "--lab", "lab1", "--shard"]
MERGE = ["nox", "-s", "grade", "--", "--merge"]

# What Slurm, GitHub and GitLab set, or put in the place of an expression.
VARIABLES = {
    "SLURM_ARRAY_TASK_ID": "3",
    "SLURM_CPUS_PER_TASK": "2",
    "CI_NODE_INDEX": "3",
    "CI_NODE_TOTAL": "4",
    "GITHUB_STEP_SUMMARY": "summary.md",
    "LAB": "lab1",
    "SHARD": "3/4",
}
CALLED = {
    "github-lab.yml": [INSTALL, LAB, EXPORT],
    "gitlab-lab.yml": [QUIETLY, LAB, EXPORT],
    "github-grade.yml": [
        *(INSTALL, *BOXES, [*GRADE, "3/4", "--sandbox", "bwrap"]),
        *(INSTALL, [*MERGE, "shards/shard-1/1-of-2", "shards/shard-2/2-of-2"]),
    ],
    "gitlab-grade.yml": [
        *(QUIETLY, [*GRADE, "3/4"]),
        *(QUIETLY, [*MERGE, "grades/1-of-2", "grades/2-of-2"]),
    ],
    "ci.yml": [
        *(INSTALL, ["nox", "-s", "tests"]),
        *(INSTALL, *BOXES, ["nox", "-s", "proof", "lint"]),
    ],
    "slurm-grade.sh": [[*GRADE, "3/4", "--jobs", "2", "--sandbox", "bwrap"]],
    "devcontainer.json": [
        ["python3", "-m", "venv", ".venv"],
        ["python", "-m", "pip", "install", "nox", "pytest"],
    ],
}


def shell_of(file: Path) -> str:
    """Return the shell lines of a file, in their order."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".json":
        return str(json.loads(text)["postCreateCommand"])
    return "\n".join(scripts(text)) if file.suffix == ".yml" else text


def scripts(text: str) -> Iterator[str]:
    """Yield the shell lines of a workflow (run) or a pipeline (script); each stands on one line."""
    inside = False
    for line in text.splitlines():
        key = re.fullmatch(r" *(?:- )?(run|script|after_script):(.*)", line)
        inside = key[1] != "run" if key else inside and line.lstrip().startswith("- ")
        if key and key[1] == "run":
            yield key[2].strip()
        elif inside and not key:
            yield line.strip().removeprefix("- ")


def called(file: Path, folder: Path) -> list[list[str]]:
    """Run the shell lines of a file in a folder, and return which programs they call with what."""
    (folder / ".venv/bin").mkdir(parents=True)
    for shard in ("1-of-2", "2-of-2"):
        (folder / "grades" / shard).mkdir(parents=True)
        (folder / "shards" / f"shard-{shard[0]}" / shard).mkdir(parents=True)
    for place in (".venv/bin/nox", ".venv/bin/python", "nox", "python", "python3", "sudo"):
        stub = folder / place
        stub.write_text('#!/bin/sh\nprintf "%s\\t" "${0##*/}" "$@" >> calls\necho >> calls\n')
        stub.chmod(0o755)
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", shell_of(file), "bash", "class", "lab1", "4"],
        cwd=folder,
        env={"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **VARIABLES},
        check=True,
        timeout=LIMIT,
    )
    return [line.split("\t")[:-1] for line in (folder / "calls").read_text().splitlines()]


def test_every_file_is_looked_at() -> None:
    assert {file.name for file in [CI, *COURSES.iterdir()]} == set(CALLED)


@pytest.mark.parametrize("name", CALLED)
def test_what_a_file_calls_is_what_we_think(name: str, tmp_path: Path) -> None:
    if system.WINDOWS:
        pytest.skip("these lines are for a POSIX shell")

    assert called(CI if name == CI.name else COURSES / name, tmp_path) == CALLED[name]


def test_every_session_that_is_called_is_there() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    sessions |= {path.name.partition("_")[0] for path in (ROOT / "tests").glob("lab[0-9]*_*")}

    words = [call[2:] for calls in CALLED.values() for call in calls if call[0] == "nox"]
    assert {
        name for call in words for name in "\n".join(call).split("\n--\n")[0].split()
    } <= sessions


@pytest.mark.parametrize(
    "call", [call for calls in CALLED.values() for call in calls if call[:3] == GRADE[:3]]
)
def test_the_grader_takes_these_options(call: list[str]) -> None:
    told = grading.options(call[4:])
    assert (told.shard or (0, 0))[0] in (0, 3)


def test_the_export_takes_these_options() -> None:
    assert exports.options(EXPORT[4:]).to == "markdown"


def test_the_labs_take_these_options(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pytest", f"{ROOT}/tests/lab1_echo", "--collect-only"]
    subprocess.run([*words, *LAB[4:]], cwd=tmp_path, check=True, timeout=LIMIT, capture_output=True)


def test_our_ci_has_every_python_that_the_kit_is_for() -> None:
    found = re.search(r"python: (\[.*\])", CI.read_text(encoding="utf-8"))
    oldest = re.search(r'requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert found
    assert oldest

    versions = json.loads(found[1])

    assert versions[0] == oldest[1]
    assert versions == [f"3.{minor}" for minor in range(10, 15)]


@pytest.mark.parametrize("name", [name for name in CALLED if name.startswith("github-")])
def test_the_actions_are_those_of_our_ci(name: str) -> None:
    """So that a new version is seen in one place before courses get it."""
    actions = re.compile(r"uses: (actions/(?:checkout|setup-python)@\S+)")
    ours = set(actions.findall(CI.read_text(encoding="utf-8")))

    assert set(actions.findall((COURSES / name).read_text(encoding="utf-8"))) == ours
