"""Lab 4, the client: it sends what is typed, shows what arrives, and neither waits for the other.

Its server is the test's own (hall.py); the user is bob.
"""

import socket

from kit.client_rules import ClientRules, shows_no_prompt
from kit.endings import SLACK, ends_with_usage
from kit.lab import check
from kit.ports import nobody
from kit.program import PATIENCE, STOP_LIMIT, Program
from kit.stage import START_PATIENCE, Stage
from kit.tcp import Listener
from lab4_chat.hall import (
    Hall,
    Welcoming,
    called,
    comes_to_mode,
    entered,
    explains,
    has_taken_all,
    says_that_the_server_has_gone,
    shows_request,
    stamped,
    stands,
)
from lab4_chat.wire import ONE_LINE

LONG = 60_000  # letters that fit into a line
TOO_LONG = 40_000  # Cyrillic letters that do not: each has two bytes
NEARLY = 65_480  # letters: too many for any private message, though not for one to all
LONG_LINE = 1_048_000  # bytes of a line from the server: nearly 1 MiB
PING = 0.2  # seconds

OLDEST = "those who ask stand in a queue, each of them once; y and n answer the first one"
ASKED_ANEW = "an answer uses a request up: who asks again after it waits again, behind the others"
COMMAND = "a command is the whole first word; what is incomplete or unknown is explained, not sent"
BUILT = "json.dumps() writes quotes, backslashes and letters of every language as JSON wants them"
ALWAYS = "/private goes to whom it names, in a private session, too"
NO_ANSWER = "y and n alone are answers: a longer text is a text, whatever it begins with"
OVER = "session_ended ends the session for both, whoever of them ended it: the mode is [all] again"
WHO = "the partner is the other one of from_username and to_username"


@check(points=2)
def test_what_is_typed_is_sent_and_what_arrives_is_shown(stage: Stage) -> None:
    typed, arrives = stage.word(), stage.word()
    with entered(stage) as (client, hall):
        client.types(f"{typed}\n")
        hall.hears("message", message=typed)

        hall.brings("alice", arrives)
        client.shows("alice", arrives)


@check(points=1)
def test_without_a_username_it_asks_until_a_name_is_taken(stage: Stage) -> None:
    """Without --username it asks, again and again until a name is taken."""
    reason, word = stage.word(), stage.word()
    with called(stage, typed="alice\n") as (client, hall):
        hall.hears_login("alice", "without --username the first line that is typed is the name")
        shows_no_prompt(stage, client)
        hall.refuses(f"somebody is called alice: {reason}")
        client.shows(
            reason, hint="an error is shown with its reason, in the answer to a login, too"
        )
        client.types("bob\n")
        hall.hears_login("bob", "after a refused name the next line that is typed is a name, too")
        hall.lets_in()

        client.types(f"{word}\n")
        hall.hears("message", message=word)

    with called(stage, "--username", "alice") as (client, hall):
        hall.hears_login("alice")
        hall.refuses(f"no: {reason}")
        client.shows(reason)
        client.types("bob\n")
        hall.hears_login("bob", "a name from --username may be refused as well: ask for another")


@check(points=1)
def test_what_is_typed_ahead_waits_until_the_login_is_answered(stage: Stage) -> None:
    first, second = stage.word(), stage.word()
    with called(stage, "--username", "bob", typed=f"{first}\n{second}\n") as (_, hall):
        hall.hears_login("bob")
        hall.hears_nothing_yet("before the welcome nobody is logged in: wait for the answer")
        hall.lets_in()

        hall.hears("message", message=first)
        hall.hears("message", message=second)


@check(points=1)
def test_each_command_is_sent_as_what_it_stands_for(stage: Stage) -> None:
    text = f'{stage.word()} "/quit"  y {{0}} %s \\n \\ Привіт, 日本語 🎉'
    with entered(stage) as (client, hall):
        client.types("/users\n")
        hall.hears("users")
        hall.says(type="users_list", users=["bob", "carol"])
        client.types(f"/private carol {text}\n")
        hall.hears("private", BUILT, target_username="carol", message=text)
        client.types(f"\n\n{text}\n")
        hall.hears("message", "an empty line sends nothing", message=text)
        client.types("/session carol\n")
        hall.hears("session_request", target_username="carol")


@check(points=1)
def test_what_is_no_whole_command_is_explained_and_not_sent(stage: Stage) -> None:
    word = stage.word()
    wrong = ["/private", "/private carol", f"/privatecarol {word}", "/session", "/sessions carol"]
    wrong += ["/userslist", "/exitnow", "/quitting", f"/{word}", "/", "/help"]
    with entered(stage) as (client, hall):
        for typed in wrong:
            explains(stage, client, hall, typed, COMMAND)


