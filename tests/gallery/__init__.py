"""The pictures in the handouts: stories of checks that the solutions pass, as they are today.

`nox -s pictures` makes them, and a test makes them again and compares. So nothing may be in them
that differs from run to run: no times, no port that the system chose, and nothing that a program
prints or when it ends, as this is told by another thread than what its peers do.
"""

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from pictures import svg, title_of
from pictures.ladder import Ladder, ladder

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/en/pictures"
SEED = 1
LIMIT = 60  # seconds
PORT = "PORT"

# What teaches, by the file's name.
CHECKS = {
    "lab1-udp.svg": "lab1_echo/test_udp_server.py::test_each_of_several_clients_gets_its_own",
    "lab1-tcp.svg": "lab1_echo/test_tcp_server.py::TestEcho"
    "::test_it_closes_when_the_client_has_ended_its_sending_side",
    "lab2-threads.svg": "lab2_multi_client/test_server.py"
    "::test_who_came_first_is_still_served_after_another",
    "lab3-uploads.svg": "lab3_file_transfer/test_server.py"
    "::test_two_uploads_do_not_wait_for_each_other",
    "lab3-refusal.svg": "lab3_file_transfer/test_server.py"
    "::test_after_a_refusal_the_connection_goes_on",
    "lab4-session.svg": "lab4_chat/test_session.py"
    "::test_a_request_that_is_accepted_begins_a_session",
    "lab5-membership.svg": "lab5_rooms/test_talking.py"
    "::test_a_membership_does_not_depend_on_the_connection",
    "lab5-notices.svg": "lab5_rooms/test_talking.py::test_who_joins_is_announced_to_the_others",
}


class GalleryError(Exception):
    """The pictures cannot be made; the text says why, in one line."""


def made() -> dict[str, str]:
    """Return the pictures by their files' names. Raises GalleryError if a check does not pass."""
    with tempfile.TemporaryDirectory(prefix="socket-labs-gallery-") as folder:
        out = Path(folder, "result.json")
        options = ["--solutions", "--seed", str(SEED), "--json", str(out)]
        subprocess.run(
            [sys.executable, "-m", "pytest", *(f"tests/{name}" for name in CHECKS.values())]
            + options,
            cwd=ROOT,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
        if not out.exists():
            raise GalleryError("pytest could not run the checks")
        labs = json.loads(out.read_text(encoding="utf-8"))
    told = {check["id"]: check for lab in labs for check in lab["checks"]}
    if bad := [name for name in CHECKS.values() if told[name]["verdict"] != "passed"]:
        raise GalleryError(f"{bad[0]} did not pass: {told[bad[0]]['sentence']}")
    return {
        file: svg.picture(still(told[name]), title_of(told[name])) for file, name in CHECKS.items()
    }


def still(check: dict[str, Any]) -> Ladder:
    """Return the ladder of a check without all that differs from run to run."""
    rungs = ladder(check | {"story": _steady(check["story"])})
    steps = [replace(step, time=0.0, seconds=0.0) for step in rungs.steps]
    return replace(rungs, steps=steps, timed=False)


def _steady(story: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what peers did, and which programs were started, with names in place of ports."""
    programs = {line["who"] for line in story if line["mark"] == "$"}
    ports = {line["other_port"] for line in story if line.get("role") == "client"}
    ports |= {line["port"] for line in story if line.get("role") == "server"}
    return [
        line | {"what": _named(line["what"], ports)}
        for line in story
        if line["mark"] == "$" or line["who"] not in programs
    ]


def _named(text: str, ports: set[int]) -> str:
    text = re.sub(r"^python -m solutions\.", "python -m labs.", text)
    text = re.sub(r"^has port \d+$", "has a port of its own", text)
    return re.sub(r"\d+", lambda port: PORT if int(port[0]) in ports else port[0], text)
