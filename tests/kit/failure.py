"""What a check can end with beside a pass: a failure, with all that was seen, or "not run"."""

from dataclasses import dataclass, field

from kit.story import Event
from kit.whereabouts import Place


@dataclass(frozen=True)
class Seen:
    """The evidence of a failure; from it alone a cause may be guessed (`kit.hints`).

    `kind` is how the wait ended: silence, other (not what was expected), closed, reset, ended
    (the program), or told (a sentence of a check's own).
    """

    kind: str
    expected: str | bytes | None = None
    received: str | bytes | None = None


@dataclass
class Failure(AssertionError):
    """A check failed: the program did something else than its contract says.

    `sentence` says who waited for what, and never what varies from run to run. `outcome` is how
    programs ended that have ended; `todo` the number of the gap that one came to, `asked` its text.
    """

    sentence: str
    seen: Seen
    story: list[Event] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    outcome: str = ""
    hint: str = ""
    todo: int | None = None
    asked: str = ""

    def __str__(self) -> str:
        return self.sentence


class NotRun(Exception):
    """A check cannot be run on this system; the text says why. It costs no points."""
