"""Lab 4, the login: a name that is right, and that nobody else has."""

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import HALF, HALVES, NOT_LOGGED_IN, ChatServer, started

CROWD = 30  # clients that ask for one name at once
ROUNDS = 10  # who gets no name asks for the next one
IN_TIME = 10.0  # seconds in which a crowd gets through
ALIVE = "catch what json.loads() and decode() can raise: the connection goes on"
AGAIN = "after a refused name the connection goes on, and another name may be tried"
TAKEN_ALREADY = "a name that somebody online has is refused, and the connection goes on"
EXACTLY = "names are compared as they come: no strip(), lower(), casefold() or normalize()"
UNDER_A_LOCK = "between the look whether a name is free and its taking nobody may come in: a lock"
KINDS = ("message", "private", "session_request", "session_response", "session_end", "users")


def is_taken(server: ChatServer, name: str) -> None:
    """See that a name can be had."""
    user = server.client("a newcomer")
    user.says(username=name)
    user.is_welcomed(f"{name!r} is a name: str.isalnum(), and _ - .")


def is_no_name(server: ChatServer, *names: str) -> None:
    """See that none of these is a name, and that the client may try another one."""
    alice = server.client("alice")
    for name in names:
        alice.says(username=name)
        alice.is_refused("bad_username", hint=f"{name[:40]!r} is no name")

    alice.logs_in(hint=AGAIN)


@check(points=1)
def test_who_logs_in_is_welcomed(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        welcome = alice.logs_in()

        stage.requires(
            isinstance(welcome.get("message"), str) and welcome.get("online_users") == 1,
            "the welcome lacks something",
            expected='"message", a text, and "online_users", 1',
            received=str(welcome),
        )


@check(points=1)
def test_the_welcome_counts_the_newcomer(stage: Stage) -> None:
    server = started(stage)
    with server.user("alice"), server.user("bob"), server.client("carol") as carol:
        online = carol.logs_in().get("online_users")

        stage.requires(
            online == 3,
            "the welcome of the third user does not say that three are online",
            expected="online_users: 3",
            received=f"online_users: {online}",
            hint="count when the newcomer is among them",
        )


@check(points=1)
def test_letters_of_every_script_digits_and_three_signs_make_a_name(stage: Stage) -> None:
    server = started(stage)
    for name in ("анна", "山田太郎", "Ñandú", "एक", "٣٤", "x", "7", "_", "-", ".", "a.b-c_d", ".."):
        is_taken(server, name)


@check(points=1)
def test_other_characters_and_blanks_make_no_name(stage: Stage) -> None:
    """Other characters make no name, and a blank is not taken away."""
    is_no_name(started(stage), "a/b", "a@b", "<b>", "🙂", "a\0b", "e\u0301", "a\u200bb")
    is_no_name(started(stage), " alice", "alice ", "a b", "alice\n", "\t", "\u3000alice")
    with started(stage).client("alice") as alice:
        alice.says(username=HALF)
        alice.is_refused("bad_username", "bad_request", "bad_json", hint=HALVES)


@check(points=1)
def test_a_name_has_1_to_32_characters(stage: Stage) -> None:
    """A name has 1 to 32 characters, whatever their bytes."""
    server = started(stage)
    is_no_name(server, "", "x" * 33, "日" * 33, "x" * 1_000)

    for name in ("x" * 32, "日" * 32):
        is_taken(server, name)


@check(points=1)
def test_a_name_is_a_text(stage: Stage) -> None:
    """A username that is not a text is refused."""
    with started(stage).client("alice") as alice:
        for name in (5, None, True, ["alice"], {"name": "alice"}):
            alice.says(username=name)
            alice.is_refused("bad_request", "bad_username", hint=f"{name!r} is no text")

        alice.logs_in()


@check(points=1)
def test_a_name_is_given_once(stage: Stage) -> None:
    """A name that somebody has gets username_taken; another one may be tried."""
    server = started(stage)
    with server.user("alice") as alice, server.client("bob") as bob:
        bob.says(username="alice")
        bob.is_refused("username_taken", hint=TAKEN_ALREADY)
        bob.logs_in(hint=AGAIN)

        alice.hears_no_more()


@check(points=1, after=test_a_name_is_given_once)
def test_names_are_compared_exactly(stage: Stage) -> None:
    server = started(stage)
    for name in ("alice", "Alice", "ALICE", "ａlice"):
        user = server.client("a newcomer")
        user.says(username=name)
        user.is_welcomed(EXACTLY)


@check(points=1)
def test_before_the_login_nothing_else_is_obeyed(stage: Stage) -> None:
    server = started(stage)
    with server.user("bob") as bob, server.client("alice") as alice:
        for kind in KINDS:
            alice.says(type=kind, target_username="bob", message="hi", accepted=True)
            alice.is_refused(*NOT_LOGGED_IN, hint="look whether somebody has logged in first")

        bob.hears_no_more()


@check(points=1)
def test_what_is_no_message_gets_bad_json(stage: Stage) -> None:
    """What is no JSON object gets bad_json, and the connection goes on."""
    with started(stage).user("alice") as alice:
        for data in (b"hello", b'{"type": "users"', b"{'type': 'users'}", b"{}}", b"\xff\xfe{}"):
            alice.sends(data + b"\n")
            alice.is_refused("bad_json", hint=ALIVE)
        for data in (b'["username"]', b'"username"', b"42", b"null", b"true"):
            alice.sends(data + b"\n")
            alice.is_refused("bad_json", hint="what did json.loads() return? Only a dict will do")
        for encoding in ("cp1251", "utf-16"):
            alice.sends('{"type": "имя"}'.encode(encoding).replace(b"\n", b"") + b"\n")
            alice.is_refused("bad_json", hint="a line is UTF-8: decode it yourself, as that")

        alice.hears_no_more()


@check(points=1)
def test_a_login_may_have_a_type_and_more_fields(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.says(type="login", version=1, username="alice", message=None)

        alice.is_welcomed("extra fields are ignored")


@check(points=1, after=test_a_name_is_given_once)
def test_of_thirty_who_want_one_name_one_gets_it(stage: Stage) -> None:
    server = started(stage)
    crowd = server.crowd(CROWD, within=IN_TIME)
    outside = [*crowd]
    for number in range(ROUNDS):
        for user in outside:
            user.says(username=f"alice{number}")
        inside = [user for user in outside if user.is_let_in()]

        stage.requires(
            len(inside) == 1,
            f"of {CROWD} who want one name at once not exactly one gets it",
            expected="one welcome, and username_taken for all others",
            received=f"{len(inside)} welcomes",
            hint=UNDER_A_LOCK,
        )
        outside.remove(inside[0])
