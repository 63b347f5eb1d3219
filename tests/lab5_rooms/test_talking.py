"""Lab 5, talking: over UDP a member says hello, and its texts reach the others in its room."""

from kit.lab import check
from kit.stage import Stage
from lab5_rooms.people import Member, started, were_sent_no_token
from lab5_rooms.wire import (
    BYE,
    CREATE,
    HELLO,
    JOIN,
    LENGTHS,
    MAX_DATAGRAM,
    NOTICE,
    TEXT,
    TOKEN,
    datagram,
)

ROOM, ALICE, BOB = "台所と居間", "Олена", "ボブ"  # their bytes are more than their characters
MANY = 60  # texts in a row, few enough for a socket's buffer
CROWD = 30  # members of one room

BELONG = "look whether room, user and token belong together, before anything else"
WELL_FORMED = "a datagram that is malformed is dropped: no answer, no exception, nothing changes"
OF_ITS_ROOM = "a name is somebody else in each room: token and address belong to room and name"
LONGER = "recvfrom(n) cuts what is longer than n: ask for one byte more than is allowed, and look"


@check(points=2)
def test_a_hello_is_answered_with_a_hello(stage: Stage) -> None:
    with started(stage).creates("alice", "kitchen") as alice:
        alice.expects_nothing("one hello, one answer")


