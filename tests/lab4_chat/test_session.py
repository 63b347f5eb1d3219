"""Lab 4, private sessions: asked for, answered, ended; the server keeps who is in one with whom."""

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import User, has_the_time, lists, started

USED_UP = "a request is used up by its answer: take it out of those that wait"
BOTH_FREE = "when a session ends, both are free for another one"
AS_EVER = "in a session it is the client that sends each text to the right place: obey its type"
DROPPED = "when a session begins, all other requests from and to the two are dropped"


def asks(asker: User, target: User) -> None:
    """Ask for a session, and see that the other one is asked."""
    asker.says(type="session_request", target_username=target.name)
    target.hears("session_request", from_username=asker.name)


def answers(user: User, asker: User, accepted: bool) -> None:
    """Answer a request."""
    user.says(type="session_response", target_username=asker.name, accepted=accepted)


def are_in_session(asker: User, target: User, hint: str = "") -> None:
    """See that both are told that their session has begun."""
    for user in (asker, target):
        user.hears("session_accepted", hint, from_username=asker.name, to_username=target.name)


def begin(asker: User, target: User, hint: str = "") -> None:
    """Begin a session."""
    asks(asker, target)
    answers(target, asker, True)
    are_in_session(asker, target, hint)


def have_ended(first: User, second: User) -> None:
    """See that both are told that the first one has ended their session."""
    for user in (first, second):
        user.hears("session_ended", from_username=first.name, to_username=second.name)


def ends(user: User, partner: User) -> None:
    """End a session."""
    user.says(type="session_end")
    have_ended(user, partner)


def has_no_session(user: User, hint: str = "") -> None:
    """See that a user is in no session."""
    user.says(type="session_end")
    user.is_refused("no_session", hint=hint)


