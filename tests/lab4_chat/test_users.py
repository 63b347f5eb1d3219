"""Lab 4, users and notices: who is online, who has come, who has left."""

from collections.abc import Callable

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import User, has_the_time, lists, started

ONCE = "whatever ends a connection, its user leaves in one place, once: finally"
STALE = "who leaves is taken out of everything in which its name stands"
GIVES_BACK = "only who got the name gives it back"


@check(points=1)
def test_the_list_names_all_who_are_online(stage: Stage) -> None:
    """The list names all who are online, also the one who asks."""
    server = started(stage)
    with server.user("alice") as alice, server.user("боб") as bob, server.user("山田"):
        lists(alice, "alice", "боб", "山田")
        lists(bob, "alice", "боб", "山田")

        alice.hears_no_more("the list goes to the one who asks")
        for message in (*alice.heard, *bob.heard):
            has_the_time(stage, message)


@check(points=1)
def test_the_others_are_told_who_has_left(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("боб") as bob:
        bob.leaves()

        alice.is_told("боб", online=2)
        alice.is_told("боб", online=1, hint="count when the leaver is no longer among them")


@check(points=1)
def test_the_others_are_told_who_has_come(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("кира") as kira:
        for user in (alice, bob):
            user.is_told("кира", online=3, hint="count when the newcomer is among them")
        kira.is_not_told("кира", "the notice is for the others: who comes gets the welcome")


@check(points=1)
def test_who_has_left_is_not_in_the_list(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol"):
        bob.leaves()
        for _ in ("has come", "has left"):
            alice.is_told("bob", online=2)

        lists(alice, "alice", "carol", hint=STALE)


@check(points=1)
def test_who_has_not_logged_in_is_not_counted(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.client("nobody") as nobody:
        nobody.says(username="a b")
        nobody.is_refused("bad_username")
        with server.user("carol"):
            alice.is_told("carol", online=2, hint="only who has logged in is online")

            lists(alice, "alice", "carol", hint="only who has logged in is online")


def is_told_once(stage: Stage, leave: Callable[[User], None]) -> None:
    """See that the others are told once when a user goes in this way."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol"):
        alice.is_told("bob", online=2)
        alice.is_told("carol", online=3)
        leave(bob)

        alice.is_told("bob", online=2, hint=ONCE)
        with server.user("dave"):
            alice.is_told("dave", online=3, hint=ONCE)
        alice.is_not_told("bob", ONCE)


@check(points=1)
def test_whoever_leaves_is_announced_once(stage: Stage) -> None:
    """Whoever leaves, in whatever way, is announced once."""
    for leave in (User.leaves, User.resets, User.ends_sending):
        is_told_once(stage, leave)


@check(points=1, after=test_whoever_leaves_is_announced_once)
def test_a_name_is_free_again_when_its_user_has_left(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol"):
        alice.is_told("bob", online=2)
        bob.resets()
        alice.is_told("bob", online=2)

        with server.client("bob") as bob_again:
            bob_again.logs_in(hint=STALE)


@check(points=1)
def test_a_refused_login_does_not_harm_who_has_the_name(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.client("mallory") as mallory:
        mallory.says(username="alice")
        mallory.is_refused("username_taken")
        mallory.ends_sending()
        mallory.expects_close_or_reset('when recv() returns b"", close the connection')
        with server.user("bob") as bob:
            alice.is_told("bob", hint=GIVES_BACK)

            lists(bob, "alice", "bob", hint=GIVES_BACK)
        alice.hears_no_more()
