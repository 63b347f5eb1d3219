"""a chat in which everybody hears everybody

The peers are ngircd with one channel, and mosquitto with one topic; the texts are the same.
"""

import argparse
import os
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import languages
from bench.crowd import AHEAD, Crowd
from bench.figures import Goal, count, generator, in_turn, ratios, table, told
from bench.lab2 import OTHER_DESCRIPTORS, descriptors
from bench.programs import Broken, Peer, Process, python, room, serving
from kit import system

OURS = "ours"
NGIRCD = Peer("ngircd", "ngircd")
MOSQUITTO = Peer("mosquitto", "mosquitto")

TEXT = 64  # characters of a message
PUSHED, PUSHED_TEXT = 9_000, 400  # messages for who never reads, before the clock runs: over 4 MB
FEWEST = 2  # clients: one writes, one reads
RATE, TIMED = 100, 300  # messages a second, and in a run

PROMPT = Goal(1, most=True)  # of mosquitto's median
STEADY = Goal(1.5, most=True)  # of mosquitto's 99th percentile
SMALL = Goal(24, " KB", most=True)  # for each silent user

NGIRCD_CONF = """
[Global]
Name = bench.local
Listen = 127.0.0.1
Ports = {port}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxNickLength = 31
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""
MOSQUITTO_CONF = """
listener {port} 127.0.0.1
allow_anonymous true
connection_messages false
max_queued_messages 0
set_tcp_nodelay true
"""


@dataclass(frozen=True)
class Load:
    """Who writes how far ahead, and how many times as fast as each peer we should be."""

    title: str
    goals: Mapping[str, Goal]
    writers: int = 1
    ahead: int = AHEAD
    share: float = 1.0  # of the messages in a run
    stalled: bool = False


ONE = {NGIRCD.command: Goal(4), MOSQUITTO.command: Goal(15)}
EIGHT = {NGIRCD.command: Goal(2), MOSQUITTO.command: Goal(12)}
LOADS = (
    Load(f"one writes, {AHEAD} ahead", ONE),
    Load(f"eight write, {AHEAD} ahead", EIGHT, writers=8),
    Load("one writes, one never reads", ONE, stalled=True),
    Load("eight write, one never reads", EIGHT, writers=8, stalled=True),
    Load("one message at a time", {NGIRCD.command: Goal(1)}, ahead=1, share=0.2),
)


class Poured(NamedTuple):
    """One run of a load: deliveries a second, and the share of the time that the crowd computed."""

    rate: float
    share: float


class Delays(NamedTuple):
    """One run at a steady rate: the milliseconds that half of, and 99 of 100 deliveries take."""

    median: float
    late: float


@dataclass(frozen=True)
class Chat:
    """A server: its language, the command for a port, and the line that says it is ready."""

    language: languages.Language
    command: Callable[[int], list[str]]
    ready: str

    @contextmanager
    def crowd(self) -> Iterator[tuple[Crowd, Process]]:
        """Run it; give a crowd at it that still has no clients, and the process."""
        with serving(self.command, self.ready) as (port, server), ExitStack() as opened:
            yield Crowd(opened, self.language, port), server


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add how many clients there are, and how much they write."""
    for name, default, meaning in (
        ("--clients", 100, "who read"),
        ("--messages", 4_000, "in a run"),
        ("--users", 5_000, "silent ones, whose memory is measured"),
    ):
        text = f"lab4: {meaning} (default: {default})"
        parser.add_argument(name, type=count, default=default, help=text)


def measure(options: argparse.Namespace) -> None:
    """Measure our server and the peers that are installed with the same crowd; print the tables."""
    if options.clients < FEWEST:
        raise Broken(f"a chat needs at least {FEWEST} clients")
    with room(0) as folder:
        chats = installed(folder)
        print(NGIRCD.missing + MOSQUITTO.missing, end="", flush=True)
        print(f"  {options.clients} clients, {TEXT} characters a message; {options.runs} runs")
        for load in LOADS:
            print_rates(load, chats, options)
        print_delays(chats, options)
        print_users(chats[OURS], options.users)


