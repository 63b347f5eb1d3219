"""Lab 0, the UDP pair: one hello, one answer, and both stop."""

import socket

from kit.client_rules import ClientRules
from kit.lab import check
from kit.server_rules import ListeningRules
from kit.stage import Stage
from kit.udp import UdpPeer, UdpServer

HELLO, ANSWER = b"HEY!", b"Are you talking to me?"


@check(points=9)
def test_the_server_answers_and_stops(stage: Stage) -> None:
    server = UdpServer(stage, stage.server("udp_server"))
    with server.client("alice") as alice:
        alice.sends(HELLO)

        alice.expects(ANSWER)
        server.program.succeeds()


@check(points=7)
def test_the_server_tells_what_it_does(stage: Stage) -> None:
    server = UdpServer(stage, stage.server("udp_server"))
    with server.client("alice") as alice:
        alice.sends(HELLO)
        alice.expects(ANSWER)

        server.program.logs("[INFO] Starting the server at ")
        server.program.logs("[INFO] Waiting for a client to call.")
        server.program.logs("[INFO] At ", "127.0.0.1", str(alice.address[1]), f"said {HELLO!r}")


@check(points=9)
def test_the_client_says_hello_and_shows_the_answer(stage: Stage) -> None:
    with UdpPeer(stage, "server") as server:
        client = server.starts_client("udp_client")
        server.expects(HELLO)
        server.sends(ANSWER)

        client.logs("[INFO] Starting the client at ")
        client.logs("[INFO] At ", "127.0.0.1", str(server.address[1]), f"said {ANSWER!r}")
        client.succeeds()


class TestLikeEveryServer(ListeningRules):
    program = "udp_server"
    default_port = 6789
    server = UdpServer

    def greets(self, visitor: UdpPeer) -> None:
        visitor.sends(HELLO)
        visitor.expects(ANSWER)


class TestLikeEveryClient(ClientRules):
    program = "udp_client"
    default_port = 6789
    protocol = socket.SOCK_DGRAM
    fake_server = UdpPeer
