"""Lab 2, the server: every client gets its echo, and none waits for another."""

from kit.echo_rules import EchoRules
from kit.endings import stops
from kit.lab import check
from kit.peer import Server
from kit.server_rules import TcpServerRules
from kit.stage import Stage
from kit.tcp import TcpPeer, TcpServer
from lab2_multi_client.online import (
    AGAIN,
    COMES,
    FAKED,
    ONE_STEP,
    expects_all_gone,
    expects_counts,
)

PROGRAM = "server"
CROWD, IN_TIME = 200, 10.0  # clients that come at once, and the seconds in which all are served
TURNS = 200  # times that one goes as the next one comes
ONE_AT_A_TIME = "one client after the other: each needs a thread, and nobody waits for its end"
WAITS = "a thread that waits in sendall() must hold no lock that another one needs"
OWN = "what one thread works with must not be another's, too"
QUEUED = "a pool of threads, or listen()'s short queue, lets the rest wait"


def started(stage: Stage) -> TcpServer:
    """Return a server that is ready."""
    return TcpServer(stage, stage.server(PROGRAM))


def is_served(stage: Stage, client: TcpPeer, hint: str = "") -> None:
    """See that a client gets its echo."""
    message = stage.word().encode()
    client.sends(message)
    client.expects(message, hint)


class TestEcho(EchoRules):
    program = PROGRAM


@check(points=10, after=EchoRules.test_a_client_may_go_on_sending)
def test_a_client_is_served_while_another_is_silent(stage: Stage) -> None:
    server = started(stage)
    with server.client("silent"), server.client("alice") as alice:
        is_served(stage, alice, ONE_AT_A_TIME)


