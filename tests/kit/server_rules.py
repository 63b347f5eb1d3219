"""Section 0 of the contract as checks: what every server does, whatever its lab.

A lab's part takes them in with a class of its own, below its other checks:

    class TestLikeEveryServer(TcpServerRules):
        program = "tcp_server"
        default_port = 6789

        def greets(self, visitor): …
"""

import contextlib
import os
import time
from typing import Any

from kit import system
from kit.endings import (
    ends_with_error_line,
    ends_with_usage,
    leaves_the_processor_alone,
    stops,
)
from kit.failure import NotRun
from kit.lab import check
from kit.peer import Server
from kit.ports import OTHER_LOOPBACK, free_port, is_bound, needs_second_loopback, when_free
from kit.program import PATIENCE
from kit.stage import START_PATIENCE, Stage
from kit.tcp import TcpServer

NOT_OURS = "192.0.2.1"  # reserved for documentation, so no machine's address (RFC 5737)
UNKNOWN_HOST = "no-such-host.invalid"  # reserved for names that do not exist (RFC 2606)
VISITS = 300
MAX_GROWTH = 5_000_000  # bytes over these visits
LEFT_OVER = 20  # threads or descriptors: a pool may grow a little, a leak grows with each visit
LONELY = 2.2  # seconds in which nobody calls: more than a time limit of two
STUCK = 0.1  # seconds after which a peer that takes no more bytes is stuck
TRIES = 3  # where a port that we know of could be taken by somebody else in between


