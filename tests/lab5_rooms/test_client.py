"""Lab 5, the client, from the first question to the bye; its server is the test's (lobby.py)."""

import socket
import time

from kit.client_rules import ClientRules, shows_no_prompt
from kit.endings import (
    SLACK,
    ends_with_error_line,
    ends_with_usage,
    leaves_the_processor_alone,
    stops,
)
from kit.lab import check
from kit.program import PATIENCE, Program
from kit.stage import Stage
from kit.udp import UdpPeer
from lab5_rooms.lobby import ALICE, Lobby, called, entered
from lab5_rooms.wire import CREATE, DONE, JOIN, LENGTHS, LIST, MAX_DATAGRAM, TEXT, TOKEN, datagram

ROOM, USER = "台所と居間", "Олена"  # their bytes are more than their characters
# Seconds after the first hello, of 1 and of 3; a busy machine may show us the first one late.
NEXT_HELLO, END = 0.5, 2.25
AWAY = 0.3  # seconds in which a client notices that a text has found nobody
BOB = ("--username", "bob", "--join", "kitchen")

HEADER = "a byte each for operation, state, R and U, and four for P, the most significant first"
STORY = "the questions in their order: the name, 1 or 2, the room"
LOST = "UDP promises nothing: say hello again when no answer came within a second, twice"
THREE = "three hellos in all, and a second after the last one an [ERROR] line and exit code 1"
CUT = "recv(n) returns up to n bytes: read on until header, names and payload are whole"
REASON = "the payload of a refused reply is the reason, in UTF-8: decode() it, and show it"
ONLY_QUIT = "only the line /quit, in small letters, is a command; an empty line sends nothing"
DEAF = "a recv() may tell that an earlier text has found nobody: ConnectionRefusedError"
IGNORED = "what is malformed, or not from the server, is not worth an exception, or a line"


@check(points=2)
def test_it_creates_a_room_and_says_hello(stage: Stage) -> None:
    with called(stage, *ALICE) as (_, lobby):
        lobby.is_asked(CREATE, "kitchen", "alice", HEADER)
        lobby.lets_in()

        lobby.hears_hello(
            "a reply has 8 + R + U + P bytes; then hello goes over UDP, to the same port"
        )


@check(points=1)
def test_it_joins_a_room_and_says_hello(stage: Stage) -> None:
    with called(stage, *BOB) as (_, lobby):
        lobby.is_asked(JOIN, "kitchen", "bob")
        lobby.lets_in()

        lobby.hears_hello()


@check(points=2)
def test_what_is_typed_is_sent_and_what_arrives_is_shown(stage: Stage) -> None:
    typed, arrives, notice = stage.word(), stage.word(), stage.word()
    with entered(stage) as (client, lobby):
        client.types(f"{typed}\n")
        lobby.hears(typed)

        lobby.brings("bob", arrives)
        client.shows("bob", arrives)
        lobby.tells_of("carol", f"carol has joined: {notice}")
        client.shows("carol", notice, hint="a notice (kind 3) is a line, too: show its text")


@check(points=1)
def test_it_asks_for_the_name_then_1_or_2_then_the_room(stage: Stage) -> None:
    """Without options it asks for the name, then 1 or 2, then the room."""
    word = stage.word()
    with called(stage, typed="alice\n1\nkitchen\n") as (client, lobby):
        lobby.is_asked(CREATE, "kitchen", "alice", STORY)
        lobby.lets_in()
        lobby.hears_hello()
        lobby.answers_hello()
        client.types(f"{word}\n")
        lobby.hears(word)


@check(points=1)
def test_who_joins_is_shown_the_list_first(stage: Stage) -> None:
    """Who types 2 is shown the list of rooms, and then asked for one."""
    names = [stage.word(), ROOM, stage.word()]
    with called(stage, typed="bob\n2\n") as (client, lobby):
        lobby.is_asked(LIST, hint="who types 2 wants to know which rooms there are")
        lobby.agrees(("\x1b" + "\n".join(names)).encode())
        client.waits_until(
            lambda: all(name in client.stdout.text for name in names) or client.over, PATIENCE
        )
        stage.requires(
            all(name in client.stdout.text for name in names),
            "client does not show the rooms before it asks for one",
            expected=", ".join(names),
            received=client.stdout.text or "nothing",
            hint="the payload has the names, one a line: show them, and then ask",
        )
        shows_no_escape(stage, client)
        client.types(f"{ROOM}\n")
        lobby.is_asked(JOIN, ROOM, "bob", STORY)
        lobby.lets_in()
        lobby.hears_hello()


