"""The relay passes on what comes as it comes, unless told otherwise, and records what went by.

Both ends and the relay are in one thread, which lets the relay work until something is so. Most
tests give it a clock that stands still: what comes through then has not waited for anything.
"""

import base64
import contextlib
import errno
import importlib
import random
import re
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from kit.lab import Lab
from kit.ports import free_port
from kit.story import KEPT_EVENTS, printable
from kit.udp import MAX_DATAGRAM, udp_socket
from pictures.ladder import ladder
from relay import __main__ as program
from relay.datagrams import IDLE, Datagrams
from relay.loop import HOST, Relay
from relay.network import HELD_BACK, PAUSE, Network
from relay.record import QUIET, Record
from relay.streams import LOOK, ROOM, Streams

ROOT = Path(__file__).parents[2]
PATIENCE = 10.0  # seconds
PIECE = 65_536  # bytes
RESET = b"<reset>"


class Clock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Stand:
    """A relay before a server's port, where nobody listens as yet."""

    def __init__(self, lab: str = "", **network: Any) -> None:
        self.lines: list[str] = []
        self.clock = Clock()
        self.record = Record(lab, self.lines.append, self.clock)
        self.server_port = free_port()
        to = (HOST, self.server_port)
        self.relay = Relay(
            *(0, to, ("tcp", "udp"), self.record, Network(**network), self.clock),
        )
        self.streams = cast(Streams, self.relay.sides[0])
        self.datagrams = cast(Datagrams, self.relay.sides[1])
        self.listener: socket.socket | None = None
        self.open: list[socket.socket] = []

    def until(self, over: Callable[[], object]) -> None:
        """Let the relay work until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not over():
            assert time.monotonic() < deadline, "\n".join(["in vain", *self.lines])
            self.relay.turn(0.002)

    def idles(self, seconds: float = 0.0) -> None:
        """Put the clock forward, and let the relay do all that it can do."""
        self.clock.now += seconds
        for _ in range(20):
            self.relay.turn(0)

    def keeps(self, sock: socket.socket) -> socket.socket:
        """Make a socket one that does not wait, and that is closed at the end."""
        sock.setblocking(False)
        self.open.append(sock)
        return sock

    def calls(self) -> socket.socket:
        """Return a new client's end of a connection to the relay."""
        return self.keeps(socket.create_connection((HOST, self.relay.port)))

    def pair(self) -> tuple[socket.socket, socket.socket]:
        """Return the client's and the server's end of a new connection through the relay."""
        if not self.listener:
            self.listener = self.keeps(socket.create_server((HOST, self.server_port)))
        listener, client = self.listener, self.calls()
        came: list[socket.socket] = []

        def accepted() -> bool:
            with contextlib.suppress(BlockingIOError):
                came.append(listener.accept()[0])
            return bool(came) and f"from port {client.getsockname()[1]}" in str(self.lines)

        self.until(accepted)
        return client, self.keeps(came[0])

    def next(self, sock: socket.socket) -> bytes:
        """Return what comes next: b"" at the end of the stream, RESET if it was broken off."""
        came: bytes | None = None

        def over() -> bool:
            nonlocal came
            came = piece(sock)
            return came is not None

        self.until(over)
        assert came is not None
        return came

    def gets(self, sock: socket.socket, size: int) -> bytes:
        """Return the next so many bytes of a stream, or what there is before its end."""
        data = bytearray()
        while len(data) < size and (more := self.next(sock)):
            data += more
        return bytes(data)

    def carries(self, source: socket.socket, target: socket.socket, data: bytes) -> bytes:
        """Send data at one end while the other reads; return what came there."""
        left, came = memoryview(data), bytearray()

        def over() -> bool:
            nonlocal left
            with contextlib.suppress(BlockingIOError):
                left = left[source.send(left[:PIECE]) :] if left else left
            came.extend(piece(target) or b"")
            return len(came) >= len(data)

        self.until(over)
        return bytes(came)

    def floods(self, sock: socket.socket) -> int:
        """Send until nobody takes any more; return how many bytes were taken."""
        sent = before = 0
        while True:
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent += sock.send(bytes(PIECE))
            self.idles()
            if sent == before:
                return sent
            before = sent

    def udp(self, port: int = 0) -> socket.socket:
        """Return a UDP socket: a client's, or with its port the server's."""
        return self.keeps(udp_socket((HOST, port)))

    def story(self) -> list[dict[str, Any]]:
        """Return what has been recorded."""
        story: list[dict[str, Any]] = self.record.check()["story"]
        return story

    def told(self, mark: str, who: str = "client 1") -> list[bytes]:
        """Return what was recorded as sent (->) or received (<-) by a client, piece by piece."""
        lines = [line for line in self.story() if (line["who"], line["mark"]) == (who, mark)]
        return [base64.b64decode(line["data"]) for line in lines if not line["flag"]]

    def ends(self) -> None:
        """Close everything."""
        self.relay.closes()
        for sock in self.open:
            sock.close()


