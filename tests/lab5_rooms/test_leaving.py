"""Lab 5, leaving: with a bye, or in silence; a room without members is gone, and names are free."""

import time
from collections.abc import Callable

from kit.lab import check
from kit.program import PATIENCE
from kit.stage import Stage
from lab5_rooms.people import RoomServer, started, were_sent_no_token
from lab5_rooms.wire import BYE, CREATE, HELLO, JOIN, NOTICE, TEXT, TOKEN, datagram

IDLE, LATEST = 1.0, 5.0  # seconds: an --idle-timeout, and after it until when it must be noticed
LONG_IDLE = 2.0  # seconds, where others have to stay
OFTEN = 0.2  # seconds between two signs of life

FREE = "who has left is out of everything in which its name stands: room, token, address"
EMPTY = "when the last member has left, forget the room"
SILENT = "look again and again who has been silent for --idle-timeout, and let them go"
NEVER = "a member's clock begins with its token, not with its first datagram"
TIME = "a member's clock begins anew with each of its valid datagrams, and with no other one"
OWN = "a membership has a clock of its own, not the one of its address, or of its name elsewhere"
LEFT = "who has left does not time out as well: its clock goes with it"
FRACTIONS = "a clock begins with a token, and anew with a datagram; do not cut it to whole seconds"
QUIET = "--idle-timeout is for members: a connection may be quiet for as long as it likes"


