"""Lab 5's core without a socket and without waiting: it is told what time it is."""

import io

import pytest

from solutions.lab5_rooms.protocol import (
    BYE,
    HELLO,
    MAX_PAYLOAD,
    NOTICE,
    TEXT,
    TOKEN_SIZE,
    Datagram,
    ProtocolError,
    Receive,
    packed,
    packed_datagram,
    parsed_datagram,
    read_head,
)
from solutions.lab5_rooms.rooms import Letter, Refused, Rooms

ALICE, BOB = ("127.0.0.1", 50_001), ("127.0.0.1", 50_002)


def test_a_member_is_let_go_when_its_time_is_over_and_not_before() -> None:
    rooms = Rooms(idle_timeout=60.0)
    token = rooms.create("kitchen", "alice", now=0.0)
    bobs, _ = rooms.join("kitchen", "bob", now=30.0)
    rooms.take(Datagram(HELLO, "kitchen", "bob", bobs), BOB, now=30.0)

    assert rooms.expire(now=59.9) == []
    notice = Datagram(NOTICE, "kitchen", "alice", text="alice has timed out")
    assert rooms.expire(now=60.0) == [Letter([BOB], packed_datagram(notice))]
    assert rooms.take(Datagram(HELLO, "kitchen", "alice", token), ALICE, now=60.0) == []
    assert rooms.names() == b"kitchen"
    assert rooms.expire(now=90.0) == []
    assert rooms.names() == b""


def test_what_is_dropped_does_not_wind_the_clock() -> None:
    rooms = Rooms(idle_timeout=60.0)
    rooms.create("kitchen", "alice", now=0.0)
    for datagram in (
        Datagram(HELLO, "kitchen", "alice", bytes(TOKEN_SIZE)),
        Datagram(NOTICE, "kitchen", "alice", bytes(TOKEN_SIZE), "hi"),
        Datagram(BYE, "attic", "alice", bytes(TOKEN_SIZE)),
    ):
        assert rooms.take(datagram, ALICE, now=59.0) == []

    rooms.expire(now=60.0)
    assert rooms.names() == b""


@pytest.mark.parametrize("room", ["", "x" * 33, "a b", "\udcff", "台/所"])
def test_a_bad_name_changes_nothing(room: str) -> None:
    rooms = Rooms(idle_timeout=60.0)
    with pytest.raises(Refused):
        rooms.create(room, "alice", now=0.0)
    with pytest.raises(Refused):
        rooms.create("kitchen", room, now=0.0)
    assert rooms.names() == b""


def test_the_list_takes_as_many_whole_names_as_fit() -> None:
    rooms = Rooms(idle_timeout=60.0)
    for number in range(2_100):
        rooms.create(f"{number:031}", "alice", now=0.0)

    names = rooms.names().split(b"\n")
    assert len(names) == MAX_PAYLOAD // 32 == len(set(names))
    assert {len(name) for name in names} == {31}


@pytest.mark.parametrize(
    "datagram",
    [
        Datagram(HELLO, "台所", "Олена", bytes(TOKEN_SIZE)),
        Datagram(TEXT, "台所", "Олена", bytes(range(TOKEN_SIZE)), "Привіт, 世界! 🙂"),
        Datagram(BYE, "台所", "", b""),
        Datagram(NOTICE, "", "Олена", b"", "\0"),
    ],
)
def test_a_datagram_says_what_it_said_and_cut_at_any_byte_nothing(datagram: Datagram) -> None:
    data = packed_datagram(datagram)
    assert parsed_datagram(data) == datagram
    head = len(data) - len(datagram.text.encode())
    for length in range(head + 1 if datagram.text else head):
        with pytest.raises(ProtocolError):
            parsed_datagram(data[:length])


def test_a_request_may_come_in_pieces_of_any_size() -> None:
    data = packed(1, 0, "台所", "Олена")
    for size in range(1, len(data) + 1):
        assert read_head(in_pieces(data, size))[:4] == (1, 0, "台所", "Олена")
    for length in range(len(data)):
        with pytest.raises(ProtocolError):
            read_head(in_pieces(data[:length], 99))


def in_pieces(data: bytes, size: int) -> Receive:
    """Return what receives these bytes, at most `size` of them at once."""
    rest = io.BytesIO(data)
    return lambda count: rest.read(min(count, size))