def piece(sock: socket.socket) -> bytes | None:
    """Return what has come and was not read: None if nothing has."""
    try:
        return sock.recv(PIECE)
    except BlockingIOError:
        return None
    except ConnectionError:
        return RESET


def breaks_off(sock: socket.socket) -> None:
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.fixture
def stand() -> Iterator[Callable[..., Stand]]:
    """Return what makes a stand: stand("lab4", chop=1)."""
    made: list[Stand] = []

    def make(lab: str = "", **network: Any) -> Stand:
        made.append(Stand(lab, **network))
        return made[-1]

    yield make
    for each in made:
        each.ends()


Make = Callable[..., Stand]

# Streams


@pytest.mark.parametrize("size", [1, 1_460, 65_537, 5_000_000])
def test_a_stream_arrives_as_it_was_sent_in_both_directions(stand: Make, size: int) -> None:
    at = stand()
    client, server = at.pair()
    data = random.Random(size).randbytes(size)

    assert at.carries(client, server, data) == data
    assert at.carries(server, client, data[::-1]) == data[::-1]
    assert sum(line.get("size", 0) for line in at.story()) == 2 * size


def test_pieces_of_any_size_arrive_in_their_order(stand: Make) -> None:
    at = stand()
    client, server = at.pair()
    seed = random.randrange(1_000)
    numbers = random.Random(seed)
    pieces = [numbers.randbytes(numbers.choice((1, 2, 30, 100))) for _ in range(200)]

    came = b""
    for each in pieces:
        client.send(each)
        if numbers.random() < 0.3:
            at.relay.turn(0)
        came += piece(server) or b""
    sent = b"".join(pieces)
    came += at.gets(server, len(sent) - len(came))

    assert came == sent, f"seed {seed}"
    assert b"".join(at.told("->")) == sent


def test_a_message_gets_through_while_no_time_passes_and_nothing_else_happens(stand: Make) -> None:
    at = stand()
    client, server = at.pair()

    client.send(b"hi")
    assert at.next(server) == b"hi"
    server.send(b"ho")
    assert at.next(client) == b"ho"


def test_whoever_cannot_be_accepted_is_not_asked_for_again_and_again(
    stand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = stand()
    asked: list[str] = []

    def accept(_: socket.socket) -> None:
        asked.append("accept")
        raise OSError(errno.EMFILE, "Too many open files")

    at.idles()  # it has just looked round
    at.calls()
    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "accept", accept)
        at.idles()
    at.idles(LOOK)

    assert asked == ["accept"]
    assert "cannot be led" in at.lines[-1]


def test_the_end_of_one_direction_leaves_the_other_open(stand: Make) -> None:
    at = stand()
    client, server = at.pair()

    client.send(b"question")
    client.shutdown(socket.SHUT_WR)
    assert (at.next(server), at.next(server)) == (b"question", b"")
    server.send(b"answer")
    server.close()
    assert (at.next(client), at.next(client)) == (b"answer", b"")

    assert [(line["mark"], line["flag"]) for line in at.story()] == [
        *[("--", ""), ("->", ""), ("--", "FIN"), ("<-", ""), ("<-", "FIN")]
    ]
    assert not at.streams.connections


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_at_one_end_is_one_at_the_other_behind_what_was_sent(stand: Make, who: str) -> None:
    at = stand()
    client, server = at.pair()
    first, other = (client, server) if who == "client" else (server, client)

    first.send(b"last words")
    breaks_off(first)

    assert (at.next(other), at.next(other)) == (b"last words", RESET)
    end = at.story()[-1]
    assert (end["mark"], end["flag"]) == ("--" if who == "client" else "<-", "RST")
    assert not at.streams.connections


