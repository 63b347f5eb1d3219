"""Lab 4's outbox: what has been put into it is sent before the connection is ended."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from solutions.lab4_chat.outbox import Outbox

PATIENCE = 5.0  # seconds
LITTLE = 4_096  # bytes: most of what is sent has to wait


@pytest.fixture
def ends() -> Iterator[tuple[Outbox, socket.socket]]:
    """Return an outbox, and the client's end of its connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        client.connect(listener.getsockname())
        connection, _ = listener.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LITTLE)
    client.settimeout(PATIENCE)
    connection.settimeout(PATIENCE)  # as the server does
    with client, connection:
        outbox = Outbox(connection)
        yield outbox, client
        outbox.close()


def test_what_is_put_while_it_is_anothers_turn_is_sent(
    ends: tuple[Outbox, socket.socket],
) -> None:
    outbox, client = ends
    outbox.put(b"good bye\n")
    outbox._turn.acquire()  # another thread has just sent something, and has not looked again

    drain = threading.Thread(target=outbox.drain, args=(time.monotonic() + PATIENCE,))
    drain.start()
    outbox._turn.release()
    drain.join()
    outbox.close()

    assert client.recv(100) == b"good bye\n"


def test_what_waits_for_a_slow_reader_is_sent_when_it_reads(
    ends: tuple[Outbox, socket.socket],
) -> None:
    outbox, client = ends
    piece = bytes(1_000_000)
    outbox.put(piece)
    outbox.flush()
    outbox.put(b"good bye\n")

    drain = threading.Thread(target=outbox.drain, args=(time.monotonic() + PATIENCE,))
    drain.start()
    with client.makefile("rb") as stream:
        came = stream.read(len(piece) + len(b"good bye\n"))
    drain.join()

    assert came.endswith(b"\0good bye\n")


def test_nobody_waits_longer_for_one_who_never_reads(
    ends: tuple[Outbox, socket.socket],
) -> None:
    outbox, _ = ends
    outbox.put(bytes(1_000_000))
    outbox.flush()
    began = time.monotonic()

    outbox.drain(began + 0.1)

    assert time.monotonic() >= began + 0.1
