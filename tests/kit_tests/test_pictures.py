"""Pictures of what went over the wire: all of the story is in them, and nothing breaks them."""

import base64
import json
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from lab3_file_transfer import wire as lab3
from lab4_chat import wire as lab4
from lab5_rooms import wire as lab5

import gallery
from kit.result import CheckResult
from pictures import files, mermaid, svg
from pictures.ladder import MOST_STEPS, Ladder, Step, ladder
from pictures.plugin import folder_names
from pictures.texts import cut, quoted, visible, width, wrapped
from pictures.words import Readers, piece, words_of

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</text><script>alert(1)</script> & "]]>\x00\x1b[2J\u202e\ud800 #;%%\nend'

Line = dict[str, Any]


def line(who: str, mark: str, what: str | bytes = b"", time: float = 0.0, **more: Any) -> Line:
    """Return a line of a story; bytes go over a link with the program "server"."""
    told = {"time": time, "who": who, "mark": mark, "what": str(what)}
    if isinstance(what, str) and "flag" not in more:
        return told
    data = what if isinstance(what, bytes) else b""
    port = 50_000 + sum(who.encode())
    link = {"wire": "tcp", "role": "client", "port": port, "other": "server", "other_port": 8083}
    kept = {"data": base64.b64encode(data).decode(), "size": len(data), "flag": ""}
    return told | link | kept | more


def check(*story: Line, lab: str = "lab4", **more: Any) -> Line:
    """Return a check of the result form with this story."""
    start = line("server", "$", "python -m labs.lab4_chat.server --port 0")
    told = {"id": "i", "lab": lab, "part": "Part", "title": "a title", "verdict": "passed"}
    return told | {"sentence": "", "expected": "", "received": "", "story": [start, *story]} | more


def texts(steps: list[Step], kind: str = "arrow") -> list[tuple[str, str, str]]:
    """Return who told whom what."""
    return [(step.column, step.to, step.text) for step in steps if step.kind == kind]


def drawn(picture: str) -> ElementTree.Element:
    """Return a picture as a reader of XML sees it."""
    return ElementTree.fromstring(picture.encode())


def written(picture: str) -> list[str]:
    """Return the texts in a picture."""
    return [text.text or "" for text in drawn(picture).iter(f"{SVG}text")]


# Words.


def upload() -> list[tuple[bool, bytes]]:
    """Return what goes over lab 3's wire, and whether to the server."""
    return [
        (True, lab3.offer("../x", 5)),
        (False, lab3.reply(1, "bad name")),
        (True, lab3.offer("имя.txt", 12)),
        (False, lab3.reply(0)),
        (True, b"hello, world" + lab3.offer("empty", 0)),
        (False, lab3.reply(0, "received_имя.txt") + lab3.reply(0) + lab3.reply(0, "received_")),
    ]


def chat() -> list[tuple[bool, bytes]]:
    """Return what goes over lab 4's wire."""
    return [
        (True, lab4.line(username="анна")),
        (False, lab4.line(type="system", message="hi", timestamp="2026", online_users=2)),
        (True, lab4.line(type="message", message="名前 🙂") + b"\n[1]\n\xff\n"),
        (False, b'{"type": "users_list", "users": ["a", "b"], "timestamp": "now"}\r\n'),
    ]


def rooms() -> list[tuple[bool, bytes]]:
    """Return what goes over lab 5's TCP wire."""
    created = lab5.request(lab5.CREATE, "台所", "анна", lab5.DONE, bytes(range(16)))
    refused = lab5.request(lab5.JOIN, "x", "y", lab5.REFUSED, "нет".encode())
    return [
        (True, lab5.request(lab5.CREATE, "台所", "анна")),
        (False, created),
        (True, lab5.request(lab5.LIST) + lab5.request(lab5.JOIN, "x", "y")),
        (False, lab5.request(lab5.LIST, "", "", lab5.DONE, "台所\nx".encode())),
        (False, refused),
    ]


