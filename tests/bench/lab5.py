"""a text for all in a room, and lab 1's echo of datagrams

The peer is datagrams.c, a loop with the same calls to the system, which is compiled here. Of the
members only the last one waits; the others read what has come while the clock stands still. So the
server alone is measured: to wake up readers would cost both sides the same, and make them alike.
"""

import argparse
import os
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.figures import Goal, generator, in_turn, ratios, table, told
from bench.programs import Broken, Peer, Process, python, serving
from kit import system

OURS, PEER = "ours", "C"
CC = Peer("cc", "gcc")
SOURCE = Path(__file__).with_name("datagrams.c")

CROWDS = (10, 100)  # members who get each text
RELAYED = Goal(0.7)  # of the peer's datagrams a second
ECHOED = Goal(0.8)  # of the peer's round trips a second

TURNS = 3  # short runs for each that is asked for: what disturbs the machine spoils few of them
DELIVERIES = 10_000  # in a short run
ROUND_TRIPS = 1_000  # in a short run
BURST = 100  # texts that a member leaves unread, at most; on Linux there is room for 277
AHEAD = 8  # texts that are sent before the last member has the first of them
PATIENCE = 5  # seconds until a datagram is lost
LONGEST = 4_096  # bytes of a datagram

ROOM, WRITER, TEXT = b"kitchen", b"writer", b"x" * 100
CREATE, JOIN, TOKEN_SIZE = 1, 3, 16
HELLO, SAYS = 0, 1


class Run(NamedTuple):
    """One run: datagrams a second, and the share of the time that the load generator computed.

    `alone` is the rate if nobody but the server ran: datagrams a second of its processor time.
    """

    rate: float
    alone: float  # 0 where the system does not tell it
    share: float


Spent = tuple[float, float]  # seconds that passed, and that the load generator computed
Measure = Callable[[], Run]
Side = AbstractContextManager[Measure]  # a server that runs, and what measures it once
Command = Callable[[int], list[str]]
GetIn = Callable[[int, bytes], bytes]  # at this port, this user; returns the token


def measure(options: argparse.Namespace) -> None:
    """Measure our two servers and the same in C, if it can be compiled, and print the tables."""
    with compiled() as peer:
        print(f"  {len(TEXT)} bytes; {TURNS * options.runs} runs")
        for members in CROWDS:
            sides = {OURS: room(our_rooms, get_in, members)}
            if peer:
                sides[PEER] = room(in_c(peer, members), nobody_asks, members)
            report(f"a text to {members} members", sides, RELAYED, options.runs)
        sides = {OURS: echo(our_echo)}
        if peer:
            sides[PEER] = echo(in_c(peer, members=0))
        report("an echo at a time", sides, ECHOED, options.runs)


@contextmanager
def compiled() -> Iterator[str | None]:
    """Compile the peer; give where it is, or None after a line that says why it is not."""
    if not CC.path:
        print(CC.missing, end="", flush=True)
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="socket-labs-bench-") as folder:
        peer = str(Path(folder) / SOURCE.stem)
        command = [CC.path, "-O2", "-o", peer, os.fspath(SOURCE)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            why = (done.stderr.splitlines() or ["it does not say why"])[0]
            print(f"  not measured: {CC.command} does not compile {SOURCE.name}: {why}", flush=True)
        yield None if done.returncode else peer


def report(title: str, sides: Mapping[str, Side], goal: Goal, runs: int) -> None:
    """Start the servers, measure them in turn, and print the table of one load."""
    with ExitStack() as opened:
        measures = {name: opened.enter_context(sides[name]) for name in sides}
        taken = in_turn(TURNS * runs, measures)
    rates = {name: [run.rate for run in taken[name]] for name in sides}
    alone = {name: [run.alone for run in taken[name]] for name in sides}
    processor = "by the server's processor time"
    rows = [(title, "datagrams/s", "ours : C", "goal", processor, "ours : C")]
    for name in sides:
        ratio = ratios(rates[OURS], rates[name])
        among = ("", "") if name == OURS else (told(ratio), goal.told(ratio))
        known = ("not known here", "")
        if system.LINUX:
            ratio = ratios(alone[OURS], alone[name])
            known = told(alone[name], 0), "" if name == OURS else told(ratio)
        rows.append((name, told(rates[name], 0), *among, *known))
    print(table(rows))
    print(generator("the load, at ours,", [run.share for run in taken[OURS]]), flush=True)


def our_rooms(port: int) -> list[str]:
    """Return the command that runs our rooms."""
    return python("solutions.lab5_rooms.server", "--port", str(port), "--idle-timeout", "3600")


def our_echo(port: int) -> list[str]:
    """Return the command that runs our echo."""
    return python("solutions.lab1_echo.udp_server", "--port", str(port))


def in_c(peer: str, members: int) -> Command:
    """Return the command that runs the peer: a room, or with 0 members an echo."""
    return lambda port: [peer, str(port), str(members)]


def get_in(port: int, user: bytes) -> bytes:
    """Let a user into our room, over TCP, the writer first; return the token."""
    operation = CREATE if user == WRITER else JOIN
    request = struct.pack(">BBBBI", operation, 0, len(ROOM), len(user), 0) + ROOM + user
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request)
        return connection.recv(len(request) + TOKEN_SIZE, socket.MSG_WAITALL)[len(request) :]


