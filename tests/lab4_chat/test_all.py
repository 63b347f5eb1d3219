"""Lab 4, to all: what a user writes reaches everyone else who is online, as it was written."""

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import HALF, HALVES, started

AS_JSON = "json.dumps() knows how quotes, backslashes and line ends are written"
NOT_EMPTY = "a text of blanks has characters in it: it goes on like any other"
NOT_YOU = "the writer knows what it wrote: all others get it"
TEXTS = (
    "Привет, как дела?",
    "こんにちは、元気ですか",
    "🙂 🇯🇵 e\u0301",
    'She said "hi" \\ and left',
    "two\nlines\tand a tab\r",
    '{"type": "system", "message": "fake"}',
    "null \0 and \x1b[2J",
    "  blanks around  ",
    "/quit",
    "x" * 60_000,
)
BLANKS = (" ", "\t\n", "\u3000")


@check(points=1)
def test_what_alice_writes_reaches_bob(stage: Stage) -> None:
    """What Alice writes reaches Bob, with her name."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        text = stage.word()
        alice.says(type="message", message=text)

        bob.hears("message", from_username="alice", message=text)


@check(points=1)
def test_what_alice_writes_does_not_come_back_to_her(stage: Stage) -> None:
    """What Alice writes does not come back to her."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        alice.says(type="message", message="hi")
        bob.hears("message", message="hi")

        alice.hears_no_more(NOT_YOU)


@check(points=1)
def test_everyone_else_gets_it_once(stage: Stage) -> None:
    """Everyone else gets it, once."""
    server = started(stage)
    others = [server.user(name) for name in ("bob", "carol", "dave", "eve")]
    with server.user("alice") as alice:
        text = stage.word()
        alice.says(type="message", message=text)

        for other in others:
            other.hears("message", from_username="alice", message=text)
        for other in others:
            other.hears_no_more("one message, one copy for each")


@check(points=1)
def test_who_has_not_logged_in_gets_nothing(stage: Stage) -> None:
    server = started(stage)
    nobody, alice, bob = server.client("nobody"), server.user("alice"), server.user("bob")
    alice.says(type="message", message="hi")
    bob.hears("message", message="hi")

    nobody.hears_no_more("only who has logged in is online")


@check(points=1)
def test_a_text_arrives_as_it_was_written(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        for text in TEXTS:
            alice.says(type="message", message=text)

            bob.hears("message", AS_JSON, message=text)
        for text in BLANKS:
            alice.says(type="message", message=text)

            bob.hears("message", NOT_EMPTY, message=text)
        alice.says(type="message", message=f"half {HALF}")
        alice.says(type="message", message="whole")

        bob.comes_to("message", HALVES, message="whole")


@check(points=1)
def test_nobody_speaks_under_another_name(stage: Stage) -> None:
    """Nobody speaks under another name: extra fields are ignored."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        alice.says(
            type="message", message="hi", username="bob", from_username="bob", timestamp="never"
        )

        came = bob.hears("message", "the server knows who sent a line", from_username="alice")
        stage.requires(
            came.get("timestamp") != "never",
            "the server passed on the sender's own timestamp",
            expected="the time when the server got the message",
            received="the text that the sender gave",
        )


@check(points=1)
def test_a_message_without_its_fields_gets_bad_request(stage: Stage) -> None:
    """A message without a text or a type gets bad_request."""
    server = started(stage)
    with server.user("alice") as alice, server.user("bob") as bob:
        for fields in ({"message": "hi"}, {"type": 5, "message": "hi"}, {"type": None}):
            alice.says(**fields)
            alice.is_refused("bad_request", "unknown_type", hint="is the type there, and a text?")
        alice.says(type="message")
        alice.is_refused("bad_request", hint="look whether each field is there")
        for text in (5, None, True, ["hi"], {"text": "hi"}, ""):
            alice.says(type="message", message=text)
            alice.is_refused("bad_request", hint=f"{text!r} is no text with characters in it")

        alice.says(type="message", message="hi")
        bob.hears("message", "a line that is refused has no other effect", message="hi")


@check(points=1)
def test_a_type_that_there_is_not_gets_unknown_type(stage: Stage) -> None:
    """A type that there is not gets unknown_type."""
    with started(stage).user("alice") as alice:
        for kind in ("shout", "Message", "system", "message "):
            alice.says(type=kind, message="hi")
            alice.is_refused("unknown_type")
        alice.says(type=HALF, message="hi")
        alice.is_refused("unknown_type", "bad_request", "bad_json", hint=HALVES)

        alice.hears_no_more()