SAID = {
    "lab3": [
        'offer name="../x" 5 bytes',
        'refused "bad name"',
        'offer name="имя.txt" 12 bytes',
        "send it",
        "content 12 of 12 bytes",
        'offer name="empty" 0 bytes',
        'stored "received_имя.txt"',
        "send it",
        'stored "received_"',
    ],
    "lab4": [
        'login username="анна"',
        'system "hi" online_users=2',
        'message "名前 🙂"',
        '"\\n"',
        '"[1]\\n"',
        "b'\\xff\\n'",
        'users_list users=["a", "b"]',
    ],
    "lab5": [
        'create request room="台所" user="анна"',
        'create done room="台所" user="анна" token',
        "list request",
        'join request room="x" user="y"',
        'list done "台所\\nx"',
        'join refused room="x" user="y" "нет"',
    ],
}
TALKS = {"lab3": upload(), "lab4": chat(), "lab5": rooms()}


def read(readers: Readers, pieces: list[tuple[bool, bytes]]) -> list[str]:
    """Return all that two readers tell."""
    return [text for to, data in pieces for text in readers[not to].feed(data)]


@pytest.mark.parametrize("lab", TALKS)
def test_each_message_is_said_in_words(lab: str) -> None:
    assert read(words_of(lab)("tcp"), TALKS[lab]) == SAID[lab]


@pytest.mark.parametrize("lab", TALKS)
def test_a_stream_may_be_cut_anywhere(lab: str) -> None:
    for at, (to_server, data) in enumerate(TALKS[lab]):
        for cut_at in range(1, len(data)):
            halves = [(to_server, data[:cut_at]), (to_server, data[cut_at:])]
            talk = [*TALKS[lab][:at], *halves, *TALKS[lab][at + 1 :]]

            assert read(words_of(lab)("tcp"), talk) == SAID[lab], halves


@pytest.mark.parametrize("lab", TALKS)
def test_a_stream_may_come_byte_by_byte(lab: str) -> None:
    talk = [(to, data[at : at + 1]) for to, data in TALKS[lab] for at in range(len(data))]

    assert read(words_of(lab)("tcp"), talk) == SAID[lab]


def test_a_datagram_is_said_in_words() -> None:
    reader = words_of("lab5")("udp").to_server

    assert reader.feed(lab5.datagram(lab5.TEXT, "台所", "bob", bytes(16), "hi")) == [
        'kind=text room="台所" user="bob" token "hi"'
    ]
    assert reader.feed(lab5.datagram(lab5.HELLO, "台所", "bob")) == [
        'kind=hello room="台所" user="bob"'
    ]
    assert reader.feed(b"\x00\x09") == [r"b'\x00\t'"]
    assert reader.feed(b"") == ["nothing (0 bytes)"]


def test_what_was_not_kept_is_counted_and_what_follows_it_is_read() -> None:
    to_server = words_of("lab3")("tcp").to_server
    offered = to_server.feed(lab3.offer("a", 1_000_000) + b"xy", 500_000)
    middle = to_server.rest()
    stored = to_server.feed(b"", 499_998) + to_server.feed(lab3.offer("b", 1))

    assert offered == ['offer name="a" 1,000,000 bytes']
    assert middle == "content 500,002 of 1,000,000 bytes…"
    assert stored == ["content 1,000,000 of 1,000,000 bytes", 'offer name="b" 1 bytes']


def test_of_a_line_that_was_not_kept_whole_the_beginning_is_shown() -> None:
    reader = words_of("lab4")("tcp").to_server

    told = reader.feed('{"type": "message", "message": "д'.encode()[:-1], 70_000)

    assert told == ['"{\\"type\\": \\"message\\", \\"message\\": \\"…" (70,033 bytes)']
    assert reader.feed(lab4.line(type="users")) == ["users"]


