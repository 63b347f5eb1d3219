"""The bench: what it makes of its measurements, and what it says when it cannot measure."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import crowd, lab3, lab4, lab5
from bench.figures import Goal, in_turn, ratios, table, told
from bench.programs import Peer

ROOT = Path(__file__).parents[2]

# The peer is a program in C, and who runs these tests need not have a compiler.
needs_cc = pytest.mark.skipif(not lab5.CC.path, reason="cc is not installed")


def test_the_median_is_told_with_its_spread() -> None:
    assert told([1.5, 9.0, 1.0]) == "1.50 (1.00..9.00)"


def test_ratios_are_taken_pair_by_pair() -> None:
    assert ratios([1.0, 8.0], [2.0, 4.0]) == [0.5, 2.0]


def test_a_goal_says_whether_the_median_reaches_it() -> None:
    assert Goal(1.5).told([1.5]) == ">= 1.5 reached"
    assert Goal(24, " MB", most=True).told([25]) == "<= 24 MB MISSED"


def test_the_sides_are_measured_in_turn_and_the_first_round_is_not_counted() -> None:
    order: list[str] = []

    def side(name: str) -> int:
        order.append(name)
        return len(order)

    results = in_turn(2, {"a": lambda: side("a"), "b": lambda: side("b")})

    assert "".join(order) == "baabba"
    assert results == {"a": [3, 6], "b": [4, 5]}


def test_a_table_has_aligned_columns() -> None:
    assert table([("", "GB/s"), ("ours", "1.2")]) == "         GB/s\n  ours   1.2"


def test_a_peer_that_is_missing_is_named_with_its_package() -> None:
    line = Peer("no-such-command", "some-package").missing

    assert line == "  not measured: no-such-command is missing (Debian package some-package)\n"


def test_a_peer_that_is_there_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda command, path: f"/bin/{command}")

    assert lab3.NC.missing == ""


def test_a_bad_argument_is_one_line_and_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "lab99"],
        env=os.environ | {"PYTHONPATH": os.fspath(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 2
    assert "there is no lab99 to measure" in done.stderr.splitlines()[-1]


def test_the_header_says_how_busy_the_cores_are(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([[10, 0, 10, 100, 0, 0, 0, 0], [40, 0, 20, 150, 10, 0, 0, 0]])
    monkeypatch.setattr(bench, "core_times", lambda: next(times))
    monkeypatch.setattr(bench, "MOMENT", 0)

    assert bench.busy() == 0.4


@pytest.mark.parametrize("peer", [lab4.OURS, lab4.NGIRCD.command, lab4.MOSQUITTO.command])
def test_a_crowd_counts_what_arrives_in_each_language(tmp_path: Path, peer: str) -> None:
    if not (chat := lab4.installed(tmp_path).get(peer)):
        pytest.skip(f"{peer} is not installed")
    with chat.crowd() as (clients, _):
        clients.grow(3)
        clients.stall(messages=2, size=20)

        delays = clients.delays(rate=100, messages=3, size=20)
        clients.weigh(size=30)
        deliveries, seconds, _ = clients.pour(writers=2, ahead=2, messages=5, size=30)

    assert deliveries == (30 if chat.language.echoes else 20)
    assert len(delays) == (9 if chat.language.echoes else 6)
    assert seconds > 0
    assert max(delays) < crowd.PATIENCE


def test_lab4_prints_its_table_and_names_the_peers_that_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda command, path: None)
    monkeypatch.setattr(lab4, "LOADS", lab4.LOADS[:1])
    monkeypatch.setattr(lab4, "TIMED", 1)

    lab4.measure(argparse.Namespace(clients=3, messages=2, users=3, runs=1))

    printed = capsys.readouterr().out
    assert "not measured: ngircd is missing (Debian package ngircd)" in printed
    assert "one writes, 64 ahead" in printed
    assert "load generator: the crowd, at ours," in printed
    assert "memory for 3 silent users" in printed


@pytest.fixture
def short_lab5(monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    short = {"CROWDS": (3,), "TURNS": 1, "DELIVERIES": 30, "BURST": 10, "ROUND_TRIPS": 3}
    for name, value in short.items():
        monkeypatch.setattr(lab5, name, value)
    return argparse.Namespace(runs=1)


@needs_cc
def test_lab5_measures_the_same_in_c(
    short_lab5: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    lab5.measure(short_lab5)

    printed = capsys.readouterr().out
    assert "a text to 3 members" in printed
    assert "an echo at a time" in printed
    assert printed.count("\n  C  ") == 2
    assert ">= 0.7" in printed
    assert ">= 0.8" in printed


def test_lab5_measures_ours_alone_where_there_is_no_compiler(
    monkeypatch: pytest.MonkeyPatch,
    short_lab5: argparse.Namespace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("shutil.which", lambda command, path: None)

    lab5.measure(short_lab5)

    printed = capsys.readouterr().out
    assert "not measured: cc is missing (Debian package gcc)" in printed
    assert printed.count("\n  ours  ") == 2
    assert "\n  C  " not in printed


@needs_cc
def test_lab5_says_why_its_peer_is_not_compiled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab5, "SOURCE", tmp_path / "broken.c")
    lab5.SOURCE.write_text("#error no sockets here\n", encoding="ascii")

    with lab5.compiled() as peer:
        assert peer is None

    printed = capsys.readouterr().out
    assert "not measured: cc does not compile broken.c" in printed
    assert "no sockets here" in printed
