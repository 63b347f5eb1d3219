"""Stories and messages: everything that a student needs, and no more."""

import re

from kit.failure import Failure, NotRun, Seen
from kit.hints import cause
from kit.message import explain
from kit.result import CheckResult, worst
from kit.story import (
    KEPT_DATA,
    KEPT_PIECE,
    SHOWN_LINES,
    Event,
    Link,
    Story,
    as_lines,
    printable,
    shown,
)
from kit.whereabouts import Place


def a_result(**more: object) -> CheckResult:
    known = {"id": "i", "lab": "lab1", "part": "p", "title": "t", "max_points": 3}
    return CheckResult(**known, verdict="not run", read_on="docs/en/lab1.md#framing", **more)  # type: ignore[arg-type]


def test_a_message_has_its_parts_in_order() -> None:
    result = a_result()
    story = [Event(0.0, "server", "$", "python -m labs.lab1"), Event(0.5, "alice", "->", "b'hi'")]
    place = Place("labs/lab1_echo/tcp_server.py", 48, "echo", "sock.sendall(data)")

    explain(
        result,
        Failure(
            "alice waited for 2 bytes, for 3 s and in vain",
            Seen("silence", b"hi"),
            story,
            [place],
            hint="the reply is never sent",
        ),
    )

    assert result.message == (
        "alice waited for 2 bytes, for 3 s and in vain\n"
        "  expected  b'hi'\n"
        "  received  nothing\n"
        "  your program was at labs/lab1_echo/tcp_server.py:48 in echo: sock.sendall(data)\n"
        "\n"
        "  what happened\n"
        "     0.000  $ python -m labs.lab1\n"
        "     0.500  alice -> b'hi'\n"
        "\n"
        "  likely cause: the reply is never sent\n"
        "  read on: docs/en/lab1.md#framing"
    )


def test_what_this_system_cannot_run_is_not_failed() -> None:
    result = a_result()

    explain(result, NotRun("this system has no SIGTERM"))

    assert (result.verdict, result.reason) == ("not run", "system")


def test_a_bug_of_the_kit_is_not_the_students() -> None:
    result = a_result()

    explain(result, KeyError("oops"))

    assert (result.verdict, result.reason) == ("not run", "kit")
    assert "KeyError" in result.message


def test_of_two_results_of_one_check_the_worse_one_counts() -> None:
    passed, broken = a_result(), a_result(reason="kit")
    passed.verdict = "passed"

    assert worst(passed, broken) is broken


def test_long_data_is_shown_by_its_ends_and_its_length() -> None:
    text = shown(b"a" * 500 + b"z" * 500)

    assert text.startswith("b'aaa")
    assert text.endswith("zzz' (1,000 bytes)")
    assert len(text) < 120


def test_what_matters_is_shown_also_in_the_middle_of_long_data() -> None:
    code = re.compile(rb'"code": "\w+"')

    text = shown(b"a" * 500 + b'"code": "idle"' + b"z" * 500, landmark=code)

    assert """aaa' … b'"code": "idle"' … b'zzz""" in text
    assert shown(b"a" * 500, landmark=code) == shown(b"a" * 500)


def test_what_happens_several_times_over_is_told_once() -> None:
    pings = [Event(float(n), "alice", "->", "b'ping'") for n in range(8)]

    lines = as_lines([*pings, Event(9.0, "alice", "<-", "b'pong'"), pings[0]])

    assert lines == [
        "   0.000  alice -> b'ping'  (8 times)",
        "   9.000  alice <- b'pong'",
        "   0.000  alice -> b'ping'",
    ]


def test_a_long_story_is_told_by_its_beginning_and_its_end() -> None:
    lines = as_lines([Event(float(n), "alice", "->", f"{n}") for n in range(500)])

    assert len(lines) == SHOWN_LINES + 1
    assert lines[0].endswith("0")
    assert "460 lines left out" in lines[SHOWN_LINES // 2]
    assert lines[-1].endswith("499")


def test_what_came_before_the_story_is_told_at_its_beginning() -> None:
    early, late = Story(), Story()
    early.tell("server", "$", "python")
    late.events += early.events
    late.tell("alice", "--", "connects")

    assert [(event.who, event.time >= 0) for event in late.told()] == [
        ("server", True),
        ("alice", True),
    ]


def test_what_goes_over_a_link_is_kept_for_pictures_its_beginning_at_least() -> None:
    story, link = Story(), Link("tcp", "client", 50_000, "server", 6_789)
    story.tell("alice", "->", b"hi", link)
    story.tell("alice", "->", bytes(KEPT_PIECE + 1), link)
    for _ in range(KEPT_DATA // KEPT_PIECE - 1):
        story.tell("alice", "->", bytes(KEPT_PIECE), link)
    story.tell("alice", "--", "closes the connection", link, "FIN")

    first, second, *more, last, end = story.told()

    assert first.as_dict() | {"time": 0} == {
        **{"time": 0, "who": "alice", "mark": "->", "what": "b'hi'"},
        **{"wire": "tcp", "role": "client", "port": 50_000},
        **{"other": "server", "other_port": 6_789, "size": 2, "data": "aGk=", "flag": ""},
    }
    assert (len(second.data), second.size) == (KEPT_PIECE, KEPT_PIECE + 1)
    assert all(event.data for event in more)
    assert (len(last.data), last.size) == (KEPT_PIECE - 2, KEPT_PIECE)
    assert (end.flag, end.data) == ("FIN", b"")


def test_a_cause_is_guessed_from_evidence_alone() -> None:
    whole = bytes(range(256)) * 20

    assert cause(Seen("other", whole, whole[:1024]), [], [], "").startswith(
        "a buffer of 1024 bytes"
    )
    assert cause(Seen("other", b"hi", b"b'hi'"), [], [], "").startswith("str() or an f-string")
    assert (
        cause(Seen("other", b"hi", b"Echo: hi"), [], [], "")
        == "the program adds b'Echo: ' to what it was sent"
    )
    assert cause(Seen("other", b" hi ", b"hi"), [], [], "").startswith("strip()")
    assert cause(Seen("other", b"hi", b"ho"), [], [], "the hint") == "the hint"
    assert cause(Seen("silence", b"hi"), [], [], "") == ""


def test_what_a_program_printed_cannot_wipe_out_the_message() -> None:
    assert printable("a\r\x1b[2Jb\tc\nя\x9b") == "a\\r\\x1b[2Jb\tc\nя\\x9b"
    assert printable("\u202etset") == "\\u202etset"
    assert as_lines([Event(0.0, "client", "|", "\x1b[2J")]) == ["   0.000  client | \\x1b[2J"]
