"""Lab 3, the server: a file arrives whole, under its name, or not at all."""

import os
import shutil
import time

from kit import system
from kit.endings import ends_with_error_line, ends_with_usage, stops
from kit.lab import check
from kit.program import PATIENCE
from kit.server_rules import TcpServerRules
from kit.stage import QUIET, START_PATIENCE, Stage
from kit.tcp import TcpPeer, TcpServer
from lab3_file_transfer.wire import (
    LARGE,
    LONG_PATIENCE,
    MUCH_MEMORY,
    NO,
    READ_EXACTLY,
    YES,
    holds,
    in_pieces,
    is_empty,
    is_refused,
    is_stored,
    is_there,
    is_wanted,
    offer,
    offers,
    reads_reply,
    started,
    stored,
    uploads,
    uploads_if_wanted,
)

SIDE_BY_SIDE = 60  # uploads
SHORT = 0.6  # seconds: a --timeout
LATEST = 5.0  # seconds after it until when it must have been noticed
LONGER = 1.5  # seconds: a --timeout of one who is slow, but not silent
PAUSE = 2.2  # seconds between two uploads: less than the 60 that --timeout has by default
ONE_BY_ONE = 30  # uploads: a server that replies too early gets away with some of them
BROKEN_OFF = 30  # uploads
LEFT_OVER = 15  # descriptors: a pool may grow a little
STOPS = ("SIGINT", "SIGTERM") if os.name == "posix" else ("SIGINT",)


@check(points=2)
def test_a_file_is_stored_under_its_name(stage: Stage) -> None:
    content = stage.text(1_000)
    with started(stage).client("alice") as alice:
        offers(alice, "notes.txt", len(content))
        alice.sends(content)
        is_stored(alice, "notes.txt")

    holds(stage, "notes.txt", content)


