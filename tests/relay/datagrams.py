"""The relay's UDP: a port of its own towards the server for each address that sends.

So the server tells clients apart, and answers each of them. Who sends to a port that nobody has is
told so by the system: here the relay is, and says it; it cannot pass that on to the client.
"""

import contextlib
import selectors
import socket
from dataclasses import dataclass, field
from typing import Literal

from kit.story import Link
from kit.udp import MAX_DATAGRAM, udp_socket
from relay.network import HELD_BACK, Mishaps, Network
from relay.record import Record
from relay.streams import READ, Address, Clock

IDLE = 120.0  # seconds; lab 5's client says hello every 15 s
AT_ONCE = 100  # datagrams, and then others have their turn
BUFFER = 4_194_304  # bytes, if the system gives as many: a burst is to be lost by nobody


@dataclass
class Way:
    """One direction between a client and the server, and what is held back there until `due`."""

    to_server: bool
    held: bytes | None = None
    due: float = float("inf")


@dataclass
class Visitor:
    """An address that has sent something, and the port from which the server gets it."""

    name: str
    address: Address
    sock: socket.socket
    link: Link
    latest: float = 0.0  # when something went either way
    to_server: Way = field(default_factory=lambda: Way(True))
    to_client: Way = field(default_factory=lambda: Way(False))


class Datagrams:
    """Takes datagrams at `listener`, and passes them on to the server, and the answers back."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        listener: socket.socket,
        to: Address,
        record: Record,
        network: Network,
        clock: Clock,
    ) -> None:
        self._selector, self._listener, self._record = selector, listener, record
        self._to, self._clock = to, clock
        self._mishaps = Mishaps(network)
        self.visitors: dict[Address, Visitor] = {}
        _widen(listener)
        selector.register(listener, READ, self._from_clients)

    def due(self) -> float:
        """Return when something is to be passed on that waits for its time."""
        return min((way.due for _, way in self._ways()), default=float("inf"))

    def looks_round(self) -> None:
        """Pass on what was held back for long enough, and forget who has been silent for long."""
        now = self._clock()
        for visitor, way in self._ways():
            if way.due <= now:
                self._releases(visitor, way)
        for visitor in list(self.visitors.values()):
            if now - visitor.latest > IDLE:
                self._record.tells(visitor.name, f"is forgotten after {IDLE:g} s of silence")
                self._forgets(visitor)

    def closes(self) -> None:
        """Close every port."""
        for visitor in list(self.visitors.values()):
            self._forgets(visitor)
        self._selector.unregister(self._listener)
        self._listener.close()

    def _ways(self) -> list[tuple[Visitor, Way]]:
        return [
            (visitor, way)
            for visitor in self.visitors.values()
            for way in (visitor.to_server, visitor.to_client)
        ]

    def _from_clients(self, _: int) -> None:
        for _ in range(AT_ONCE):
            try:
                data, address = self._listener.recvfrom(MAX_DATAGRAM + 1)
            except BlockingIOError:
                return
            except ConnectionError:  # Windows: a client that was sent something has gone
                continue
            if visitor := self.visitors.get(address) or self._welcomes(address):
                self._takes(visitor, visitor.to_server, data)

    def _from_server(self, visitor: Visitor) -> None:
        for _ in range(AT_ONCE):
            try:
                data = visitor.sock.recv(MAX_DATAGRAM + 1)
            except BlockingIOError:
                return
            except OSError as error:
                self._is_refused(visitor, error)
                continue
            self._takes(visitor, visitor.to_client, data)

    def _welcomes(self, address: Address) -> Visitor | None:
        name = self._record.newcomer()
        try:
            sock = udp_socket(("", 0))
            sock.connect(self._to)
        except OSError as error:
            self._record.tells(name, f"cannot be served: {error.strerror}")
            self._record.forgets(name)
            return None
        _widen(sock)
        link = Link("udp", "client", address[1], "server", self._to[1])
        visitor = self.visitors[address] = Visitor(name, address, sock, link)
        self._selector.register(sock, READ, lambda _: self._from_server(visitor))
        self._record.tells(name, f"has port {address[1]}", link)
        return visitor

    def _takes(self, visitor: Visitor, way: Way, data: bytes) -> None:
        """Pass a datagram on, unless it has bad luck."""
        visitor.latest = self._clock()
        if self._mishaps.drops():
            self._tells_mishap(visitor, way, data, "is dropped")
        elif self._mishaps.holds_back() and way.held is None:
            self._tells_mishap(visitor, way, data, "is held back")
            way.held, way.due = data, self._clock() + HELD_BACK
        else:
            self._sends(visitor, way, data)
            self._releases(visitor, way)

    def _releases(self, visitor: Visitor, way: Way) -> None:
        """Pass on what was held back, if anything was."""
        if way.held is not None:
            held, way.held, way.due = way.held, None, float("inf")
            self._sends(visitor, way, held)

    def _sends(self, visitor: Visitor, way: Way, data: bytes) -> None:
        mark: Literal["->", "<-"] = "->" if way.to_server else "<-"
        try:
            if way.to_server:
                self._sends_to_server(visitor, data)
            else:
                self._listener.sendto(data, visitor.address)
        except OSError as error:  # also BlockingIOError: no room, and UDP waits for none
            self._tells_mishap(visitor, way, data, f"is lost ({error.strerror})")
        else:
            self._record.passes(visitor.name, mark, data, visitor.link)

    def _sends_to_server(self, visitor: Visitor, data: bytes) -> None:
        try:
            visitor.sock.send(data)
        except ConnectionError as error:  # told now, but of an earlier datagram (man 7 udp)
            self._is_refused(visitor, error)
            visitor.sock.send(data)

    def _is_refused(self, visitor: Visitor, error: OSError) -> None:
        host, port = self._to
        told = f"nobody has port {port} of {host}"
        if not isinstance(error, ConnectionError):  # Windows says "reset", others "refused"
            told = f"its datagram did not arrive: {error.strerror}"
        self._record.tells(visitor.name, f"is told that {told}")

    def _tells_mishap(self, visitor: Visitor, way: Way, data: bytes, what: str) -> None:
        words = self._record.words(data, to_server=way.to_server)
        whose = "a datagram to the server" if way.to_server else "a datagram from the server"
        self._record.tells(visitor.name, f"{whose} {what}: {words}")

    def _forgets(self, visitor: Visitor) -> None:
        self._selector.unregister(visitor.sock)
        visitor.sock.close()
        del self.visitors[visitor.address]
        self._record.forgets(visitor.name)


def _widen(sock: socket.socket) -> None:
    """Give a socket a large buffer, for a burst."""
    with contextlib.suppress(OSError):  # macOS refuses what is more than it gives
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