@check(points=2)
def test_after_a_bye_the_others_are_told(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        alice.is_told("bob")
        bob.tells_server(BYE)
        alice.is_told("bob", "who leaves is announced to those who stay")
        were_sent_no_token(stage, alice, bob)

        bob.tells_server(BYE)
        bob.tells_server(TEXT, "one more thing")
        with bob.moves("bob once more") as again:
            again.tells_server(HELLO)
            alice.is_not_told("bob", "after a bye a token is worth nothing: not even a second bye")
            bob.gets_nothing(FREE)
            again.gets_nothing(FREE)


@check(points=1)
def test_after_a_bye_the_name_is_free(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        bob.tells_server(BYE)
        alice.is_told("bob")
        alice.is_told("bob")

        with server.client("bob") as visitor:
            token = visitor.gets_token(JOIN, "kitchen", "bob", FREE)
        alice.is_told("bob")
        alice.says("nobody hears this")
        alice.says_hello()
        bob.gets_nothing(FREE)
        with server.member("bob", "kitchen", token) as again:
            again.says_hello()
            bob.tells_server(TEXT, "with the old token")
            alice.is_not_told("bob", "the old token is worth nothing: a membership has its own")
            alice.says("hi")
            again.hears("alice", "hi")


@check(points=1)
def test_a_room_without_members_is_gone(stage: Stage) -> None:
    """A room without members is gone, and its name is free."""
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        alice.tells_server(BYE)
        bob.is_told("alice")
        server.has_rooms("kitchen", hint="a room is there as long as it has members")
        bob.tells_server(BYE)
        is_gone(server, "kitchen", since=time.monotonic())

    with server.client("carol") as carol:
        carol.asks(JOIN, "kitchen", "carol")
        carol.is_refused(JOIN, "kitchen", "carol", EMPTY)
    with server.creates("bob", "kitchen", EMPTY) as again:
        again.hears_no_more()


@check(points=2, long=True)
def test_who_is_silent_for_idle_timeout_is_out(stage: Stage) -> None:
    """Who is silent for --idle-timeout is out, not before the time."""
    server = started(stage, "--idle-timeout", str(IDLE))
    alice = server.creates("alice", "kitchen")
    began = alice.said
    is_gone(server, "kitchen", began, patience=IDLE + LATEST, hint=SILENT)
    was_not_early(stage, began, IDLE)
    alice.tells_server(HELLO)
    server.creates("alice", "kitchen", FREE)
    alice.gets_nothing("who is out gets nothing: no notice of its own end, no answer to its token")


@check(points=1, after=test_who_is_silent_for_idle_timeout_is_out, long=True)
def test_who_says_nothing_at_all_is_out_as_well(stage: Stage) -> None:
    """Who says nothing at all after getting a token is out as well, and its connection is not."""
    server = started(stage, "--idle-timeout", str(IDLE))
    with server.client("alice") as alice, server.client("alice again") as again:
        for visitor, hint in ((alice, NEVER), (again, SILENT)):
            visitor.gets_token(CREATE, "kitchen", "alice", QUIET)
            is_gone(server, "kitchen", visitor.said, patience=IDLE + LATEST, hint=hint)
            was_not_early(stage, visitor.said, IDLE)
        alice.sees_rooms(hint=QUIET)


@check(points=2, after=test_who_is_silent_for_idle_timeout_is_out, long=True)
def test_who_says_something_stays_and_is_told_who_timed_out(stage: Stage) -> None:
    """Who says hello, or writes a text, stays in, and is told who timed out."""

    def scenario(idle: float) -> None:
        server = started(stage, "--idle-timeout", f"{idle:g}")
        alice, namesake = server.creates("alice", "kitchen"), server.creates("erin", "attic")
        server.joins("dave", "kitchen").tells_server(BYE)
        alice.is_told("dave")
        alice.is_told("dave")
        silent = server.joins("carol", "kitchen")
        server.joins_beside("erin", alice)
        alice.is_told("carol")
        alice.is_told("erin")
        began = alice.said
        bob = server.joins("bob", "kitchen")
        deadline = began + idle + LATEST
        with stage.story.sums_up("the others", "say hello, or write a text, each 0.2 s"):
            while not alice.knows_of("carol", "erin") and time.monotonic() < deadline:
                alice.tells_server(HELLO)
                bob.tells_server(TEXT, "I am here")
                namesake.tells_server(HELLO)
                alice.listens(OFTEN)
        carol = silent.moves("carol")  # the silent one's own silence is no slowness of the test
        carol.tells_server(HELLO)
        namesake.listens(OFTEN)
        namesake.hears_no_more(f"a hello is a sign of life: {TIME}")
        bob.hears_no_more(f"a text is a sign of life, too: {TIME}")
        carol.gets_nothing(SILENT)
        alice.is_told("carol", "who times out is announced to those who stay", patience=0.0)
        alice.is_told("erin", OWN, patience=0.0)
        was_not_early(stage, began, idle)
        bob.is_not_told("dave", LEFT)
        bob.is_told("carol")
        bob.is_not_told("carol", "who times out is announced once: then there is no such member")
        namesake.is_not_told("carol", "a notice goes to one room")

    stage.unless_slow(LONG_IDLE, scenario)


@check(points=1, after=test_who_is_silent_for_idle_timeout_is_out, long=True)
def test_what_is_dropped_is_no_sign_of_life(stage: Stage) -> None:
    server = started(stage, "--idle-timeout", str(IDLE))
    with server.creates("alice", "kitchen") as alice:
        dropped = (
            datagram(HELLO, "kitchen", "alice", bytes(TOKEN)),
            datagram(HELLO, "kitchen", "alice", alice.token, "with a text"),
            datagram(TEXT, "kitchen", "alice", alice.token, b"\xff"),
            datagram(TEXT, "kitchen", "alice", alice.token),
            datagram(9, "kitchen", "alice", alice.token),
            datagram(NOTICE, "kitchen", "alice", alice.token, "I am here"),
        )

        def goes_on() -> None:
            for data in dropped:
                alice.sends(data)

        is_gone(server, "kitchen", alice.said, goes_on, patience=IDLE + LATEST, hint=TIME)


def was_not_early(stage: Stage, since: float, idle: float) -> None:
    """See that no less than the idle timeout has passed since a member said something."""
    took = time.monotonic() - since
    stage.requires(
        took >= idle,
        "a silent member was out before --idle-timeout",
        expected=f"it stays for {idle:g} s after it was heard last, or came",
        received=f"it was out after {took:.2f} s",
        hint=FRACTIONS,
    )


def is_gone(
    server: RoomServer,
    room: str,
    since: float,
    meanwhile: Callable[[], None] = lambda: None,
    patience: float = PATIENCE,
    hint: str = EMPTY,
) -> None:
    """Look at the list until a room is gone, `patience` seconds after `since` at the latest."""
    with (
        server.client("a visitor") as visitor,
        server.stage.story.sums_up("a visitor", "looks at the list of rooms, again and again"),
    ):
        while room in visitor.lists() and time.monotonic() < since + patience:
            meanwhile()
            server.program.has_ended(within=0.05)
        visitor.sees_rooms(hint=hint)
