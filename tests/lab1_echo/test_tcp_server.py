"""Lab 1, the TCP server: every byte comes back, as it comes, to one client after another."""

from kit.echo_rules import LITTLE_ROOM, EchoRules
from kit.lab import check
from kit.peer import Server
from kit.server_rules import STUCK, TcpServerRules
from kit.stage import Stage
from kit.tcp import TcpPeer, TcpServer

PROGRAM = "tcp_server"


def started(stage: Stage) -> TcpServer:
    """Return a server that is ready."""
    return TcpServer(stage, stage.server(PROGRAM))


class TestEcho(EchoRules):
    program = PROGRAM


@check(points=1, after=EchoRules.test_it_closes_when_the_client_has_ended_its_sending_side)
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


class TestLikeEveryServer(TcpServerRules):
    program = PROGRAM
    default_port = 6789
    quiet_crowd = 1

    def greets(self, visitor: TcpPeer) -> None:
        visitor.sends(b"are you there?")
        visitor.expects(b"are you there?")

    @check(points=1, after=TcpServerRules.test_a_client_that_resets_does_not_end_it, long=True)
    def test_many_visits_leave_nothing_behind(self, stage: Stage) -> None:
        """300 visits leave nothing behind, not even those that end with a reset."""
        super().test_many_visits_leave_nothing_behind(stage)

    @check(points=1, after=TcpServerRules.test_a_client_that_resets_does_not_end_it)
    def test_clients_that_break_off_at_once_do_not_end_it(self, stage: Stage) -> None:
        """Clients that break off at once, or while they are answered, do not end it."""
        super().test_clients_that_break_off_at_once_do_not_end_it(stage)
        server = started(stage)
        rude = server.client("rude", room=LITTLE_ROOM)
        rude.sends(stage.text(150_000))
        rude.ends_sending()
        rude.reads_nothing(STUCK)  # a reset after the end of the stream is a broken pipe
        rude.resets()

        self.visit(server)

    def long_visit(self, server: Server) -> None:
        with server.client("a visitor") as visitor:
            visitor.exchanges(bytes(25_000))
            ways_to_go = visitor.leaves, visitor.leaves, visitor.resets
            server.stage.random.choice(ways_to_go)()
