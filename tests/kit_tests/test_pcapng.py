"""The packets made of a story are what Wireshark takes for good ones: read back by two readers.

One is the short one below, which checks every length, checksum and sequence number; the other is
tshark, where it is installed.
"""

import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kit.story import KEPT_PIECE, Event, Link
from pictures.pcapng import MOST_UNSEEN, capture

SYN, FIN, RST, ACK = 0x02, 0x01, 0x04, 0x10
SECTION, INTERFACE, NAMES, PACKET = 0x0A0D0D0A, 1, 4, 6
WARNING = 0x600000  # Wireshark's expert information knows notes, warnings and errors
TSHARK = shutil.which("tshark")

ALICE = Link("tcp", "client", 50_001, "server", 8_083)
SERVED = Link("tcp", "server", 40_000, "client", 50_002)
TALK = Link("udp", "client", 50_003, "server", 8_084)


def check(*events: Event) -> dict[str, Any]:
    """Return a check with this story."""
    return {"story": [event.as_dict() for event in events]}


CHAT = check(
    Event(0.0, "server", "$", "python -m labs.lab4_chat.server"),
    Event(0.5, "alice", "->", "b'hi, \\xd1\\x8f'", ALICE, "hi, я".encode(), 6),
    Event(0.75, "alice", "<-", "b'ho'", ALICE, b"ho", 2),
    Event(1.0, "alice", "--", "ends its sending side", ALICE, flag="FIN"),
    Event(1.25, "alice", "<-", "the end of the stream", ALICE, flag="FIN"),
    Event(1.5, "alice", "--", "closes the connection", ALICE, flag="FIN"),
)


class Packet(NamedTuple):
    """A packet that was read; `flags`, `seq` and `ack` are TCP's."""

    time: float
    comment: str
    size: int
    source: tuple[str, int]
    target: tuple[str, int]
    data: bytes
    missing: int
    flags: int = 0
    seq: int = 0
    ack: int = 0


