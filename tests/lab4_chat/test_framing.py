"""Lab 4, the framing: whole lines out of pieces, and an answer to what is no message.

Nobody logs in here: whatever is a message gets the error "login_required".
"""

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import MAX_LINE, ONE_LINE, User, line, started

ALIVE = "catch what json.loads() and decode() can raise: the connection goes on"
IN_PIECES = "gather the bytes that come, and decode a line when it is whole"
RECURSION = "RecursionError is no ValueError: json.loads() raises it for what is nested deeply"


def is_understood(user: User, hint: str = "") -> None:
    """See that what was sent is a message for the server."""
    user.is_refused("login_required", hint=hint)


@check(points=2)
def test_a_message_before_the_login_is_answered_with_login_required(stage: Stage) -> None:
    """A message before the login is answered with login_required."""
    with started(stage).client("alice") as alice:
        alice.says(type="users")

        is_understood(alice)


@check(points=1)
def test_what_is_no_json_gets_bad_json(stage: Stage) -> None:
    """What is no JSON gets bad_json, and the connection goes on."""
    with started(stage).client("alice") as alice:
        for text in ("hello", '{"type": "users"', "{'type': 'users'}", "{}}"):
            alice.sends(text.encode() + b"\n")
            alice.is_refused("bad_json", hint=ALIVE)

        alice.says(type="users")
        is_understood(alice)


@check(points=1)
def test_what_is_no_object_gets_bad_json(stage: Stage) -> None:
    """JSON that is no object gets bad_json."""
    with started(stage).client("alice") as alice:
        for text in ('["username"]', '"username"', "42", "null", "true"):
            alice.sends(text.encode() + b"\n")
            alice.is_refused("bad_json", hint="look at what json.loads() returned: is it a dict?")


@check(points=1)
def test_what_is_no_utf_8_gets_bad_json(stage: Stage) -> None:
    """What is no UTF-8 gets bad_json."""
    with started(stage).client("alice") as alice:
        for data in (b'{"username": "\xff\xfe"}\n', '{"username": "имя"}\n'.encode("cp1251")):
            alice.sends(data)
            alice.is_refused("bad_json", hint=ALIVE)

        alice.says(type="users")
        is_understood(alice)
