"""The record of a relay: a story as a check has one, and the same live, one line an arrow."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from kit.story import KEPT_EVENTS, Event, Link, Mark, Story
from pictures.ladder import Rungs, Step
from pictures.texts import cut
from pictures.words import words_of

WIDEST = 200  # columns of a text
QUIET = 0.5  # seconds after which what is not a whole message is shown as what it is


@dataclass
class Talk:
    """What is shown of one client: each has rungs of its own, as none interrupts another."""

    rungs: Rungs
    latest: float = 0.0  # when it said or was told something
    untold: list[int] = field(default_factory=list)  # lines of the story that are in no step yet


class Record:
    """What went over the relay; `show` gets a line of text for each step as it happens."""

    def __init__(
        self, lab: str, show: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lab, self._show, self._clock = lab, show, clock
        self._story = Story()
        self._words = words_of(lab)
        self._talks: dict[str, Talk] = {}
        self._order: list[int] = []  # lines of the story as the steps have them
        self._began = 0.0
        self._clients = 0

    def newcomer(self) -> str:
        """Return a name for a client that has come: each link has its own."""
        self._clients += 1
        return f"client {self._clients}"

    def tells(
        self,
        who: str,
        what: str,
        link: Link | None = None,
        mark: Mark = "--",
        flag: Literal["", "FIN", "RST"] = "",
    ) -> None:
        """Tell what a client did, or what happened to it."""
        self._adds(who, mark, what, link, flag)

    def passes(self, who: str, mark: Literal["->", "<-"], data: bytes, link: Link) -> None:
        """Tell that these bytes were passed on, from the client or to it."""
        self._adds(who, mark, data, link)

    def words(self, datagram: bytes, *, to_server: bool) -> str:
        """Return in the lab's words what a datagram says."""
        readers = self._words("udp")
        reader = readers.to_server if to_server else readers.to_client
        return " + ".join(reader.feed(datagram))

    def catches_up(self) -> None:
        """Show what has come of a message if nothing has followed for a moment."""
        now = self._clock()
        for talk in self._talks.values():
            if now - talk.latest > QUIET:
                self._shows(talk, talk.rungs.end())

    def forgets(self, who: str) -> None:
        """Take note that a client has gone."""
        if talk := self._talks.pop(who, None):
            self._shows(talk, talk.rungs.end())

    @property
    def steps(self) -> int:
        """How many lines the story has."""
        return len(self._story.events)

    @property
    def full(self) -> bool:
        """Whether the story had to end before the relay did."""
        return self.steps >= KEPT_EVENTS

    def check(self) -> dict[str, Any]:
        """Return the record in the form of a check that passed.

        Its story is in the order of the steps that were shown: the pieces of a message stand
        together, though those of another client may have gone by in between.
        """
        told = self._story.told()
        untold = sorted(line for talk in self._talks.values() for line in talk.untold)
        story = [told[line].as_dict() for line in [*self._order, *untold]]
        named = {"id": "trace", "lab": self._lab, "part": self._lab, "title": "a trace"}
        return named | {"verdict": "passed", "sentence": "", "story": story}

    def _adds(
        self,
        who: str,
        mark: Mark,
        what: str | bytes,
        link: Link | None,
        flag: Literal["", "FIN", "RST"] = "",
    ) -> None:
        now = self._clock()
        if not self._began:  # the time in which nobody came is no part of the story
            self._began, self._story.began = now, time.monotonic()
        talk = self._talks.setdefault(who, Talk(Rungs(self._words)))
        talk.latest = now
        if not self.full:
            talk.untold.append(self.steps)
        self._story.tell(who, mark, what, link, flag)
        data = what if isinstance(what, bytes) else b""
        text = "" if isinstance(what, bytes) else what
        event = Event(now - self._began, who, mark, text, link, data, len(data), flag)
        self._shows(talk, talk.rungs.add(event.as_dict()))

    def _shows(self, talk: Talk, steps: list[Step]) -> None:
        for step in steps:
            self._order += talk.untold[: step.lines]
            del talk.untold[: step.lines]
            self._show(line(step))


def line(step: Step) -> str:
    """Return a step as a line of text: a client stands on the left, whoever sends."""
    ends = (step.column, step.to)
    who = step.column
    if step.kind == "arrow":
        who = f"{ends[1]} <- {ends[0]}" if step.mark == "<-" else f"{ends[0]} -> {ends[1]}"
    more = f" ({step.flag})" if step.flag else ""
    more += f"  (in {step.lines} pieces)" if step.lines > 1 else ""
    return f"{step.time:8.3f}  {who}  {cut(step.text, WIDEST)}{more}"