@check(points=1)
def test_a_request_that_is_accepted_begins_a_session(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("боб") as bob:
        asks(alice, bob)
        answers(bob, alice, True)

        are_in_session(alice, bob)


@check(points=1)
def test_a_request_that_is_rejected_begins_none(stage: Stage) -> None:
    """A request that is rejected begins no session, and only the asker is told."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        asks(alice, bob)
        answers(bob, alice, False)

        alice.hears("session_rejected", from_username="alice", to_username="bob")
        has_no_session(alice)
        has_no_session(bob)


@check(points=1)
def test_who_ends_a_session_frees_both(stage: Stage) -> None:
    """Who ends a session frees both: they are told, are in none, and may begin another one."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        has_no_session(alice)
        begin(alice, bob)
        ends(bob, alice)

        for user in (alice, bob):
            has_no_session(user, BOTH_FREE)
        begin(carol, bob, BOTH_FREE)
        ends(bob, carol)
        begin(alice, carol, BOTH_FREE)


@check(points=1)
def test_a_partner_that_goes_ends_the_session(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        begin(alice, bob)
        bob.resets()

        alice.hears("session_ended", from_username="bob", to_username="alice")
        begin(carol, alice, BOTH_FREE)


@check(points=1)
def test_an_answer_to_who_never_asked_gets_no_such_request(stage: Stage) -> None:
    """An answer to who never asked gets no_such_request, and begins no session."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        for name, accepted in (("alice", True), ("alice", False), ("nobody", True), ("bob", True)):
            bob.says(type="session_response", target_username=name, accepted=accepted)
            bob.is_refused("no_such_request", hint="remember who asked whom, and look there")

        has_no_session(bob)
        asks(alice, bob)
        answers(alice, bob, True)
        alice.is_refused("no_such_request", hint="who asked, and who was asked: not the same")


@check(points=1)
def test_a_request_is_answered_once(stage: Stage) -> None:
    """A request is answered once, however often it was asked."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        asks(alice, bob)
        alice.says(type="session_request", target_username="bob")
        alice.hears_no_more("asking again is no error")
        answers(bob, alice, False)
        alice.hears("session_rejected")
        answers(bob, alice, True)

        again = {"type": "session_request", "from_username": "alice"}
        bob.is_refused("no_such_request", hint=USED_UP, perhaps_before=again)


@check(points=1)
def test_a_request_dies_with_either_side(stage: Stage) -> None:
    """A request dies with either side, also when somebody of that name comes back."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        asks(alice, bob)
        alice.resets()
        carol.is_told("alice", online=2)
        answers(bob, alice, True)
        bob.is_refused("no_such_request")
        alice = server.user("alice")
        answers(bob, alice, True)
        bob.is_refused("no_such_request", hint="forget the requests of who leaves")

        asks(alice, bob)
        bob.resets()
        carol.is_told("bob", online=2)
        bob = server.user("bob")
        answers(bob, alice, True)
        bob.is_refused("no_such_request", hint="forget the requests to who leaves")


@check(points=1)
def test_who_is_in_a_session_is_busy(stage: Stage) -> None:
    """Who is in a session is busy: neither asks nor is asked."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        begin(alice, bob)
        for target in ("alice", "bob"):
            carol.says(type="session_request", target_username=target)
            carol.is_refused("busy", hint="both partners are busy")
        for user in (alice, bob):
            user.says(type="session_request", target_username="carol")
            user.is_refused("busy", hint="both partners are busy")

        carol.hears_no_more()


@check(points=1)
def test_two_who_ask_each_other_need_one_answer(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        asks(alice, bob)
        asks(bob, alice)
        answers(alice, bob, True)
        are_in_session(bob, alice)
        answers(bob, alice, True)

        bob.is_refused("no_such_request", "busy", hint=DROPPED)
        ends(alice, bob)


@check(points=1)
def test_several_requests_wait_side_by_side(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        asks(alice, bob)
        asks(carol, bob)
        answers(bob, carol, False)
        carol.hears("session_rejected", from_username="carol", to_username="bob")
        answers(bob, alice, True)

        are_in_session(alice, bob, "a request of one does not replace the one of another")


@check(points=1, after=test_who_ends_a_session_frees_both)
def test_a_session_drops_all_other_requests(stage: Stage) -> None:
    """A session that begins drops all other requests from and to the two."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        asks(alice, carol)
        asks(carol, bob)
        begin(alice, bob)
        ends(bob, alice)

        answers(carol, alice, True)
        carol.is_refused("no_such_request", hint=DROPPED)
        answers(bob, carol, True)
        bob.is_refused("no_such_request", hint=DROPPED)


@check(points=1)
def test_nobody_can_ask_who_is_not_there(stage: Stage) -> None:
    """Nobody can ask who is not online, or oneself."""
    with started(stage).user("alice") as alice:
        alice.says(type="session_request", target_username="nobody")
        alice.is_refused("no_such_user")
        alice.says(type="session_request", target_username="alice")
        alice.is_refused("not_yourself")


@check(points=1)
def test_a_request_or_an_answer_without_its_fields_gets_bad_request(stage: Stage) -> None:
    """A request or an answer without its fields gets bad_request."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        asks(bob, alice)
        for kind, fields in (
            ("session_request", {}),
            ("session_request", {"target_username": 5}),
            ("session_response", {"accepted": True}),
            ("session_response", {"target_username": "bob"}),
            ("session_response", {"target_username": "bob", "accepted": "yes"}),
            ("session_response", {"target_username": "bob", "accepted": 1}),
            ("session_response", {"target_username": "bob", "accepted": None}),
        ):
            alice.says(type=kind, **fields)
            alice.is_refused("bad_request", hint="accepted is true or false, and nothing else")

        answers(alice, bob, True)
        are_in_session(bob, alice)


@check(points=1)
def test_a_session_changes_nothing_for_the_others(stage: Stage) -> None:
    """A session changes nothing for the others: they hear nothing of it, and all that is theirs."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        begin(alice, bob)
        carol.hears_no_more("a private session is between the two")
        alice.says(type="message", message="to all")
        for other in (bob, carol):
            other.hears("message", AS_EVER, from_username="alice", message="to all")
        alice.says(type="private", target_username="carol", message="to carol")
        carol.hears("private", AS_EVER, from_username="alice", message="to carol")
        lists(carol, "alice", "bob", "carol", hint="who is in a session is online")
        ends(alice, bob)

        carol.hears_no_more("a private session is between the two")
        for message in (*alice.heard, *bob.heard):
            has_the_time(stage, message)