def test_an_answer_gets_through_although_the_server_breaks_off_unread(stand: Make) -> None:
    at = stand()
    client, server = at.pair()

    client.send(b"x" * 100_000)
    at.idles()
    server.send(b"too long")
    server.close()  # with bytes unread: a reset behind the answer
    client.send(b"more")

    assert (at.next(client), at.next(client)) == (b"too long", RESET)


@pytest.mark.parametrize("ends", [socket.socket.close, breaks_off])
def test_what_ends_one_connection_harms_no_other(
    stand: Make, ends: Callable[[socket.socket], None]
) -> None:
    at = stand()
    client, server = at.pair()
    dying, dead = at.pair()

    dying.send(b"half a")
    ends(dead)
    ends(dying)
    client.send(b"hi")

    assert at.next(server) == b"hi"
    at.until(lambda: len(at.streams.connections) == 1)


def test_without_a_server_the_client_is_reset_and_the_next_one_served(stand: Make) -> None:
    at = stand()

    early = at.calls()
    assert at.next(early) == RESET
    assert (
        f"client 1  cannot be led to {HOST}:{at.server_port}: nobody listens there" in at.lines[0]
    )
    assert not at.streams.connections

    client, server = at.pair()
    client.send(b"hi")
    assert at.next(server) == b"hi"


def test_who_does_not_read_stops_who_sends(stand: Make) -> None:
    at = stand()
    client, server = at.pair()

    sent = at.floods(client)
    (connection,) = at.streams.connections
    assert 0 < len(connection._to_server.waiting) <= ROOM
    assert at.floods(client) == 0

    client.shutdown(socket.SHUT_WR)
    assert at.gets(server, sent + 1) == bytes(sent)


def test_a_reset_is_passed_on_by_who_is_not_read_from_at_the_moment(stand: Make) -> None:
    at = stand()
    client, server = at.pair()
    at.floods(client)

    breaks_off(client)
    at.idles()
    at.idles(LOOK)

    assert not at.streams.connections
    while (last := at.next(server)) and last != RESET:
        pass
    assert last == RESET


def test_a_crowd_is_served_and_each_gets_its_own(stand: Make) -> None:
    at = stand()
    pairs = [at.pair() for _ in range(50)]

    for number, (client, _) in enumerate(pairs):
        client.send(b"%d" % number)

    assert [at.next(server) for _, server in pairs] == [b"%d" % number for number in range(50)]
    assert at.told("->", "client 50") == [b"49"]


# Streams that are cut up or gathered


def test_chop_passes_on_so_many_bytes_at_a_time_and_waits_in_between(stand: Make) -> None:
    at = stand(chop=3)
    client, server = at.pair()

    client.send(b"abcdefgh")
    assert at.next(server) == b"abc"
    at.idles()
    assert piece(server) is None
    at.idles(PAUSE)
    assert at.next(server) == b"def"
    client.shutdown(socket.SHUT_WR)
    at.idles(PAUSE)
    assert at.gets(server, 9) == b"gh"

    assert at.told("->") == [b"abc", b"def", b"gh"]


def test_chop_cuts_what_the_server_sends_as_well(stand: Make) -> None:
    at = stand(chop=1)
    client, server = at.pair()

    server.send(b"hi")
    assert at.next(client) == b"h"
    at.idles(PAUSE)

    assert at.next(client) == b"i"


def test_hold_gathers_what_comes_and_passes_it_on_in_one_piece(stand: Make) -> None:
    at = stand(hold=0.2)
    client, server = at.pair()

    client.send(b"one ")
    at.idles()
    client.send(b"two")
    at.idles(0.1)
    assert piece(server) is None
    at.idles(0.1)

    assert at.next(server) == b"one two"
    assert at.told("->") == [b"one two"]


def test_what_is_gathered_is_not_lost_when_its_sender_leaves(stand: Make) -> None:
    at = stand(hold=0.2)
    (client, server), (rude, other) = at.pair(), at.pair()

    client.send(b"bye")
    client.close()
    rude.send(b"bye")
    breaks_off(rude)
    assert at.next(other) == b"bye"
    at.idles(0.2)

    assert (at.next(server), at.next(server)) == (b"bye", b"")


