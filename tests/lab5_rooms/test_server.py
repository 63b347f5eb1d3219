"""Lab 5, the server as a whole: two transports on one port number, whatever comes in."""

import itertools
import socket
from typing import Any

from kit.endings import ends_with_error_line, ends_with_usage
from kit.lab import check
from kit.peer import Server
from kit.ports import OTHER_LOOPBACK, is_bound, needs_second_loopback
from kit.server_rules import TRIES, RulesInShort, TcpServerRules
from kit.stage import START_PATIENCE, Stage
from kit.udp import UdpPeer, udp_socket
from lab5_rooms.people import RoomServer, started
from lab5_rooms.wire import BYE, CREATE, request

NOISE = 300  # datagrams and requests that mean nothing


@check(points=2)
def test_who_stops_in_a_request_delays_nobody(stage: Stage) -> None:
    """Who stops in the middle of a request delays nobody: the others come, talk and leave."""
    server = started(stage)
    late = request(CREATE, "attic", "late")
    with server.client("silent"), server.client("slow") as slow, server.client("late") as visitor:
        slow.sends(request(CREATE, "cellar", "slow")[:-1])
        visitor.sends(late[:5])

        with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
            alice.is_told("bob")
            alice.says("hi")
            bob.hears("alice", "hi")
            bob.tells_server(BYE)
            alice.is_told("bob")

        visitor.sends(late[5:])
        visitor.is_given_token(CREATE, "attic", "late", "who takes his time is served, too")


@check(points=1)
def test_a_port_that_is_taken_for_udp_is_taken(stage: Stage) -> None:
    """A port that another program has for UDP alone is taken: it says so."""
    with udp_socket() as other:
        port = other.getsockname()[1]
        program = stage.program("server", "--port", str(port))
        program.is_ready(within=START_PATIENCE)
        stage.requires(
            not program.ready_at,
            "server says that it can be reached, and has no UDP port",
            expected="an [ERROR] line and exit code 1",
            received="Listening on the port that another program has for UDP",
        )
        ends_with_error_line(program, stage, "its port is in use for UDP")


@check(points=1)
def test_udp_listens_on_one_host_alone(stage: Stage) -> None:
    """UDP, too, listens on 127.0.0.1 alone."""
    needs_second_loopback()
    for _ in range(TRIES):
        server = started(stage)
        elsewhere = is_bound(OTHER_LOOPBACK, server.port, socket.SOCK_DGRAM)
        if not elsewhere:
            break
    stage.requires(
        not elsewhere,
        "the UDP socket of server takes more than 127.0.0.1",
        expected="127.0.0.1 alone, as over TCP",
        received=f"its port on {OTHER_LOOPBACK} is taken as well",
        hint='bind(("", port)) takes every address of the machine',
    )


@check(points=1)
def test_bad_times_get_a_usage_message_and_exit_code_2(stage: Stage) -> None:
    times = ("0", "-1", "nan", "inf", "soon")
    ends_with_usage(stage, "server", *(("--idle-timeout", text) for text in times))


@check(points=1)
def test_noise_harms_nobody(stage: Stage) -> None:
    """Noise over TCP and UDP harms nobody."""
    server = started(stage)
    with server.creates("alice", "kitchen") as alice, server.joins("bob", "kitchen") as bob:
        with stage.story.sums_up("strangers", f"send {NOISE} datagrams of noise, and over TCP"):
            stranger = UdpPeer(stage, "a stranger", server.program, to=alice.to)
            for number in range(NOISE):
                stranger.sends(stage.random.randbytes(number))
                if number % 20 == 0:
                    alice.says_hello()  # so that no more wait than a socket's buffer can take
            stranger.leaves()
            for number in range(1, NOISE, 10):
                with server.client("a stranger") as visitor:
                    visitor.sends(stage.random.randbytes(number))
                    visitor.resets()
            with server.client("a stranger") as visitor:
                visitor.sends(
                    request(CREATE, "attic", "eve").replace(bytes(4), b"\xff" * 4) + b"4 GiB"
                )
                visitor.resets()

        alice.says("still here")
        bob.hears("alice", "still here")


class Rules(TcpServerRules):
    program = "server"
    default_port = 8084
    server = RoomServer

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def greets(self, visitor: Any) -> None:
        visitor.lists()

    def visit(self, server: Server) -> None:
        assert isinstance(server, RoomServer)
        with server.creates("visitor", f"room{next(self._numbers)}") as visitor:
            visitor.tells_server(BYE)

    def long_visit(self, server: Server) -> None:
        assert isinstance(server, RoomServer)
        room = f"room{next(self._numbers)}"
        with server.creates("alice", room) as alice, server.joins("bob", room) as bob:
            for _ in range(8):
                alice.says("x" * 3_000)
                bob.hears("alice", "x" * 3_000)
            alice.is_told("bob")
            bob.tells_server(BYE)
            alice.is_told("bob")  # nothing may be under way when the next visitor gets this port
            alice.tells_server(BYE)


class TestLikeEveryServer(RulesInShort):
    rules = Rules()
