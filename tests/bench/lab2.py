"""many clients of an echo server

The peer is the standard library's ThreadingTCPServer (echo_peer.py); unlike ours it logs nothing.
"""

import argparse
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from bench.figures import Goal, generator, in_turn, ratios, table, told
from bench.programs import Broken, Process, python, serving, started
from kit import system

OURS, PEER = "ours", "ThreadingTCPServer"
VISITS = 4_000  # in a run; each keeps a port for a minute, and some systems have but 16,384
AT_ONCE = 8  # visits of each generator
GENERATORS = max(1, min(4, (os.cpu_count() or 1) - 1))  # a core stays for the server
CLIENTS = 10_000  # silent ones
OTHER_DESCRIPTORS = 100  # that a process has open beside its clients
ROUND_TRIPS = 500

FASTER = Goal(1.3)  # than the peer, in visits a second
SMALL = Goal(21, " KB", most=True)  # for each silent client
PROMPT = Goal(1, " ms", most=True)  # the round trip of one among them

Command = Callable[[int], list[str]]
SERVERS: dict[str, Command] = {
    OURS: lambda port: python("solutions.lab2_multi_client.server", "--port", str(port)),
    PEER: lambda port: python("bench.echo_peer", str(port)),
}


class Visited(NamedTuple):
    """One run of visits: visits a second, and the share of the time that a generator computed."""

    rate: float
    share: float


class Crowd(NamedTuple):
    """One run of silent clients: how many, KB of the server for each, ms of a round trip."""

    clients: int
    memory: float
    round_trip: float


def measure(options: argparse.Namespace) -> None:
    """Measure our server and the standard library's with the same load, and print the tables."""
    visited = in_turn(options.runs, {name: visits(command) for name, command in SERVERS.items()})
    rates = {name: [run.rate for run in visited[name]] for name in SERVERS}
    ratio = ratios(rates[OURS], rates[PEER])
    print(f"  connect, echo 64 bytes, close; {GENERATORS * AT_ONCE} at once; {options.runs} runs")
    rows = [
        ("", "visits/s", "ours : peer", "goal"),
        (OURS, told(rates[OURS], 0), "", ""),
        (PEER, told(rates[PEER], 0), told(ratio), FASTER.told(ratio)),
    ]
    print(table(rows))
    print(generator("the busiest process", [run.share for run in visited[OURS]]), flush=True)

    clients = min(CLIENTS, descriptors() - OTHER_DESCRIPTORS)
    crowds = in_turn(options.runs, {name: crowd(SERVERS[name], clients) for name in SERVERS})
    print(f"  {crowds[OURS][0].clients:,} silent clients at once; {options.runs} runs")
    lines = [("", "KB each", "goal", "round trip, ms", "goal")]
    for name in SERVERS:
        memory = [run.memory for run in crowds[name]]
        trips = [run.round_trip for run in crowds[name]]
        known = (told(memory, 1), SMALL.told(memory)) if system.LINUX else ("not known here", "")
        lines.append((name, *known, told(trips, 3), PROMPT.told(trips)))
    print(table(lines))


def visits(command: Command) -> Callable[[], Visited]:
    """Return what measures one run of visits to a fresh server."""

    def run() -> Visited:
        waves = VISITS // (GENERATORS * AT_ONCE)
        with ExitStack() as opened:
            port, _ = opened.enter_context(serving(command, "Listening on"))
            words = python("bench.visits", str(port), str(waves), str(AT_ONCE))
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            several = [opened.enter_context(started(words, **pipes)) for _ in range(GENERATORS)]
            for process in several:
                said(process)
            for process in several:
                assert process.stdin
                process.stdin.write(b"go\n")
                process.stdin.flush()
            taken = [tuple(map(float, said(process).split())) for process in several]
        seconds = max(passed for passed, _ in taken)
        rate = waves * AT_ONCE * GENERATORS / seconds
        return Visited(rate, max(busy / passed for passed, busy in taken))

    return run


def said(process: Process) -> str:
    """Return the next line of a generator. Raises Broken if it has ended instead."""
    assert process.stdout
    if line := process.stdout.readline().decode():
        return line
    raise Broken("the server did not serve all visits of the load generator")


def crowd(command: Command, count: int) -> Callable[[], Crowd]:
    """Return what measures a fresh server with `count` silent clients."""

    def run() -> Crowd:
        with serving(command, "Listening on") as (port, server), ExitStack() as opened:
            before = system.memory(server.pid) if system.LINUX else 0
            for _ in range(count):
                sock = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            sock.settimeout(60)
            round_trip(sock)  # who came last is served: so all are
            trips = [round_trip(sock) for _ in range(ROUND_TRIPS)]
            memory = system.memory(server.pid) - before if system.LINUX else 0
        return Crowd(count, memory / count / 1000, statistics.median(trips) * 1000)

    return run


def round_trip(sock: socket.socket) -> float:
    """Send a byte and wait for its echo; return the seconds that it took."""
    began = time.perf_counter()
    sock.sendall(b"!")
    if sock.recv(1) != b"!":
        raise Broken("the server did not echo to one of many clients")
    return time.perf_counter() - began


def descriptors() -> int:
    """Raise the limit of open descriptors as far as it goes, and return it."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return CLIENTS + OTHER_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = CLIENTS + OTHER_DESCRIPTORS
    if soft == unlimited or soft >= wanted:
        return wanted
    limit = wanted if hard == unlimited else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit
