"""Lab 4, private messages: for one user alone."""

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import HALF, HALVES, has_the_time, started

ALONE = "a private message goes to its target, and to nobody else"


@check(points=1)
def test_a_private_message_reaches_its_target(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("боб") as bob:
        text = f"только тебе {stage.word()}"
        alice.says(type="private", target_username="боб", message=text)

        bob.hears("private", from_username="alice", message=text)


@check(points=1)
def test_nobody_else_gets_a_private_message(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.user("carol") as carol:
        alice.says(type="private", target_username="bob", message="hi")
        has_the_time(stage, bob.hears("private", message="hi"))

        carol.hears_no_more(ALONE)
        alice.hears_no_more(ALONE)
        bob.hears_no_more(ALONE)


@check(points=1)
def test_a_private_message_to_nobody_gets_no_such_user(stage: Stage) -> None:
    """A private message to who is not online gets no_such_user."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob, server.client("carol"):
        for target in ("carol", "Bob", "bob ", "", "alice, bob"):
            alice.says(type="private", target_username=target, message="hi")
            alice.is_refused("no_such_user", hint="names are compared exactly, with those online")
        alice.says(type="private", target_username=HALF, message="hi")
        alice.is_refused("no_such_user", "bad_request", "bad_json", hint=HALVES)

        bob.hears_no_more(ALONE)


@check(points=1)
def test_a_private_message_to_oneself_gets_not_yourself(stage: Stage) -> None:
    """A private message to oneself gets not_yourself."""
    with started(stage).user("alice") as alice:
        alice.says(type="private", target_username="alice", message="hi")

        alice.is_refused("not_yourself")


@check(points=1)
def test_a_private_message_without_a_target_or_a_text_gets_bad_request(stage: Stage) -> None:
    """A private message without a target or a text gets bad_request."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        for fields in (
            {"message": "hi"},
            {"target_username": "bob"},
            {"target_username": ["bob"], "message": "hi"},
            {"target_username": None, "message": "hi"},
            {"target_username": "bob", "message": 5},
            {"target_username": "bob", "message": ""},
        ):
            alice.says(type="private", **fields)
            alice.is_refused("bad_request", hint=f"look at each field of {fields}")

        bob.hears_no_more(ALONE)