@check(points=1)
def test_each_thing_that_arrives_is_shown_at_once_as_a_line(stage: Stage) -> None:
    one, two, three, four = (stage.word() for _ in range(4))
    with entered(stage, buffered=True) as (client, hall):
        hall.says(type="private", from_username="carol", message=one)
        private = client.comes_to(
            lambda line: "carol" in line and one in line,
            f"… carol … {one} …",
            "print(…, flush=True): on a pipe what is printed waits for more",
            "one line with the sender and the text",
        )
        hall.says(type="system", message=f"{two} has joined", online_users=4_711)
        client.shows(two, "4711", hint="a notice is shown with its online_users")
        hall.says(type="users_list", users=[one, "bob", "Анна", two])
        client.shows(one, "bob", "Анна", two, hint="the list is one line with all names")
        hall.asks_for(three)
        shows_request(client, three)
        hall.rejects_session("bob", four)
        client.shows(four)
        hall.says(type="error", code="no_such_user", message=f"nobody is called {one}")
        client.shows(f"nobody is called {one}", hint="the reason of an error, on stdout")
        has_taken_all(stage, client, hall)

    stage.requires(
        "private" in private.lower(),
        "the client shows a private message like one to all",
        expected="the word private in the line",
        received=private,
    )


@check(points=1)
def test_in_a_session_what_is_typed_goes_to_the_partner(stage: Stage) -> None:
    """In a session what is typed goes to the partner, and the mode says so."""
    zero, one, two, three, four = (stage.word() for _ in range(5))
    with entered(stage) as (client, hall):
        client.types("/session carol\n")
        hall.hears("session_request", target_username="carol")
        client.types(f"{zero}\n")
        hall.hears("message", "a session begins when the other one agrees", message=zero)
        hall.opens_session("bob", "carol")
        comes_to_mode(client, "[@carol]")
        has_taken_all(stage, client, hall)
        client.types(f"{one}\n")
        hall.hears("private", WHO, target_username="carol", message=one)
        client.types(f"/private dave {two}\n")
        hall.hears("private", ALWAYS, target_username="dave", message=two)
        client.types("/exit\n")
        hall.hears("session_end")
        hall.ends_session("bob", "carol")
        comes_to_mode(client, "[all]", OVER)
        has_taken_all(stage, client, hall)
        client.types(f"{two}\n")
        hall.hears("message", message=two)

        hall.asks_for("dave")
        client.shows("dave")
        has_taken_all(stage, client, hall)
        client.types("y\n")
        hall.hears("session_response", target_username="dave", accepted=True)
        client.types(f"{zero}\n")
        hall.hears("message", "a session begins when the server says so", message=zero)
        hall.opens_session("dave", "bob")
        comes_to_mode(client, "[@dave]", WHO)
        has_taken_all(stage, client, hall)
        client.types(f"{three}\n")
        hall.hears("private", WHO, target_username="dave", message=three)
        hall.ends_session("dave", "bob")
        comes_to_mode(client, "[all]", OVER)
        has_taken_all(stage, client, hall)
        client.types(f"{four}\n")
        hall.hears("message", message=four)


@check(points=1, after=test_in_a_session_what_is_typed_goes_to_the_partner)
def test_a_text_that_makes_too_long_a_line_is_explained_and_not_sent(stage: Stage) -> None:
    fits = stage.text(LONG).decode()
    with entered(stage) as (client, hall):
        client.types(f"{fits}\n")
        hall.hears("message", "a line may have 65,536 bytes", message=fits)

        explains(stage, client, hall, "ж" * TOO_LONG, "a line's length counts bytes, not letters")
        explains(stage, client, hall, f"/private carol {fits}{fits}", "this makes too long a line")
        hall.opens_session("bob", "carol")
        comes_to_mode(client, "[@carol]")
        has_taken_all(stage, client, hall)
        longer = "in a session a text's line is longer: it names the partner"
        explains(stage, client, hall, "x" * NEARLY, longer, in_session=True)