@check(points=6, after=test_a_client_is_served_while_another_is_silent)
def test_who_came_first_is_still_served_after_another(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice") as alice, server.client("bob") as bob:
        is_served(stage, bob)
        is_served(stage, alice, "which connection is it that the thread works with?")
        is_served(stage, bob, "which connection is it that the thread works with?")


@check(points=6, after=test_who_came_first_is_still_served_after_another)
def test_each_client_gets_its_own_bytes_back(stage: Stage) -> None:
    server = started(stage)
    clients = [server.client("one of four") for _ in range(4)]
    for _ in range(8):
        messages = {client: stage.text(40_000) for client in clients}
        for client, message in messages.items():
            client.sends(message)
        for client, message in messages.items():
            client.expects(message, OWN)
    for client in clients:
        client.leaves()


@check(points=6, after=test_who_came_first_is_still_served_after_another)
def test_a_client_that_never_reads_delays_nobody(stage: Stage) -> None:
    server = started(stage)
    stubborn = server.client("stubborn", room=4_096)
    stubborn.pushes(stage.text(16_000_000), stuck_after=0.2)

    with server.client("alice") as alice, server.client("bob") as bob:
        is_served(stage, alice, WAITS)
        is_served(stage, bob, WAITS)
    stubborn.resets()


@check(points=4, after=test_who_came_first_is_still_served_after_another)
def test_a_client_that_resets_disturbs_nobody(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice") as alice:
        is_served(stage, alice)
        rude = server.client("rude")
        is_served(stage, rude)

        rude.resets()

        is_served(stage, alice, "a client that breaks off ends its own thread and no other")


@check(points=4, after=test_who_came_first_is_still_served_after_another)
def test_200_clients_that_come_at_once_are_all_served(stage: Stage) -> None:
    """200 clients that come at once are all served."""
    server = started(stage)

    crowd = server.crowd(CROWD, within=IN_TIME)

    with stage.story.sums_up("a crowd", "each sends, and waits for its echo"):
        words = {client: stage.word().encode() for client in crowd}
        for client, word in words.items():
            client.sends(word)
        for client, word in words.items():
            client.expects(word, OWN, silent=QUEUED)
        for client in crowd:
            client.leaves()


@check(points=6, after=test_a_client_is_served_while_another_is_silent)
def test_it_logs_who_comes_and_how_many_are_online(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice"):
        expects_counts(stage, server.program, [1], COMES)
        with server.client("bob"):
            expects_counts(stage, server.program, [1, 2], COMES)


@check(points=6, after=test_it_logs_who_comes_and_how_many_are_online)
def test_it_logs_who_goes_and_how_many_are_left(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice"):
        expects_counts(stage, server.program, [1])
        with server.client("bob"):
            expects_counts(stage, server.program, [1, 2])
        expects_counts(stage, server.program, [1, 2, 1], "when the stream has ended, one has gone")
    expects_counts(stage, server.program, [1, 2, 1, 0])


@check(points=5, after=test_it_logs_who_goes_and_how_many_are_left)
def test_who_breaks_off_has_gone_too(stage: Stage) -> None:
    server = started(stage)
    with server.client("alice") as alice:
        is_served(stage, alice)
        rude = server.client("rude")
        is_served(stage, rude)

        rude.resets()

        expects_counts(stage, server.program, [1, 2, 1], "count down in finally: it always happens")


@check(points=5, after=test_who_breaks_off_has_gone_too)
def test_who_resets_at_once_or_hangs_up_unread_is_counted_up_and_down(stage: Stage) -> None:
    server = started(stage)
    with stage.story.sums_up("hasty", "20 times connects and resets the connection at once"):
        for _ in range(20):
            server.client("hasty").resets()
    for _ in range(4):
        hasty = server.client("hasty")
        hasty.sends(stage.text(150_000))
        hasty.hangs_up()

    with server.client("alice") as alice:
        is_served(stage, alice)
    expects_all_gone(stage, server.program)


@check(points=5, after=test_it_logs_who_goes_and_how_many_are_left)
def test_fifty_that_go_in_the_same_moment_are_counted_one_by_one(stage: Stage) -> None:
    server = started(stage)
    fifty = server.crowd(50, within=IN_TIME)
    coming = [*range(1, 51)]
    expects_counts(stage, server.program, coming, QUEUED)

    with stage.story.sums_up("a crowd", "all go in the same moment"):
        for client in fifty:
            client.leaves()

    expects_counts(stage, server.program, [*coming, *reversed(range(50))], ONE_STEP)


@check(points=5, after=test_fifty_that_go_in_the_same_moment_are_counted_one_by_one, long=True)
def test_after_many_visits_the_number_is_still_right(stage: Stage) -> None:
    server = started(stage)
    numbers = []
    with stage.story.sums_up("clients", f"come and go, one after another; one says {FAKED!r}"):
        for word in (FAKED, *(stage.word().encode() for _ in range(9))):
            with server.client("a visitor") as visitor:
                visitor.sends(word)
                visitor.expects(word)
            numbers += [1, 0]
            expects_counts(stage, server.program, numbers, "one up for each visit, one down")
    with stage.story.sums_up("clients", f"{TURNS} times one goes as the next one comes"):
        visitors = [one_more(stage, server) for _ in range(5)]
        for _ in range(TURNS):
            oldest, *visitors = visitors
            oldest.leaves()
            visitors.append(one_more(stage, server))
    for visitor in visitors:
        visitor.leaves()

    expects_all_gone(stage, server.program, visits=10 + 5 + TURNS, hint=AGAIN)


def one_more(stage: Stage, server: TcpServer) -> TcpPeer:
    """Come as a visitor, be served, and stay."""
    visitor = server.client("a visitor")
    is_served(stage, visitor)
    return visitor


class TestLikeEveryServer(TcpServerRules):
    program = PROGRAM
    default_port = 8081

    def greets(self, visitor: TcpPeer) -> None:
        visitor.sends(b"are you there?")
        visitor.expects(b"are you there?")

    def long_visit(self, server: Server) -> None:
        with server.client("a visitor") as visitor:
            visitor.exchanges(bytes(25_000))


@check(points=4, after=TcpServerRules.test_ctrl_c_ends_it_whatever_its_clients_do)
def test_ctrl_c_ends_the_connection_of_everyone(stage: Stage) -> None:
    """Ctrl+C ends the connection of everyone."""
    server = started(stage)
    crowd = []
    with stage.story.sums_up("a crowd", "20 clients connect, and each gets its echo"):
        for _ in range(20):
            crowd.append(server.client("one of 20"))
            is_served(stage, crowd[-1], ONE_AT_A_TIME)

    stops(server.program, stage, "SIGINT", server=True)

    for client in crowd:
        client.expects_close()
        client.sock.close()
