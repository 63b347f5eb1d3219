"""Lab 4, the server as a whole: many users, whatever they do, and everything that ends."""

import itertools
import os
import time
from collections import defaultdict
from typing import Any

from kit import system
from kit.lab import check
from kit.peer import Server
from kit.program import PATIENCE
from kit.server_rules import RulesInShort, TcpServerRules
from kit.stage import Stage
from lab4_chat.wire import NOT_LOGGED_IN, ChatServer, User, has_the_time, line, started

USERS, EACH = 20, 200  # who write at once, and how many messages each
STOPS = (("SIGINT", "Ctrl+C"), ("SIGTERM", "SIGTERM"))[: 2 if os.name == "posix" else 1]
SHORT, LATEST = 1.0, 5.0  # seconds: an --idle-timeout, and after it until when it must be noticed
OFTEN = 0.25  # seconds between the pings of one who is not idle
SPARE = 6  # descriptors that a server may still open
LATE = 15.0  # seconds: a server may wait a while before it tries again to accept
IN_TIME = 10.0  # seconds in which a crowd gets through


@check(points=1)
def test_when_one_breaks_off_the_others_go_on_talking(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        alice.is_told("carol", online=3)
        carol.sends(b'{"type": "mess')
        carol.resets()
        alice.is_told("carol", online=2)
        text = stage.word()
        alice.says(type="message", message=text)

        bob.hears("message", message=text)
        with server.user("dave") as dave:
            bob.says(type="message", message="hi")
            dave.hears("message", message="hi")


@check(points=1, long=True)
def test_every_message_carries_the_time(stage: Stage) -> None:
    """Every message from the server carries the date and the time."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        alice.is_told("bob", online=2)
        bob.says(type="message", message="hi")
        alice.hears("message")
        bob.stays_quiet(1.1)
        bob.says(type="nonsense")
        bob.is_refused("unknown_type")
        bob.hears_no_more()
        bob.leaves()
        alice.is_told("bob", online=1)

    for message in (*alice.heard, *bob.heard):
        has_the_time(stage, message)
    first, last = bob.heard[0]["timestamp"], bob.heard[-1]["timestamp"]
    stage.requires(
        first != last,
        "the time of a message does not go on",
        expected="another timestamp, more than a second later",
        received=f"{first} in both",
        hint="a default value is computed once: ask for the time when a message is made",
    )


@check(points=1)
def test_whole_lines_before_the_end_are_obeyed(stage: Stage) -> None:
    """Whole lines before the end of the stream are obeyed, half a line is not."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        alice.is_told("bob", online=2)
        half = line(type="message", message="three").rstrip(b"\n")
        bob.sends(line(type="message", message="one") + line(type="message", message="two") + half)
        bob.ends_sending()

        alice.hears("message", message="one")
        alice.hears("message", message="two")
        alice.is_told("bob", online=1)
        alice.hears_no_more("without its end a line is not whole, also at the end of the stream")


@check(points=1)
def test_who_is_silent_delays_nobody(stage: Stage) -> None:
    """Who connects and is silent, or stops in the middle of a line, delays nobody."""
    server = started(stage)
    with server.client("silent"), server.client("slow") as slow:
        slow.sends(b'{"username": "sl')
        with server.user("alice") as alice, server.user("bob") as bob:
            bob.sends(b'{"type":')
            alice.says(type="message", message="hi")

            bob.hears("message", message="hi")


@check(points=1, long=True)
def test_who_says_nothing_for_too_long_is_dropped(stage: Stage) -> None:
    """Who says nothing for --idle-timeout gets the error idle, and is dropped."""

    def scenario(idle: float) -> None:
        server = started(stage, "--idle-timeout", f"{idle:g}")
        with (
            server.user("bob") as bob,
            server.user("carol") as carol,
            server.client("alice") as alice,
        ):
            carol.sends(b'{"type": "ping"')
            began = time.monotonic()
            alice.logs_in()
            bob.is_told("alice", online=3)
            while not alice.can_read() and time.monotonic() < began + idle + LATEST:
                carol.sends(b" ")
                bob.hears_no_more("who sends something is not idle")
                bob.stays_quiet(OFTEN)
            waited = time.monotonic() - began
            carol.sends(b"}\n")

            carol.hears("pong", "every byte is a sign of life, also one in the middle of a line")
            bob.hears_no_more("who sends something is not idle")
            alice.is_refused("idle", hint="recv() may wait for --idle-timeout: settimeout()")
            alice.expects_close_or_reset("after the error idle the server closes the connection")
            stage.requires(
                waited >= idle,
                "a user was dropped before its time",
                expected=f"silence for {idle:g} s",
                received=f"{waited:.2f} s",
            )
            bob.is_told("alice", online=2)

    stage.unless_slow(SHORT, scenario)


@check(points=1)
def test_everybody_is_told_when_the_server_goes(stage: Stage) -> None:
    """Everybody is told when the server goes, at Ctrl+C and at SIGTERM."""
    for signal_name, key in STOPS:
        server = started(stage)
        with server.user("alice") as alice, server.user("bob") as bob, server.client("nobody"):
            alice.is_told("bob", online=2)
            bob.hears_no_more()
            ended = server.program.is_told_to_stop(signal_name, 4.0)

            stage.requires(
                ended, f"server did not end at {key}", expected="it ends", received="it runs on"
            )
            hint = f"at {key}: say it before the connections are ended"
            for user, other in ((alice, bob), (bob, alice)):
                user.is_told(alone_without=other.name, hint=hint)


@check(points=1)
def test_without_a_descriptor_it_goes_on(stage: Stage) -> None:
    """A server without a free descriptor goes on, and takes new users when it has one again."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        limit = server.program.measured(lambda pid: system.limit_descriptors(pid, SPARE))
        crowd = server.crowd(2 * SPARE, within=IN_TIME)
        opens_all(server, limit)
        alice.says(type="message", message="hi")
        bob.hears("message", "accept() fails with an OSError: go on", message="hi")
        for user in crowd:
            user.leaves()

        with server.client("carol") as carol:
            carol.logs_in(hint="accept() fails: go on, somebody may leave", patience=LATE)


def opens_all(server: ChatServer, limit: int) -> None:
    """Wait until the server has no descriptor left, or has ended, or seems to keep some."""
    program, deadline = server.program, time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not program.has_stopped(within=0.01):
        if program.measured(system.descriptors) >= limit:
            break


@check(points=1)
def test_twenty_who_write_at_once_lose_nothing(stage: Stage) -> None:
    """Of twenty who write 200 messages each at once, each gets all, in each writer's order."""
    server = started(stage)
    users = [server.user(f"user{number}") for number in range(USERS)]
    with stage.story.sums_up("twenty users", f"write {EACH} messages each, at once"):
        for number in range(EACH):
            for user in users:
                user.says(type="message", message=str(number))
                user.collects()
        for user in users:
            gets_all(user, users)


def gets_all(user: User, users: list[User]) -> None:
    """See that a user gets all that the others have written."""
    came: dict[str, list[str]] = defaultdict(list)
    for message in user.hears_many("message", (len(users) - 1) * EACH):
        came[str(message.get("from_username"))].append(str(message.get("message")))
    right = [str(number) for number in range(EACH)]
    for writer in users:
        if writer is not user:
            user.stage.requires(
                came[writer.name] == right,
                "a user did not get each message of another one once and in its order",
                expected=f"{EACH} messages, 0 to {EACH - 1}",
                received=f"{len(came[writer.name])} messages: {' '.join(came[writer.name])[:60]} …",
            )


class Rules(TcpServerRules):
    """A visitor that only greets has not logged in, so that nobody is told of it."""

    program = "server"
    default_port = 8083
    server = ChatServer

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def greets(self, visitor: Any) -> None:
        visitor.says(type="ping")
        visitor.is_refused(*NOT_LOGGED_IN)

    def visit(self, server: Server) -> None:
        with server.client("a visitor") as visitor:
            visitor.logs_in(f"visitor{next(self._numbers)}")
            visitor.hears_no_more()

    def long_visit(self, server: Server) -> None:
        with server.client("a visitor") as visitor:
            visitor.logs_in(f"visitor{next(self._numbers)}")
            visitor.sends(line(type="message", message="x" * 500) * 50)
            visitor.hears_no_more()


class TestLikeEveryServer(RulesInShort):
    rules = Rules()
