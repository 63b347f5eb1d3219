"""What lab 2's server logs: how many clients are online, each time that one comes or goes."""

import re

from kit.failure import Seen
from kit.program import PATIENCE, Program
from kit.stage import QUIET, Stage

COMES = "a client has come when it is accepted, before its first byte, and counts from then on"
BRACKETS = "the round brackets belong to it, and it stands in one line: (1 online)"
ONE_FOR_ALL = "is the number one for all clients? self.online of a handler is each handler's own"
ONCE = "one line for each who comes and each who goes, and no other with a number"
ONE_STEP = "change the number and log it under one lock: nobody may come in between"
_COUNT = re.compile(r"\((\d+) online\)")
_NEARLY = re.compile(r"\d+ online")


def counts(stage: Stage, program: Program) -> list[int]:
    """Return the numbers of all lines up to now; they must all stand on one stream."""
    streams = [
        [int(match[1]) for line in output.lines if (match := _COUNT.search(line))]
        for output in (program.stdout, program.stderr)
    ]
    stage.requires(
        not all(streams),
        f"{program.name} logs who is online on two streams",
        expected="all lines on stdout, or all on stderr: else nobody knows their order",
        received=f"{len(streams[0])} on stdout, {len(streams[1])} on stderr",
    )
    return streams[0] or streams[1]


def expects_counts(stage: Stage, program: Program, expected: list[int], hint: str = "") -> None:
    """Wait until these are the numbers that were logged since the start, and no others."""

    def logged(more: int = 0) -> bool:
        return program.over or len(counts(stage, program)) >= len(expected) + more

    program.waits_until(logged, PATIENCE)
    received = counts(stage, program)
    if received == expected:
        program.waits_until(lambda: logged(more=1), QUIET)
        received = counts(stage, program)
    if received != expected:
        fewer = len(received) < len(expected)
        seen = Seen("silence" if fewer else "told", _listed(expected), _listed(received))
        sentence = f"{program.name} did not log how many are online as they came and went"
        if hint == COMES:
            hint = _cause(program, expected, received)
        raise stage.failure(sentence, seen, hint)


def _cause(program: Program, expected: list[int], received: list[int]) -> str:
    """Return what leads to such numbers where one after another has come."""
    if not received and _NEARLY.search(program.stdout.text + program.stderr.text):
        return BRACKETS
    if len(received) > len(expected):
        return ONCE
    return ONE_FOR_ALL if len(set(received)) < len(received) else COMES


def expects_all_gone(stage: Stage, program: Program) -> None:
    """Wait until the last number is 0; on the way there each is one more or less than the last."""

    def settled() -> bool:
        return program.over or counts(stage, program)[-1:] == [0]

    program.waits_until(settled, PATIENCE)
    received = counts(stage, program)
    steps = {abs(now - before) for before, now in zip([0, *received], received, strict=False)}
    stage.requires(
        received[-1:] == [0] and steps == {1} and min(received) >= 0,
        f"{program.name} does not count each client up once and down once",
        expected="one up or one down with each line, and (0 online) at the end",
        received=_listed(received),
        hint=ONE_STEP
        if received[-1:] == [0]
        else "whatever a visit begins with, it ends in finally",
    )


def _listed(numbers: list[int]) -> str:
    """Return the numbers as the log shows them, without the first ones of a long list."""
    told = " ".join(f"({number} online)" for number in numbers[-8:])
    return f"… {told} ({len(numbers)} lines)" if len(numbers) > 8 else told or "no such line"