@pytest.mark.parametrize("lab", ["lab1", *TALKS])
@pytest.mark.parametrize("wire", ["tcp", "udp"])
def test_what_is_no_message_is_shown_and_never_an_error(lab: str, wire: str) -> None:
    noise = [
        *(b"\xff" * 9, b"\x00" * 70, b"{" * 100_000, b"[" * 100_000 + b"\n", b'{"a":1e999}\n'),
        *(b"\x01" * 3, HOSTILE.encode("utf-8", "replace"), b'{"type":["x"],"\x00":{}}\n', b""),
        *(b"9" * 5_000 + b"\n", struct.pack(">BBBBI", 1, 0, 0, 0, 2**32 - 1), b'"\\ud800"\n'),
        b'{"type":"\\ud800","message":"\\u001b[2J"}\n',
    ]
    for missing in (0, 7):
        for reader in words_of(lab)(wire):
            for data in noise:
                for text in [*reader.feed(data, missing), reader.rest()]:
                    assert text == visible(text)
                    assert width(text) < 600


def test_a_lab_without_words_shows_texts_and_bytes() -> None:
    reader = words_of("lab1")("tcp").to_server

    assert [*reader.feed("hi, 世界".encode()), *reader.feed(b"\xd0"), *reader.feed(b"a\x00")] == [
        *('"hi, 世界"', r"b'\xd0'", r"b'a\x00'")
    ]
    assert piece(b"a" * 100, 20).endswith('…" (120 bytes)')


def test_wide_characters_take_two_columns_and_marks_none() -> None:
    assert [width(text) for text in ("abc", "анна", "名前", "é", "🙂")] == [3, 4, 4, 1, 2]
    assert cut("名前名前", 5) == "名前…"
    assert wrapped("one two 名前名前名前", 8, 3) == ["one two", "名前名前", "名前"]
    assert quoted("名" * 30) == f'"{"名" * 23}…" (30 characters)'


# Ladders.


def test_clients_stand_around_a_server_and_a_client_left_of_its_server() -> None:
    talk = [line(who, "->", b"x\n") for who in ("alice", "bob", "carol")]
    server = line("server", "<-", b"x\n", role="server", other="client")
    start = line("client", "$", "python")

    assert ladder(check(*talk)).columns == ["alice", "bob", "server", "carol"]
    assert ladder(check() | {"story": [start, server]}).columns == ["client", "server"]


def test_each_line_of_the_story_is_a_step() -> None:
    rungs = ladder(
        check(
            line("server", "|", "Listening"),
            line("alice", "--", "connects to port 1"),
            line("alice", "->", lab4.line(username="alice"), 0.1),
            line("alice", "<-", lab4.line(type="pong"), 0.2),
            line("alice", "..", "waits 3.0 s in vain", 3.2),
            line("alice", "--", "closes the connection", flag="FIN", time=3.3),
            line("server", "--", "is ended by SIGKILL", 3.4),
        )
    )

    assert [step.kind for step in rungs.steps] == [
        *("start", "print", "note", "arrow", "arrow", "wait", "arrow")
    ]
    assert texts(rungs.steps) == [
        ("alice", "server", 'login username="alice"'),
        ("server", "alice", "pong"),
        ("alice", "server", "closes the connection"),
    ]
    assert rungs.steps[5].seconds == pytest.approx(3.0)
    assert rungs.programs == {"server"}


def test_pieces_of_a_message_are_one_arrow() -> None:
    rungs = ladder(
        check(
            line("alice", "->", b'{"type"'),
            line("server", "|", "hm"),
            line("alice", "->", b':"users"}\n{"type":"ping"}\n{"ty'),
            line("alice", "->", b'pe":"ping"}\n'),
        )
    )

    assert texts(rungs.steps) == [("alice", "server", "users + ping + ping")]
    assert [step.lines for step in rungs.steps] == [1, 1, 3]