@check(points=1, after=test_in_a_session_what_is_typed_goes_to_the_partner)
def test_y_and_n_answer_the_oldest_request_that_waits(stage: Stage) -> None:
    with entered(stage) as (client, hall):
        client.types("y\n")
        hall.hears("message", "while nobody asks y is a text like any other", message="y")
        is_asked(stage, client, hall, "alice", "carol", "alice", "dave", "dave")
        client.types("nobody knows\nyes, we can\n")
        hall.hears("message", NO_ANSWER, message="nobody knows")
        hall.hears("message", NO_ANSWER, message="yes, we can")

        client.types("n\n")
        hall.hears("session_response", OLDEST, target_username="alice", accepted=False)
        is_asked(stage, client, hall, "alice", "eve")
        for asker in ("carol", "dave"):
            client.types("n\n")
            hall.hears("session_response", OLDEST, target_username=asker, accepted=False)
        client.types("y\n")
        hall.hears("session_response", ASKED_ANEW, target_username="alice", accepted=True)
        hall.opens_session("alice", "bob")
        comes_to_mode(client, "[@alice]", WHO)
        has_taken_all(stage, client, hall)
        client.types("y\n")
        forgotten = "when a session begins the requests that waited are forgotten"
        hall.hears("private", forgotten, target_username="alice", message="y")
        hall.ends_session("alice", "bob")
        comes_to_mode(client, "[all]", OVER)
        has_taken_all(stage, client, hall)
        client.types("n\n")
        hall.hears("message", forgotten, message="n")


def is_asked(stage: Stage, client: Program, hall: Hall, *askers: str) -> None:
    """Ask for a session, one after the other, and see that the client has taken it in."""
    for asker in askers:
        hall.asks_for(asker)
        client.shows(asker)
    has_taken_all(stage, client, hall)


@check(points=1)
def test_lines_may_come_in_any_pieces(stage: Stage) -> None:
    words = [stage.word() for _ in range(5)]
    texts = [f"{word} Привіт 日本語 🎉" for word in words]
    one, two, three, four, five = (
        stamped(type="message", from_username="alice", message=text) for text in texts
    )
    with called(stage, "--username", "bob") as (client, hall):
        hall.hears_login("bob")
        welcome = stamped(type="system", message="Welcome, bob!", online_users=1)
        cut = three.index("🎉".encode()) + 2
        hall.sends(welcome + one + two + three[:cut])
        client.shows("alice", texts[0], hint=ONE_LINE)
        client.shows("alice", texts[1], hint=ONE_LINE)
        hall.sends_byte_by_byte(three[cut:])
        hall.sends(four)
        client.shows("alice", texts[2], hint=ONE_LINE)
        client.shows("alice", texts[3], hint=ONE_LINE)

        long = five[:-2] + b', "padding": "' + b"x" * (LONG_LINE - len(five)) + b'"}\n'
        hall.sends(long)
        client.shows("alice", texts[4], hint="a client takes lines of up to 1 MiB")


@check(points=1)
def test_no_text_can_fake_a_line_or_end_the_client(stage: Stage) -> None:
    controls = "".join(map(chr, [*range(32), *range(127, 160)]))
    end = stage.word()
    with entered(stage) as (client, hall):
        for kind in ("message", "private", "system", "error"):
            begin = stage.word()
            text = f"{begin}{controls}\n[ERROR] \r\x1b[2J{end}"
            hall.says(type=kind, code="busy", from_username="alice", online_users=2, message=text)
            shown = client.shows(begin, end, hint="a line feed in a text is not the end of a line")
            text = shown[shown.index(begin) : shown.rindex(end)].replace("\t", " ")
            stage.requires(
                not set(text) & set(controls),
                "the client passes control characters on to the terminal",
                expected="something visible, or a space",
                received=repr(shown),
                hint='unicodedata.category() of a control character is "Cc"',
            )
        hall.brings("alice", "one\u2028two\u2029three")
        client.shows("one", "three", hint="splitlines() knows more ends of lines than the wire")
        halves = stamped(type="message", from_username="alice", message="one half, other half")
        hall.sends(halves.replace(b"one half, other", b"\\ud800 and \\udfff"))
        client.shows("half", hint="half a character (a lone surrogate) cannot be encoded")
        has_taken_all(stage, client, hall)


@check(points=1, long=True)
def test_it_pings_by_itself_at_the_interval_also_while_messages_arrive(stage: Stage) -> None:
    with entered(stage, "--ping-interval", f"{PING}") as (client, hall):
        for _ in range(3):
            hall.is_pinged("a wait for the socket that lasts until the next ping, and no longer")
        hall.opens_session("bob", "carol")
        for _ in range(3):
            hall.is_pinged("in a private session the server needs a sign of life, too")
        for _ in range(2):
            hall.is_pinged_while_it_talks("a ping is due at its time, whatever else arrives")

        pings, seconds = hall.pings_up_to_now(), client.lived()
        stage.requires(
            pings <= seconds / PING + 2,
            "the client pings more often than it should",
            expected=f"a ping each {PING} s",
            received=f"{pings} pings in {seconds:.3f} s",
        )

    with nobody(socket.SOCK_STREAM) as (_, port):
        there = ("--port", str(port))
        times = [("--ping-interval", time, *there) for time in ("0", "nan")]
        ends_with_usage(stage, "client", *times)