def blocks(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each block's type and body; its length stands before and behind it, in fours."""
    at = 0
    while at < len(file):
        kind, size = struct.unpack_from("<II", file, at)
        assert size % 4 == 0
        assert struct.unpack_from("<I", file, at + size - 4) == (size,)
        yield kind, file[at + 8 : at + size - 4]
        at += size


def options(data: bytes) -> dict[int, bytes]:
    """Return a block's options by their codes."""
    found, at = {}, 0
    while (code := struct.unpack_from("<H", data, at)[0]) != 0:
        (size,) = struct.unpack_from("<H", data, at + 2)
        found[code] = data[at + 4 : at + 4 + size]
        at += 4 + (size + 3) // 4 * 4
    assert at + 4 == len(data)
    return found


def packets(file: bytes) -> list[Packet]:
    """Return the packets of a file, of which everything is looked at that can be wrong."""
    (first, head), (second, interface), (third, _), *rest = blocks(file)
    assert (first, second, third) == (SECTION, INTERFACE, NAMES)
    assert struct.unpack("<IHHq", head) == (0x1A2B3C4D, 1, 0, -1)
    assert struct.unpack("<HHI", interface) == (228, 0, 0)
    found = []
    for kind, body in rest:
        assert kind == PACKET
        number, high, low, kept, size = struct.unpack_from("<IIIII", body)
        assert number == 0
        told = options(body[20 + (kept + 3) // 4 * 4 :])
        time = (high * 2**32 + low) / 1e6
        found.append(ipv4(body[20 : 20 + kept], size, time, told[1].decode()))
    return found


def ipv4(data: bytes, size: int, time: float, comment: str) -> Packet:
    """Take a packet apart."""
    version, _, total, _, _, _, protocol = struct.unpack_from(">BBHHHBB", data)
    assert (version, total) == (0x45, size)
    assert total_of(data[:20]) == 0xFFFF
    hosts = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    body = data[20:]
    ports = struct.unpack_from(">HH", body)
    ends = (hosts[0], ports[0]), (hosts[1], ports[1])
    whole = total_of(data[12:20] + struct.pack(">HH", protocol, size - 20) + body) == 0xFFFF
    missing = size - len(data)
    if protocol == 17:
        length, told = struct.unpack_from(">HH", body, 4)
        assert length == size - 20
        assert whole if not missing else told == 0
        return Packet(time, comment, length - 8, *ends, body[8:], missing)
    assert protocol == 6
    assert whole
    seq, ack, offset, flags = struct.unpack_from(">IIBB", body, 4)
    start = offset // 16 * 4
    return Packet(time, comment, size - 20 - start, *ends, body[start:], missing, flags, seq, ack)


def total_of(data: bytes) -> int:
    """Return the sum that is all ones if the checksum in `data` is right (RFC 1071)."""
    total: int = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def follow(found: list[Packet]) -> None:
    """See that one connection begins with a handshake, and that all its numbers join."""
    first, second, third, *_ = found
    assert [packet.flags for packet in (first, second, third)] == [SYN, SYN | ACK, ACK]
    assert first.source == second.target == third.source
    sent = {first.source: 0, first.target: 0}
    for packet in found:
        assert packet.seq == sent[packet.source] % 2**32
        sent[packet.source] += packet.size + bool(packet.flags & (SYN | FIN))
        if packet.flags & ACK:
            assert packet.ack == sent[packet.target] % 2**32


def test_a_connection_has_a_handshake_its_data_and_its_ends() -> None:
    found = packets(capture(CHAT))

    follow(found)
    assert [(packet.data, packet.flags) for packet in found[3:]] == [
        *[("hi, я".encode(), ACK), (b"ho", ACK), (b"", FIN | ACK), (b"", FIN | ACK)]
    ]
    assert [packet.time for packet in found] == [0.5, 0.5, 0.5, 0.5, 0.75, 1.0, 1.25]


def test_each_packet_says_which_step_it_belongs_to() -> None:
    found = packets(capture(CHAT))

    assert [packet.comment for packet in found[2:]] == [
        "alice connects to server",
        "alice -> server: b'hi, \\xd1\\x8f'",
        "alice <- server: b'ho'",
        "alice -- ends its sending side",
        "alice <- server: the end of the stream",
    ]


def test_who_connects_is_the_client_whoever_is_the_test() -> None:
    found = packets(capture(check(Event(0.0, "server", "<-", "b'hi'", SERVED, b"hi", 2))))

    follow(found)
    assert (found[0].source[1], found[0].target[1]) == (50_002, 40_000)
    assert found[3].data == b"hi"
    assert found[3].source == found[0].source


def test_a_reset_is_the_end_of_both_directions() -> None:
    story = check(
        Event(0.0, "alice", "->", "b'hi'", ALICE, b"hi", 2),
        Event(0.1, "alice", "<-", "a reset", ALICE, flag="RST"),
        Event(0.2, "alice", "--", "closes the connection", ALICE, flag="FIN"),
    )

    *_, data, last = packets(capture(story))

    assert data.data == b"hi"
    assert (last.flags, last.source) == (RST | ACK, data.target)


def test_of_two_connections_that_are_told_one_by_one_the_packets_are_in_order_of_time() -> None:
    bob = Link("tcp", "client", 50_009, "server", 8_083)
    apart = (Event(at / 10, "alice", "->", "…", ALICE, b"hi", 2) for at in (0, 2))
    between = Event(0.1, "bob", "->", "…", bob, b"ho", 2)

    found = packets(capture(check(*apart, between)))

    assert [packet.data for packet in found if packet.data] == [b"hi", b"ho", b"hi"]


@pytest.mark.parametrize("size", [65_495, 65_496, 5_000_000])
def test_what_was_not_kept_is_known_by_its_size(size: int) -> None:
    kept = bytes(range(256)) * (KEPT_PIECE // 256)
    story = check(
        Event(0.0, "alice", "->", "…", ALICE, kept, size),
        Event(0.1, "alice", "->", "b'end'", ALICE, b"end", 3),
    )

    found = packets(capture(story))

    follow(found)
    assert sum(packet.size for packet in found) == size + 3
    assert b"".join(packet.data for packet in found) == kept + b"end"
    assert sum(packet.missing for packet in found) == size - len(kept)
    assert max(packet.size for packet in found) <= 65_495


def test_of_very_much_that_was_not_kept_the_end_is_a_gap_in_the_numbers() -> None:
    story = check(
        Event(0.0, "alice", "->", "…", ALICE, b"begin", 2**32 + 5),
        Event(0.1, "alice", "->", "b'end'", ALICE, b"end", 3),
    )

    *begin, end = packets(capture(story))

    follow(begin)
    assert len(begin) == 4 + MOST_UNSEEN
    assert (end.data, end.seq) == (b"end", 1 + 5)


def test_a_long_piece_that_was_kept_is_cut_into_segments() -> None:
    data = bytes(200_001)

    found = packets(capture(check(Event(0.0, "alice", "->", "…", ALICE, data, len(data)))))

    follow(found)
    assert [packet.size for packet in found[3:]] == [65_495, 65_495, 65_495, 3_516]


@pytest.mark.parametrize("data", [b"", b"odd", b"\0\0", bytes(65_507), b"\xff\xff"])
def test_a_datagram_is_one_packet(data: bytes) -> None:
    story = check(
        Event(0.0, "alice", "--", "has port 50003", TALK),
        Event(0.1, "alice", "->", "…", TALK, data, len(data)),
        Event(0.2, "alice", "<-", "…", TALK, data[:2], len(data)),
    )

    there, back = packets(capture(story))

    assert (there.data, there.missing) == (data, 0)
    assert (back.data, back.size) == (data[:2], len(data))
    assert (there.source, there.target) == (back.target, back.source)


def test_everybody_has_an_address_of_its_own_and_the_file_names_it() -> None:
    bob = Link("tcp", "client", 50_009, "server", 8_083)
    file = capture(
        check(
            Event(0.0, "alice", "->", "b'a'", ALICE, b"a", 1),
            Event(0.1, "боб", "->", "b'b'", bob, b"b", 1),
            Event(0.2, "alice", "->", "b'c'", TALK, b"c", 1),
        )
    )

    ends = {(packet.source[0], packet.source[1]) for packet in packets(file)}
    names = dict(blocks(file))[NAMES]

    assert ends >= {("127.0.0.1", 50_001), ("127.0.0.3", 50_009), ("127.0.0.1", 50_003)}
    for address, name in (("127.0.0.1", "alice"), ("127.0.0.2", "server"), ("127.0.0.3", "боб")):
        assert socket.inet_aton(address) + name.encode() + b"\0" in names


def test_a_check_without_a_wire_is_a_file_without_packets() -> None:
    assert packets(capture(check(Event(0.0, "server", "$", "python")))) == []


def test_hostile_text_is_in_a_comment_what_it_is() -> None:
    event = Event(0.0, "al\0ice", "--", "\x1b[2J\ud800" + "я" * 70_000, ALICE, flag="FIN")

    found = packets(capture(check(event)))

    assert found[3].comment.startswith("al\\x00ice -- \\x1b[2J?яя")


def shown(file: bytes, folder: Path, *arguments: str) -> list[str]:
    """Return what tshark says of a file, with all checksums looked at."""
    path = folder / "story.pcapng"
    path.write_bytes(file)
    checks = [f"-o{name}.check_checksum:TRUE" for name in ("ip", "tcp", "udp")]
    command = ["tshark", "-n", *checks, "-r", str(path), *arguments]
    run = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return run.stdout.decode().splitlines()


needs_tshark = pytest.mark.skipif(not TSHARK, reason="tshark is not installed")


@needs_tshark
def test_tshark_finds_nothing_amiss(tmp_path: Path) -> None:
    story = check(
        *(Event(0.0, "alice", mark, "…", ALICE, bytes(4_096), 300_000) for mark in ("->", "<-")),
        Event(0.1, "alice", "->", "…", TALK, b"hi", 2),
        Event(0.2, "alice", "<-", "…", TALK, b"", 65_507),
        Event(0.3, "server", "<-", "…", SERVED, b"hi", 2),
        Event(0.4, "server", "--", "…", SERVED, flag="FIN"),
    )
    amiss = f"_ws.malformed or tcp.analysis.flags or _ws.expert.severity >= {WARNING}"

    assert shown(capture(story), tmp_path, "-Y", amiss) == []
    assert len(shown(capture(story), tmp_path)) == 3 + 2 * 6 + 2 + 5


@needs_tshark
def test_tshark_follows_the_stream_and_reads_the_comments(tmp_path: Path) -> None:
    file = capture(CHAT)

    followed = shown(file, tmp_path, "-q", "-z", "follow,tcp,raw,0")
    told = shown(file, tmp_path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.comment")

    assert followed[-3:-1] == ["hi, я".encode().hex(), "\t" + b"ho".hex()]
    assert told[4] == "0.750000000\talice <- server: b'ho'"
