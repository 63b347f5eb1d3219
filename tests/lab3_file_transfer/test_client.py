"""Lab 3, the client: it offers each file, sends it if it is wanted, and says what became of it."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from kit import system, terminal
from kit.client_rules import ClientRules
from kit.endings import ends_with_error_line
from kit.lab import check
from kit.program import PATIENCE, Program
from kit.stage import Stage
from kit.tcp import Listener, TcpPeer
from lab3_file_transfer.wire import (
    LARGE,
    LONG_PATIENCE,
    MUCH_MEMORY,
    NO,
    READ_EXACTLY,
    YES,
    offer,
    reply,
)

DRAWN = ("\r", "\x1b", "%")  # what a progress bar is drawn with
REDRAWN = 0.1  # seconds, for each 1 MB, in which a bar may move
WIRE = "4 bytes, the name, 8 bytes, each number big-endian: see the wire"
NEXT = "a file that cannot be sent gets an [ERROR] line, and then the next one is tried"


def file(stage: Stage, name: str, content: bytes) -> str:
    """Write a file into the folder where the client runs, and return its path from there."""
    path = stage.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return name


@contextmanager
def called(stage: Stage, *files: str) -> Iterator[tuple[Program, TcpPeer]]:
    """Start a client with these files, and yield it with its connection to the test's server."""
    with Listener(stage, "server") as listener:
        client = listener.starts_client("client", *files)
        with listener.is_called() as server:
            yield client, server


def is_offered(server: TcpPeer, name: str, size: int, hint: str = WIRE, silent: str = WIRE) -> None:
    """Wait for the offer of this file; `silent` is the likely cause when nothing comes."""
    server.expects(offer(name, size), hint, silent)


def takes(server: TcpPeer, name: str, content: bytes, silent: str = WIRE) -> None:
    """Take an upload, as a server does."""
    is_offered(server, name, len(content), silent=silent)
    server.sends(reply(YES))
    server.expects(content)
    server.sends(reply(YES, f"received_{name}"))


def complains(stage: Stage, client: Program, text: str = "", hint: str = "") -> None:
    """See that the client ends with exit code 1, and with an [ERROR] line that says this."""
    client.has_ended(within=PATIENCE)
    errors = [line for line in client.stderr.lines if line.startswith("[ERROR]")]
    stage.requires(
        client.exit_code == 1 and any(text in line for line in errors),
        f"{client.name} did not say on stderr what went wrong, and end with exit code 1",
        expected=f"[ERROR] … {text} …, exit code 1" if text else "[ERROR] …, exit code 1",
        received=f"exit code {client.exit_code}, on stderr: {client.stderr.text or 'nothing'}",
        hint=hint,
    )


def announces(stage: Stage, client: Program, name: str) -> None:
    """Wait for the line on stdout that says what a file is stored as."""
    said = f"stored as {name}"

    def announced() -> bool:
        return any(said in line for line in client.stdout.lines)

    client.waits_until(lambda: announced() or client.over, PATIENCE)
    stage.requires(
        announced(),
        f"{client.name} did not say what the file is stored as",
        expected=f"… {said} … on stdout",
        received=client.stdout.text or "nothing on stdout",
        hint="it stands on stderr: what a program was asked for belongs on stdout"
        if said in client.stderr.text
        else "the name that the server sent with its second reply",
    )


def reads_until_the_screen_moves(server: TcpPeer, megabytes: int) -> bool:
    """Read a content, slowly until a row of the client's screen has changed; tell whether it has.

    That something stands in a row for the first time is no change.
    """
    screens = [terminal.shown("").rows]

    def moved() -> bool:
        screens.append(terminal.shown(server.program.stdout.text).rows)
        pairs = zip(*screens[-2:], strict=True)
        return any(old and new and old != new for old, new in pairs)

    has_moved = False
    for _ in range(megabytes):
        server.reads(1_000_000, "the content")
        has_moved = has_moved or server.program.waits_until(moved, REDRAWN)
    return has_moved


@check(points=2)
def test_a_file_is_offered_sent_and_said_to_be_stored(stage: Stage) -> None:
    content = stage.text(1_000)
    with called(stage, file(stage, "notes.txt", content)) as (client, server):
        takes(server, "notes.txt", content)

        announces(stage, client, "received_notes.txt")
        client.succeeds()


@check(points=1)
def test_the_server_says_what_a_file_is_stored_as(stage: Stage) -> None:
    name = f"{stage.word()} отчёт.txt"
    with called(stage, file(stage, "notes.txt", b"notes")) as (client, server):
        is_offered(server, "notes.txt", 5)
        server.sends(reply(YES))
        server.expects(b"notes")
        server.sends(reply(YES, name))

        announces(stage, client, name)