# Datagrams


@pytest.mark.parametrize("size", [0, 1, 4_096, MAX_DATAGRAM])
def test_a_datagram_arrives_as_it_was_sent_and_so_does_the_answer(stand: Make, size: int) -> None:
    at = stand()
    client, server = at.udp(), at.udp(at.server_port)
    data = random.Random(size).randbytes(size)

    client.sendto(data, (HOST, at.relay.port))
    at.until(lambda: at.told("->"))
    came, sender = server.recvfrom(PIECE)
    server.sendto(came[::-1], sender)
    at.until(lambda: at.told("<-"))

    assert came == data
    assert client.recvfrom(PIECE) == (data[::-1], (HOST, at.relay.port))
    assert [line["size"] for line in at.story()] == [0, size, size]


def test_the_server_tells_clients_apart_and_each_gets_its_own_answer(stand: Make) -> None:
    at = stand()
    clients, server = [at.udp(), at.udp()], at.udp(at.server_port)
    senders = set()

    for number, client in enumerate(clients * 2):
        client.sendto(b"%d" % number, (HOST, at.relay.port))
        at.until(lambda: at.told("->", "client 1") + at.told("->", "client 2"))
        at.idles()
        data, sender = server.recvfrom(PIECE)
        server.sendto(data, sender)
        senders.add(sender)
        assert at.next(client) == data

    assert len(senders) == 2
    assert at.told("<-", "client 2") == [b"1", b"3"]


def test_it_survives_that_nobody_has_the_servers_port(stand: Make) -> None:
    at = stand()
    client = at.udp()

    client.sendto(b"1", (HOST, at.relay.port))
    at.until(lambda: "is told that nobody has port" in str(at.lines))
    server = at.udp(at.server_port)
    client.sendto(b"2", (HOST, at.relay.port))

    assert at.next(server) == b"2"
    assert len(at.datagrams.visitors) == 1


def test_it_survives_that_a_client_has_gone(stand: Make) -> None:
    at = stand()
    client, other, server = at.udp(), at.udp(), at.udp(at.server_port)
    client.sendto(b"1", (HOST, at.relay.port))
    at.until(lambda: at.told("->"))
    _, sender = server.recvfrom(PIECE)

    client.close()
    server.sendto(b"too late", sender)
    at.until(lambda: at.told("<-"))
    other.sendto(b"2", (HOST, at.relay.port))

    assert at.next(server) == b"2"


def test_who_is_silent_for_long_is_forgotten_and_welcome_again(stand: Make) -> None:
    at = stand()
    client, server = at.udp(), at.udp(at.server_port)
    client.sendto(b"1", (HOST, at.relay.port))
    assert at.next(server) == b"1"

    at.idles(IDLE + 1)
    assert not at.datagrams.visitors
    client.sendto(b"2", (HOST, at.relay.port))

    assert at.next(server) == b"2"


def sent(at: Stand, count: int) -> list[bytes]:
    """Send datagrams "1", "2" … and return what the server got."""
    client, server = at.udp(), at.udp(at.server_port)
    for number in range(1, count + 1):
        client.sendto(b"%d" % number, (HOST, at.relay.port))
    at.idles()
    came = []
    while (data := piece(server)) is not None:
        came.append(data)
    return came


def test_drop_loses_each_nth_datagram_and_says_which(stand: Make) -> None:
    at = stand(drop=3)

    assert sent(at, 7) == [b"1", b"2", b"4", b"5", b"7"]

    assert at.told("->") == [b"1", b"2", b"4", b"5", b"7"]
    dropped = [line for line in at.lines if "is dropped" in line]
    assert [line.partition("client 1  ")[2] for line in dropped] == [
        'a datagram to the server is dropped: "3"',
        'a datagram to the server is dropped: "6"',
    ]


