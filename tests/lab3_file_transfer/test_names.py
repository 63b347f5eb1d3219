"""Lab 3, the names: what a stranger sends must not choose where a file goes."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from kit.lab import check
from kit.stage import Stage
from lab3_file_transfer.wire import (
    NO,
    expects_reply,
    holds,
    is_empty,
    is_refused,
    offer,
    started,
    uploads,
)


def refuses(stage: Stage, names: Iterable[bytes], hint: str) -> None:
    """See that none of these names is accepted, that nothing is written, and that all goes on."""
    server = started(stage)
    with server.client("mallory") as mallory:
        for name in names:
            mallory.sends(offer(name, 4))
            is_refused(mallory, f"the name {name!r}", hint)
        uploads(mallory, "good.txt", b"good")
    is_empty(stage, server.program, "good.txt")
    files = (path for path in stage.folder.rglob("*") if path.is_file())
    written = [file.relative_to(stage.folder).as_posix() for file in files]
    stage.requires(
        written == ["received/received_good.txt"],
        "something was written beside the folder for uploads",
        expected="received/received_good.txt",
        received=", ".join(sorted(written)),
        hint=hint,
    )


def can_be_a_name(stage: Stage, name: str) -> bool:
    """Tell whether a file here can have this name as it is; on Windows none has a "?" in it."""
    with tempfile.TemporaryDirectory(dir=stage.folder) as folder:
        try:
            Path(folder, name).touch()
        except OSError:
            return False
        return [file.name for file in Path(folder).iterdir()] == [name]


@check(points=2)
def test_a_plain_name_is_accepted(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        uploads(alice, "notes.txt", b"notes")

    holds(stage, "notes.txt", b"notes")


@check(points=3)
def test_names_in_any_script_and_odd_ones_are_kept_as_they_are(stage: Stage) -> None:
    every_system = (
        "отчёт за март.txt",
        "報告書.txt",
        "two  spaces.txt",
        ".hidden",
        "-rf",
        "...",
        "a..b",
        "~",
        "%2e%2e%2fetc",
        "no extension",
        "tar.gz.zip",
        "it's $HOME & more.txt",
        "👨\u200d👩\u200d👧.txt",  # joined by characters that no one sees
        "no\u00a0break.txt",
        "cafe\u0301.txt",  # é as two characters
    )
    not_every_system = (" blanks around ", "dot.", 'who? *what* "where".txt', "<a|b>.txt")
    names = (*every_system, *(name for name in not_every_system if can_be_a_name(stage, name)))
    with started(stage).client("alice") as alice:
        for name in names:
            uploads(alice, name, name.encode())
    for name in names:
        holds(stage, name, name.encode())


@check(points=2)
def test_a_name_of_200_bytes_is_accepted(stage: Stage) -> None:
    """A name of 200 bytes is accepted."""
    latin, cyrillic = "n" * 200, "ж" * 100
    with started(stage).client("alice") as alice:
        uploads(alice, latin, b"latin")
        uploads(alice, cyrillic, b"cyrillic")

    holds(stage, latin, b"latin")
    holds(stage, cyrillic, b"cyrillic")


@check(points=2)
def test_a_longer_name_is_refused_and_the_connection_closed(stage: Stage) -> None:
    server = started(stage)
    for length in (201, 2**31, 2**32 - 1):
        with server.client("mallory") as mallory:
            mallory.sends(length.to_bytes(4, "big"))
            expects_reply(mallory, NO, f"a name of {length:,} bytes", "do not wait for the name")
            mallory.expects_close_or_reset()

    is_empty(stage, server.program)


@check(points=2)
def test_names_with_a_separator_are_refused(stage: Stage) -> None:
    names = ("../up", "/tmp/absolute", "a/b", "..\\up", "a\\b", "C:drive", "name:stream", "a/", "/")
    refuses(stage, map(str.encode, names), "a name with / or \\ or : in it leads somewhere else")


@check(points=1)
def test_an_empty_name_and_dots_are_refused(stage: Stage) -> None:
    refuses(stage, (b"", b".", b".."), '"", "." and ".." are no names of files')


@check(points=2)
def test_names_with_a_control_character_are_refused(stage: Stage) -> None:
    names = (
        "nul\0.txt",
        "line\n.txt",
        "end\n",
        "\r",
        "tab\t.txt",
        "\x1b[31mred",
        "del\x7f",
        "nel\x85",
    )
    refuses(stage, map(str.encode, names), "unicodedata.category() of a control character is Cc")


@check(points=1)
def test_a_name_that_is_no_utf_8_is_refused(stage: Stage) -> None:
    """A name that is no UTF-8 is refused."""
    names = (b"\xff\xfe", b"caf\xe9.txt", "й".encode()[:1], b"\xc0\xaf", b"\xed\xa0\x80")
    refuses(stage, names, "decode() raises UnicodeDecodeError")