class ListeningRules:
    """What every server does, even one that ends after its first client.

    `greets` is one exchange with a ready server, which shows that it serves.
    """

    program: str
    default_port: int
    server: type[Server]

    def greets(self, visitor: Any) -> None:
        """Have one exchange with the server, as the peer `visitor`."""
        raise NotImplementedError

    def visit(self, server: Server) -> None:
        """Come as a client, be served, and leave."""
        with server.client("a visitor") as visitor:
            self.greets(visitor)

    @check(points=1)
    def test_the_ready_line_is_flushed_at_once(self, stage: Stage) -> None:
        program = stage.program(self.program, "--port", "0", buffered=True)
        stage.waits_for_start(program)
        stage.requires(
            program.ready_at is not None or program.over,
            "the ready line does not come through a pipe",
            expected="Listening on HOST:PORT, as soon as the server can be reached",
            received="nothing, while the same program says it on a terminal",
            hint="print(..., flush=True): a pipe gets what was printed only when much has gathered",
        )
        stage.sees_ready(program)

    @check(points=1)
    def test_it_listens_on_the_port_that_the_options_name(self, stage: Stage) -> None:
        for _ in range(TRIES):
            port = free_port()
            program = stage.program(self.program, "--port", str(port))
            program.is_ready(within=START_PATIENCE)
            if program.ready_at or program.exit_code != 1:
                break
        stage.requires(
            stage.sees_ready(program)[1] == port,
            f"{self.program} does not listen on the port that --port names",
            expected="the port of --port",
            received="another one",
            hint=f"the port {self.default_port} is written into the program"
            if stage.sees_ready(program)[1] == self.default_port
            else "",
        )
        self.visit(self.server(stage, program))

    @check(points=1)
    def test_without_port_it_listens_on_the_default_port(self, stage: Stage) -> None:
        """Without --port it listens on its default port."""
        attempts = TRIES

        def start() -> bool:
            nonlocal attempts
            program = stage.program(self.program)
            if program.is_ready(within=START_PATIENCE):
                return True
            if not is_bound("127.0.0.1", self.default_port, self.server.protocol):
                attempts -= 1  # nobody has the port, and yet it does not start: its own fault
            return not attempts

        when_free(self.default_port, start, self.server.protocol)
        stage.requires(
            stage.sees_ready(stage.programs[-1])[1] == self.default_port,
            f"without --port {self.program} does not listen on port {self.default_port}",
            expected=f"port {self.default_port}",
            received="another one",
        )

    @check(points=1)
    def test_it_listens_on_the_host_that_the_options_name_alone(self, stage: Stage) -> None:
        needs_second_loopback()
        for _ in range(TRIES):
            program = stage.server(self.program, "--host", OTHER_LOOPBACK, "--port", "0")
            there = self.server(stage, program)
            there.host = OTHER_LOOPBACK
            named, elsewhere = (
                is_bound(host, there.port, self.server.protocol)
                for host in (OTHER_LOOPBACK, "127.0.0.1")
            )
            if named and not elsewhere:
                break
        stage.requires(
            named,
            f"{self.program} does not listen on the address that --host names",
            expected=f"its port on {OTHER_LOOPBACK} is taken",
            received=f"it is free{', and taken on 127.0.0.1' if elsewhere else ''}",
        )
        stage.requires(
            not elsewhere,
            f"{self.program} listens on more than the address that --host names",
            expected=f"{OTHER_LOOPBACK} alone",
            received="its port on 127.0.0.1 is taken as well",
            hint='bind(("", port)) and bind(("0.0.0.0", port)) take every address of the machine',
        )
        stage.requires(
            stage.sees_ready(program)[0] == OTHER_LOOPBACK,
            f"the ready line of {self.program} names another host than --host",
            expected=OTHER_LOOPBACK,
            received=stage.sees_ready(program)[0],
        )
        self.visit(there)

    @check(points=1)
    def test_without_host_it_listens_on_127_0_0_1_alone(self, stage: Stage) -> None:
        """Without --host it listens on 127.0.0.1 alone."""
        needs_second_loopback()
        elsewhere = False
        for _ in range(TRIES):
            server = self.server(stage, stage.server(self.program))
            elsewhere = is_bound(OTHER_LOOPBACK, server.port, self.server.protocol)
            if not elsewhere:
                break
        stage.requires(
            not elsewhere,
            f"without --host {self.program} listens on more than 127.0.0.1",
            expected="127.0.0.1 alone",
            received=f"its port on {OTHER_LOOPBACK} is taken as well",
            hint="whoever runs this program opens it to the whole network",
        )

    @check(points=1)
    def test_bad_options_get_a_usage_message_and_exit_code_2(self, stage: Stage) -> None:
        bad = [("--port", "-1"), ("--port", "65536"), ("--port", "http")]
        ends_with_usage(stage, self.program, *bad)

    @check(points=1, after=test_it_listens_on_the_port_that_the_options_name)
    def test_a_second_copy_on_the_same_port_says_that_it_cannot_listen(self, stage: Stage) -> None:
        first = self.server(stage, stage.server(self.program))

        second = stage.program(self.program, "--port", str(first.port))

        second.is_ready(within=START_PATIENCE)
        stage.requires(
            first.program.exit_code is None,
            f"{self.program} ended when a second copy was started",
            expected="the first copy runs on",
            received="it has ended",
        )
        stage.requires(
            not second.ready_at,
            f"two copies of {self.program} listen on one port",
            expected="an [ERROR] line and exit code 1: the port is in use",
            received="Listening on the port that the first copy has",
            hint="SO_REUSEADDR (for UDP) or SO_REUSEPORT lets two programs take the same port",
        )
        ends_with_error_line(second, stage, "its port is in use")

    @check(points=1, after=test_it_listens_on_the_host_that_the_options_name_alone)
    def test_an_address_that_cannot_be_listened_on_gets_an_error_line(self, stage: Stage) -> None:
        foreign = stage.program(self.program, "--port", "0", "--host", NOT_OURS)
        unknown = stage.program(self.program, "--port", "0", "--host", UNKNOWN_HOST)

        ends_with_error_line(foreign, stage, f"{NOT_OURS} is no address of this machine")
        ends_with_error_line(unknown, stage, f"{UNKNOWN_HOST} is no host")

    @check(points=1)
    def test_it_runs_with_stdin_closed(self, stage: Stage) -> None:
        closed = self.server(stage, stage.server(self.program, stdin="closed"))
        empty = self.server(stage, stage.server(self.program, stdin="empty"))

        self.visit(closed)
        self.visit(empty)

    @check(points=1)
    def test_ctrl_c_ends_it_with_exit_code_0(self, stage: Stage) -> None:
        """Ctrl+C ends it with exit code 0."""
        program = stage.server(self.program)

        stops(program, stage, "SIGINT", server=True)

    @check(points=1)
    def test_sigterm_ends_it_with_exit_code_0(self, stage: Stage) -> None:
        """SIGTERM ends it with exit code 0."""
        needs_sigterm()
        program = stage.server(self.program)

        stops(program, stage, "SIGTERM", server=True)