def nobody_asks(port: int, user: bytes) -> bytes:
    """Return the token for the peer's room, which has none."""
    return b""


@contextmanager
def room(command: Command, get_in: GetIn, members: int) -> Iterator[Measure]:
    """Run a server and fill a room in it; give what measures texts to its members."""
    with serving(command, "Listening on") as (port, server), ExitStack() as opened:
        text = datagram(SAYS, WRITER, get_in(port, WRITER), TEXT)
        users = [b"user%d" % number for number in range(members)]
        hellos = [datagram(HELLO, user, get_in(port, user)) for user in users]
        writer, *others = [client(opened, port) for _ in range(members + 1)]
        with nothing_lost():
            for other, hello in zip(others, hellos, strict=True):
                other.send(hello)
                other.recv(LONGEST)
        bursts = max(1, DELIVERIES // (BURST * members))

        def texts() -> Spent:
            spent = [burst(writer, text, others) for _ in range(bursts)]
            seconds, busy = map(sum, zip(*spent, strict=True))
            return seconds, busy

        yield lambda: timed(server, bursts * BURST * members, texts)


@contextmanager
def echo(command: Command) -> Iterator[Measure]:
    """Run an echo; give what measures round trips, one at a time."""
    with serving(command, "Listening on") as (port, server), ExitStack() as opened:
        sock = client(opened, port)

        def round_trips() -> Spent:
            send, receive = sock.send, sock.recv
            began, busy = time.perf_counter(), time.process_time()
            for _ in range(ROUND_TRIPS):
                send(TEXT)
                receive(LONGEST)
            return time.perf_counter() - began, time.process_time() - busy

        yield lambda: timed(server, ROUND_TRIPS, round_trips)


def timed(server: Process, count: int, load: Callable[[], Spent]) -> Run:
    """Measure one run of a load, of so many datagrams."""
    before = system.processor_time(server.pid)
    with nothing_lost():
        seconds, busy = load()
    after = system.processor_time(server.pid)
    alone = 0.0 if before is None or after is None else count / (after - before)
    return Run(count / seconds, alone, busy / seconds)


@contextmanager
def nothing_lost() -> Iterator[None]:
    """Say it in one line if a datagram that should come does not: raise Broken."""
    try:
        yield
    except OSError as error:
        raise Broken(f"a datagram was lost: {error}") from None


def burst(writer: socket.socket, text: bytes, members: Sequence[socket.socket]) -> Spent:
    """Send texts, AHEAD of what the last member has; then let the other members read them."""
    *others, last = members
    send, receive = writer.send, last.recv
    began, busy = time.perf_counter(), time.process_time()
    for _ in range(AHEAD):
        send(text)
    for _ in range(BURST - AHEAD):
        receive(LONGEST)
        send(text)
    for _ in range(AHEAD):
        receive(LONGEST)
    spent = time.perf_counter() - began, time.process_time() - busy
    for other in others:
        for _ in range(BURST):
            other.recv(LONGEST)
    return spent


def datagram(kind: int, user: bytes, token: bytes, text: bytes = b"") -> bytes:
    """Return a datagram as it goes over the wire of lab 5."""
    return bytes((kind, len(ROOM), len(user), len(token))) + ROOM + user + token + text


def client(opened: ExitStack, port: int) -> socket.socket:
    """Return a socket that hears the server at that port alone, and waits for it PATIENCE at most.

    settimeout() would cost one more call to the system each time.
    """
    sock = opened.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    sock.connect(("127.0.0.1", port))
    if system.WINDOWS:
        sock.settimeout(PATIENCE)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", PATIENCE, 0))
    return sock
