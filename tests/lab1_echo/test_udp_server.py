"""Lab 1, the UDP server: every datagram comes back to where it came from."""

from kit.lab import check
from kit.peer import Server
from kit.server_rules import ServerRules
from kit.stage import Stage
from kit.udp import MAX_DATAGRAM, UdpPeer, UdpServer

QUIET = 2.2  # seconds


def started(stage: Stage) -> UdpServer:
    """Return a server that is ready."""
    return UdpServer(stage, stage.server("udp_server"))


@check(points=2)
def test_a_datagram_comes_back_to_its_sender(stage: Stage) -> None:
    message = stage.word().encode()
    with started(stage).client("alice") as alice:
        alice.sends(message)

        alice.expects(message)


@check(points=1)
def test_one_datagram_after_another_comes_back(stage: Stage) -> None:
    server = started(stage)
    for name in ("alice", "bob", "carol", "dave", "eve", "frank", "grace", "heidi", "ivan", "judy"):
        message = stage.word().encode()
        with server.client(name) as client:
            client.sends(message)
            client.expects(message, hint="the loop: after one datagram comes the next, for ever")


@check(points=1, after=test_one_datagram_after_another_comes_back)
def test_each_datagram_comes_back_once(stage: Stage) -> None:
    first, second = stage.word().encode(), stage.word().encode()
    with started(stage).client("alice") as alice:
        alice.sends(first)
        alice.expects(first)

        alice.sends(second)

        alice.expects(second, hint="one answer a datagram: the one before was answered again")

        alice.sends(second)

        alice.expects(second, hint="the same bytes again are another datagram: answer it, too")


@check(points=1, after=test_each_datagram_comes_back_once)
def test_any_bytes_come_back_as_they_are(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        for message in (
            bytes(range(256)),
            b"\xff\xfe\xfd",
            b" \r\n\0",
            stage.random.randbytes(512),
        ):
            alice.sends(message)
            alice.expects(message, hint="bytes are not always text: send back what recvfrom() gave")
        for message in (b"exit", b"exit\n", b"quit", b"quit\n", b"bye", b"\n"):
            alice.sends(message)
            alice.expects(message, hint="no word ends the server: it is a datagram like any other")


@check(points=1, after=test_each_datagram_comes_back_once)
def test_an_empty_datagram_comes_back_empty(stage: Stage) -> None:
    message = stage.word().encode()
    with started(stage).client("alice") as alice:
        alice.sends(b"")
        alice.expects(b"", hint='b"" is a datagram like any other: UDP knows no end of stream')

        alice.sends(message)
        alice.expects(message)


@check(points=2, after=test_each_datagram_comes_back_once)
def test_datagrams_of_every_size_come_back_whole(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        for size in (1, 1_025, 1_473, 9_217, 32_769, MAX_DATAGRAM):
            message = stage.text(size)
            alice.sends(message)
            alice.expects(
                message, hint="recvfrom(n) throws away what a datagram has beyond n bytes"
            )


@check(points=1, after=test_each_datagram_comes_back_once)
def test_each_of_several_clients_gets_its_own(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice") as alice, server.client("bob") as bob:
        for speaker in (alice, bob, bob, alice):
            message = stage.word().encode()
            speaker.sends(message)
            speaker.expects(message, hint="answer the address that this datagram came from")


@check(points=1, after=test_each_datagram_comes_back_once)
def test_a_client_that_is_gone_does_not_end_it(stage: Stage) -> None:
    server = started(stage)
    message = stage.word().encode()
    with server.client("hasty") as hasty:
        for _ in range(5):
            hasty.sends(message)

    with server.client("alice") as alice:
        alice.sends(message)
        alice.expects(message, hint="an answer that finds nobody may come back as an OSError")


@check(points=1, after=test_each_datagram_comes_back_once, long=True)
def test_a_time_in_which_nothing_comes_does_not_end_it(stage: Stage) -> None:
    with started(stage).client("alice") as alice:
        alice.sends(b"one moment please")
        alice.expects(b"one moment please")

        alice.stays_quiet(QUIET)

        alice.sends(b"here I am again")
        alice.expects(
            b"here I am again", hint="settimeout() ends the wait when nobody happens to call"
        )


class TestLikeEveryServer(ServerRules):
    program = "udp_server"
    default_port = 6789
    server = UdpServer

    def greets(self, visitor: UdpPeer) -> None:
        visitor.sends(b"are you there?")
        visitor.expects(b"are you there?")

    def long_visit(self, server: Server) -> None:
        with server.client("a visitor") as visitor:
            for _ in range(25):
                visitor.sends(bytes(1_000))
            for _ in range(25):
                visitor.expects(bytes(1_000))