@check(points=1)
def test_a_refusal_is_shown_and_it_asks_again(stage: Stage) -> None:
    """A refusal is shown, and it asks again: whichever question can mend it, or all."""
    reason, other = stage.word(), stage.word()
    with called(stage, typed="alice\n1\nkitchen\n") as (client, lobby):
        lobby.is_asked(CREATE, "kitchen", "alice")
        lobby.refuses(f"\x1bні: {reason}")
        client.shows(f"ні: {reason}", hint=REASON)
        shows_no_escape(stage, client)
        client.types("1\n1\n1\n")  # a name, a choice and a room alike
        came = lobby.next_request("another request", "after a refusal ask again")
        stage.requires(
            came.operation == CREATE and came.room == b"1" and came.user in (b"1", b"alice"),
            "client did not ask again, with what was typed",
            expected="create, room '1', user '1' or 'alice'",
            received=str(came),
        )
        lobby.refuses(f"ні: {other}")
        client.shows(f"ні: {other}", hint="as often as it is refused")


@check(points=1)
def test_with_the_options_a_refusal_ends_it(stage: Stage) -> None:
    """With --create or --join a refusal is an [ERROR] line, and exit code 1."""
    for words, operation, user in ((ALICE, CREATE, "alice"), (BOB, JOIN, "bob")):
        reason = stage.word()
        with called(stage, *words) as (client, lobby):
            lobby.is_asked(operation, "kitchen", user)
            lobby.refuses(f"ні: {reason}\nreally")

            ends_with_error_line(client, stage, "it was refused")
            stage.requires(
                f"ні: {reason}" in client.stderr.text,
                "client does not say why it was refused",
                expected=f"[ERROR] … ні: {reason} …",
                received=client.stderr.text,
                hint=REASON,
            )


@check(points=1)
def test_create_and_join_together_get_a_usage_message(stage: Stage) -> None:
    """--create and --join together get a usage message, and exit code 2."""
    both = ("--create", "attic", "--join", "kitchen")
    ends_with_usage(stage, "client", both, bad=4, hint="argparse: add_mutually_exclusive_group()")


@check(points=1)
def test_the_end_of_input_at_a_question_ends_it(stage: Stage) -> None:
    """The end of input at a question ends it with exit code 0."""
    for typed in ("", "alice\n", "alice\n1\n"):
        with Lobby(stage, "server") as lobby:
            client = lobby.starts_client("client")
            if typed:
                client.types(typed)
            client.ends_input()
            client.has_ended(within=PATIENCE)
            client.succeeds()


@check(points=2)
def test_the_end_of_input_and_quit_send_a_bye(stage: Stage) -> None:
    """/quit and the end of input send a bye, and end it with exit code 0."""
    with entered(stage) as (client, lobby):
        client.types("/quit\n")
        lobby.hears_bye("who leaves says bye: otherwise the others wait for the idle timeout")
        client.succeeds()
    with entered(stage) as (client, lobby):
        client.types("last\n")
        client.ends_input()
        lobby.hears("last")
        lobby.hears_bye("the end of input is a /quit: say bye there, too")
        client.succeeds()


@check(points=1)
def test_every_other_line_is_sent_as_a_text(stage: Stage) -> None:
    """Every other line is sent as a text, and an empty one is not."""
    with entered(stage) as (client, lobby):
        for line in ("/help", "/quit now", "/QUIT", "1", "Привіт, 世界! 🙂"):
            client.types(f"\n{line}\n")
            lobby.hears(line, ONLY_QUIT)


@check(points=1)
def test_names_in_any_script_have_the_length_of_their_bytes(stage: Stage) -> None:
    with entered(stage, room=ROOM, user=USER) as (client, lobby):
        client.types("Вітаю\n")
        lobby.hears("Вітаю", LENGTHS)

        lobby.brings("ボブ", "こんにちは")
        client.shows("ボブ", "こんにちは")


@check(points=1)
def test_a_reply_may_come_in_pieces(stage: Stage) -> None:
    with called(stage, *ALICE) as (_, lobby):
        lobby.is_asked(CREATE, "kitchen", "alice")
        lobby.desk.sends_byte_by_byte(lobby.answer(DONE, lobby.makes_token()))

        lobby.hears_hello(CUT)