def test_pieces_with_something_in_between_are_arrows_of_their_own() -> None:
    offer, content = lab3.offer("a", 10), b"hello"
    rungs = ladder(
        check(
            line("alice", "->", offer, 0.1),
            line("alice", "->", content, 0.2),
            line("server", "|", "five have come", 0.3),
            line("bob", "->", lab3.offer("b", 0), 0.4),
            line("alice", "->", content, 0.5),
            line("alice", "<-", b"\x00\x00", 0.6),
            line("alice", "..", "waits 3.0 s in vain", 3.6),
            lab="lab3",
        )
    )

    assert texts(rungs.steps) == [
        ("alice", "server", 'offer name="a" 10 bytes'),
        ("alice", "server", "content 5 of 10 bytes…"),
        ("bob", "server", 'offer name="b" 0 bytes'),
        ("alice", "server", "content 10 of 10 bytes"),
        ("server", "alice", r"b'\x00\x00'…"),
    ]
    assert [step.time for step in rungs.steps] == sorted(step.time for step in rungs.steps)


def test_the_last_step_of_a_failed_check_is_the_failing_one() -> None:
    told = {"verdict": "failed", "sentence": "bob waited for a line, and nothing came"}
    story = line("bob", "->", b"x\n"), line("alice", "->", b"x\n", 2.0)
    failing = ladder(check(*story, **told, expected="b'hi'\nmore", received="")).steps[-1]

    assert (failing.kind, failing.column, failing.text) == ("fail", "bob", told["sentence"])
    assert failing.details == ("expected  b'hi'", "expected  more")
    assert ladder({**check(), **told, "story": []}).steps[-1].column == "program"


def test_of_a_long_story_the_middle_is_left_out() -> None:
    story = [line(f"user{at % 30}", "->", b"x\n", at / 10) for at in range(2_000)]

    rungs = ladder(check(*story))

    assert len(rungs.steps) == MOST_STEPS + 1
    assert [step.text for step in rungs.steps if step.kind == "cut"] == ["1,921 steps left out"]
    assert sum(step.lines for step in rungs.steps) == 2_001
    assert rungs.steps[-1].time == pytest.approx(199.9)


# The files.


def a_story_with_everything() -> Line:
    """Return a failed check with long and wide texts, pauses and waits."""
    return check(
        line("server", "|", "[INFO] " + "ой " * 200),
        *(line("server", "!", f"{'  ' * at}at {at}") for at in range(3)),
        line("анна", "->", lab4.line(type="message", message="長い話" * 30), 0.2),
        line("ボブ", "<-", lab4.line(type="message", message="長い話"), 0.9),
        line("ボブ", "->", lab4.line(type="m", a="x" * 99, b="y" * 99, c="z" * 99, d=1), 2.0),
        line("carol the third, of a long name", "..", "waits 3.0 s in vain", 6.0),
        line("dave", "<-", "the end of the stream", flag="FIN", time=6.1),
        line("dave", "->", b"\x00" * 40, wire="udp", time=6.2),
        verdict="failed",
        sentence="carol the third, of a long name waited for " + "her turn and " * 30,
        expected="x" * 500,
        received="お" * 500,
        title="a title " * 30,
    )


def many_columns() -> Line:
    """Return a check with 30 clients."""
    return check(*(line(f"user{at}", "->", lab4.line(type="users")) for at in range(30)))


@pytest.mark.parametrize("story", [a_story_with_everything, many_columns])
def test_nothing_lies_upon_another_or_beyond_the_edge(story: Callable[[], Line]) -> None:
    picture = drawn(files(story(), "lab4")["story.svg"].decode())
    wide, high = float(picture.attrib["width"]), float(picture.attrib["height"])
    taken: list[tuple[float, float, float, float]] = []
    for text in picture.iter(f"{SVG}text"):
        css = text.attrib["class"].split()
        char = svg.CHAR * (1.1 if "title" in css else 1)
        size = width(text.text or "") * char
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        left = x if {"left", "title"} & set(css) else x - size / 2
        box = (left, y - 12, left + size, y + 3)
        assert box[0] >= 0, text.text
        assert box[2] <= wide, text.text
        assert box[3] <= high, text.text
        for other in taken:
            apart = box[0] >= other[2] or box[2] <= other[0]
            assert apart or box[1] >= other[3] or box[3] <= other[1], text.text
        taken.append(box)


