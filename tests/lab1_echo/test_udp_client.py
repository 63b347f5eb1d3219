"""Lab 1, the UDP client: it asks again when no echo comes, and believes nobody but the server."""

import contextlib
import socket
import time

from kit.client_rules import ClientRules
from kit.endings import ends_with_error_line, ends_with_usage
from kit.lab import check
from kit.ports import OTHER_LOOPBACK, nobody
from kit.program import PATIENCE
from kit.stage import START_PATIENCE, Stage
from kit.udp import MAX_DATAGRAM, UdpPeer

WHO = "recvfrom() tells who sent a datagram: compare the address, host and port, too"
PERSISTENT = ("--timeout", "0.2", "--attempts", "30")  # a busy test answers late, not never
EARLY = 0.95  # of a wait: less is too early, whatever the clocks


@check(points=2)
def test_the_echo_is_printed_as_a_line_of_its_own(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = stage.word()
        client = server.starts_client("udp_client", message)

        server.expects(message.encode())
        server.sends(message.encode())

        client.prints(message)
        client.succeeds()


@check(points=1)
def test_text_in_any_script_travels_as_utf_8(stage: Stage) -> None:
    """Text in any script travels as UTF-8."""
    with UdpPeer(stage, "server") as server:
        message = "Привіт, 世界! Zażółć 🙂"
        client = server.starts_client("udp_client", message)

        server.expects(
            message.encode(), hint="encode() makes UTF-8 of a text; len() counts letters"
        )
        server.sends(message.encode())

        client.prints(message)
        client.succeeds()


@check(points=1)
def test_a_lost_datagram_is_sent_again(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = stage.word()
        client = server.starts_client("udp_client", *PERSISTENT, message)

        server.expects(message.encode())
        server.expects(message.encode(), hint="no echo within --timeout: the next attempt is due")
        server.sends(message.encode())

        client.prints(message)
        client.succeeds()


@check(points=1)
def test_it_gives_up_after_as_many_attempts_as_asked(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = stage.word()
        options = ("--timeout", "0.05", "--attempts", "10")
        client = server.starts_client("udp_client", *options, message)

        ends_with_error_line(
            client,
            stage,
            "no attempt was answered",
            hint="10 attempts of 0.05 s each take half a second: no wait is longer than the others",
        )

        stage.requires(
            (sent := server.counts()) == 10,
            "udp_client did not make as many attempts as --attempts says",
            expected="10 datagrams",
            received=f"{sent} datagrams",
        )


@check(points=1)
def test_without_attempts_it_makes_three(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        client = server.starts_client("udp_client", "--timeout", "0.05", stage.word())

        ends_with_error_line(client, stage, "no attempt was answered")

        stage.requires(
            (sent := server.counts()) == 3,
            "without --attempts udp_client did not make three",
            expected="3 datagrams",
            received=f"{sent} datagrams",
        )


@check(points=1)
def test_it_waits_as_long_as_timeout_says(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        options = ("--timeout", "0.6", "--attempts", "2")
        client = server.starts_client("udp_client", *options, stage.word())
        server.is_called()

        ends_with_error_line(client, stage, "no attempt was answered")

        took = client.lived()
        stage.requires(
            took > 2 * 0.6 * EARLY,
            "udp_client gave up sooner than --timeout and --attempts say",
            expected="2 attempts of 0.6 s each, so 1.2 s",
            received=f"{took:.2f} s after its start",
            hint="each attempt has its own whole wait, the last one, too",
        )


@check(points=1)
def test_what_a_stranger_sends_is_not_the_answer(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = stage.word()
        options = ("--timeout", "0.3", "--attempts", "1")
        client = server.starts_client("udp_client", *options, message)
        server.expects(message.encode())

        with UdpPeer(stage, "stranger", client, to=server.to) as stranger:
            stranger.sends(message.encode())
        elsewhere = OTHER_LOOPBACK, server.address[1]
        with (
            contextlib.suppress(OSError),  # macOS has no such address, or somebody else the port
            UdpPeer(stage, "second stranger", client, to=server.to, at=elsewhere) as stranger,
        ):
            stranger.sends(message.encode())

        client.has_ended(within=START_PATIENCE)
        believed = client.exit_code == 0 and message in client.stdout.lines
        stage.requires(
            not believed,
            "udp_client took what a stranger sent for the answer",
            expected="nothing but the server's datagram is the answer",
            received=f"{message}, from a stranger",
            hint=WHO,
        )
        ends_with_error_line(client, stage, "only a stranger answered")


@check(points=1)
def test_what_the_server_did_not_echo_is_not_the_answer(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = stage.word().encode()
        client = server.starts_client("udp_client", "--timeout", "0.9", message.decode())
        server.expects(message)

        others = (message + b"!", message[:-1], message[::-1], b" " + message + b"\n")
        for other in (b"", b"something else", b"\xff\xfe", *others):
            server.sends(other)

        server.expects(
            message, hint="compare what came with what was sent, as bytes: it need not be text"
        )
        server.sends(message)
        client.prints(message.decode())
        client.succeeds()


@check(points=1, after=test_what_the_server_did_not_echo_is_not_the_answer)
def test_what_is_not_the_answer_does_not_make_the_wait_longer(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = stage.word().encode()
        client = server.starts_client("udp_client", "--timeout", "0.5", message.decode())
        server.expects(message)

        with UdpPeer(stage, "stranger", client, to=server.to) as stranger:
            deadline = time.monotonic() + PATIENCE
            again = None
            while again is None and time.monotonic() < deadline:
                stranger.sends(b"me! me!")
                server.sends(b"no echo")
                again = server.takes(0.05)
            stage.requires(
                again == message,
                "udp_client waits longer with each datagram that is not the answer",
                expected="the second attempt after 0.5 s",
                received=f"none in {PATIENCE:g} s, while a stranger and the server sent others",
                hint="settimeout() begins anew with each recvfrom(): wait only for what is left",
            )


@check(points=1)
def test_a_host_may_be_given_by_name(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = stage.word()
        client = server.starts_client("udp_client", "--host", "localhost", message)

        server.expects(message.encode())
        server.sends(message.encode())

        client.prints(
            message,
            hint='an answer comes from ("127.0.0.1", …), which is not equal to ("localhost", …)',
        )
        client.succeeds()


@check(points=1)
def test_the_longest_datagram_makes_the_round_trip(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = "語" * (MAX_DATAGRAM // 3)
        message += "x" * (MAX_DATAGRAM - len(message.encode()))
        client = server.starts_client("udp_client", message)

        server.expects(message.encode())
        server.sends(message.encode())

        client.prints(message, hint="recvfrom(n) throws away what a datagram has beyond n bytes")
        client.succeeds()


@check(points=1)
def test_a_message_too_long_for_a_datagram_gets_an_error_line(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        message = "語" * (MAX_DATAGRAM // 3 + 1)

        client = server.starts_client("udp_client", message)

        ends_with_error_line(client, stage, "no datagram has room for its message")
        stage.requires(
            (sent := server.counts()) == 0,
            "udp_client sent a part of a message that is too long",
            expected="no datagram",
            received=f"{sent} datagrams",
        )


@check(points=1)
def test_bad_times_and_counts_get_a_usage_message_and_exit_code_2(stage: Stage) -> None:
    with nobody(socket.SOCK_DGRAM) as (_, port):
        to = ("--port", str(port), "hello")
        times = [("--timeout", text, *to) for text in ("0", "-1", "nan", "inf", "soon")]
        counts = [("--attempts", text, *to) for text in ("0", "1.5")]
        ends_with_usage(stage, "udp_client", *times, *counts)


@check(points=1, after=test_it_waits_as_long_as_timeout_says)
def test_without_timeout_it_waits_one_second(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        client = server.starts_client("udp_client", "--attempts", "1", stage.word())
        server.is_called()

        ends_with_error_line(client, stage, "its one attempt was not answered")

        took = client.lived()
        stage.requires(
            took > 1.0 * EARLY,
            "without --timeout udp_client does not wait a second",
            expected="1 s",
            received=f"{took:.2f} s after its start",
        )


class TestLikeEveryClient(ClientRules):
    program = "udp_client"
    default_port = 6789
    protocol = socket.SOCK_DGRAM
    fake_server = UdpPeer
    arguments = ("--timeout", "5", "hello")

    @check(points=1)
    def test_where_nobody_listens_it_says_so(self, stage: Stage) -> None:
        with nobody(self.protocol) as (_, port):
            words = ("--port", str(port), "--timeout", "0.1", "hello")
            client = stage.program(self.program, *words)

            ends_with_error_line(client, stage, "nobody listens")