@check(points=1)
def test_it_stays_when_the_connection_ends(stage: Stage) -> None:
    """Once it has its token, the end of the TCP connection does not end it."""
    word = stage.word()
    with called(stage, *ALICE) as (client, lobby):
        lobby.is_asked(CREATE, "kitchen", "alice")
        lobby.lets_in()
        lobby.desk.ends_sending()
        lobby.hears_hello()
        lobby.answers_hello()
        lobby.desk.sock.close()
        client.types(f"{word}\n")
        lobby.hears(word, "TCP is for getting in: a membership does not depend on it")


@check(points=1)
def test_while_the_server_is_away_it_goes_on_or_says_so(stage: Stage) -> None:
    """While the server is away it goes on, or ends with an [ERROR] line and exit code 1."""
    word = stage.word()
    with entered(stage) as (client, lobby):
        with lobby.udp.is_away():
            client.types("nobody gets this\n")
            client.has_ended(within=AWAY)
        lobby.brings("bob", word)
        client.waits_until(lambda: client.over or word in client.stdout.text, PATIENCE)
        if client.over:
            ends_with_error_line(client, stage, "a text has found nobody")
        else:
            client.shows(word, hint=DEAF)


@check(points=1)
def test_a_connection_that_is_lost_before_the_token_gets_an_error_line(stage: Stage) -> None:
    for words in (b"", b"\1\1\7\5\0\0\0\x10kitchenalice\0\0"):
        with called(stage, *ALICE) as (client, lobby):
            lobby.is_asked(CREATE, "kitchen", "alice")
            if words:
                lobby.desk.sends(words)
            lobby.desk.leaves()

            ends_with_error_line(client, stage, "the connection was lost before the token came")


@check(points=1, long=True)
def test_a_hello_that_is_lost_is_said_again(stage: Stage) -> None:
    """A hello that is lost is said again a second later."""
    word = stage.word()
    with called(stage, *ALICE) as (client, lobby):
        lobby.is_asked(CREATE, "kitchen", "alice")
        began = time.monotonic()
        lobby.lets_in()
        lobby.hears_hello()
        lobby.brings("bob", "not the answer")
        lobby.hears_hello(LOST)
        stage.requires(
            time.monotonic() - began > NEXT_HELLO,
            "client says hello again too soon",
            expected="a second after the first one",
            received=f"{time.monotonic() - began:.2f} s after its token",
        )
        lobby.answers_hello()
        client.types(f"{word}\n")
        lobby.hears(word)


@check(points=1, long=True)
def test_three_hellos_without_an_answer_end_it(stage: Stage) -> None:
    """Three hellos without an answer, a second apart, end it with an [ERROR] line."""
    with called(stage, *ALICE) as (client, lobby):
        lobby.is_asked(CREATE, "kitchen", "alice")
        began = time.monotonic()
        lobby.lets_in()
        lobby.hears_hello()
        ends_with_error_line(client, stage, "no hello was answered", THREE)
        took = time.monotonic() - began

        more = lobby.udp.counts()
        stage.requires(
            more == 2,
            "client did not say hello three times in all",
            expected="3 hellos",
            received=f"{more + 1} datagrams",
            hint=LOST if more < 2 else THREE,
        )
        stage.requires(
            END < took < 3 + PATIENCE + SLACK,
            "client did not give up a second after the third hello",
            expected="3 s after the first hello",
            received=f"{took:.2f} s after it",
            hint="each hello has its own whole second, the last one, too",
        )


@check(points=1)
def test_what_does_not_come_from_the_server_is_ignored(stage: Stage) -> None:
    word = stage.word()
    with entered(stage) as (client, lobby):
        with UdpPeer(stage, "a stranger", client, to=lobby.udp.to) as stranger:
            stranger.sends(datagram(TEXT, "kitchen", "bob", text="I am the server"))
        lobby.brings("bob", word)

        client.shows("bob", word)
        shows_nothing_of(stage, client, "I am the server")