def test_drop_counts_the_answers_too(stand: Make) -> None:
    at = stand(drop=2)
    client, server = at.udp(), at.udp(at.server_port)

    client.sendto(b"hi", (HOST, at.relay.port))
    at.until(lambda: at.told("->"))
    data, sender = server.recvfrom(PIECE)
    server.sendto(data, sender)
    at.until(lambda: "a datagram from the server is dropped" in at.lines[-1])

    assert piece(client) is None


def test_reorder_swaps_each_third_datagram_with_the_next(stand: Make) -> None:
    at = stand(reorder=True)

    assert sent(at, 7) == [b"1", b"2", b"4", b"3", b"5", b"7", b"6"]
    assert at.told("->") == [b"1", b"2", b"4", b"3", b"5", b"7", b"6"]


def test_a_datagram_that_nothing_overtakes_is_only_late(stand: Make) -> None:
    at = stand(reorder=True)
    assert sent(at, 3) == [b"1", b"2"]

    at.idles(HELD_BACK)

    assert at.told("->") == [b"1", b"2", b"3"]


# The record


def test_the_record_is_a_story_of_what_the_ends_saw(stand: Make) -> None:
    at = stand("lab4")
    client, server = at.pair()
    port = client.getsockname()[1]

    client.send('{"username": "анна"}\n'.encode())
    greeting = at.next(server)
    server.send(b'{"type": "pong"}\n')
    at.next(client)

    link = {"wire": "tcp", "role": "client", "port": port, "other": "server"}
    first, login, pong = at.story()
    for line in (first, login, pong):
        assert line.items() >= (link | {"other_port": at.server_port, "who": "client 1"}).items()
    assert first["what"] == f"connects from port {port}"
    assert base64.b64decode(login["data"]) == greeting
    assert at.told("<-") == [b'{"type": "pong"}\n']
    assert [line.partition("client 1 ")[2] for line in at.lines[1:]] == [
        '-> server  login username="анна"',
        "<- server  pong",
    ]


def test_a_message_that_comes_in_pieces_is_one_line(stand: Make) -> None:
    at = stand("lab4")
    client, server = at.pair()

    for data in (b'{"type"', b': "pi', b'ng"}\n'):
        client.send(data)
        at.next(server)

    assert [line.partition("client 1 ")[2] for line in at.lines[1:]] == [
        "-> server  ping  (in 3 pieces)"
    ]


def test_pieces_for_two_clients_at_once_are_a_line_each(stand: Make) -> None:
    at = stand("lab4", chop=4)
    (one, first), (two, second) = at.pair(), at.pair()

    for server in (first, second):
        server.send(b'{"type": "pong"}\n')
    for _ in range(5):
        at.idles(PAUSE)

    assert at.gets(one, 17) == at.gets(two, 17) == b'{"type": "pong"}\n'
    assert sorted(line.partition("client ")[2] for line in at.lines[2:]) == [
        "1 <- server  pong  (in 5 pieces)",
        "2 <- server  pong  (in 5 pieces)",
    ]
    arrows = [step for step in ladder(at.record.check()).steps if step.kind == "arrow"]
    assert sorted((step.to, step.text, step.lines) for step in arrows) == [
        ("client 1", "pong", 5),
        ("client 2", "pong", 5),
    ]


def test_half_a_message_is_shown_when_nothing_follows(stand: Make) -> None:
    at = stand("lab4")
    client, server = at.pair()

    client.send(b'{"type"')
    at.next(server)
    assert len(at.lines) == 1
    at.idles(QUIET + 0.1)

    assert at.lines[-1].endswith('client 1 -> server  "{\\"type\\""…')


def test_what_programs_send_cannot_harm_the_terminal(stand: Make) -> None:
    at = stand("lab4")
    client, server = at.pair()

    client.send(b'{"type": "\\u001b[2J\\r", "message": "\\u202e\\n"}\n\x1b[2J\r\n')
    at.next(server)

    assert all(line == printable(line) and "\n" not in line for line in at.lines)


def test_a_long_trace_goes_on_though_its_story_ends(stand: Make) -> None:
    at = stand(drop=1)
    client = at.udp()

    for _ in range(KEPT_EVENTS + 50):
        client.sendto(b"hi", (HOST, at.relay.port))
        at.relay.turn(0)
    at.until(lambda: len(at.lines) == KEPT_EVENTS + 51)

    assert at.record.full
    assert len(at.story()) == KEPT_EVENTS


