"""The load generator of lab 4: a crowd of clients in one thread, in whatever language.

Each text ends with a mark that is nowhere else in what the servers send: so many marks have come,
so many messages. To look for them can cost more than to receive them. So `weigh` finds out how long
a message is when it arrives, and from then on bytes are counted, at no cost in any language.
"""

import selectors
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

from bench.languages import Language
from bench.programs import Broken

MARK = "|"
AHEAD = 64  # messages that a writer sends before the slowest reader has the first of them
PIECE = 65_536  # bytes: the most that one recv() fetches
PATIENCE = 60.0  # seconds without anything that should come
SEVERAL = 50  # clients that log in before the others read about them
NARROW = 4_096  # bytes: the receive buffer of who never reads, so that it hides little


class Crowd:
    """Clients, logged in, who read what comes; the first of them may write, too."""

    def __init__(self, opened: ExitStack, language: Language, port: int) -> None:
        self._opened, self._language, self._port = opened, language, port
        self._selector = opened.enter_context(selectors.DefaultSelector())
        self._clients: list[socket.socket] = []
        self._arrived: list[int] = []  # in `_unit`s, by the number of the client
        self._measure: Callable[[bytes], int] = marks
        self._unit = 1  # what a message measures
        self._moment = 0.0  # when the last ones were there to be read

    def grow(self, count: int) -> None:
        """Log more clients in, until there are so many."""
        for number in range(len(self._clients), count):
            client = self._log_in(f"user{number:04}")
            self._selector.register(client, selectors.EVENT_READ, number)
            self._clients.append(client)
            self._arrived.append(0)
            if number % SEVERAL == 0:
                self._read(timeout=0)  # what the others were told about them
        self.heard()

    def heard(self) -> float:
        """Let the first client write to all; return the seconds until everybody has read it."""
        return self.pour(writers=1, ahead=1, messages=1, size=64)[1]

    def stall(self, messages: int, size: int) -> None:
        """Let one more client come who never reads, and write so many texts of that size to all."""
        self._log_in("stalled", NARROW)
        self.pour(writers=1, ahead=AHEAD, messages=messages, size=size)

    def weigh(self, size: int) -> None:
        """Count bytes from now on: nothing comes any more but messages of that size."""
        line, weighed = self._language.to_all(text(size)), b""
        expected = self._expected(writers=1, messages=1)
        expected[1] = 0
        self._clients[0].sendall(line)
        while not marks(weighed):
            weighed += self._clients[1].recv(PIECE)
        while self._arrived != expected:
            self._read()
        self._measure, self._unit = len, len(weighed)

    def pour(self, writers: int, ahead: int, messages: int, size: int) -> tuple[int, float, float]:
        """Let writers send so many messages each, `ahead` of what the slowest reader has read.

        Returns how many were delivered, the seconds until then, and those that the crowd computed.
        """
        line = self._language.to_all(text(size))
        expected = self._expected(writers, messages)
        everything = sum(expected)
        unit = self._unit
        began, busy = time.perf_counter(), time.process_time()
        sent = read = 0
        while sum(self._arrived) < everything:
            if (allowed := min(messages, read // unit // writers + ahead)) > sent:
                for writer in self._clients[:writers]:
                    writer.sendall(line * (allowed - sent))
                sent = allowed
            self._read()
            read = min(self._arrived[writers:])
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        self._check(expected)
        return everything // unit, seconds, busy

    def delays(self, rate: float, messages: int, size: int) -> list[float]:
        """Let one client send so many messages a second; return each delivery's seconds.

        Not after `weigh`: here marks are what is counted.
        """
        line = self._language.to_all(text(size))
        expected = self._expected(1, messages)
        sent: list[float] = []
        delays: list[float] = []
        due = time.perf_counter()
        while len(delays) < sum(expected):
            wait = due - time.perf_counter() if len(sent) < messages else PATIENCE
            if wait <= 0:
                sent.append(time.perf_counter())
                self._clients[0].sendall(line)
                due += 1 / rate
                continue
            before = self._arrived.copy()
            for number in self._read(wait):
                new = sent[before[number] : self._arrived[number]]
                delays += [self._moment - moment for moment in new]
        self._check(expected)
        return delays

    def _expected(self, writers: int, messages: int) -> list[int]:
        """Begin to count; return how much each client should get until the end."""
        self._arrived = [0] * len(self._clients)
        others = writers if self._language.echoes else writers - 1
        readers = [others] * writers + [writers] * (len(self._clients) - writers)
        return [share * messages * self._unit for share in readers]

    def _check(self, expected: list[int]) -> None:
        if self._arrived != expected:
            raise Broken("a client got a message twice, and another one lost it")

    def _log_in(self, name: str, buffer: int = 0) -> socket.socket:
        client = self._opened.enter_context(socket.socket())
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", self._port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for step, answer in self._language.log_in(name):
            client.sendall(step)
            received = b""
            while answer not in received:
                piece = client.recv(PIECE)
                received += piece
                if not piece:
                    raise Broken(f"the server let {name} not in: {received!r}")
        return client

    def _read(self, timeout: float = PATIENCE) -> list[int]:
        """Read what has come within that time; return the numbers of those who got something."""
        ready = self._selector.select(timeout)
        if not ready and timeout == PATIENCE:
            raise Broken(f"nothing came for {PATIENCE:g} s, and not everything is there")
        self._moment = time.perf_counter()
        for key, _ in ready:
            piece = self._clients[key.data].recv(PIECE)
            if not piece:
                raise Broken("the server dropped a client who reads")
            self._arrived[key.data] += self._measure(piece)
        return [key.data for key, _ in ready]


def marks(piece: bytes) -> int:
    """Return how many marks are in what has come."""
    return piece.count(MARK.encode())


def text(size: int) -> str:
    """Return a text of so many characters, with the mark at its end."""
    return "x" * (size - 1) + MARK