def installed(folder: Path) -> dict[str, Chat]:
    """Return our server, and the peers that are there; their configuration goes into `folder`."""

    def configured(text: str, *words: str) -> Callable[[int], list[str]]:
        def command(port: int) -> list[str]:
            file = folder / f"{port}.conf"
            file.write_text(text.format(port=port), encoding="ascii")
            return [*words, os.fspath(file)]

        return command

    def ours(port: int) -> list[str]:
        return python("solutions.lab4_chat.server", "--port", str(port), "--idle-timeout", "3600")

    chats = {OURS: Chat(languages.OURS, ours, "Listening on")}
    if NGIRCD.path:
        command = configured(NGIRCD_CONF, NGIRCD.path, "-n", "-f")
        chats[NGIRCD.command] = Chat(languages.IRC, command, "ready")
    if MOSQUITTO.path:
        command = configured(MOSQUITTO_CONF, MOSQUITTO.path, "-c")
        chats[MOSQUITTO.command] = Chat(languages.MQTT, command, "running")
    return chats


def print_rates(load: Load, chats: Mapping[str, Chat], options: argparse.Namespace) -> None:
    """Measure one load in turn, and print the deliveries a second."""
    sides = {name: partial(pour, chats[name], load, options) for name in chats}
    runs = in_turn(options.runs, sides)
    rates = {name: [run.rate for run in runs[name]] for name in chats}
    shares = {name: [run.share for run in runs[name]] for name in chats}
    rows = [(load.title, "deliveries/s", "ours : peer", "goal")]
    for name in chats:
        ratio = ratios(rates[OURS], rates[name])
        goal = load.goals[name].told(ratio) if name in load.goals else ""
        rows.append((name, told(rates[name], 0), "" if name == OURS else told(ratio), goal))
    print(table(rows))
    for name in chats:
        print(generator(f"the crowd, at {name},", shares[name]), flush=True)


def pour(chat: Chat, load: Load, options: argparse.Namespace) -> Poured:
    """Measure one run of a load at a fresh server."""
    writers = min(load.writers, options.clients - 1)
    messages = max(1, int(load.share * options.messages) // writers)
    with chat.crowd() as (crowd, _):
        if load.stalled:
            crowd.grow(2)
            crowd.stall(PUSHED, PUSHED_TEXT)
        crowd.grow(options.clients)
        crowd.weigh(TEXT)
        deliveries, seconds, busy = crowd.pour(writers, load.ahead, messages, TEXT)
    return Poured(deliveries / seconds, busy / seconds)


def print_delays(chats: Mapping[str, Chat], options: argparse.Namespace) -> None:
    """Measure in turn how long deliveries take at a steady rate, and print that."""
    runs = in_turn(options.runs, {name: partial(delays, chats[name], options) for name in chats})
    rows = [(f"{RATE} messages a second", "ms", "ours : peer", "goal")]
    for title, values, goal in (
        ("median", {name: [run.median for run in runs[name]] for name in chats}, PROMPT),
        ("99 of 100", {name: [run.late for run in runs[name]] for name in chats}, STEADY),
    ):
        for name in chats:
            ratio = ratios(values[OURS], values[name])
            verdict = goal.told(ratio) if name == MOSQUITTO.command else ""
            among = "" if name == OURS else told(ratio)
            rows.append((f"{name}, {title}", told(values[name], 3), among, verdict))
    print(table(rows), flush=True)


def delays(chat: Chat, options: argparse.Namespace) -> Delays:
    """Measure one run at a steady rate at a fresh server."""
    with chat.crowd() as (crowd, _):
        crowd.grow(options.clients)
        taken = crowd.delays(RATE, min(TIMED, options.messages), TEXT)
    return Delays(statistics.median(taken) * 1000, statistics.quantiles(taken, n=100)[98] * 1000)


def print_users(chat: Chat, users: int) -> None:
    """Measure, once, what many silent users cost, and whether they hear one of them."""
    users = min(users, descriptors() - OTHER_DESCRIPTORS)
    with chat.crowd() as (crowd, server):
        before = memory(server)
        crowd.grow(users)
        each = (memory(server) - before) / users / 1000
        seconds = crowd.heard()
    known = f"{each:.1f} KB each, {SMALL.told([each])}" if system.LINUX else "not known here"
    print(f"  memory for {users:,} silent users: {known}")
    print(f"  one of them writes, and all others have it after {seconds * 1000:.0f} ms")


def memory(server: Process) -> int:
    """Return how many bytes of memory the server has, 0 where that is not known."""
    return system.memory(server.pid) if system.LINUX else 0
