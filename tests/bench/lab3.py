"""an upload over loopback

The clock runs from the start of the client's process to its end, for nc to the end of both.
"""

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.figures import Goal, count, generator, in_turn, ratios, table, told
from bench.programs import Broken, Peer, Process, finish, python, room, run, serving
from kit import system

NC = Peer("nc.openbsd", "netcat-openbsd")  # another nc may not know -N
NGINX = Peer("nginx", "nginx-light")
CURL = Peer("curl", "curl")
IPERF = Peer("iperf3", "iperf3")

FASTER = Goal(1.5)  # than nc, and than curl from nginx
CEILING = Goal(0.5)  # of iperf3, which writes no file
MEMORY = Goal(24, " MB", most=True)  # of our server and of our client

MIB = 1_048_576  # bytes
FILES = 2  # in the room at once: the one that is sent, and the one that arrives
LAB = "solutions.lab3_file_transfer"

NGINX_CONF = """
daemon off; master_process off; pid nginx.pid; error_log stderr notice;
events {{ }}
http {{
    access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root "{folder}"; }}
    client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t;
    scgi_temp_path t;
}}
"""

Seconds = Callable[[], float]  # measures one run


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add how much is uploaded."""
    parser.add_argument("--size", type=count, default=1024, help="lab3: MiB (default: 1024)")


def measure(options: argparse.Namespace) -> None:
    """Measure our upload beside the peers that are installed, and print the table."""
    size = options.size * MIB
    with room(FILES * size) as folder, ExitStack() as opened:
        source = folder / "source"
        with source.open("wb") as file:
            block = os.urandom(MIB)
            for _ in range(options.size):
                file.write(block)
        ours = opened.enter_context(uploads(source))
        sides: dict[str, Seconds] = {"ours": ours.seconds}
        goals = {"nc": FASTER, "curl from nginx": FASTER, "iperf3, no file": CEILING}
        if NC.path:
            sides["nc"] = nc(source, NC.path)
        if NGINX.path and CURL.path:
            sides["curl from nginx"] = opened.enter_context(curl(source, CURL.path, NGINX.path))
        if IPERF.path:
            sides["iperf3, no file"] = opened.enter_context(iperf3(source, IPERF.path))
        taken = in_turn(options.runs, sides)
        server_peak = system.peak_memory(ours.server.pid) if system.LINUX else 0

    rows = [(f"{options.size} MiB", "seconds", "GB/s", "ours : peer", "goal")]
    rates = {name: [size / second / 1e9 for second in taken[name]] for name in taken}
    for name in sides:
        ratio = ratios(rates["ours"], rates[name])
        verdict = ("", "") if name == "ours" else (told(ratio), goals[name].told(ratio))
        rows.append((name, told(taken[name]), told(rates[name]), *verdict))
    print(table(rows))
    for who, peak in (("server", server_peak / 1e6), ("client", max(ours.peaks) / 1e6)):
        known = f"{peak:.1f} MB, {MEMORY.told([peak])}" if peak else "not known here"
        print(f"  peak memory of our {who}: {known}")
    print(generator("our client", ratios(ours.busy[1:], taken["ours"])))
    print("".join(peer.missing for peer in (NC, NGINX, CURL, IPERF)), end="")


class Uploads:
    """Our client's uploads to our server; of each: seconds computed, and peak memory in bytes."""

    def __init__(self, source: Path, port: int, server: Process) -> None:
        self.server = server
        self.busy: list[float] = []
        self.peaks: list[int] = []
        self._source, self._report = source, source.with_name("report")
        client = [f"{LAB}.client", "--port", str(port), os.fspath(source)]
        self._command = python("bench.inside", os.fspath(self._report), *client)

    def seconds(self) -> float:
        """Upload once, and return the seconds that it took."""
        seconds = run(self._command)
        busy, peak = self._report.read_text("ascii").split()
        self.busy.append(float(busy))
        self.peaks.append(int(peak))
        check(self._source, self._source.with_name("received_source"))
        return seconds


@contextmanager
def uploads(source: Path) -> Iterator[Uploads]:
    """Run our server, which stores beside `source`."""

    def command(port: int) -> list[str]:
        options = ["--port", str(port), "--directory", os.fspath(source.parent)]
        return python(f"{LAB}.server", *options)

    with serving(command, "Listening on") as (port, server):
        yield Uploads(source, port, server)


def nc(source: Path, path: str) -> Seconds:
    """Return what sends the file with nc to nc, which writes it into a file."""
    target = source.with_name("from_nc")

    def receiver(port: int) -> list[str]:
        return [path, "-v", "-n", "-d", "-l", "127.0.0.1", str(port)]

    def seconds() -> float:
        with source.open("rb") as file, target.open("wb") as written:
            listening = serving(receiver, "Listening on", stdout=written, stderr=subprocess.PIPE)
            with listening as (port, server):
                began = time.perf_counter()
                run([path, "-N", "-n", "127.0.0.1", str(port)], stdin=file)
                finish(server)
                taken = time.perf_counter() - began
        check(source, target)
        return taken

    return seconds


@contextmanager
def curl(source: Path, path: str, nginx: str) -> Iterator[Seconds]:
    """Run nginx in the file's folder; give what downloads the file with curl into a file."""
    folder, target = source.parent, source.with_name("from_nginx")

    def command(port: int) -> list[str]:
        text = NGINX_CONF.format(port=port, folder=folder)
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        return [nginx, "-e", "stderr", "-p", os.fspath(folder), "-c", "nginx.conf"]

    with serving(command, "event method") as (port, _):
        url = f"http://127.0.0.1:{port}/{source.name}"

        def seconds() -> float:
            taken = run([path, "-q", "-s", "-f", "-o", os.fspath(target), url])
            check(source, target)
            return taken

        yield seconds


@contextmanager
def iperf3(source: Path, path: str) -> Iterator[Seconds]:
    """Run an iperf3 server; give what sends it as much, at the rate that the receiver saw."""
    size, report = source.stat().st_size, source.with_name("iperf3.json")

    def command(port: int) -> list[str]:
        return [path, "-s", "--forceflush", "-B", "127.0.0.1", "-p", str(port)]

    with serving(command, "Server listening") as (port, _):
        client = [path, "-c", "127.0.0.1", "-p", str(port), "-n", str(size), "-J"]

        def seconds() -> float:
            with report.open("wb") as file:
                run(client, stdout=file)
            received = json.loads(report.read_bytes())["end"]["sum_received"]
            return size * 8 / float(received["bits_per_second"])

        yield seconds


def check(source: Path, arrived: Path) -> None:
    """Remove what arrived. Raises Broken if it is not as long as what was sent."""
    if arrived.stat().st_size != source.stat().st_size:
        raise Broken(f"{arrived.name} has {arrived.stat().st_size:,} bytes")
    arrived.unlink()