@check(points=2)
def test_the_content_waits_for_the_first_reply(stage: Stage) -> None:
    with called(stage, file(stage, "notes.txt", b"notes")) as (_, server):
        is_offered(server, "notes.txt", 5)

        server.expects_nothing("the server may refuse: wait for its reply to the offer")


@check(points=2)
def test_files_of_every_size_are_sent_whole(stage: Stage) -> None:
    contents = {f"{size}.bin": stage.text(size) for size in (0, 1, 4_096, 65_537, 5_000_001)}
    files = [file(stage, name, content) for name, content in contents.items()]
    with called(stage, *files) as (client, server):
        for name, content in contents.items():
            takes(server, name, content)

        client.succeeds()


@check(points=1)
def test_any_bytes_are_sent_as_they_are(stage: Stage) -> None:
    content = bytes(range(256)) + b"\r\n\n\r\x1a \xff\xfe"
    with called(stage, file(stage, "bytes.bin", content)) as (client, server):
        takes(server, "bytes.bin", content)

        client.succeeds()


@check(points=1)
def test_of_a_file_that_grows_no_more_is_sent_than_was_offered(stage: Stage) -> None:
    files = (file(stage, "log.txt", b"notes"), file(stage, "good.txt", b"good"))
    with called(stage, *files) as (_, server):
        is_offered(server, "log.txt", 5)
        with (stage.folder / "log.txt").open("ab") as log:
            log.write(b" and more of them")
        server.sends(reply(YES))
        server.expects(b"notes")
        server.sends(reply(YES, "received_log.txt"))

        following = offer("good.txt", 4)
        came = server.reads(len(following), "the next offer")
        stage.requires(
            came == following,
            "something else than the next offer follows a content",
            expected=repr(following),
            received=repr(came),
            hint="the file has grown: send the bytes that were offered, and no more",
        )
        server.sends(reply(NO, "that is all"))
        server.sock.close()  # whether the content has come as well, another check looks at


@check(points=1)
def test_a_file_that_becomes_shorter_gets_an_error_line(stage: Stage) -> None:
    with called(stage, file(stage, "log.txt", bytes(10_000_000))) as (client, server):
        is_offered(server, "log.txt", 10_000_000)
        os.truncate(stage.folder / "log.txt", 100)
        server.sends(reply(YES))

        complains(stage, client, hint="once read() or sendfile() gives nothing, no more will come")
        server.sock.close()


@check(points=1, after=test_the_content_waits_for_the_first_reply)
def test_only_the_last_part_of_a_path_is_the_name(stage: Stage) -> None:
    with called(stage, file(stage, "deep/down/notes.txt", b"notes")) as (_, server):
        is_offered(server, "notes.txt", 5, "the base name: nobody else needs to know your folders")


@check(points=2, after=test_the_content_waits_for_the_first_reply)
def test_the_length_of_a_name_counts_bytes(stage: Stage) -> None:
    with called(stage, file(stage, "отчёт 報告.txt", b"x")) as (_, server):
        is_offered(server, "отчёт 報告.txt", 1, "len() of the encoded name, not of the text")


@check(points=2, after=test_the_server_says_what_a_file_is_stored_as)
def test_replies_in_pieces_are_put_together(stage: Stage) -> None:
    with called(stage, file(stage, "notes.txt", b"notes")) as (client, server):
        is_offered(server, "notes.txt", 5)
        server.sends_byte_by_byte(reply(YES, "send it"))
        server.expects(b"notes", silent=READ_EXACTLY)
        server.sends_byte_by_byte(reply(YES, "received_заметки.txt"))

        announces(stage, client, "received_заметки.txt")
        client.succeeds()


@check(points=2, after=test_the_content_waits_for_the_first_reply)
def test_after_a_refusal_the_next_file_is_tried(stage: Stage) -> None:
    reason = f"no {stage.word()} here"
    files = (file(stage, "bad.txt", b"bad"), file(stage, "good.txt", b"good"))
    with called(stage, *files) as (client, server):
        is_offered(server, "bad.txt", 3)
        server.sends(reply(NO, reason))
        takes(server, "good.txt", b"good", NEXT)

        announces(stage, client, "received_good.txt")
        complains(stage, client, reason)


@check(points=2)
def test_a_file_that_could_not_be_stored_is_reported(stage: Stage) -> None:
    reason = f"the disk is full of {stage.word()}"
    with called(stage, file(stage, "notes.txt", b"notes")) as (client, server):
        is_offered(server, "notes.txt", 5)
        server.sends(reply(YES))
        server.expects(b"notes")
        server.sends(reply(NO, reason))

        complains(stage, client, reason)