@check(points=1, long=True)
def test_quit_and_the_end_of_input_end_it_with_exit_code_0(stage: Stage) -> None:
    """/quit and the end of input end it with exit code 0, and lose nothing."""
    one, two, three = (stage.word() for _ in range(3))
    with entered(stage) as (client, hall):
        hall.brings("alice", "wait")
        client.types(f"{one}\n/quit\n")
        hall.brings("alice", "wait, bob!")
        hall.hears("message", message=one)
        hall.says(type="error", code="no_such_user", message="and what you wrote was wrong")
        hall.expects_close_or_reset("/quit ends the connection")
        hall.leaves()
        client.succeeds()

    with called(stage, typed=f"bob\n{two}\n{three}\n") as (client, hall):
        hall.hears_login("bob")
        client.ends_input()
        hall.lets_in()
        hall.hears("message", "what was typed before the end of input is sent", message=two)
        hall.hears("message", "what was typed before the end of input is sent", message=three)
        hall.expects_close_or_reset("the end of input ends the connection")
        hall.resets()
        client.succeeds()

    with Listener(stage, "server") as listener:
        listener.starts_client("client", stdin="empty").succeeds(within=START_PATIENCE)


@check(points=1)
def test_when_the_server_goes_it_says_so_without_waiting_for_a_key(stage: Stage) -> None:
    word = stage.word()
    with entered(stage) as (client, hall):
        has_taken_all(stage, client, hall)
        hall.says(type="system", message=f"Good bye, and {word}", online_users=1)
        hall.leaves()
        client.shows(word, hint="the last lines before the end of the stream count, too")
        says_that_the_server_has_gone(stage, client, "the server closed the connection")

    with entered(stage) as (client, hall):
        has_taken_all(stage, client, hall)
        hall.resets()
        says_that_the_server_has_gone(stage, client, "the connection was reset")

    with called(stage, "--username", "bob") as (client, hall):
        hall.hears_login("bob")
        hall.leaves()
        says_that_the_server_has_gone(stage, client, "the server closed instead of an answer")

    with called(stage, typed="bob\n") as (client, hall):
        hall.hears_login("bob")
        hall.refuses("somebody is called bob")
        hall.hears_nothing_yet("after a refused name another one has to be typed")
        hall.leaves()
        says_that_the_server_has_gone(stage, client, "the server closed after it refused a name")


@check(points=1)
def test_on_a_terminal_what_arrives_does_not_tear_what_is_typed(stage: Stage) -> None:
    half, rest = f"half of {stage.word()}", f"and {stage.word()}"
    first, second = stage.word(), stage.word()
    with entered(stage, stdin="terminal") as (client, hall):
        stands(stage, client, "[all]")
        client.types(half)
        stands(stage, client, "[all]", half)
        hall.brings("alice", first)
        stands(stage, client, "[all]", half, above=("alice", first))
        hall.brings("al", second)
        stands(stage, client, "[all]", half, above=("al", second))
        client.types(f" {rest}\n")
        hall.hears("message", message=f"{half} {rest}")

        client.types("/session carol\n")
        hall.hears("session_request", target_username="carol")
        hall.opens_session("bob", "carol")
        stands(stage, client, "[@carol]")


@check(points=1, after=test_on_a_terminal_what_arrives_does_not_tear_what_is_typed)
def test_on_a_terminal_it_ends_when_the_server_goes_in_the_middle_of_a_line(stage: Stage) -> None:
    half = f"half of {stage.word()}"
    with entered(stage, stdin="terminal") as (client, hall):
        stands(stage, client, "[all]")
        client.types(half)
        stands(stage, client, "[all]", half)
        hall.leaves()
        client.has_ended(within=STOP_LIMIT + SLACK)

    client.has_ended(within=PATIENCE)
    stage.requires(
        client.exit_code == 1 and "[ERROR]" in client.stdout.text,
        "the client did not end with an [ERROR] line and exit code 1 when the server had gone",
        expected="[ERROR] …, exit code 1",
        received=f"{client.stdout.text[-200:]}, exit code {client.exit_code}",
        hint="no key may be needed: end what reads the keyboard from the activity that receives",
    )


class TestLikeEveryClient(ClientRules):
    program = "client"
    default_port = 8083
    protocol = socket.SOCK_STREAM
    fake_server = Welcoming
    arguments = ("--username", "bob")
