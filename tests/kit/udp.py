"""Peers that speak UDP: the client of a server under test, and a server for a client under test."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from kit.failure import Seen
from kit.peer import Address, Peer, Server
from kit.program import PATIENCE, Program
from kit.stage import QUIET, START_PATIENCE, Stage
from kit.story import Link

MAX_DATAGRAM = 65_507  # bytes: 65,535 less the headers of IPv4 (20) and of UDP (8)


class UdpPeer(Peer):
    """A UDP socket; as a client it sends to the program, as a server it answers the last sender."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        program: Program | None = None,
        to: Address | None = None,
        at: Address = ("127.0.0.1", 0),
    ) -> None:
        super().__init__(stage, name, program, udp_socket(at))
        self.to = to
        self._is_server = to is None
        self._was_away = False
        self.tells("--", f"has port {self.address[1]}")

    @property
    def link(self) -> Link | None:
        """This port and the one that it sends to."""
        if self.to is None or self._program is None:
            return None
        role: Literal["client", "server"] = "server" if self._is_server else "client"
        return Link("udp", role, self.address[1], self._program.name, self.to[1])

    def sends(self, datagram: bytes, to: Address | None = None) -> None:
        """Send one datagram, to the program unless told otherwise."""
        self.speaks()
        self.tells("->", datagram)
        target = to or self.to
        assert target, "nobody has sent a datagram yet, and nobody was named"
        if self._was_away:
            self.sock.send(datagram)  # macOS: where a connected one sends to must not be said
        else:
            self.sock.sendto(datagram, target)

    def expects(self, datagram: bytes, hint: str = "", patience: float = PATIENCE) -> None:
        """Wait for the next datagram, which is to be this one."""
        waited = f"{self.name} waited for a datagram"
        received = self._next(time.monotonic() + patience)
        if received is None:
            raise self.fails(waited, Seen("silence", datagram), hint)
        if received != datagram:
            raise self.fails(waited, Seen("other", datagram, received), hint)

    def expects_nothing(self, hint: str = "", quiet: float = QUIET) -> None:
        """See that no datagram comes for a moment; where a later one can prove it, prefer that."""
        received = self._next(time.monotonic() + quiet)
        if received is not None:
            seen = Seen("other", "nothing", received)
            raise self.fails(f"{self.name} expected nothing", seen, hint)

    def stays_quiet(self, seconds: float) -> None:
        """Say nothing for that long."""
        self.tells("--", f"says nothing for {seconds:g} s")
        self.program.waits_until(self.over, seconds)

    def is_called(self, hint: str = "") -> bytes:
        """Wait for the first datagram of a program that is just starting, and return it."""
        data = self._next(time.monotonic() + START_PATIENCE)
        if data is None:
            seen = Seen("silence", "a datagram", "none")
            raise self.fails(f"{self.name} waited for a first datagram", seen, hint)
        return data

    def counts(self) -> int:
        """Return how many datagrams wait to be read, and read them."""
        waiting = 0
        while self._next(time.monotonic()) is not None:
            waiting += 1
        return waiting

    def takes(self, patience: float) -> bytes | None:
        """Return the next datagram, whatever it is; None when none comes in time."""
        return self._next(time.monotonic() + patience)

    def leaves(self) -> None:
        """Be there no longer. What has not been read is no fault: it may come sooner or later."""
        self.closes()

    @contextmanager
    def is_away(self) -> Iterator[None]:
        """Be not there meanwhile, as `closes` does it; then take from the last sender alone."""
        assert self.to, "nobody has sent a datagram yet"
        self.tells("--", "is away")
        self.sock.connect(self.address)
        yield
        self.tells("--", "is back")
        self.sock.connect(self.to)
        self._was_away = True

    def closes(self) -> None:
        """Be there no longer: who sends to this port is told that nobody has it.

        The socket takes what it sends to itself alone from now on, and lives as long as the
        programs of its check: else what these still send would reach whoever gets the port next.
        """
        self.sock.connect(self.address)
        self.stage.keeps(self.sock)

    def _next(self, deadline: float) -> bytes | None:
        while True:
            over = self.over()
            try:
                data, sender = self.sock.recvfrom(MAX_DATAGRAM + 1)
            except BlockingIOError:
                if over or not self.waits(deadline):
                    return None
            except ConnectionError:  # Windows: an earlier datagram found nobody
                continue
            else:
                if self._is_server:
                    self.to = sender
                self.tells("<-", data)
                if sender != self.to:
                    seen = Seen("told", f"{self.to}", f"{sender}")
                    sentence = f"{self.name} got its answer from another address than it asked"
                    raise self.stage.failure(sentence, seen, "answer through the socket that heard")
                return data


class UdpServer(Server):
    """A server that speaks UDP."""

    protocol = socket.SOCK_DGRAM

    def client(self, name: str) -> UdpPeer:
        """Open a UDP socket that sends to the server."""
        return UdpPeer(self.stage, name, self.program, to=(self.host, self.port))


def udp_socket(address: Address = ("127.0.0.1", 0)) -> socket.socket:
    """Return a bound UDP socket that takes and sends datagrams of any size, also on macOS."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_DATAGRAM)
    sock.bind(address)
    sock.setblocking(False)
    return sock