class ServerRules(ListeningRules):
    """What every server does that serves for ever."""

    def long_visit(self, server: Server) -> None:
        """Come with some 25 kB, in small pieces: what is kept of them adds up."""
        self.visit(server)

    @check(points=1)
    def test_while_it_waits_it_leaves_the_processor_alone(self, stage: Stage) -> None:
        server = self.server(stage, stage.server(self.program))
        self.visit(server)

        with server.client("a quiet client"):
            leaves_the_processor_alone(server.program, stage)

    @check(points=1, long=True)
    def test_many_visits_leave_nothing_behind(self, stage: Stage) -> None:
        """300 visits leave nothing behind."""
        server = self.server(stage, stage.server(self.program))
        program, story = server.program, stage.story

        def left_over() -> dict[str, int]:
            return {
                "descriptors": program.measured(system.descriptors),
                "threads": program.measured(system.threads),
                "processes": len(system.children(program.pid)),
                "files": system.entries(program.folder) + system.entries(program.temporary),
                "bytes of memory": program.measured(system.memory),
            }

        with story.sums_up("clients", f"{VISITS // 10} clients come, are served, and leave"):
            for _ in range(VISITS // 10):
                self.long_visit(server)
        before = left_over()
        with story.sums_up("clients", f"{VISITS} more"):
            for _ in range(VISITS):
                self.long_visit(server)

        allowed = {
            what: count + (MAX_GROWTH if "bytes" in what else LEFT_OVER)
            for what, count in before.items()
        }
        deadline = time.monotonic() + PATIENCE  # the last ones may still be on their way out
        while time.monotonic() < deadline:
            after = left_over()
            too_many = [what for what in after if after[what] > allowed[what]]
            if not too_many:
                break
            program.has_ended(within=0.05)
        stage.requires(
            not too_many,
            f"{VISITS} visits to {self.program} leave {' and '.join(too_many)} behind",
            expected="no more than before them: " + _listed(before),
            received=_listed(after),
            hint=_WHAT_ENDS.get(too_many[0] if too_many else "", "")
            or "what a visit opens or keeps must go with it: close(), or with",
        )


class TcpServerRules(ServerRules):
    """What every TCP server does beside."""

    server: type[TcpServer] = TcpServer
    quiet_crowd = 50  # clients; 1 for a server that may serve one after another

    @check(points=1, long=True)
    def test_while_it_waits_it_leaves_the_processor_alone(self, stage: Stage) -> None:
        """While nobody calls or speaks it waits, and leaves the processor alone."""
        server = self.server(stage, stage.server(self.program))
        self.visit(server)
        server.program.has_ended(within=LONELY)
        stage.requires(
            server.program.exit_code is None,
            f"{self.program} ended when nobody called for {LONELY:g} s",
            expected="it waits for the next client",
            received="it has ended",
            hint="settimeout() ends the wait in accept(), too, when nobody happens to call",
        )

        with contextlib.ExitStack() as crowd:
            self.greets(crowd.enter_context(server.client("a quiet client")))
            with stage.story.sums_up("a crowd", f"{self.quiet_crowd - 1} come, and are quiet"):
                for _ in range(1, self.quiet_crowd):
                    crowd.enter_context(server.client("one of a quiet crowd"))
            leaves_the_processor_alone(server.program, stage)

    @check(points=1, after=ServerRules.test_ctrl_c_ends_it_with_exit_code_0)
    def test_ctrl_c_ends_it_whatever_its_clients_do(self, stage: Stage) -> None:
        """Ctrl+C ends it while one client is silent and another never reads."""
        server = self.server(stage, stage.server(self.program))
        silent = server.client("silent")
        self.greets(silent)
        stubborn = server.client("stubborn", room=4_096)
        stubborn.pushes(bytes(2_000_000), stuck_after=STUCK)

        stops(server.program, stage, "SIGINT", server=True)

        silent.expects_close()
        stubborn.sock.close()
        silent.sock.close()

    @check(points=1, after=test_ctrl_c_ends_it_whatever_its_clients_do)
    def test_sigterm_ends_it_with_exit_code_0(self, stage: Stage) -> None:
        """SIGTERM ends it with exit code 0 while a client is silent."""
        needs_sigterm()
        server = self.server(stage, stage.server(self.program))
        silent = server.client("silent")
        self.greets(silent)

        stops(server.program, stage, "SIGTERM", server=True)

        silent.expects_close()
        silent.sock.close()

    @check(points=1, after=ServerRules.test_it_listens_on_the_port_that_the_options_name)
    def test_it_can_be_started_again_on_the_same_port_at_once(self, stage: Stage) -> None:
        for _ in range(TRIES):
            server = self.server(stage, stage.server(self.program))
            with server.client("a client that stays") as loyal:
                self.greets(loyal)
                server.program.close()
                again = stage.program(self.program, "--port", str(server.port))
                again.is_ready(within=START_PATIENCE)
                loyal.sock.close()
            if again.ready_at:
                break
        stage.requires(
            again.ready_at is not None,
            f"{self.program} cannot be started again on the port that it had",
            expected="Listening on the same port",
            received=again.stderr.text or "nothing",
            hint="set SO_REUSEADDR before bind(): the old connections keep the port for a minute",
        )
        self.visit(self.server(stage, again))

    @check(points=1)
    def test_a_client_that_resets_does_not_end_it(self, stage: Stage) -> None:
        server = self.server(stage, stage.server(self.program))
        rude = server.client("rude")
        self.greets(rude)
        rude.resets()

        self.visit(server)

    @check(points=1, after=test_a_client_that_resets_does_not_end_it)
    def test_clients_that_break_off_at_once_do_not_end_it(self, stage: Stage) -> None:
        server = self.server(stage, stage.server(self.program))
        with stage.story.sums_up("hasty", "20 times connects and resets the connection at once"):
            for _ in range(20):
                server.client("hasty").resets()
        hasty = server.client("hasty")
        hasty.pushes(bytes(100_000), stuck_after=STUCK)
        hasty.resets()

        self.visit(server)


def needs_sigterm() -> None:
    """Give up where a program cannot be told to end."""
    if os.name != "posix":
        raise NotRun("this system has no SIGTERM")


class RulesInShort:
    """The rules of every TCP server in fewer checks, for a lab that has many of its own."""

    rules: TcpServerRules

    @check(points=1)
    def test_the_ready_line_is_flushed_at_once(self, stage: Stage) -> None:
        self.rules.test_the_ready_line_is_flushed_at_once(stage)

    @check(points=1)
    def test_it_listens_where_the_options_say(self, stage: Stage) -> None:
        """It listens where --host and --port say, and without them on its default port alone."""
        self.rules.test_it_listens_on_the_port_that_the_options_name(stage)
        self.rules.test_without_port_it_listens_on_the_default_port(stage)

    @check(points=1)
    def test_it_listens_on_one_host_alone(self, stage: Stage) -> None:
        """It listens on the host of --host alone, and without it on 127.0.0.1."""
        self.rules.test_it_listens_on_the_host_that_the_options_name_alone(stage)
        self.rules.test_without_host_it_listens_on_127_0_0_1_alone(stage)

    @check(points=1)
    def test_bad_options_get_a_usage_message_and_exit_code_2(self, stage: Stage) -> None:
        self.rules.test_bad_options_get_a_usage_message_and_exit_code_2(stage)

    @check(points=1)
    def test_where_it_cannot_listen_it_says_so(self, stage: Stage) -> None:
        """Where it cannot listen it says so with an error line."""
        self.rules.test_a_second_copy_on_the_same_port_says_that_it_cannot_listen(stage)
        self.rules.test_an_address_that_cannot_be_listened_on_gets_an_error_line(stage)

    @check(points=1)
    def test_it_runs_with_stdin_closed(self, stage: Stage) -> None:
        self.rules.test_it_runs_with_stdin_closed(stage)

    @check(points=1)
    def test_ctrl_c_and_sigterm_end_it_with_exit_code_0(self, stage: Stage) -> None:
        """Ctrl+C and SIGTERM end it with exit code 0, whatever its clients do."""
        self.rules.test_ctrl_c_ends_it_with_exit_code_0(stage)
        self.rules.test_ctrl_c_ends_it_whatever_its_clients_do(stage)
        if os.name == "posix":
            self.rules.test_sigterm_ends_it_with_exit_code_0(stage)

    @check(points=1)
    def test_it_can_be_started_again_on_the_same_port_at_once(self, stage: Stage) -> None:
        self.rules.test_it_can_be_started_again_on_the_same_port_at_once(stage)

    @check(points=1, long=True)
    def test_while_it_waits_it_leaves_the_processor_alone(self, stage: Stage) -> None:
        """While nobody calls or speaks it waits, and leaves the processor alone."""
        self.rules.test_while_it_waits_it_leaves_the_processor_alone(stage)

    @check(points=1, long=True)
    def test_many_visits_leave_nothing_behind(self, stage: Stage) -> None:
        """300 visits leave nothing behind."""
        self.rules.test_many_visits_leave_nothing_behind(stage)

    @check(points=1)
    def test_clients_that_break_off_do_not_end_it(self, stage: Stage) -> None:
        self.rules.test_a_client_that_resets_does_not_end_it(stage)
        self.rules.test_clients_that_break_off_at_once_do_not_end_it(stage)


_WHAT_ENDS = {
    "processes": "a process that has ended stays in the table until its parent asks: waitpid()",
    "files": "whoever makes a temporary file removes it, however the visit ends: finally, or with",
}


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())
