"""What is made of the measurements: both sides in turn, medians with their spread, a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

Measured = TypeVar("Measured")

BUSY = 0.8  # share of the time; a load generator that computes more may be what is measured


def count(text: str) -> int:
    """Return the whole number that an option names, at least 1."""
    if (value := int(text)) < 1:
        raise ValueError
    return value


def in_turn(runs: int, sides: Mapping[str, Callable[[], Measured]]) -> dict[str, list[Measured]]:
    """Measure each side `runs` times, in turn, and return the results by the name of the side.

    A first round is not counted: files and code are in memory after it. Every other round goes
    backwards, so that a machine which becomes slower favours nobody.
    """
    results: dict[str, list[Measured]] = {name: [] for name in sides}
    for turn in range(runs + 1):
        for name in list(sides)[:: 1 if turn % 2 else -1]:
            result = sides[name]()
            if turn:
                results[name].append(result)
    return results


def ratios(ours: Sequence[float], peers: Sequence[float]) -> list[float]:
    """Return ours / the peer's, for each pair that was measured in the same round."""
    return [our / peer for our, peer in zip(ours, peers, strict=True)]


def told(values: Sequence[float], digits: int = 2) -> str:
    """Return the median with its spread as text: "1.20 (1.10..1.35)"."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f}..{max(values):,.{digits}f})"


@dataclass(frozen=True)
class Goal:
    """What a median should be: at least or, with `most`, at most `limit`, told with its unit."""

    limit: float
    unit: str = ""
    most: bool = False

    def told(self, values: Sequence[float]) -> str:
        """Return the goal and whether the median of `values` reaches it, as text."""
        reached = median(values) <= self.limit if self.most else median(values) >= self.limit
        sign = "<=" if self.most else ">="
        return f"{sign} {self.limit:g}{self.unit} {'reached' if reached else 'MISSED'}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of texts as lines with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("   ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(f"  {line}" for line in lines)


def generator(who: str, shares: Sequence[float]) -> str:
    """Return the line on what makes the load; `shares` is how much of each run it computed."""
    verdict = "it may be what is measured" if median(shares) > BUSY else "it is not the bottleneck"
    return f"  load generator: {who} computed in {median(shares):.0%} of the time: {verdict}"