def test_the_arrows_of_a_picture_are_those_of_the_story() -> None:
    story = a_story_with_everything()["story"]
    over_a_wire = [told for told in story if told["mark"] in ("->", "<-")]

    picture = drawn(files(a_story_with_everything(), "lab4")["story.svg"].decode())

    assert len(list(picture.iter(f"{SVG}polygon"))) == len(over_a_wire)


def test_a_failed_step_is_red_and_says_what_was_expected() -> None:
    told = {"verdict": "failed", "sentence": "bob waited", "expected": "a", "received": "b"}
    picture = files(check(line("bob", "->", b"x\n"), **told), "lab4")["story.svg"].decode()

    red = [text.text for text in drawn(picture).iter(f"{SVG}text") if "bad" in text.attrib["class"]]
    assert red == ["bob waited"]
    assert written(picture)[-2:] == ["expected  a", "received  b"]


def test_waits_and_pauses_are_shown_with_their_seconds() -> None:
    story = line("bob", "--", "is there", 1.0), line("bob", "..", "hears nothing", 1.4)
    picture = files(check(*story), "lab4")["story.svg"].decode()

    assert "1.0 s" in written(picture)
    assert "hears nothing (0.4 s)" in written(picture)


def test_what_a_program_sent_breaks_neither_picture_nor_text() -> None:
    said = lab4.line(type=HOSTILE[:-40], message="</svg>") + HOSTILE.encode("utf-8", "replace")
    story = [line("al<b>ice", "->", said, other="ser;ver"), line("server", "|", HOSTILE)]
    made = files(check(*story, title=HOSTILE, verdict="failed", sentence=HOSTILE), "lab4")
    picture, text = made["story.svg"].decode(), made["story.mmd"].decode()

    assert {element.tag for element in drawn(picture).iter()} <= {
        SVG + name for name in ("svg", "title", "style", "rect", "line", "text", "polygon")
    }
    assert "</text><script>alert(1)" in " ".join(written(picture))
    assert re.fullmatch(r"[\n\x20-\x7e…]*", re.sub(r"[^\W\d_]", "", text))
    for told in text.splitlines()[1:]:
        body = re.sub(r"#(\d+|lt|gt);|<br/>|->>|-->>", "", told)
        assert not re.search("[<>#;]", body), told


def test_a_picture_asks_for_nothing_from_outside() -> None:
    picture = files(a_story_with_everything(), "lab4")["story.svg"].decode()

    assert re.findall(r"\w+://[^\"]*", picture) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"href|url\(|@import|<script| on\w+=", picture)
    assert "prefers-color-scheme: dark" in picture


def test_a_ladder_is_told_in_mermaids_words() -> None:
    rungs = ladder(
        check(
            line("анна", "->", lab4.line(username="анна")),
            line("анна", "<-", lab4.line(type="message", message="a;b #1 <x>")),
            line("анна", "--", "resets the connection", flag="RST"),
            verdict="failed",
            sentence="анна waited",
            expected="x",
        )
    )

    assert mermaid.text(rungs) == (
        "sequenceDiagram\n"
        "    participant p0 as анна\n"
        "    participant p1 as server\n"
        "    Note over p1: #36; python -m labs.lab4_chat.server --port 0\n"
        '    p0->>p1: login username="анна"\n'
        '    p1->>p0: message "a#59;b #35;1 #lt;x#gt;"\n'
        "    p0-xp1: resets the connection (RST)\n"
        "    rect rgba(255, 0, 0, 0.2)\n"
        "        Note over p0,p1: анна waited<br/>expected  x\n"
        "    end\n"
    )


# What a run leaves behind.


