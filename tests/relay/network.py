"""What a network may do on the way: cut streams up, gather them, lose datagrams, swap them."""

from dataclasses import dataclass

PAUSE = 0.003  # seconds between the pieces of a stream that is cut: each is to arrive alone
EVERY = 3  # so many datagrams, and one of them is swapped with the next
HELD_BACK = 0.5  # seconds for which a datagram waits for the one that overtakes it


@dataclass(frozen=True)
class Network:
    """What is asked for; by default everything is passed on as it comes.

    `chop`: bytes of a stream that are passed on at once. `hold`: seconds for which a stream is
    gathered. `drop`: of so many datagrams one is lost. `reorder`: datagrams are swapped.
    """

    chop: int = 0
    hold: float = 0.0
    drop: int = 0
    reorder: bool = False


class Pace:
    """When how much of one direction of a stream is passed on; the caller says what time it is."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.due = 0.0  # nothing is passed on before

    def begins(self, now: float) -> None:
        """Take note that something has come, and nothing else was waiting."""
        if self._network.hold:
            self.due = now + self._network.hold

    def allows(self, waiting: int, now: float) -> int:
        """Return how many of the bytes that wait may be passed on now."""
        return 0 if now < self.due else min(waiting, self._network.chop or waiting)

    def passed(self, now: float) -> None:
        """Take note that a piece has been passed on."""
        if self._network.chop:
            self.due = now + PAUSE


class Mishaps:
    """Which datagrams have bad luck, counted over all that come by, whichever way they go."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._come = self._left = 0

    def drops(self) -> bool:
        """Tell whether the next datagram is lost."""
        self._come += 1
        return bool(self._network.drop) and self._come % self._network.drop == 0

    def holds_back(self) -> bool:
        """Tell whether the next datagram that is not lost is to be overtaken."""
        self._left += 1
        return self._network.reorder and self._left % EVERY == 0
