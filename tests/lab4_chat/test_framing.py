"""Lab 4, the framing: whole lines out of pieces, and an answer to what is no message.

Nobody logs in here: whatever is a message gets the error "login_required", or "bad_request".
"""

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import MAX_LINE, NOT_LOGGED_IN, ONE_LINE, User, line, started

ALIVE = "catch what json.loads() and decode() can raise: the connection goes on"
IN_PIECES = "gather the bytes that come, and decode a line when it is whole"
RECURSION = "RecursionError is no ValueError: json.loads() raises it for what is nested deeply"


def is_understood(user: User, hint: str = "") -> None:
    """See that what was sent is a message for the server: it lacks the username alone."""
    user.is_refused(*NOT_LOGGED_IN, hint=hint)


def is_answered(user: User, hint: str = "") -> None:
    """See that there is an answer to what is no message, and has no username, either."""
    user.is_refused("bad_json", *NOT_LOGGED_IN, hint=hint)


@check(points=1)
def test_a_message_before_the_login_is_answered_with_login_required(stage: Stage) -> None:
    """A message before the login is answered with login_required, or bad_request."""
    with started(stage).client("alice") as alice:
        alice.says(type="users")

        is_understood(alice)


@check(points=1)
def test_a_line_may_come_in_pieces(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.sends_byte_by_byte(line(type="users", note="имя 名前 🙂"))
        is_understood(alice, IN_PIECES)

        alice.sends(b"hello\n")
        is_answered(alice, "one line, one answer")


@check(points=1)
def test_several_lines_may_come_at_once(stage: Stage) -> None:
    """Several lines may come at once, and the beginning of the next one with them."""
    next_one = line(type="users", note="имя")
    with started(stage).client("alice") as alice:
        alice.sends(line(type="users") + b"hello\n" + next_one[:-4])

        is_understood(alice, ONE_LINE)
        is_answered(alice, ONE_LINE)
        alice.sends(next_one[-4:])
        is_understood(alice, "keep what comes behind the last line end for the next recv()")


@check(points=1)
def test_a_carriage_return_and_an_empty_line_harm_nobody(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.sends(line(type="users").replace(b"\n", b"\r\n"))
        is_understood(alice)

        alice.sends(b"\n\r\n")
        alice.says(type="users")
        refused = {"code": "bad_json"}  # an empty line may be ignored, or be refused
        alice.is_refused(*NOT_LOGGED_IN, perhaps_before=refused)


@check(points=1)
def test_a_line_of_65_536_bytes_is_taken(stage: Stage) -> None:
    """A line of 65,536 bytes is taken."""
    with started(stage).client("alice") as alice:
        for size in (40_000, MAX_LINE):
            alice.sends(long_line(size))

            is_understood(alice, f"{MAX_LINE:,} bytes with the line end are allowed")


@check(points=1)
def test_a_longer_line_gets_too_long(stage: Stage) -> None:
    """A line of 65,537 bytes gets too_long in its turn, and the connection is closed."""
    with started(stage).client("alice") as alice:
        alice.sends(line(type="users") + long_line(MAX_LINE + 1))

        is_understood(alice)
        alice.is_refused("too_long")
        alice.expects_close_or_reset("after too_long the server closes the connection")


@check(points=1)
def test_a_line_that_never_ends_gets_too_long(stage: Stage) -> None:
    """A line that never ends gets too_long."""
    with started(stage).client("alice") as alice:
        alice.sends(long_line(MAX_LINE + 5_000)[:-5])

        alice.is_refused("too_long", hint="look at how much has gathered, before the line ends")


@check(points=1)
def test_nothing_that_json_can_be_ends_a_connection(stage: Stage) -> None:
    """Deep nesting, NaN, 5,000 digits and half a character end no connection."""
    with started(stage).client("alice") as alice:
        for data in (b"[" * 60_000, b'{"a":' * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000):
            alice.sends(data + b"\n")
            is_answered(alice, RECURSION)
        for data in (b"NaN", b"-Infinity", b"1" * 5_000, b'"\\ud83d"', b'"\\u0000"'):
            alice.sends(b'{"type": "users", "note": ' + data + b"}\n")
            is_answered(alice, ALIVE)
        alice.sends(b'{"type": "users", "\\ud83d": 1}\n')
        is_answered(alice, ALIVE)


def long_line(size: int) -> bytes:
    """Return a line of so many bytes, its end included."""
    return line(type="users", note="x" * (size - len(line(type="users", note=""))))
