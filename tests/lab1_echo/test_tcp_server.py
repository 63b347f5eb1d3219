"""Lab 1, the TCP server: every byte comes back, as it comes, to one client after another."""

from kit.lab import check
from kit.peer import Server
from kit.server_rules import TcpServerRules
from kit.stage import Stage
from kit.tcp import TcpPeer, TcpServer

LONG = 3_000_000  # bytes: more than the system's buffers at both ends hold
TOO_MUCH = 128_000_000  # bytes: whoever takes so many and gets rid of none has stored them
QUIET = 1.2  # seconds


def started(stage: Stage) -> TcpServer:
    """Return a server that is ready."""
    return TcpServer(stage, stage.server("tcp_server"))


@check(points=2)
def test_what_a_client_sends_comes_back(stage: Stage) -> None:
    message = stage.word().encode()
    with started(stage).client("alice") as alice:
        alice.sends(message)

        alice.expects(message, silent="send back what has come: no more need come before you do")


@check(points=1)
def test_a_client_may_go_on_sending(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        for _ in range(10):
            message = stage.word().encode()
            alice.sends(message)
            alice.expects(message, hint="the loop: after one piece comes the next")


@check(points=1, after=test_a_client_may_go_on_sending)
def test_any_bytes_come_back_as_they_are(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        for message in (
            bytes(range(256)),
            b"\xff\xfe\xfd",
            b" \r\n\0",
            stage.random.randbytes(512),
        ):
            alice.sends(message)
            alice.expects(message, hint="bytes are not always text: send back what recv() gave")


@check(points=1, after=test_a_client_may_go_on_sending)
def test_a_character_cut_in_two_comes_back_whole(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        for byte in "й世".encode():
            alice.sends(bytes([byte]))
            alice.expects(
                bytes([byte]), hint="a piece may end inside a character: do not decode it"
            )


@check(points=1, after=test_a_client_may_go_on_sending)
def test_a_long_stream_comes_back_whole(stage: Stage) -> None:
    message = stage.text(LONG)
    with started(stage).client("alice") as alice:
        alice.exchanges(message, hint="send() may take only a part, sendall() takes all")


@check(points=1, after=test_a_long_stream_comes_back_whole)
def test_a_client_that_reads_late_gets_everything(stage: Stage) -> None:
    message = stage.text(16_000_000)
    with started(stage).client("alice", room=65_536) as alice:
        taken = alice.pushes(message, stuck_after=0.3)

        for part in (message[:LONG], message[LONG:taken]):
            alice.expects(part, hint="who reads late is still there: sendall() can wait")


@check(points=1, after=test_a_client_may_go_on_sending)
def test_what_came_before_the_end_is_still_sent_back(stage: Stage) -> None:
    message = stage.text(150_000)
    with started(stage).client("alice") as alice:
        alice.sends(message)
        alice.ends_sending()

        alice.expects(message, hint="the end of what comes in is not the end of what goes out")


@check(points=1, after=test_a_client_may_go_on_sending)
def test_it_closes_when_the_client_has_ended_its_sending_side(
    stage: Stage,
) -> None:
    message = stage.word().encode()
    with started(stage).client("alice") as alice:
        alice.sends(message)
        alice.expects(message)

        alice.ends_sending()

        alice.expects_close(hint='recv() returns b"" at the end, again and again: leave the loop')


@check(points=1, after=test_it_closes_when_the_client_has_ended_its_sending_side)
def test_the_next_client_is_served_when_one_has_left(stage: Stage) -> None:
    server = started(stage)
    for name in ("alice", "bob", "carol", "dave", "eve", "frank", "grace"):
        message = stage.word().encode()
        with server.client(name) as client:
            client.sends(message)
            client.expects(message, hint="accept() again: the listener stays open for the next one")


@check(points=1, after=test_the_next_client_is_served_when_one_has_left)
def test_a_client_that_comes_too_early_can_wait(stage: Stage) -> None:
    server = started(stage)
    message = stage.word().encode()
    with server.client("alice") as alice, server.client("bob") as bob:
        bob.sends(message)
        alice.sends(message)
        alice.expects(message)

        alice.leaves()

        bob.expects(message, hint="whoever connects meanwhile waits in listen()'s queue")


@check(points=1, after=test_the_next_client_is_served_when_one_has_left)
def test_a_client_that_says_nothing_does_not_end_it(stage: Stage) -> None:
    server = started(stage)
    message = stage.word().encode()
    with server.client("mute"):
        pass

    with server.client("alice") as alice:
        alice.sends(message)
        alice.expects(message, hint='b"" at once is the end of a short visit, not of the server')


@check(points=1, after=test_a_client_that_reads_late_gets_everything)
def test_a_client_that_never_reads_does_not_fill_the_memory(
    stage: Stage,
) -> None:
    stubborn = started(stage).client("stubborn", room=4_096)

    taken = stubborn.pushes(bytes(1_000_000), stuck_after=0.3, times=TOO_MUCH // 1_000_000)

    stage.requires(
        taken < TOO_MUCH,
        "tcp_server goes on taking bytes from a client that reads none of the echo",
        expected="it stops reading when it cannot write",
        received=f"it took {taken:,} bytes, which it must have stored",
        hint="what cannot be sent waits in memory: read on only when it is gone",
    )
    stubborn.resets()


@check(points=1, after=test_a_client_may_go_on_sending)
def test_a_quiet_client_is_not_sent_away(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.sends(b"one moment please")
        alice.expects(b"one moment please")

        alice.stays_quiet(QUIET)

        alice.sends(b"here I am again")
        alice.expects(b"here I am again", hint="settimeout() ends the wait for one who only thinks")


class TestLikeEveryServer(TcpServerRules):
    program = "tcp_server"
    default_port = 6789

    def greets(self, visitor: TcpPeer) -> None:
        visitor.sends(b"are you there?")
        visitor.expects(b"are you there?")

    def long_visit(self, server: Server) -> None:
        with server.client("a visitor") as visitor:
            visitor.exchanges(bytes(25_000))