@check(points=2)
def test_what_alice_writes_reaches_bob_but_not_alice(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        text = stage.word()
        alice.says(text)
        bob.hears("alice", text)
        bob.says(text)
        alice.hears("bob", text)

        alice.hears_no_more("a text goes to the others, not to who wrote it")
        bob.hears_no_more("a text goes to each of the others once")


@check(points=1)
def test_a_text_goes_to_all_in_the_room_and_to_nobody_elsewhere(stage: Stage) -> None:
    server = started(stage)
    with (
        server.creates("alice", "kitchen") as alice,
        server.joins("bob", "kitchen") as bob,
        server.joins("carol", "kitchen") as carol,
        server.creates("dave", "attic") as dave,
        server.joins("alice", "attic") as namesake,
    ):
        text = stage.word()
        alice.says(text)
        bob.hears("alice", text, silent=OF_ITS_ROOM)
        carol.hears("alice", text)

        for other in (dave, namesake):
            other.hears_no_more("a text goes to the room that it names")
        bob.says(f"{text}, too")
        alice.hears("bob", f"{text}, too", silent=OF_ITS_ROOM)


@check(points=1)
def test_names_and_texts_in_any_script_are_passed_on_as_they_are(stage: Stage) -> None:
    server = started(stage)
    with server.creates(ALICE, ROOM, LENGTHS) as alice, server.joins(BOB, ROOM, LENGTHS) as bob:
        for text in ("Привіт, 世界! 🙂", " \t two\nlines\r\n ", "\0\x1b[2J", "ﬀ é e\u0301"):
            alice.says(text)
            bob.hears(ALICE, text, "the text goes on byte for byte")


@check(points=1)
def test_who_has_not_sent_anything_gets_nothing(stage: Stage) -> None:
    """Who has not sent a datagram gets nothing; with the first one it has an address."""
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.client("bob") as visitor:
        token = visitor.gets_token(JOIN, "kitchen", "bob")
        alice.says("nobody hears this")
        alice.says_hello()

        with server.member("bob", "kitchen", token) as bob:
            bob.says("here I am")
            alice.hears("bob", "here I am", "any valid datagram is enough, a text, too")
            alice.says("hi")
            bob.hears("alice", "hi", "before its first datagram nothing is sent to a member")


@check(points=2)
def test_a_member_is_where_its_last_datagram_came_from(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        elsewhere = bob.moves("bob elsewhere")
        elsewhere.says_hello("a hello is answered to where it came from")
        alice.says("hello there")
        elsewhere.hears("alice", "hello there", "the address is that of the last datagram")
        bob.gets_nothing("a member has one address, that of its last datagram")

        bob.says("back again")
        alice.hears("bob", "back again")
        alice.says("welcome")
        bob.hears("alice", "welcome", "a text says where a member is, as a hello does")
        elsewhere.gets_nothing("a member has one address, that of its last datagram")


@check(points=1)
def test_two_members_may_share_an_address(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice:
        server.joins_beside("bob", alice)

        alice.says("hi, bob")
        alice.hears("alice", "hi, bob", "leave out who sent it by name: bob is at this address")
        alice.hears_no_more()


@check(points=1)
def test_a_membership_does_not_depend_on_the_connection(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice") as visitor:
        token = visitor.gets_token(CREATE, "kitchen", "alice")
        alice = server.member("alice", "kitchen", token)
        alice.says_hello()
        visitor.resets()

    with server.joins("bob", "kitchen") as bob:
        alice.says("still here")
        bob.hears("alice", "still here", "who has a token is a member, with or without TCP")


@check(points=2)
def test_what_does_not_belong_together_is_dropped(stage: Stage) -> None:
    """A datagram whose room, user and token do not belong together is dropped."""
    server = started(stage)
    with (
        server.creates("alice", "kitchen") as alice,
        server.joins("bob", "kitchen") as bob,
        server.creates("alice", "attic") as other,
    ):
        alice.is_told("bob")
        stranger = server.member("bob", "kitchen", bob.token)
        for room, user, token in (
            ("kitchen", "bob", alice.token),
            ("kitchen", "bob", other.token),
            ("kitchen", "bob", bytes(TOKEN)),
            ("kitchen", "bob", bob.token[:-1] + bytes([bob.token[-1] ^ 1])),
            ("kitchen", "carol", bob.token),
            ("attic", "bob", bob.token),
            ("attic", "alice", alice.token),
            ("cellar", "bob", bob.token),
            ("kitchen", "", bob.token),
            ("", "bob", bob.token),
            ("kitchen", "Bob", bob.token),
        ):
            for kind, text in ((TEXT, "I am not bob"), (HELLO, ""), (BYE, "")):
                stranger.sends(datagram(kind, room, user, token, text))

        is_unharmed(stage, alice, bob, BELONG)
        stranger.gets_nothing(BELONG)
        other.hears_no_more(BELONG)


@check(points=2)
def test_what_is_malformed_is_dropped(stage: Stage) -> None:
    """A malformed datagram is dropped, at whatever byte it is cut."""
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        alice.is_told("bob")
        who = "kitchen", "bob"
        whole = datagram(TEXT, *who, bob.token, "cut")
        cut = [whole[:length] for length in range(len(whole) - len("cut") + 1)]
        for data in (
            *cut,
            datagram(TEXT, *who, b"", "no token"),
            datagram(TEXT, *who, bob.token[:-1], "T 15"),
            datagram(TEXT, *who, bob.token + b"x", "T 17"),
            datagram(TEXT, *who, bob.token, b"\xff not UTF-8"),
            datagram(TEXT, *who, bob.token, "й".encode()[:1]),
            datagram(TEXT, "kitchen", b"\xff", bob.token, "not UTF-8"),
            datagram(TEXT, b"\xff", "bob", bob.token, "not UTF-8"),
            datagram(HELLO, *who, bob.token, "a hello with a text"),
            datagram(BYE, *who, bob.token, "a bye with a text"),
            datagram(NOTICE, *who, bob.token, "only a server sends notices"),
            datagram(4, *who, bob.token, "kind 4"),
            datagram(255, *who, bob.token),
            bytes(100),
            stage.random.randbytes(300),
        ):
            bob.sends(data)

        is_unharmed(stage, alice, bob, WELL_FORMED)


@check(points=1, after=test_what_is_malformed_is_dropped)
def test_what_is_dropped_says_nothing_about_an_address(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        alice.is_told("bob")
        shadow = bob.moves("bob's shadow")
        for kind, text in ((TEXT, b"\xff"), (HELLO, b"?"), (TEXT, b""), (NOTICE, b"?"), (9, b"?")):
            shadow.tells_server(kind, text)
        shadow.sends(datagram(HELLO, "kitchen", "bob", bytes(TOKEN)))
        is_unharmed(stage, alice, bob, "note an address when the whole datagram is valid")
        shadow.gets_nothing(WELL_FORMED)


@check(points=1)
def test_4_096_bytes_are_passed_on_and_one_more_is_not(stage: Stage) -> None:
    """A datagram of 4,096 bytes is passed on, one of 4,097 is not."""
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        room = MAX_DATAGRAM - len(datagram(TEXT, "kitchen", "alice", alice.token))
        longest = stage.text(room)
        alice.says(longest)
        bob.hears("alice", longest, "recvfrom(n) throws away what a datagram has beyond n bytes")
        shadow = alice.moves("alice's shadow")
        for size in (room + 1, room + 16, 60_000):
            shadow.says(stage.text(size))

        bob.hears_no_more(LONGER)
        bob.says("shorter")
        alice.hears("bob", "shorter", silent="what is too long does not say where its sender is")


@check(points=1)
def test_texts_of_one_sender_keep_their_order(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        for number in range(MANY):
            alice.says(f"text {number}")
        for number in range(MANY):
            bob.hears("alice", f"text {number}", "one after another: no thread for each datagram")


@check(points=1)
def test_who_joins_is_announced_to_the_others(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.creates("dave", "attic") as dave:
        with server.joins("bob", "kitchen") as bob:
            alice.is_told("bob", "who joins is told to those who are in the room")
            bob.is_not_told("bob")
            dave.is_not_told("bob", "a notice goes to one room")

        with server.client("carol") as visitor:
            visitor.gets_token(JOIN, "kitchen", "carol")
            alice.is_told("carol", "joined is who has a token, before it says anything")


@check(points=1)
def test_a_token_is_sent_to_nobody_but_its_owner(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        alice.says("hi")
        bob.hears("alice", "hi", "what is passed on has no token: T is 0")
        alice.says_hello()
        with server.joins("carol", "kitchen") as carol:
            for member in (alice, bob):
                member.is_told("carol")
            carol.says("hello")
            for member in (alice, bob):
                member.hears("carol", "hello")

        were_sent_no_token(stage, alice, bob, carol)


@check(points=1)
def test_a_member_that_is_gone_harms_nobody(stage: Stage) -> None:
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        for number in range(5):
            gone = server.joins(f"gone{number}", "kitchen")
            gone.leaves()
        for _ in range(3):
            text = stage.word()
            alice.says(text)
            bob.hears("alice", text, "a datagram that finds nobody may come back as an OSError")
            bob.says(f"{text}, too")
            alice.hears("bob", f"{text}, too")


@check(points=1)
def test_a_room_may_have_many_members(stage: Stage) -> None:
    """Each of thirty members gets what the others write."""
    server = started(stage)
    first = server.creates("user0", "kitchen")
    members = [first, *(server.joins(f"user{number}", "kitchen") for number in range(1, CROWD))]
    for writer in members[:: CROWD // 3]:
        text = stage.word()
        writer.says(text)
        for member in members:
            if member is not writer:
                member.hears(writer.user, text)


def is_unharmed(stage: Stage, alice: Member, bob: Member, hint: str) -> None:
    """See that nothing of what was sent before had any effect on the two."""
    text = stage.word()
    alice.says(text)  # first: what bob says would mend his address
    bob.hears("alice", text, hint)
    alice.is_not_told("bob", hint)
    bob.says(f"{text}, too")
    alice.hears("bob", f"{text}, too", hint)
    bob.hears_no_more(hint)