@check(points=1)
def test_what_is_malformed_is_ignored(stage: Stage) -> None:
    """What is malformed, too long or of another kind is ignored."""
    word = stage.word()
    with entered(stage) as (client, lobby):
        whole = datagram(TEXT, "kitchen", "malformed", text="x")
        longest = MAX_DATAGRAM - len(datagram(TEXT, "kitchen", "bob"))
        for data in (
            *(whole[:length] for length in range(len(whole))),
            datagram(TEXT, "kitchen", "bob", text=b"malformed \xff"),
            datagram(TEXT, b"kitch\xff", "bob", text="malformed"),
            datagram(9, "kitchen", "bob", text="malformed"),
            datagram(TEXT, "kitchen", "bob", text="malformed".ljust(longest + 1)),
        ):
            lobby.udp.sends(data)
        lobby.brings("bob", word)

        client.shows("bob", word, hint=IGNORED)
        shows_nothing_of(stage, client, "malformed")


@check(points=1)
def test_a_line_too_long_for_a_datagram_is_explained_and_not_sent(stage: Stage) -> None:
    room = MAX_DATAGRAM - len(datagram(TEXT, "kitchen", "alice", bytes(TOKEN)))
    longest = stage.text(room).decode()
    with entered(stage) as (client, lobby):
        client.types("hi\n")
        lobby.hears("hi")
        known = len(client.stdout.lines) + len(client.stderr.lines)
        client.types("й" * (room // 2) + "x" * (room % 2 + 1) + "\n")
        client.types(f"{longest}\n")
        lobby.hears(
            longest, f"{MAX_DATAGRAM:,} bytes in all are allowed, header and token included"
        )

        def explained() -> bool:
            return len(client.stdout.lines) + len(client.stderr.lines) > known

        client.waits_until(lambda: explained() or client.over, PATIENCE)
        stage.requires(
            explained(),
            "client says nothing about a line that it does not send",
            expected="a line that says so",
            received="nothing",
            hint="say that it was not sent, and why",
        )


@check(points=1)
def test_control_characters_are_shown_as_spaces(stage: Stage) -> None:
    """Control characters are shown as spaces: a text cannot fake a line."""
    word = stage.word()
    with entered(stage) as (client, lobby):
        lobby.brings("bob", f"a\n\x1b[2Jb\r\x85{word}")
        client.shows("bob", f"a  [2Jb  {word}", hint="replace what has the category Cc")
        lobby.brings("bo\nb", word)
        client.shows(
            "bo b", word, hint="a name arrives, too: replace its control characters as well"
        )
        lobby.tells_of("bob", f"bob\nhas\x00left {word}")
        client.shows(f"bob has left {word}")


@check(points=1)
def test_the_longest_text_is_shown(stage: Stage) -> None:
    longest = stage.text(MAX_DATAGRAM - len(datagram(TEXT, "kitchen", "Боб"))).decode()
    with entered(stage) as (client, lobby):
        lobby.brings("Боб", longest)
        client.shows("Боб", longest, hint=f"recv(n) cuts: n has to be {MAX_DATAGRAM:,} at least")


@check(points=1)
def test_on_a_pipe_there_is_no_prompt(stage: Stage) -> None:
    with called(stage, typed="alice\n1\nkitchen\n") as (client, lobby):
        lobby.is_asked(CREATE, "kitchen", "alice")  # all questions have been asked
        shows_no_prompt(stage, client)
    with entered(stage) as (client, lobby):
        client.types("hi\n")
        lobby.hears("hi")
        shows_no_prompt(stage, client)


@check(points=1)
def test_while_it_talks_it_waits_and_ctrl_c_ends_it(stage: Stage) -> None:
    """While it talks it leaves the processor alone, and Ctrl+C ends it."""
    with entered(stage) as (client, lobby):
        client.types("hi\n")
        lobby.hears("hi")
        leaves_the_processor_alone(client, stage)
        stops(client, stage, "SIGINT", server=False)


def shows_nothing_of(stage: Stage, client: Program, text: str) -> None:
    """See that a text does not stand on the client's stdout."""
    stage.requires(
        text not in client.stdout.text,
        "client shows what it should ignore",
        expected="nothing of it",
        received=client.stdout.text,
        hint=IGNORED,
    )


def shows_no_escape(stage: Stage, client: Program) -> None:
    """See that a client shows something else where an escape character has arrived."""
    stage.requires(
        "\x1b" not in client.stdout.text,
        "client shows a control character as it is",
        expected="a space in its place",
        received=client.stdout.text,
        hint="not texts alone arrive: names and reasons may have control characters, too",
    )


class TestLikeEveryClient(ClientRules):
    program = "client"
    default_port = 8084
    protocol = socket.SOCK_STREAM
    fake_server = Lobby
    arguments = ALICE
