"""What a TCP echo server does for each client: lab 1's serves one at a time, lab 2's many.

A lab's part takes these checks in with a class of its own:

    class TestEcho(EchoRules):
        program = "tcp_server"
"""

from kit.lab import check
from kit.stage import Stage
from kit.tcp import TcpServer

LONG = 3_000_000  # bytes: more than the system's buffers at both ends hold
TOO_MUCH = 128_000_000  # bytes: whoever takes so many and gets rid of none has stored them
QUIET = 2.2  # seconds
LITTLE_ROOM = 5_000  # bytes: unlike a buffer's usual size, or the message takes it for one


class EchoRules:
    """Every byte comes back, as it comes."""

    program: str

    def started(self, stage: Stage) -> TcpServer:
        """Return a server that is ready."""
        return TcpServer(stage, stage.server(self.program))

    @check(points=2)
    def test_what_a_client_sends_comes_back(self, stage: Stage) -> None:
        message = stage.word().encode()
        with self.started(stage).client("alice") as alice:
            alice.sends(message)

            alice.expects(
                message, silent="send back what has come: no more need come before you do"
            )

    @check(points=1)
    def test_a_client_may_go_on_sending(self, stage: Stage) -> None:
        with self.started(stage).client("alice") as alice:
            for _ in range(10):
                message = stage.word().encode()
                alice.sends(message)
                alice.expects(message, hint="the loop: after one piece comes the next")

    @check(points=1, after=test_a_client_may_go_on_sending)
    def test_any_bytes_come_back_as_they_are(self, stage: Stage) -> None:
        with self.started(stage).client("alice") as alice:
            for message in (
                bytes(range(256)),
                b"\xff\xfe\xfd",
                b" \r\n\0",
                stage.random.randbytes(512),
            ):
                alice.sends(message)
                alice.expects(message, hint="bytes are not always text: send back what recv() gave")
            for message in (b"exit", b"exit\n", b"quit", b"quit\n", b"bye", b"\n", b" "):
                alice.sends(message)
                alice.expects(
                    message, hint="no word ends a visit, and no empty line: they are bytes"
                )

    @check(points=1, after=test_a_client_may_go_on_sending)
    def test_a_character_cut_in_two_comes_back_whole(self, stage: Stage) -> None:
        with self.started(stage).client("alice") as alice:
            for byte in "й世".encode():
                alice.sends(bytes([byte]))
                alice.expects(
                    bytes([byte]), hint="a piece may end inside a character: do not decode it"
                )

    @check(points=1, after=test_a_client_may_go_on_sending)
    def test_a_long_stream_comes_back_whole(self, stage: Stage) -> None:
        message = stage.text(LONG)
        with self.started(stage).client("alice") as alice:
            alice.exchanges(message, hint="send() may take only a part, sendall() takes all")

    @check(points=1, after=test_a_long_stream_comes_back_whole)
    def test_a_client_that_reads_late_gets_everything(self, stage: Stage) -> None:
        message = stage.text(16_000_000)
        with self.started(stage).client("alice", room=65_536) as alice:
            taken = alice.pushes(message, stuck_after=0.3)

            for part in (message[: min(LONG, taken)], message[LONG:taken]):
                alice.expects(part, hint="who reads late is still there: sendall() can wait")

    @check(points=1, after=test_a_client_that_reads_late_gets_everything)
    def test_what_came_before_the_end_is_still_sent_back(self, stage: Stage) -> None:
        message = stage.text(150_000)
        with self.started(stage).client("alice", room=LITTLE_ROOM) as alice:
            alice.sends(message)
            alice.ends_sending()
            alice.reads_nothing(0.3)  # until then most of it has to wait at the server

            alice.expects(message, hint="the end of what comes in is not the end of what goes out")

    @check(points=1, after=test_a_client_may_go_on_sending)
    def test_it_closes_when_the_client_has_ended_its_sending_side(self, stage: Stage) -> None:
        message = stage.word().encode()
        with self.started(stage).client("alice") as alice:
            alice.sends(message)
            alice.expects(message)

            alice.ends_sending()

            alice.expects_close(
                hint='recv() returns b"" at the end, again and again: leave the loop'
            )

    @check(points=1, after=test_a_client_that_reads_late_gets_everything)
    def test_a_client_that_never_reads_does_not_fill_the_memory(self, stage: Stage) -> None:
        stubborn = self.started(stage).client("stubborn", room=4_096)

        taken = stubborn.pushes(bytes(1_000_000), stuck_after=0.3, times=TOO_MUCH // 1_000_000)

        stage.requires(
            taken < TOO_MUCH,
            f"{self.program} goes on taking bytes from a client that reads none of the echo",
            expected="it stops reading when it cannot write",
            received=f"it took {taken:,} bytes, which it must have stored",
            hint="what cannot be sent waits in memory: read on only when it is gone",
        )
        stubborn.resets()

    @check(points=1, after=test_a_client_may_go_on_sending, long=True)
    def test_a_quiet_client_is_not_sent_away(self, stage: Stage) -> None:
        with self.started(stage).client("alice") as alice:
            alice.sends(b"one moment please")
            alice.expects(b"one moment please")

            alice.stays_quiet(QUIET)

            alice.sends(b"here I am again")
            alice.expects(
                b"here I am again", hint="settimeout() ends the wait for one who only thinks"
            )
