"""Lab 5, getting in: over TCP a room is made, named, and entered, and a token is the ticket."""

from kit.lab import check
from kit.stage import Stage
from lab5_rooms.people import started
from lab5_rooms.wire import CREATE, JOIN, LIST, MAX_PAYLOAD, REFUSED, request

JAPANESE, CYRILLIC = "台所と居間", "Олена"  # their bytes are more than their characters
WIDE = "𠀀"  # a letter of four bytes
LONGEST = WIDE * 32
KELVIN = "\u212a"  # a letter that Unicode also calls K: other bytes, and so another name
MANY = 550  # rooms, whose names do not fit into one payload
IN_TIME = 10.0  # seconds in which a crowd gets through
CROWD = 20  # clients that ask for one name at once

IN_PIECES = "recv(n) returns up to n bytes: read on until the header, and then the names, are whole"
AT_ONCE = "read no further than the end of one request: what comes after it is the next one"
EXACTLY = "1 to 32 characters: letters and digits of any script, and _ - and dots"
GOES_ON = "a refusal is a reply like any other: read the next request"
LAST = "what is no request is refused, and then the connection is closed"


@check(points=2)
def test_who_creates_a_room_gets_a_token(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.gets_token(CREATE, "kitchen", "alice")


@check(points=1)
def test_names_in_any_script_are_repeated_in_the_reply(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.gets_token(CREATE, JAPANESE, CYRILLIC)
        alice.gets_token(JOIN, JAPANESE, LONGEST)

        alice.sees_rooms(JAPANESE)


@check(points=1)
def test_a_request_may_come_in_pieces(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.sends_byte_by_byte(request(CREATE, JAPANESE, CYRILLIC))
        alice.is_given_token(CREATE, JAPANESE, CYRILLIC, IN_PIECES)


@check(points=1)
def test_several_requests_may_come_at_once(stage: Stage) -> None:
    """Several requests may come at once, and the beginning of the next one with them."""
    last = request(JOIN, "kitchen", "bob")
    with started(stage).client("alice") as alice:
        alice.sends(request(CREATE, "kitchen", "alice") + request(LIST) + last[:-2])

        alice.is_given_token(CREATE, "kitchen", "alice", AT_ONCE)
        alice.is_given_list(hint=AT_ONCE)
        alice.sends(last[-2:])
        alice.is_given_token(JOIN, "kitchen", "bob", AT_ONCE)


@check(points=1)
def test_the_list_names_all_rooms(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.sees_rooms(hint="without a room the payload is empty: P is 0")
        for room in ("kitchen", JAPANESE, "attic"):
            alice.gets_token(CREATE, room, "alice")

        alice.sees_rooms("kitchen", JAPANESE, "attic", hint="a line end between each two names")


@check(points=1, after=test_the_list_names_all_rooms)
def test_what_a_list_request_names_is_ignored(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.gets_token(CREATE, "kitchen", "alice")
        for room, user in (("", ""), ("no room", "nobody"), ("kitchen", ""), ("x" * 200, "/")):
            alice.asks(LIST, room, user)
            alice.is_given_rooms("kitchen", named=(room, user), hint="a list needs no name")


@check(points=1, after=test_the_list_names_all_rooms)
def test_of_a_list_that_is_too_long_as_many_names_as_fit_are_sent(stage: Stage) -> None:
    """Of a list longer than a payload, as many names as fit are sent."""
    names = {f"{number:03}{WIDE * 29}" for number in range(MANY)}
    fit = (MAX_PAYLOAD + 1) // (len(f"000{WIDE * 29}".encode()) + 1)
    with started(stage, "--idle-timeout", "600").client("alice") as alice:
        with stage.story.sums_up("alice", f"creates {MANY} rooms"):
            for name in sorted(names):
                alice.gets_token(CREATE, name, "alice")

        rooms = alice.lists("look at how long the payload gets, before it is sent")

    stage.requires(
        set(rooms) <= names,
        "a name in the list is cut",
        expected="whole names",
        received=f"… {rooms[-1]!r}",
        hint="as many whole names as fit, not as many bytes",
    )
    stage.requires(
        len(set(rooms)) == fit,
        "the list has not as many names as fit into a payload",
        expected=f"{fit} of {MANY} names: {MAX_PAYLOAD:,} bytes are allowed",
        received=f"{len(rooms)} names",
    )


@check(points=1)
def test_a_room_that_exists_is_not_created_again(stage: Stage) -> None:
    with started(stage).client("bob") as bob:
        bob.gets_token(CREATE, "kitchen", "alice")
        bob.asks(CREATE, "kitchen", "bob")
        bob.is_refused(CREATE, "kitchen", "bob")

        bob.asks(JOIN, "kitchen", "alice")
        bob.is_refused(JOIN, "kitchen", "alice", "who is refused changes nothing: alice is there")
        bob.gets_token(JOIN, "kitchen", "bob", GOES_ON)


@check(points=1)
def test_a_room_that_does_not_exist_cannot_be_joined(stage: Stage) -> None:
    with started(stage).client("bob") as bob:
        bob.asks(JOIN, "kitchen", "bob")
        bob.is_refused(JOIN, "kitchen", "bob")

        bob.lists(GOES_ON)
        bob.sees_rooms(hint="who is refused changes nothing: looking for a room must not make it")


@check(points=1)
def test_a_name_is_given_once_in_each_room(stage: Stage) -> None:
    """A name is given once in each room, and may be given in another one."""
    with started(stage).client("a visitor") as visitor:
        visitor.gets_token(CREATE, "kitchen", "alice")
        visitor.asks(JOIN, "kitchen", "alice")
        visitor.is_refused(JOIN, "kitchen", "alice")

        visitor.gets_token(JOIN, "kitchen", "Alice", "names are compared exactly")
        visitor.gets_token(CREATE, "attic", "alice", "a user's name is taken in one room alone")
        visitor.gets_token(CREATE, "Kitchen", "alice", "names are compared exactly")
        visitor.gets_token(CREATE, f"{KELVIN}itchen", "alice", "names are compared exactly")


@check(points=2)
def test_a_bad_name_is_refused(stage: Stage) -> None:
    """A bad name is refused, whether it is the room's or the user's."""
    with started(stage).client("alice") as alice:
        for bad in ("", "x" * 33, "a b", "a/b", "a\n", "!", b"\xff\xfe", LONGEST + "x"):
            for room, user in ((bad, "alice"), ("kitchen", bad)):
                alice.asks(CREATE, room, user)
                alice.is_refused(CREATE, room, user, EXACTLY)
        alice.gets_token(CREATE, "a_b-c.9", LONGEST, EXACTLY)
        alice.gets_token(JOIN, "a_b-c.9", "_", EXACTLY)
        alice.gets_token(CREATE, "...", "-", EXACTLY)
        for bad in ("", "x" * 33, "a b", b"\xff\xfe"):
            alice.asks(JOIN, "a_b-c.9", bad)
            alice.is_refused(JOIN, "a_b-c.9", bad, EXACTLY)


@check(points=1)
def test_what_is_no_request_is_refused_and_the_connection_closed(stage: Stage) -> None:
    """Another operation, another state and a payload are refused, and the connection closed."""
    server = started(stage)
    for data, operation in (
        (request(0, "kitchen", "alice"), 0),
        (request(4, "kitchen", "alice"), 4),
        (request(255, "kitchen", "alice"), 255),
        (request(CREATE, "kitchen", "alice", state=1), CREATE),
        (request(CREATE, "kitchen", "alice", state=REFUSED), CREATE),
        (request(LIST, "kitchen", "alice", state=7), LIST),
    ):
        visitor = server.client("a visitor")
        visitor.sends(data)
        visitor.is_refused(operation, "kitchen", "alice", LAST)
        visitor.expects_close_or_reset(LAST)

    # A server that closes before it has read the payload resets: then the reply may be lost.
    for data in (
        request(CREATE, "kitchen", "alice", payload=b"x"),
        request(LIST, "kitchen", "alice", payload=bytes(100)),
    ):
        visitor = server.client("a visitor")
        visitor.sends(data)
        visitor.expects_close_or_reset(LAST)

    server.has_rooms()


@check(points=1)
def test_a_request_that_breaks_off_harms_nobody(stage: Stage) -> None:
    """A request that breaks off, at whatever byte, makes no room and harms nobody."""
    server = started(stage)
    whole = request(CREATE, "kitchen", "alice")
    for length in range(1, len(whole)):
        with server.client("hasty") as hasty:
            hasty.sends(whole[:length])
            hasty.ends_sending()
            hasty.expects_close_or_reset("the end of the stream in a request ends the visit")

    server.has_rooms()


@check(points=1)
def test_of_many_who_ask_at_once_for_a_name_one_gets_it(stage: Stage) -> None:
    """Of twenty who ask at once for one room, and then for one name in it, one gets it."""
    server = started(stage)
    crowd = server.crowd(CROWD, within=IN_TIME)
    for operation, room, user in (
        (CREATE, "kitchen", "alice"),
        (JOIN, "kitchen", "bob"),
        (CREATE, "attic", "alice"),
        (JOIN, "attic", "bob"),
    ):
        for visitor in crowd:
            visitor.asks(operation, room, user)
        states = [visitor.is_answered(operation, room, user)[0] for visitor in crowd]

        stage.requires(
            states.count(REFUSED) == CROWD - 1,
            "of many who asked for a name at once not one alone got it",
            expected=f"1 done, {CROWD - 1} refused",
            received=f"{CROWD - states.count(REFUSED)} done, {states.count(REFUSED)} refused",
            hint="looking whether a name is free and taking it is one step: hold a lock",
        )
    for visitor in crowd:
        visitor.leaves()


@check(points=1)
def test_nobody_can_guess_a_token(stage: Stage) -> None:
    """Each token is another one, also when the server is started again."""
    tokens: list[bytes] = []
    for _ in range(2):
        with started(stage).client("alice") as alice:
            for number in range(4):
                tokens.append(alice.gets_token(CREATE, f"room{number}", "alice"))
                tokens.append(alice.gets_token(JOIN, f"room{number}", "bob"))

    halves = [half for token in tokens for half in (token[:8], token[8:])]
    stage.requires(
        len(set(halves)) == len(halves),
        "tokens repeat, or are made of a part that repeats",
        expected="16 bytes, each of them random",
        received="\n".join(map(repr, tokens)),
        hint="secrets.token_bytes() or os.urandom(): random.seed(), times and counters are guessed",
    )