# The program


def test_a_trace_leaves_its_three_files(
    stand: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = stand("lab4")
    client, server = at.pair()
    client.send(b'{"type": "ping"}\n')
    at.next(server)
    monkeypatch.setattr(program, "ROOT", tmp_path)

    assert program.leave(at.record) == 0

    folder = tmp_path / ".labs" / "trace"
    assert sorted(file.name for file in folder.iterdir()) == [
        *("story.mmd", "story.pcapng", "story.svg")
    ]
    assert capsys.readouterr().out.startswith("\ntrace: 2 steps: .labs/trace/story.")


def test_ctrl_c_ends_it_with_exit_code_0_and_no_empty_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def turn(_: Relay) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Relay, "turn", turn)
    monkeypatch.setattr(program, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["relay", "lab1", "--listen", "0"])

    assert program.main() == 0

    told = capsys.readouterr().out
    assert re.match(r"\[INFO\] Listening on 127\.0\.0\.1:\d+ \(TCP and UDP\)", told)
    assert told.endswith("nothing came: no files were written\n")
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setattr(sys, "argv", ["relay", "lab4", "--listen", port])

        assert program.main() == 1

    told = capsys.readouterr()
    assert re.fullmatch(rf"\[ERROR\] cannot listen on 127\.0\.0\.1:{port}: .*\n", told.err)
    assert told.out == ""


@pytest.mark.parametrize("name", sorted(program.LABS))
def test_a_lab_is_traced_before_the_port_that_its_programs_have(name: str) -> None:
    folder = program.LABS[name]
    lab: Lab = importlib.import_module(f"{folder}.lab").LAB
    texts = [file.read_text("utf-8") for file in (ROOT / "solutions" / folder).glob("*.py")]
    said = {int(port) for text in texts for port in re.findall(r"options\(.*port=(\d+)\)", text)}

    told = program.options([name])

    assert said == {lab.port}
    assert told.to == (HOST, lab.port)
    assert told.listen == lab.port + 1_000


def test_any_other_server_can_be_traced() -> None:
    told = program.options(
        ["--listen", "0", "--to", "localhost:9", "--protocol", "lab3", "--hold", "200ms"]
    )

    assert (told.lab, told.listen, told.to) == ("lab3", 0, (HOST, 9))
    assert told.network == Network(hold=0.2)
    assert told.wires == ("tcp",)
    assert program.options(["--listen", "1", "--to", "127.0.0.1:2"]).wires == ("tcp", "udp")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "name a lab, or say both --listen and --to"),
        ("--to 127.0.0.1:80 --protocol lab4", "name a lab, or say both --listen and --to"),
        ("lab99", "there is no lab99; there are lab0"),
        ("lab4 --protocol lab4", "name the lab once: as LAB, or with --protocol"),
        ("lab4 --drop 3", "lab4 has no datagrams, which --drop and --reorder are for"),
        ("lab2 --reorder", "lab2 has no datagrams, which --drop and --reorder are for"),
        ("lab4 --chop 1 --hold 1s", "--chop and --hold contradict each other"),
        ("lab4 --chop 0", "argument --chop: '0' is no number from 1 to 1,000,000"),
        ("lab4 --chop ¹", "argument --chop: '¹' is no number from 1 to 1,000,000"),
        ("lab1 --drop -1", "argument --drop: "),
        ("lab4 --hold 200", "argument --hold: '200' is no time such as 200ms or 2s"),
        ("lab4 --hold 0s", "argument --hold: '0s' is no time such as 200ms or 2s"),
        ("lab4 --hold nans", "argument --hold: 'nans' is no time such as 200ms or 2s"),
        ("lab4 --listen 65536", "argument --listen: '65536' is no number from 0 to 65,535"),
        ("lab4 --listen 8083", "it would pass everything on to itself"),
        ("lab4 --to 8083", "argument --to: '8083' is no HOST:PORT"),
        (
            "lab4 --to nobody.invalid:1",
            "argument --to: no IPv4 address is known of 'nobody.invalid'",
        ),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        program.options(line.split())

    told = capsys.readouterr()
    assert end.value.code == 2
    assert told.err.startswith(f"[ERROR] {said}")
    assert told.err.count("\n") == 1
