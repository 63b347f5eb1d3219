"""Section 0 of the contract as checks: what every client does, whatever its lab.

A lab's part takes them in with a class of its own, below its other checks:

    class TestLikeEveryClient(ClientRules):
        program = "udp_client"
        default_port = 6789
        protocol = socket.SOCK_DGRAM
        fake_server = UdpPeer
"""

import socket

from kit.endings import (
    ends_with_error_line,
    ends_with_usage,
    leaves_the_processor_alone,
    stops,
)
from kit.lab import check
from kit.ports import nobody, when_free
from kit.program import PATIENCE, Program
from kit.server_rules import UNKNOWN_HOST
from kit.stage import QUIET, Stage
from kit.tcp import Listener
from kit.udp import UdpPeer


class ClientRules:
    """What every client does. `arguments` make it send something at once."""

    program: str
    default_port: int
    protocol: socket.SocketKind
    fake_server: type[Listener] | type[UdpPeer]
    arguments: tuple[str, ...] = ()

    @check(points=1)
    def test_bad_ports_get_a_usage_message_and_exit_code_2(self, stage: Stage) -> None:
        bad = [("--port", "0"), ("--port", "65536"), ("--port", "http")]
        ends_with_usage(stage, self.program, *((*words, *self.arguments) for words in bad))

    @check(points=1)
    def test_where_nobody_listens_it_says_so(self, stage: Stage) -> None:
        with nobody(self.protocol) as (_, port):
            program = stage.program(self.program, "--port", str(port), *self.arguments)

            ends_with_error_line(program, stage, "nobody listens")

    @check(points=1)
    def test_an_unknown_host_gets_an_error_line(self, stage: Stage) -> None:
        program = stage.program(self.program, "--host", UNKNOWN_HOST, *self.arguments)

        ends_with_error_line(program, stage, f"{UNKNOWN_HOST} is no host")

    @check(points=1)
    def test_without_port_it_goes_to_the_default_port(self, stage: Stage) -> None:
        """Without --port it goes to its default port."""
        servers: list[Listener | UdpPeer] = []
        address = "127.0.0.1", self.default_port

        def listen() -> bool:
            try:
                servers.append(self.fake_server(stage, "server", at=address))
            except OSError:
                return False
            return True

        when_free(self.default_port, listen, self.protocol)
        with servers[0] as server:
            server.starts_client(self.program, *self.arguments, port=False)

            server.is_called(f"nothing came to port {self.default_port}, and --port was not given")

    @check(points=1)
    def test_ctrl_c_ends_it_while_it_waits(self, stage: Stage) -> None:
        """Ctrl+C ends it without a traceback while it waits for an answer."""
        with self.fake_server(stage, "silent server") as server:
            program = server.starts_client(self.program, *self.arguments)
            _connection = server.is_called()  # kept: nobody else keeps it open

            stops(program, stage, "SIGINT", server=False)

    @check(points=1)
    def test_while_it_waits_it_leaves_the_processor_alone(self, stage: Stage) -> None:
        with self.fake_server(stage, "silent server") as server:
            program = server.starts_client(self.program, *self.arguments)
            _connection = server.is_called()

            leaves_the_processor_alone(program, stage)


def shows_no_prompt(stage: Stage, client: Program) -> None:
    """See that all that stands on stdout are whole lines, as where there is no terminal."""

    def whole() -> bool:
        return client.stdout.text[-1:] in ("", "\n")

    client.waits_until(lambda: bool(client.stdout.text) or client.over, QUIET)
    client.waits_until(lambda: whole() or client.over, PATIENCE)
    stage.requires(
        whole(),
        f"{client.name} shows a prompt where there is no terminal",
        expected="whole lines, or nothing",
        received=client.stdout.text,
        hint="input(prompt) shows its prompt on a pipe, too",
    )