def test_the_folders_have_names_that_every_system_takes() -> None:
    def made(name: str) -> CheckResult:
        return CheckResult(f"lab4_chat/{name}", "lab4", "p", "t", 1, "failed")

    ids = ["test_login.py::TestX::test_a_name", "test_login.py::test_A_name", "test_a.py::test_b"]
    ids += ["test_a.py::test_c[x/..\\:*?名]", f"test_a.py::test_{'long_' * 50}", "test_a.py::test_"]

    names = list(folder_names(map(made, ids)).values())

    assert names[:4] == ["login.a_name", "login.A_name-2", "a.b", "a.c_x"]
    assert all(re.fullmatch(r"[A-Za-z0-9][\w.-]{0,83}", name) for name in names)
    assert len({name.lower() for name in names}) == len(ids)


def pytest_run(*arguments: str) -> str:
    """Run pytest as a student's run does, and return what it printed."""
    command = [sys.executable, "-m", "pytest", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    return run.stdout.decode()


def test_a_run_leaves_pictures_of_what_failed_and_of_nothing_else(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    program = tree / "labs/lab1_echo/udp_server.py"
    program.parent.mkdir(parents=True)
    right = (ROOT / "solutions/lab1_echo/udp_server.py").read_text(encoding="utf-8")
    program.write_text(right.replace("sendto(", "sendto(b'!' + "), encoding="utf-8")
    (tree / "labs/frame.py").write_bytes((ROOT / "solutions/frame.py").read_bytes())
    kept, old, own = (tmp_path / "out/lab1" / name for name in ("result.json", "old", "own"))
    for folder in (old, own):
        folder.mkdir(parents=True)
        (folder / "story.svg").write_text("old")
    (own / "notes.txt").write_text("mine")
    kept.write_text("kept")
    options = ("--tree", str(tree), "--pictures", str(tmp_path / "out"))

    printed = pytest_run("tests/lab1_echo/test_udp_server.py", "-k", "to_its_sender", *options)

    (failed,) = {file.parent for file in kept.parent.glob("*/story.*")}
    assert f"pictures: {failed / 'story.svg'}" in printed
    assert sorted(file.name for file in failed.iterdir()) == [
        *("story.mmd", "story.pcapng", "story.svg")
    ]
    assert kept.read_text() == "kept"
    assert not old.exists()
    assert [file.name for file in own.iterdir()] == ["notes.txt"]


def test_a_whole_run_of_ones_own_programs_leaves_its_result(tmp_path: Path) -> None:
    pytest_run("tests/lab1_echo", "--pictures", str(tmp_path))

    (lab,) = json.loads((tmp_path / "lab1/result.json").read_text(encoding="utf-8"))
    assert (lab["lab"], lab["folder"]) == ("lab1", "labs/lab1_echo")
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    "chosen",
    [
        ["tests/lab1_echo", "-k", "udp"],
        ["tests/lab1_echo/test_udp_server.py"],
        ["tests/lab1_echo/test_udp_server.py::test_a_datagram_comes_back_to_its_sender"],
    ],
)
def test_of_some_checks_alone_it_is_said_wherever_points_are(
    tmp_path: Path, chosen: list[str]
) -> None:
    printed = pytest_run(*chosen, "--pictures", str(tmp_path))

    assert " in the chosen checks" in printed
    assert " in the chosen checks" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not (tmp_path / "lab1/result.json").exists()


def test_the_pictures_of_the_handouts_are_those_of_todays_solutions() -> None:
    there = {file.name: file.read_text("utf-8") for file in gallery.FOLDER.glob("*.svg")}

    assert there == gallery.made(), "nox -s pictures makes them anew"


def test_a_still_picture_has_nothing_in_it_that_differs_from_run_to_run() -> None:
    def told(port: int, later: float) -> Ladder:
        return gallery.still(
            check(
                line("server", "|", f"Listening on {port}"),
                line("alice", "--", f"connects to port {port}", later),
                line("alice", "->", b"hi", later, port=port + 1, other_port=port),
                line("alice", "..", "hears nothing", 2 * later),
            )
        )

    assert told(40_000, 0.1) == told(50_000, 9.0)
