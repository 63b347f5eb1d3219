"""Show what a client and a server say to each other: nox -s trace -- lab4.

It stands between them: the client is told its port, and what comes is passed on to the server.
Ctrl+C ends it, and leaves .labs/trace/story.svg, story.mmd and story.pcapng.
"""

import argparse
import contextlib
import importlib
import io
import re
import socket
import sys
from pathlib import Path
from typing import NoReturn

from kit import system
from kit.lab import Lab
from pictures import files
from relay.loop import HOST, Relay
from relay.network import Network
from relay.record import Record
from relay.streams import Address

TESTS = Path(__file__).parents[1]
LABS = {
    file.parent.name.partition("_")[0]: file.parent.name
    for file in sorted(TESTS.glob("lab*_*/lab.py"))
}
ROOT = TESTS.parent
FOLDER = Path(".labs/trace")
FROM = 1_000  # added to a lab's port, it is the relay's
LONGEST_HOLD = 3_600  # seconds


class Parser(argparse.ArgumentParser):
    """Reads a command line; what is wrong with it takes one line."""

    def error(self, message: str) -> NoReturn:
        """Say it, and end."""
        self.exit(2, f"[ERROR] {message}\n")


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; `lab`, `listen`, `to`, `wires` and `network` say what to do."""
    parser = Parser(prog="nox -s trace --", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("lab", nargs="?", metavar="LAB", help="whose server, e.g. lab4")
    parser.add_argument(
        "--listen", type=_port, metavar="PORT", help=f"(default: the lab's own plus {FROM:,})"
    )
    parser.add_argument(
        "--to", type=_address, metavar="HOST:PORT", help="the server (default: the lab's port here)"
    )
    parser.add_argument(
        "--protocol", metavar="LAB", help="whose messages to take apart, for any other server"
    )
    parser.add_argument(
        "--chop", type=_count, default=0, metavar="N", help="pass TCP on so many bytes at a time"
    )
    parser.add_argument(
        "--hold",
        type=_time,
        default=0.0,
        metavar="200ms",
        help="gather what comes over TCP for so long",
    )
    parser.add_argument(
        "--drop", type=_count, default=0, metavar="N", help="drop each Nth datagram"
    )
    parser.add_argument(
        "--reorder", action="store_true", help="swap each third datagram with the next"
    )
    told = parser.parse_args(arguments)
    if told.lab and told.protocol:
        parser.error("name the lab once: as LAB, or with --protocol")
    if not told.lab and (told.listen is None or told.to is None):
        parser.error("name a lab, or say both --listen and --to")
    if told.chop and told.hold:
        parser.error("--chop and --hold contradict each other")
    lab = told.lab or told.protocol
    if lab and lab not in LABS:
        parser.error(f"there is no {lab}; there are {', '.join(LABS)}")
    known: Lab | None = importlib.import_module(f"{LABS[lab]}.lab").LAB if lab else None
    told.wires = known.wires if known else ("tcp", "udp")
    if known and "udp" not in told.wires and (told.drop or told.reorder):
        parser.error(f"{lab} has no datagrams, which --drop and --reorder are for")
    if told.lab and known:
        told.to = told.to or (HOST, known.port)
        told.listen = known.port + FROM if told.listen is None else told.listen
    if told.to == (HOST, told.listen):
        parser.error("it would pass everything on to itself: --listen and --to are the same port")
    told.lab = lab or ""
    told.network = Network(told.chop, told.hold, told.drop, told.reorder)
    return told


def main() -> int:
    """Relay until Ctrl+C, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    told = options()
    system.clear_up_when_told_to_stop()
    record = Record(told.lab, show=lambda line: print(line, flush=True))
    try:
        relay = Relay(told.listen, told.to, told.wires, record, told.network)
    except OSError as error:
        trouble = f"cannot listen on {HOST}:{told.listen}: {error.strerror or error}"
        print(f"[ERROR] {trouble}", file=sys.stderr)
        return 1
    wires = " and ".join(wire.upper() for wire in told.wires)
    print(
        f"[INFO] Listening on {HOST}:{relay.port} ({wires}): tell your client --port {relay.port}"
    )
    print("[INFO] What comes is passed on to {}:{}; Ctrl+C ends this".format(*told.to), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            relay.turn()
    relay.closes()
    return leave(record)


def leave(record: Record) -> int:
    """Write what was recorded, say where it is, and return the exit code."""
    if not record.steps:
        print("\nnothing came: no files were written")
        return 0
    check = record.check()
    found = files(check, check["lab"])
    try:
        folder = ROOT / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in found.items():
            system.write(folder / name, data)
    except OSError as error:
        print(f"\n[ERROR] cannot write to {FOLDER}: {error.strerror}", file=sys.stderr)
        return 1
    steps = f"{'the first ' * record.full}{record.steps:,} steps"
    print(f"\ntrace: {steps}: {', '.join((FOLDER / name).as_posix() for name in found)}")
    return 0


def _port(text: str) -> int:
    return _whole(text, 0, 65_535)


def _count(text: str) -> int:
    return _whole(text, 1, 1_000_000)


def _whole(text: str, lowest: int, highest: int) -> int:
    if not text.isascii() or not text.isdecimal() or not lowest <= int(text) <= highest:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {lowest} to {highest:,}")
    return int(text)


def _address(text: str) -> Address:
    """Return what HOST:PORT names; a name of a host is looked up."""
    host, _, port = text.rpartition(":")
    if not host:
        raise argparse.ArgumentTypeError(f"{text!r} is no HOST:PORT")
    number = _whole(port, 1, 65_535)
    try:
        found = socket.getaddrinfo(host, number, socket.AF_INET)
    except (OSError, UnicodeError):
        raise argparse.ArgumentTypeError(f"no IPv4 address is known of {host!r}") from None
    return str(found[0][4][0]), number


def _time(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", text, re.ASCII)
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1) if match else 0.0
    if not 0 < seconds <= LONGEST_HOLD:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 200ms or 2s")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