@check(points=1)
def test_one_upload_after_another_uses_the_connection(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        for number in range(ONE_BY_ONE):
            uploads(alice, f"{number}.txt", str(number).encode())

            holds(stage, f"{number}.txt", str(number).encode())


@check(points=1, after=test_one_upload_after_another_uses_the_connection, long=True)
def test_a_client_may_be_quiet_between_two_uploads(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        uploads(alice, "first.txt", b"first")

        alice.stays_quiet(PAUSE)

        alice.sends(offer("second.txt", 6))
        is_wanted(alice, "silence counts within an upload, and without --timeout only after 60 s")
        alice.sends(b"second")
        is_stored(alice, "second.txt")


@check(points=1, after=test_one_upload_after_another_uses_the_connection)
def test_files_of_every_size_arrive_whole(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        for size in (0, 1, 1_023, 1_024, 1_025, 4_096, 65_535, 65_536, 65_537, 1_000_003):
            content = stage.text(size)
            uploads(alice, f"{size}.txt", content)
            holds(stage, f"{size}.txt", content)


@check(points=1, after=test_one_upload_after_another_uses_the_connection)
def test_any_bytes_arrive_as_they_are(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        for name, content in (
            ("bytes.bin", bytes(range(256)) * 3),
            ("lines.txt", b"a\r\nb\nc\r\r\n\x1a end"),
            ("marks.txt", b"\xef\xbb\xbf\xff\xfe EOF <END> \0\0\0"),
        ):
            uploads(alice, name, content)
            holds(stage, name, content, hint="bytes are not always text: write them as they come")


@check(points=2)
def test_an_offer_may_be_cut_anywhere(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.sends_byte_by_byte(offer("имя.txt", 3))
        is_wanted(alice, READ_EXACTLY)
        alice.sends(b"yes")
        is_stored(alice, "имя.txt")

    holds(stage, "имя.txt", b"yes")


@check(points=1)
def test_a_content_may_come_in_any_pieces(stage: Stage) -> None:
    content = stage.text(300)
    with started(stage).client("alice") as alice:
        offers(alice, "slow.txt", len(content))
        alice.sends_byte_by_byte(content, gap=0.001)
        is_stored(alice, "slow.txt", READ_EXACTLY)

    holds(stage, "slow.txt", content)


@check(points=2, after=test_one_upload_after_another_uses_the_connection)
def test_the_next_offer_may_follow_right_behind_a_content(stage: Stage) -> None:
    first, second = stage.text(1_000_003), stage.text(500)
    with started(stage).client("alice") as alice:
        offers(alice, "first.txt", len(first))
        alice.sends(first + offer("second.txt", len(second)))
        is_stored(alice, "first.txt", "read no more than is still to come: the next offer follows")
        is_wanted(alice, "read no more than is still to come: the next offer follows")
        alice.sends(second)
        is_stored(alice, "second.txt")

    holds(stage, "first.txt", first)
    holds(stage, "second.txt", second)


@check(points=1, after=test_one_upload_after_another_uses_the_connection)
def test_after_a_refusal_the_connection_goes_on(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.sends(offer("../../etc/passwd", 5))
        is_refused(alice)

        uploads(alice, "good.txt", b"good")


@check(points=1, after=test_after_a_refusal_the_connection_goes_on)
def test_after_a_failure_the_connection_goes_on(stage: Stage) -> None:
    in_the_way = stored(stage, "taken.txt")  # a folder, which no file replaces
    in_the_way.mkdir(parents=True)
    in_the_way.parent.chmod(0o777)  # the server may be another user
    with started(stage).client("alice") as alice:
        failed = uploads_if_wanted(alice, "taken.txt", b"no room")
        stage.requires(
            failed == NO,
            "alice was told that her file is stored, and it is not",
            expected="a 1, and why: a folder has the name that the file should have",
            received="a 0",
        )

        uploads(alice, "good.txt", b"good")


@check(points=1, after=test_after_a_refusal_the_connection_goes_on)
def test_more_than_max_size_is_refused_and_no_less(stage: Stage) -> None:
    with started(stage, "--max-size", "1000").client("alice") as alice:
        alice.sends(offer("large.txt", 1_001))
        is_refused(alice)

        uploads(alice, "full.txt", bytes(1_000))
    holds(stage, "full.txt", bytes(1_000), hint="--max-size bytes are allowed, one more is not")


@check(points=1, after=test_after_a_refusal_the_connection_goes_on)
def test_more_than_the_disk_has_room_for_is_refused(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        (stage.folder / "here.txt").write_bytes(b"so that not all of the disk is free")
        whole_disk = shutil.disk_usage(stage.folder).total
        for size in (whole_disk, 2**62, 2**63, 2**64 - 1):
            alice.sends(offer("huge.bin", size))
            is_refused(alice, hint="shutil.disk_usage() tells what is free")

        uploads(alice, "small.txt", b"small")


@check(points=1, after=test_one_upload_after_another_uses_the_connection)
def test_a_second_upload_of_a_name_replaces_the_first(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        uploads(alice, "news.txt", b"the old news, which are long")
        uploads(alice, "news.txt", b"the new ones")

        holds(stage, "news.txt", b"the new ones")
        is_empty(stage, alice.program, "news.txt")


@check(points=2, after=test_a_second_upload_of_a_name_replaces_the_first)
def test_a_file_appears_only_when_it_is_whole(stage: Stage) -> None:
    old, new = stage.text(2_000), stage.text(600_000)
    only_whole = "write to a temporary file in the same folder, then replace()"
    with started(stage).client("alice") as alice:
        uploads(alice, "report.txt", old)
        offers(alice, "report.txt", len(new))
        alice.sends(new[:-1])
        offered = stored(stage, "fresh.txt")
        with started(stage).client("bob") as bob:
            offers(bob, "fresh.txt", len(new))
            bob.sends(new[:-1])
            bob.reads_nothing(QUIET)  # in which the server stores what it has got
            holds(stage, "report.txt", old, only_whole)
            stage.requires(
                not offered.exists(),
                "a file has its final name while it is not whole",
                expected="no received_fresh.txt",
                received="received_fresh.txt",
                hint=only_whole,
            )
            bob.sends(new[-1:])
            is_stored(bob, "fresh.txt")
        alice.sends(new[-1:])
        is_stored(alice, "report.txt")

    holds(stage, "report.txt", new)
    holds(stage, "fresh.txt", new)


@check(points=2, after=test_a_second_upload_of_a_name_replaces_the_first)
def test_an_upload_that_breaks_off_leaves_nothing(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice") as alice:
        uploads(alice, "kept.txt", b"an earlier file")
    for leaves in ("ends", "resets"):
        for name in ("kept.txt", "new.txt"):
            breaking = server.client(f"one who {leaves}")
            offers(breaking, name, 1_000)
            breaking.sends(bytes(600))
            if leaves == "ends":
                breaking.ends_sending()
                breaking.expects_close_or_reset()
            else:
                breaking.resets()

    is_empty(stage, server.program, "kept.txt")
    holds(stage, "kept.txt", b"an earlier file")


@check(points=1, after=test_an_upload_that_breaks_off_leaves_nothing)
def test_uploads_that_break_off_leave_no_descriptor_open(stage: Stage) -> None:
    server = started(stage)
    program = server.program
    with server.client("alice") as alice:
        uploads(alice, "kept.txt", b"an earlier file")
    before = program.measured(system.descriptors)

    for how, ends in (("closes", TcpPeer.leaves), ("resets", TcpPeer.resets)):
        what = f"{BROKEN_OFF} times offers a file, is told to send it, and {how} the connection"
        with stage.story.sums_up("hasty", what):
            for number in range(BROKEN_OFF):
                hasty = server.client("hasty")
                offers(hasty, f"{how}{number}.txt", 1_000)
                ends(hasty)
    after, deadline = program.measured(system.descriptors), time.monotonic() + PATIENCE
    while after > before + LEFT_OVER and time.monotonic() < deadline:
        program.has_ended(within=0.05)  # the last ones may still be on their way out
        after = program.measured(system.descriptors)

    stage.requires(
        after <= before + LEFT_OVER,
        "uploads that broke off have left sockets or files open",
        expected=f"{before} descriptors, as before them",
        received=f"{after} descriptors",
        hint="however an upload ends, what it opened is closed, and in no list any more: finally",
    )


@check(points=1)
def test_an_offer_that_breaks_off_harms_nobody(stage: Stage) -> None:
    server = started(stage)
    whole = offer("half.txt", 3)
    for length in (1, 4, 6, len(whole) - 1):
        breaking = server.client("hasty")
        breaking.sends(whole[:length])
        breaking.ends_sending()
        breaking.expects_close_or_reset()

    with server.client("alice") as alice:
        uploads(alice, "good.txt", b"good")
    is_empty(stage, server.program, "good.txt")


@check(points=2, after=test_an_upload_that_breaks_off_leaves_nothing)
def test_a_silent_upload_is_given_up_after_timeout(stage: Stage) -> None:
    given_up = "settimeout() ends a wait with a TimeoutError, which is to end the connection, too"

    def scenario(timeout: float) -> None:
        server = started(stage, "--timeout", f"{timeout:g}")
        in_offer = server.client("alice")
        in_offer.sends(offer("slow.txt", 100)[:7])
        in_content = server.client("bob")
        uploads(in_content, "first.txt", b"first")
        offers(in_content, "slow.txt", 100)
        in_content.sends(b"not all")

        for silent in (in_offer, in_content):
            began = time.monotonic()
            silent.expects_close_or_reset(given_up, patience=timeout + LATEST)
            stage.story.tell(silent.name, "..", f"waited {time.monotonic() - began:.1f} s")
        with server.client("carol") as carol:
            uploads(carol, "last.txt", b"last")
        is_empty(stage, server.program, "first.txt", "last.txt")

    stage.unless_slow(SHORT, scenario)


@check(points=1, after=test_a_silent_upload_is_given_up_after_timeout)
def test_a_slow_upload_is_not_given_up(stage: Stage) -> None:
    moving = "each byte that comes begins the wait anew"
    in_parts = "an offer may come slowly, cut anywhere, and each piece of it begins the wait anew"

    def scenario(timeout: float) -> None:
        server = started(stage, "--timeout", f"{timeout:g}")
        with server.client("alice") as alice, server.client("bob") as bob:
            offers(alice, "alice.txt", 5)
            for byte, piece in zip(b"slow!", in_pieces(offer("bobs.txt", 1), 5), strict=True):
                alice.reads_nothing(timeout / 3)
                alice.sends(bytes([byte]))
                bob.sends(piece)
            is_stored(alice, "alice.txt", moving)
            is_wanted(bob, in_parts)
            bob.sends(b"b")
            is_stored(bob, "bobs.txt")

    stage.unless_slow(LONGER, scenario)


@check(points=2)
def test_two_uploads_do_not_wait_for_each_other(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice") as alice, server.client("bob") as bob:
        offers(alice, "alice.txt", 10)
        alice.sends(b"hello")

        uploads(bob, "bob.txt", b"from bob")

        alice.sends(b"there")
        is_stored(alice, "alice.txt")
    holds(stage, "alice.txt", b"hellothere")
    holds(stage, "bob.txt", b"from bob")


@check(points=2, after=test_two_uploads_do_not_wait_for_each_other)
def test_of_two_uploads_of_one_name_one_wins_whole(stage: Stage) -> None:
    server = started(stage)
    first, second = stage.text(300_000), stage.text(200_000)
    with server.client("alice") as alice, server.client("bob") as bob:
        offers(alice, "race.txt", len(first))
        alice.sends(first[:100_000])
        told = uploads_if_wanted(bob, "race.txt", second)
        if told == YES:
            holds(stage, "race.txt", second, "a 0 after the content says that it is stored")
        alice.sends(first[100_000:])
        status, _ = reads_reply(alice, "a content")  # one of the two may be refused

    winner = first if status == YES else second
    holds(stage, "race.txt", winner, "each upload needs a temporary file of its own")
    is_empty(stage, server.program, "race.txt")


@check(points=1, after=test_two_uploads_do_not_wait_for_each_other)
def test_60_uploads_run_side_by_side(stage: Stage) -> None:
    """60 uploads run side by side."""
    server = started(stage)
    crowd = server.crowd(SIDE_BY_SIDE, within=10.0)
    files = {client: (f"{number}.txt", stage.text(20_000)) for number, client in enumerate(crowd)}
    with stage.story.sums_up("a crowd", "all upload at the same time, a half, then the other"):
        for client, (name, content) in files.items():
            client.sends(offer(name, len(content)))
        for client, (_, content) in files.items():
            is_wanted(client)
            client.sends(content[:10_000])
        for client, (_, content) in files.items():
            client.sends(content[10_000:])
        for client, (name, _) in files.items():
            is_stored(client, name)
            client.leaves()
    for name, content in files.values():
        holds(stage, name, content)


@check(points=2, after=test_one_upload_after_another_uses_the_connection, long=True)
def test_256_megabytes_need_no_more_memory_than_a_small_file(stage: Stage) -> None:
    """256 MB need no more memory than a small file."""
    server = started(stage)
    block = stage.text(1_048_576)
    with server.client("alice") as alice:
        uploads(alice, "small.txt", b"small")
        before = server.program.measured(system.peak_memory)
        offers(alice, "large.bin", LARGE)
        with stage.story.sums_up("alice", f"sends {LARGE:,} bytes"):
            for _ in range(LARGE // len(block)):
                alice.sends(block)
        is_stored(alice, "large.bin", patience=LONG_PATIENCE)
        used = server.program.measured(system.peak_memory) - before

    stage.requires(
        used < MUCH_MEMORY,
        "the server's memory grows with the file",
        expected=f"less than {MUCH_MEMORY:,} bytes more than before",
        received=f"{used:,} bytes more",
        hint="write each piece to the file as it comes, and forget it",
    )
    size, whole = 0, False
    if is_there(stage, "large.bin"):
        with stored(stage, "large.bin").open("rb") as file:
            whole = all(file.read(len(block)) == block for _ in range(LARGE // len(block)))
            size = file.seek(0, os.SEEK_END)
    stage.requires(
        whole and size == LARGE,
        "received_large.bin is not what was sent",
        expected=f"the same {LARGE:,} bytes",
        received=f"{size:,} bytes" if size != LARGE else "other bytes",
    )


@check(points=1)
def test_it_makes_the_folder_that_the_options_name(stage: Stage) -> None:
    server = started(stage, "--directory", "new/deep")
    with server.client("alice") as alice:
        uploads(alice, "notes.txt", b"notes")

    there = [str(file.relative_to(stage.folder)) for file in stage.folder.rglob("received_*")]
    stage.requires(
        [name.replace("\\", "/") for name in there] == ["new/deep/received_notes.txt"],
        "the file is not in the folder that --directory names",
        expected="new/deep/received_notes.txt",
        received=", ".join(there) or "no file",
    )


@check(points=1, after=test_an_upload_that_breaks_off_leaves_nothing)
def test_ctrl_c_and_sigterm_in_an_upload_leave_nothing(stage: Stage) -> None:
    """Ctrl+C and SIGTERM in the middle of an upload leave nothing."""
    cleared = "whoever stops the server waits until its threads have cleared up"
    for signal_name in STOPS:
        server = started(stage)
        with server.client("alice") as alice:
            uploads(alice, "kept.txt", b"an earlier file")
        alice = server.client("alice")
        offers(alice, "kept.txt", 1_000)
        alice.sends(bytes(600))

        stops(server.program, stage, signal_name, server=signal_name == "SIGINT")

        alice.expects_close_or_reset()
        is_empty(stage, server.program, "kept.txt", hint=cleared)
        holds(stage, "kept.txt", b"an earlier file")
        alice.sock.close()


@check(points=1)
def test_bad_limits_get_a_usage_message_and_exit_code_2(stage: Stage) -> None:
    times = [("--timeout", text) for text in ("0", "-1", "nan", "inf", "soon")]
    sizes = [("--max-size", text) for text in ("0", "-1", "1.5")]

    ends_with_usage(stage, "server", *times, *sizes)


@check(points=1)
def test_a_folder_that_cannot_be_made_gets_an_error_line(stage: Stage) -> None:
    (stage.folder / "file").write_bytes(b"no folder")
    program = stage.program("server", "--port", "0", "--directory", "file/folder")

    if program.is_ready(within=START_PATIENCE):  # it makes the folder for the first file
        with TcpServer(stage, program).client("alice") as alice:
            alice.sends(offer("notes.txt", 5))
            is_refused(alice, hint="no file can be stored where there is no folder")
    else:
        ends_with_error_line(program, stage, "its folder cannot be made")


class TestLikeEveryServer(TcpServerRules):
    program = "server"
    default_port = 8082

    def greets(self, visitor: TcpPeer) -> None:
        uploads(visitor, visitor.stage.word(), b"are you there?")