@check(points=1)
def test_after_a_missing_file_and_a_folder_the_next_one_is_tried(stage: Stage) -> None:
    (stage.folder / "folder").mkdir()
    files = ("missing.txt", "folder", file(stage, "good.txt", b"good"))
    with called(stage, *files) as (client, server):
        takes(server, "good.txt", b"good", NEXT)

        announces(stage, client, "received_good.txt")
        complains(stage, client)


@check(points=1)
def test_a_name_that_is_too_long_is_not_offered(stage: Stage) -> None:
    long = "ж" * 101  # 202 bytes
    files = (file(stage, long, b"long"), file(stage, "good.txt", b"good"))
    with called(stage, *files) as (client, server):
        takes(server, "good.txt", b"good", NEXT)

        announces(stage, client, "received_good.txt")
        complains(stage, client)


@check(points=1, after=test_replies_in_pieces_are_put_together)
def test_a_server_that_goes_before_it_has_replied_gets_an_error_line(stage: Stage) -> None:
    files = [file(stage, name, b"notes") for name in ("notes.txt", "more.txt", "last.txt")]
    with called(stage, *files) as (client, server):
        is_offered(server, "notes.txt", 5)
        server.sends(reply(YES))
        server.expects(b"notes")
        server.sends(reply(YES, "received_notes.txt")[:7])
        server.ends_sending()

        ends_with_error_line(client, stage, "the server closed in the middle of a reply")
        server.sock.close()  # the next offer may have come


@check(points=1)
def test_a_connection_lost_in_a_content_gets_an_error_line(stage: Stage) -> None:
    with called(stage, file(stage, "large.bin", bytes(30_000_000))) as (client, server):
        is_offered(server, "large.bin", 30_000_000)
        server.sends(reply(YES))
        server.reads(1_000, "the content")
        server.resets()

        ends_with_error_line(client, stage, "the connection was reset in the middle of a content")


@check(points=1)
def test_on_a_pipe_there_is_no_progress_bar(stage: Stage) -> None:
    content = bytes(3_000_000)
    with called(stage, file(stage, "large.bin", content)) as (client, server):
        takes(server, "large.bin", content)
        client.succeeds()

    client.has_ended(within=PATIENCE)
    stage.requires(
        not any(mark in client.stderr.text for mark in DRAWN),
        "the client shows its progress where stderr is no terminal",
        expected="no progress bar on stderr: a log is not to be filled with it",
        received=client.stderr.text[:200],
        hint="sys.stderr.isatty() tells whether it is a terminal",
    )


@check(points=1)
def test_on_a_terminal_there_is_a_progress_bar(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        name = file(stage, "large.bin", bytes(40_000_000))
        client = listener.starts_client("client", name, stdin="terminal")
        with listener.is_called() as server:
            is_offered(server, name, 40_000_000)
            server.sends(reply(YES))
            with stage.story.sums_up("server", "reads the content"):
                moved = reads_until_the_screen_moves(server, 40)
            server.sends(reply(YES, "received_large.bin"))
            announces(stage, client, "received_large.bin")

    shown = client.stdout.text.partition("stored as")[0]
    stage.requires(
        moved,
        "the client does not show its progress on a terminal",
        expected="while the content is sent, a line on stderr that changes with how much was sent",
        received=repr(shown[:200]),
        hint='"\\r" goes back to the beginning of the line; then flush' if shown.strip() else "",
    )


@check(points=1, long=True)
def test_256_megabytes_need_no_more_memory_than_a_small_file(stage: Stage) -> None:
    """256 MB need no more memory than a small file."""
    small = file(stage, "small.txt", b"small")
    large = stage.folder / "large.bin"
    with large.open("wb") as made:
        made.truncate(LARGE)
    with called(stage, small, large.name) as (client, server):
        takes(server, "small.txt", b"small")
        is_offered(server, "large.bin", LARGE)
        before = client.measured(system.peak_memory)
        server.sends(reply(YES))
        with stage.story.sums_up("server", f"reads {LARGE:,} bytes"):
            for _ in range(LARGE // 1_048_576):
                server.reads(1_048_576, "the content", patience=LONG_PATIENCE)
        used = client.measured(system.peak_memory) - before

    stage.requires(
        used < MUCH_MEMORY,
        "the client's memory grows with the file",
        expected=f"less than {MUCH_MEMORY:,} bytes more than before",
        received=f"{used:,} bytes more",
        hint="read and send the file piece by piece, or with sendfile()",
    )


class TestLikeEveryClient(ClientRules):
    program = "client"
    default_port = 8082
    protocol = socket.SOCK_STREAM
    fake_server = Listener
    arguments = (__file__,)
