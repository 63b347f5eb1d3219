"""The relay's loop: one thread, which does what is ready and waits for the next."""

import selectors
import socket
import time
from collections.abc import Iterable

from kit.ports import free_port
from kit.udp import udp_socket
from relay.datagrams import Datagrams
from relay.network import Network
from relay.record import Record
from relay.streams import Address, Clock, Streams

HOST = "127.0.0.1"
TICK = 0.2  # seconds; Windows lets Ctrl+C in only between waits


class Relay:
    """A relay that listens on `port` of this machine (0: any free one), and passes on.

    `wires` are "tcp", "udp" or both, on the same port. Raises OSError if it cannot listen.
    """

    def __init__(
        self,
        port: int,
        to: Address,
        wires: Iterable[str],
        record: Record,
        network: Network,
        clock: Clock = time.monotonic,
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._record, self._clock = record, clock
        listeners = _listeners(port, tuple(wires))
        self.port: int = next(iter(listeners.values())).getsockname()[1]
        common = (to, record, network, clock)
        self.sides: list[Streams | Datagrams] = [
            (Streams if wire == "tcp" else Datagrams)(self._selector, listener, *common)
            for wire, listener in listeners.items()
        ]

    def turn(self, patience: float = TICK) -> None:
        """Wait at most so many seconds until something can be done, and do it."""
        due = min(side.due() for side in self.sides)
        wait = max(0.0, min(patience, due - self._clock()))
        for key, events in self._selector.select(wait):
            key.data(events)
        for side in self.sides:
            side.looks_round()
        self._record.catches_up()

    def closes(self) -> None:
        """End: close all there is."""
        for side in self.sides:
            side.closes()
        self._selector.close()


def _listeners(port: int, wires: tuple[str, ...]) -> dict[str, socket.socket]:
    """Open a port for each wire, with the same number."""
    number = port or free_port()
    opened: dict[str, socket.socket] = {}
    try:
        for wire in wires:
            opened[wire] = _listener(wire, number)
    except OSError:
        for sock in opened.values():
            sock.close()
        raise
    return opened


def _listener(wire: str, port: int) -> socket.socket:
    if wire == "udp":
        return udp_socket((HOST, port))
    return socket.create_server((HOST, port), backlog=128)
