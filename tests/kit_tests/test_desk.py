"""A student's desk: whatever there is in `labs` and `.labs`, it says it and leaves no trace."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from desk import kept, progress, report, view, watch
from desk.lines import bar
from kit import modules, system
from kit.result import FORM
from kit.terminal import Terminal
from pictures.texts import width

if sys.platform != "win32":
    import termios

ROOT = Path(__file__).parents[2]
LATE = 60.0  # seconds after which nothing is waited for any longer, also on a busy machine

HOSTILE = '</pre></svg><script>alert("1")</script>\x1b[2J\x00\ud800\u202e & <b>'
STORY = [
    {"time": 0.0, "who": "server", "mark": "$", "what": "python -m labs.lab9_tiny.server"},
    {
        **{"time": 0.1, "who": "анна", "mark": "<-", "what": "b'hi'", "wire": "tcp"},
        **{"role": "client", "port": 4001, "other": "server", "other_port": 4000},
        **{"data": "aGk=", "size": 2, "flag": ""},
    },
]
# What the files of `project` come to.
JUDGED = "e2d94f317e0799d91a80dbc166d356d18cfb606ad6c8f955c4d351b04e8f3f26"


def check(title: str, **told: Any) -> dict[str, Any]:
    """Return a check of the result form; it passed, if nothing else is told."""
    plain = {"id": f"lab9_tiny/test_server.py::{title}", "lab": "lab9", "part": "Server"}
    empty = dict.fromkeys(("reason", "sentence", "expected", "received", "hint", "message"), "")
    points = {"points": 2, "max_points": 2, "verdict": "passed", "where": [], "story": []}
    return {**plain, **empty, **points, "title": title, **told}


def failed(title: str, sentence: str, **told: Any) -> dict[str, Any]:
    """Return a check that failed, with a story."""
    message = f"{sentence}\n\n  what happened\n     0.000  $ python\n\n  read on: lab9.md"
    wrong = {"verdict": "failed", "points": 0, "sentence": sentence, "message": message}
    return check(title, **{**wrong, "story": STORY, **told})


def lab(*checks: dict[str, Any], name: str = "lab9", title: str = "Tiny") -> dict[str, Any]:
    """Return a lab of the result form."""
    head = {"form": FORM, "lab": name, "title": title, "folder": f"labs/{name}_tiny"}
    most = sum(check["max_points"] for check in checks)
    points = {"points": sum(check["points"] for check in checks), "max_points": most}
    run = {"seed": 7, "duration": 1.5, "digest": JUDGED, "whole": True}
    return {**head, **points, **run, "checks": list(checks)}


def keep(root: Path, text: str, name: str = "lab9") -> Path:
    """Write a lab's last result, and return its file."""
    file = kept.file_of(root, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a suite and a program of lab 9, and a module that labs share."""
    for name in ("tests/lab9_tiny/lab.py", "labs/lab9_tiny/hello.py", "labs/frame.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("hello = 1\n", encoding="utf-8", newline="\n")
    return tmp_path


# What counts as a lab's file.


def test_a_labs_modules_are_watched_wherever_they_lie_and_what_all_labs_share(
    project: Path,
) -> None:
    for name in ("lab9_tiny/rooms/walls.py", "lab8_other/hello.py", "lab9_tiny.kept-1/hello.py"):
        (project / "labs" / name).parent.mkdir(parents=True)
        (project / "labs" / name).touch()

    found = [
        file.relative_to(project / "labs").as_posix()
        for file in modules.files(project / "labs", "lab9_tiny")
    ]

    assert found == ["frame.py", "lab9_tiny/hello.py", "lab9_tiny/rooms/walls.py"]


@pytest.mark.parametrize(
    "name",
    [
        *(".hello.py.swp", "4913", "hello.py~", ".hello.py.un~"),  # vim
        *("#hello.py#", ".#hello.py", "flycheck_hello.py", "hello_flymake.py"),  # Emacs
        *("hello.py___jb_tmp___", "hello.py___jb_old___", ".goutputstream-X1Y2"),
        *(".idea/hello.py", "__pycache__/hello.py", "__pycache__/hello.cpython-311.pyc"),
        *("received/notes.txt", "hello.py.tmp", "hello.py.bak"),
    ],
)
def test_what_editors_and_programs_leave_for_a_while_is_no_save(project: Path, name: str) -> None:
    labs = project / "labs"
    before = modules.look(labs, "lab9_tiny")

    file = labs / "lab9_tiny" / name
    file.parent.mkdir(exist_ok=True)
    file.touch()

    assert modules.look(labs, "lab9_tiny") == before


def test_a_save_is_seen_and_so_is_a_file_that_is_gone(project: Path) -> None:
    labs = project / "labs"
    file = labs / "lab9_tiny/hello.py"
    before = modules.look(labs, "lab9_tiny")

    file.write_text("hello = 22\n", encoding="utf-8")
    after = modules.look(labs, "lab9_tiny")
    file.unlink()
    gone = modules.look(labs, "lab9_tiny")

    assert after != before
    assert gone.keys() == before.keys() - {file}


def test_the_digest_is_a_matter_of_what_is_in_the_files_and_not_of_when_they_were_saved(
    project: Path,
) -> None:
    labs = project / "labs"
    file = labs / "lab9_tiny/hello.py"
    before = modules.digest(labs, "lab9_tiny")

    os.utime(file, (2e9, 2e9))
    touched = modules.digest(labs, "lab9_tiny")
    file.write_text("hello = 2\n", encoding="utf-8")

    assert touched == before
    assert modules.digest(labs, "lab9_tiny") != before


# Results that are kept.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"form": "socket-labs', "cannot be read: Unterminated string"),
        ("[" * 100_000, "cannot be read: "),
        ("{}", "is no result of this kit"),
        ('[{"form": "socket-labs/result/1"}]', "is no result of this kit"),
        (json.dumps([{**lab(), "points": "all"}]), "is no result of this kit"),
        (json.dumps([{**lab(), "form": "another/2"}]), "is no result of this kit"),
        (json.dumps([{**lab(), "checks": [{"title": "no check"}]}]), "is no result of this kit"),
        (json.dumps([lab(check("one", verdict="maybe"))]), "is no result of this kit"),
        (json.dumps([lab(check("one", story=[7]))]), "is no result of this kit"),
        (json.dumps([lab(name="lab4")]), "is no result of lab9"),
        ("[]", "is no result of lab9"),
    ],
    ids=range(11),
)
def test_what_is_no_result_is_said_in_one_line(project: Path, text: str, said: str) -> None:
    keep(project, text)

    row, note, *more = progress.table(project)

    assert row == f"lab9  {'tiny':<20} {bar(0, 1, 20)} not known"
    assert note.startswith(f"      .labs/lab9/result.json {said}"[: progress.WIDTH - 8])
    assert len(more) <= 1


def test_bytes_that_are_no_text_are_said_in_one_line(project: Path) -> None:
    keep(project, "").write_bytes(b"\xff\xfe\x00")

    _, note, *_ = progress.table(project)

    assert ".labs/lab9/result.json cannot be read: 'utf-8' codec" in note


# Progress.


def test_a_lab_that_was_never_run_says_so(project: Path) -> None:
    (row,) = progress.table(project)

    assert row == "lab9  tiny                 ░░░░░░░░░░░░░░░░░░░░ not run yet"


def test_a_result_shows_points_a_bar_when_it_was_and_the_next_step(project: Path) -> None:
    result = lab(check("one"), failed("two", "it waited"), failed("three", "it went"))
    file = keep(project, json.dumps([result]))
    when = time.mktime((2030, 3, 1, 14, 5, 0, 0, 0, -1))
    os.utime(file, (when, when))

    lines = list(progress.table(project))

    assert lines == [
        "lab9  Tiny                 ██████░░░░░░░░░░░░░░   2 of 6    2030-03-01 14:05",
        "      Next: Server, two",
    ]


def test_chosen_checks_that_pass_are_not_all() -> None:
    some = {**lab(check("one")), "whole": False}

    assert kept.next_step(some) == "the chosen checks pass"
    assert "score 2 of 2 in the chosen checks" in view.lines(some, 80, 22)[0]


def test_only_what_is_in_the_files_makes_a_result_old(project: Path) -> None:
    file = keep(project, json.dumps([lab(check("one"))]))
    os.utime(file, (1, 1))

    _, note = progress.table(project)
    (project / "labs/frame.py").write_text("frame = 2\n", encoding="utf-8")
    *_, older = progress.table(project)

    assert note == "      all checks pass"
    assert older == "      older than your files; run it again: nox -s lab9"


def test_what_broke_in_the_kit_comes_before_what_is_next(project: Path) -> None:
    broken = check("three", verdict="not run", points=0, reason="kit", message="Traceback …")
    keep(project, json.dumps([lab(failed("two", "it waited"), broken)]))

    _, note, *_ = progress.table(project)

    assert note == "      the kit broke, report it: Server, three"


@pytest.mark.parametrize("text", [HOSTILE, "日本語の部屋と廊下と台所と庭", "Комнаты и коридоры"])
def test_a_table_keeps_its_columns_whatever_is_in_it(project: Path, text: str) -> None:
    result = lab(failed(text * 9, "it waited", part=text), title=text)
    keep(project, json.dumps([{**result, "points": 10**40}]))

    lines = list(progress.table(project))

    assert all(width(line) <= progress.WIDTH for line in lines)
    assert all(char.isprintable() for line in lines for char in line)
    assert width(lines[0][: lines[0].index("█")]) == 27


def test_a_bar_is_full_only_if_all_is_done() -> None:
    assert bar(99, 100, 20) == "█" * 19 + "░"
    assert bar(100, 100, 20) == "█" * 20
    assert bar(1, 0, 3) == bar(-5, 10, 3) == "░░░"


def test_a_terminal_that_knows_only_ascii_gets_ascii(project: Path) -> None:
    keep(project, json.dumps([lab(check("one"), failed("long " * 50 + "анна", "it waited"))]))

    run = subprocess.run(
        [sys.executable, "-c", PROGRESS_THERE, os.fspath(project)],
        env={**os.environ, "PYTHONPATH": os.fspath(ROOT / "tests"), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )

    row, *notes = run.stdout.decode("ascii").splitlines()
    assert row.startswith("lab9  Tiny                 ##########..........   2 of 4")
    assert notes[1].endswith(" lon~")


PROGRESS_THERE = """
import pathlib, sys
from desk import progress
progress.ROOT = pathlib.Path(sys.argv.pop())
progress.main()
"""


# One screen of a run.


def test_a_screen_shows_the_score_and_the_first_thing_to_do() -> None:
    result = lab(check("one"), failed("two", "anna waited, and nothing came"))

    lines = view.lines(result, 80, 22)

    assert lines == [
        "lab9  score 2 of 4  (labs/lab9_tiny, 1.5 s, --seed 7)",
        f"{bar(1, 2, 40)}  1 passed, 1 failed",
        "",
        "Next: Server, two",
        "",
        *result["checks"][1]["message"].splitlines(),
        "",
    ]


def test_a_long_story_loses_its_beginning_and_nothing_else() -> None:
    story = [f"     0.{number:03}  alice -> b'日本'" for number in range(100)]
    message = ["alice waited", view.STORY, *story, "", "  likely cause: a", "  read on: b"]

    lines = view.fitted(message, 80, 20)

    assert len(lines) == 20
    assert lines[:3] == ["alice waited", view.STORY, "         …  86 lines left out"]
    assert lines[3:] == message[-17:]


def test_lines_that_a_terminal_breaks_count_as_several() -> None:
    message = ["日" * 100, view.STORY, "  0.000 one", "  0.001 two", "  0.002 end", "", "  b"]

    assert view.fitted(message, 50, 10) == message
    assert view.fitted(message, 50, 9)[2:4] == ["         …  2 lines left out", "  0.002 end"]


def test_a_message_without_a_story_loses_its_end() -> None:
    assert view.fitted([f"line {number}" for number in range(50)], 80, 3) == [
        *("line 0", "line 1", "line 2")
    ]


def test_what_broke_in_the_kit_is_named_before_its_traceback() -> None:
    trace = "\n".join(f"line {number}" for number in range(50))
    broken = check("one", verdict="not run", reason="kit", sentence="it broke", message=trace)

    lines = view.lines(lab(broken), 80, 22)

    assert lines[3:7] == ["the kit broke, report it: Server, one", "", "it broke", ""]
    assert len(lines) == 22


def test_a_run_without_failures_says_so() -> None:
    alone = check("two", verdict="not run", points=0, reason="system", sentence="no /proc here")

    assert "all checks pass" in view.lines(lab(check("one")), 80, 22)
    assert "nothing failed" in view.lines(lab(check("one"), alone), 80, 22)


# The page.


class Reader(HTMLParser):
    """Reads a page: its elements, and what stands open at first sight."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Gather what can be read."""
        self.text += data

    def count(self, tag: str, **attributes: str) -> int:
        """Return how many elements have this name and these attributes."""
        return sum(
            name == tag and attributes.items() <= told.items() for name, told in self.elements
        )


def test_the_page_shows_all_labs_at_a_glance_and_pictures_of_what_failed() -> None:
    one = lab(check("fine"), failed("two", "анна ждала", hint="窓が開いている"), failed("3", "so"))
    other = lab(check("fine"), name="lab8")

    page = Reader(report.page([other, one]))

    assert page.count("svg", role="img") == 2
    assert page.count("details", open="open") == 1
    assert page.count("a", href="#lab8") == page.count("section", id="lab8") == 1
    assert "Next: Server, two" in page.text
    assert "Likely cause: 窓が開いている" in page.text
    assert page.text.count("1 check passed") == 2


def test_a_picture_that_is_there_already_is_not_drawn_again() -> None:
    one = failed("two", "it waited")

    text = report.page([lab(one, failed("3", "so"))], {one["id"]: b"<svg id='drawn'></svg>"})

    assert text.count("<svg id='drawn'></svg>") == 1
    assert Reader(text).count("svg") == 2


def test_nothing_that_a_program_said_is_taken_for_html() -> None:
    result = lab(
        failed(HOSTILE, HOSTILE, part=HOSTILE, hint=HOSTILE, message=HOSTILE * 30),
        check("todo", verdict="not run", reason="todo", message=HOSTILE),
        check("later", verdict="not run", reason="builds on", sentence=HOSTILE),
        title=HOSTILE,
    )
    plain = Reader(report.page([lab(failed("a", "b", hint="c"), check("d"), check("e"))]))

    text = report.page([result])

    page = Reader(text)
    assert text.encode("utf-8")
    assert {name for name, _ in page.elements} <= {name for name, _ in plain.elements} | {"pre"}
    assert not any(key.startswith("on") for _, told in page.elements for key in told)
    assert "\x1b" not in text


def test_the_page_asks_for_nothing_from_outside() -> None:
    text = report.page([lab(failed("two", "it waited"))])

    assert not [
        value
        for _, told in Reader(text).elements
        for key, value in told.items()
        if key in ("href", "src", "srcset", "data") and not (value or "").startswith("#")
    ]
    assert "url(" not in text
    assert "@import" not in text


def test_the_written_page_has_this_run_and_the_last_results_of_the_other_labs(
    tmp_path: Path,
) -> None:
    keep(tmp_path, json.dumps([lab(check("old"), name="lab8", title="Eight")]), "lab8")
    keep(tmp_path, json.dumps([lab(check("old"), title="Nine, before")]))
    keep(tmp_path, "{", "lab7")

    file = report.write(tmp_path / kept.FOLDER, [lab(check("new"), title="Nine, now")])

    page = Reader(file.read_text(encoding="utf-8"))
    labs = [told["id"] for name, told in page.elements if name == "section"]
    assert labs == ["lab8", "lab9"]
    assert "Nine, now" in page.text
    assert "Nine, before" not in page.text
    assert sorted(path.name for path in file.parent.iterdir()) == [
        *("lab7", "lab8", "lab9", "report.html")
    ]


# Watching, with a tiny lab of its own.

LAB = """
from kit.lab import Lab, Part
LAB = Lab("lab9", "Tiny", (Part("test_hello", "Hello", "hello"),))
"""
CHECK = """
from kit.lab import check
from kit.stage import Stage

@check(points=100)
def test_it_greets(stage: Stage) -> None:
    program = stage.program("hello")
    program.has_ended(within=600)
    program.prints("привет")
"""
HANGS = """
import socket
with socket.create_connection(("127.0.0.1", {port})) as home:
    home.recv(1)
"""

needs_terminal = pytest.mark.skipif(system.WINDOWS, reason="there are no pseudo-terminals")
# What a login does: the pseudo-terminal becomes the one that Ctrl+C and closing belong to.
LOGIN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Desk:
    """A project with the tiny lab, and a watch on it that a test sees and types to."""

    def __init__(self, root: Path) -> None:
        self.program = root / "labs/lab9_tiny/hello.py"
        self.left = root / "left"
        self._root = root
        for room in ("kit", "desk", "pictures"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / "tests" / room, root / "tests" / room, ignore=ignored)
        for name in ("tests/conftest.py", "pyproject.toml"):
            shutil.copy(ROOT / name, root / name)
        (root / "tests/lab9_tiny/lab.py").write_text(LAB, encoding="utf-8")
        (root / "tests/lab9_tiny/test_hello.py").write_text(CHECK, encoding="utf-8")
        self.left.mkdir()

    def saves(self, text: str) -> None:
        """Save the program as some editors do: it is gone for a moment."""
        self.program.unlink()
        self.program.write_text(text, encoding="utf-8")

    def begins(self, stdin: int, stdout: int, *, login: bool) -> "subprocess.Popen[bytes]":
        """Start a watch."""
        suite = [sys.executable, "-m", "pytest", "tests/lab9_tiny", "-p", "no:cacheprovider"]
        return subprocess.Popen(
            [sys.executable, *(["-c", LOGIN] if login else []), "-m", "desk.watch", "lab9", *suite],
            cwd=self._root,
            env={
                **os.environ,
                "PYTHONPATH": os.fspath(self._root / "tests"),
                "PYTHONIOENCODING": "utf-8",
                "TMPDIR": os.fspath(self.left),
            },
            stdin=stdin,
            stdout=stdout,
            stderr=stdout,
            start_new_session=True,
        )


class Seat:
    """Where a student sits: a pseudo-terminal of 80 by 24, and a watch on it."""

    def __init__(self, desk: Desk) -> None:
        self.ours, self._its = system.terminal()
        self._ends = [self.ours, self._its]
        self.usual = self.settings()
        self.process = desk.begins(self._its, self._its, login=True)
        self.shown = Terminal()

    def settings(self) -> list[Any]:
        """Return how the terminal is set."""
        return termios.tcgetattr(self._its) if sys.platform != "win32" else []

    def types(self, keys: str) -> None:
        """Type without Enter."""
        os.write(self.ours, keys.encode())

    def sees(self, text: str) -> None:
        """Wait until a text stands on the screen."""
        until = time.monotonic() + LATE
        while not any(text in row for row in self.shown.rows):
            left = until - time.monotonic()
            assert left > 0, "\n".join(self.shown.rows)
            if select.select([self.ours], [], [], left)[0]:
                self.shown.feed(os.read(self.ours, 65_536).decode("utf-8", "replace"))

    def ends(self) -> int:
        """Wait until the watch has ended, and return its exit code."""
        return self.process.wait(LATE)

    def closes(self) -> None:
        """Close the window."""
        while self._ends:
            os.close(self._ends.pop())


@pytest.fixture
def desk(project: Path) -> Desk:
    """Return a desk on which nothing runs as yet."""
    return Desk(project)


@pytest.fixture
def seat(desk: Desk, hanging: Callable[[], socket.socket]) -> Iterator[Seat]:
    """Return a seat at which the first run is on, and its program waits for ever."""
    seat = Seat(desk)
    yield seat
    seat.process.kill()
    seat.process.wait()
    seat.closes()


@pytest.fixture
def hanging(desk: Desk) -> Iterator[Callable[[], socket.socket]]:
    """Save a program that waits for ever, and return what waits until it runs.

    That returns a connection, which ends when the program does.
    """
    with socket.create_server(("127.0.0.1", 0)) as home, contextlib.ExitStack() as stack:
        home.settimeout(LATE)
        desk.saves(HANGS.format(port=home.getsockname()[1]))

        def met() -> socket.socket:
            sock = stack.enter_context(home.accept()[0])
            sock.settimeout(LATE)
            return sock

        yield met


@needs_terminal
def test_each_save_is_a_new_run_and_q_ends_all(
    desk: Desk, seat: Seat, hanging: Callable[[], socket.socket]
) -> None:
    program = hanging()
    assert seat.settings() != seat.usual

    desk.saves("print('good day 日本')\n")
    assert program.recv(1) == b""
    seat.sees("waits for a save in labs/lab9_tiny; q ends it")
    assert seat.shown.rows[0].startswith("lab9  score 0 of 100  (labs/lab9_tiny, ")
    assert "Next: Hello, it greets" in seat.shown.rows
    assert any("good day 日本" in row for row in seat.shown.rows)

    desk.saves("print('привет')\n")
    seat.sees("all checks pass")
    assert seat.shown.rows[0].startswith("lab9  score 100 of 100")

    seat.types("q")
    assert seat.ends() == 0
    assert seat.settings() == seat.usual
    assert not [*desk.left.iterdir()]


@needs_terminal
@pytest.mark.parametrize("how", ["q", "Ctrl+C", "SIGTERM", "closed"])
def test_however_a_watch_ends_nothing_of_its_run_is_left(
    desk: Desk, seat: Seat, hanging: Callable[[], socket.socket], how: str
) -> None:
    program = hanging()

    {
        "q": lambda: seat.types("q"),
        "Ctrl+C": lambda: seat.types("\x03"),
        "SIGTERM": seat.process.terminate,
        "closed": seat.closes,
    }[how]()

    assert seat.ends() == 0
    assert program.recv(1) == b""
    assert not [*desk.left.iterdir()]
    assert how == "closed" or seat.settings() == seat.usual


@needs_terminal
def test_what_keeps_pytest_from_beginning_stays_on_the_screen(desk: Desk) -> None:
    (desk.program.parents[2] / "tests/lab9_tiny/lab.py").write_text("LAB = \n", encoding="utf-8")
    seat = Seat(desk)

    seat.sees("waits for a save in labs/lab9_tiny; q ends it")

    assert any("SyntaxError" in row for row in seat.shown.rows)
    seat.types("q")
    assert seat.ends() == 0
    seat.closes()


@pytest.mark.skipif(system.WINDOWS, reason="there Ctrl+C is sent to a whole console")
def test_without_a_terminal_there_is_no_q_and_nothing_is_wiped_out(
    desk: Desk, hanging: Callable[[], socket.socket]
) -> None:
    watching = desk.begins(subprocess.DEVNULL, subprocess.PIPE, login=False)
    program = hanging()

    watching.send_signal(signal.SIGINT)
    told = watching.communicate(timeout=LATE)[0].decode()

    assert program.recv(1) == b""
    assert told.splitlines()[0] == "stdin is no terminal, so q is not there; Ctrl+C ends it"
    assert watching.returncode == 0
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which lab? say one of lab0, lab1, lab2"),
        (["lab77"], "'lab77' is no lab; say one of lab0, lab1, lab2"),
        (["lab1", "pytest", "--json=x"], "watch needs --json for itself"),
    ],
)
def test_what_cannot_be_watched_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert watch.main(words) == 2

    assert capsys.readouterr().err.startswith(f"[ERROR] {said}")
