"""Programs that do their worst: the suite ends all the same, gives nothing, leaves nothing."""

from typing import Any

import pytest

from proof.subjects import Subject

LIMIT = 40  # seconds; one part's gate with all its patience is far below this

HOSTILE = {
    "hangs at import": "while True: pass",
    "sleeps at import": "import time; time.sleep(600)",
    "exits at import with 0": "import os; os._exit(0)",
    "raises at import": "1 / 0",
    "has a syntax error": "def serve(:",
    "floods stdout": "while True: print('Listening on nowhere ' * 100)",
    "floods stderr without a newline": "import sys\nwhile True: sys.stderr.write('x' * 10_000)",
    "says it is ready and is not": "print('Listening on 127.0.0.1:9', flush=True); input()",
    "names an impossible port": "print('Listening on 127.0.0.1:99999', flush=True); input()",
    "claims that it passed": "print('100 passed, score 100 of 100'); raise SystemExit(0)",
    "ignores signals": (
        "import signal, time\n"
        "for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
        "while True: time.sleep(1)"
    ),
    "leaves a child in a session of its own": (
        "import os, subprocess, sys, time\n"
        "child = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "subprocess.Popen(child, start_new_session=True)\n"
        "print('Listening on 127.0.0.1:1', flush=True)"
    ),
}


def subject(name: str, program: str) -> Subject:
    return Subject("lab1_echo", name, (("udp_server.py", program),), part="udp_server")


@pytest.mark.parametrize("subject", [subject(*pair) for pair in HOSTILE.items()], ids=HOSTILE)
def test_a_hostile_program_neither_hangs_the_suite_nor_outlives_it(
    result: dict[str, Any],
) -> None:
    assert result["duration"] < LIMIT
    assert result["points"] == 0
    assert result["exit_code"] == 1
    assert not [check for check in result["checks"] if check["reason"] == "kit"]
    assert result["left_over"] == []


def test_a_syntax_error_is_shown_with_its_line() -> None:
    broken = "import socket\n\ndef serve(:\n    pass\n"

    result = subject("broken", broken).tried()

    message = result["checks"][0]["message"]
    assert "your program was at labs/lab1_echo/udp_server.py:3: def serve(:" in message
    assert "SyntaxError" in message


def test_a_program_that_hangs_is_shown_where_it_hangs() -> None:
    stuck = "import time\n\ndef wait_for_ever():\n    time.sleep(600)\n\nwait_for_ever()\n"

    result = subject("stuck", stuck).tried()

    place = "labs/lab1_echo/udp_server.py:4 in wait_for_ever: time.sleep(600)"
    assert place in result["checks"][0]["where"]
