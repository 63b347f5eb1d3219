"""What lab 2's server logs: how many clients are online, each time that one comes or goes."""

import re

from kit.failure import Seen
from kit.program import PATIENCE, Program
from kit.stage import QUIET, Stage

COMES = "a client has come when it is accepted, before its first byte, and counts from then on"
BRACKETS = "the round brackets belong to it, and it stands in one line: (1 online)"
NEVER = 99  # that many are never online: whoever logs this has it from a client
FAKED = f"({NEVER} online)".encode()
SAID = f"a client said ({NEVER} online), and the log repeats it: what clients send stays out of it"
ONE_FOR_ALL = "is the number one for all clients? self.online of a handler is each handler's own"
ONCE = "one line for each who comes and each who goes, and no other with a number"
ONE_STEP = "change the number and log it under one lock: nobody may come in between"
AGAIN = "one goes as the next comes: both take the lock; a fileno() is given to the next at once"
_COUNT = re.compile(r"\((\d+) online\)")
_NEARLY = re.compile(r"(?<![(\d])\d+ online|\(\d+ online(?!\))")  # without its brackets


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


def _of_visits(numbers: list[int]) -> list[int]:
    """Return the numbers without the 0 that a server may log before anybody has come."""
    return numbers[1:] if numbers[:1] == [0] else numbers


def expects_counts(stage: Stage, program: Program, expected: list[int], hint: str = "") -> None:
    """Wait until these are the numbers that were logged since the start, and no others."""

    def logged(more: int = 0) -> bool:
        return program.over or len(_of_visits(counts(stage, program))) >= len(expected) + more

    program.waits_until(logged, PATIENCE)
    if _of_visits(counts(stage, program)) == expected:
        program.waits_until(lambda: logged(more=1), QUIET)
    received = counts(stage, program)
    if _of_visits(received) != expected:
        fewer = len(_of_visits(received)) < len(expected)
        seen = Seen("silence" if fewer else "told", _listed(expected), _listed(received))
        sentence = f"{program.name} did not log how many are online as they came and went"
        raise stage.failure(sentence, seen, _cause(program, expected, received, hint))


def _cause(program: Program, expected: list[int], received: list[int], hint: str) -> str:
    """Return what leads to such numbers, if they tell; else the check's own hint."""
    logged = [*program.stdout.lines, *program.stderr.lines]
    if NEVER in received:
        return SAID
    if len(received) < len(expected) and any(map(_NEARLY.search, logged)):
        return BRACKETS
    if hint != COMES:
        return hint
    if len(received) > len(expected):
        return ONCE
    return ONE_FOR_ALL if len(set(received)) < len(received) else COMES


def expects_all_gone(
    stage: Stage, program: Program, visits: int | None = None, hint: str = ""
) -> None:
    """Wait until the last number is 0; on the way there each is one more or less than the last.

    `visits` is how many have come, where that is known: each is two lines.
    """
    least = 2 * (visits or 1)

    def settled() -> bool:
        received = _of_visits(counts(stage, program))
        return program.over or (received[-1:] == [0] and len(received) >= least)

    program.waits_until(settled, PATIENCE)
    received = _of_visits(counts(stage, program))
    steps = {abs(now - before) for before, now in zip([0, *received], received, strict=False)}
    ends = received[-1:] == [0]
    stage.requires(
        ends and steps == {1} and min(received) >= 0 and (not visits or len(received) == least),
        f"{program.name} does not count each client up once and down once",
        expected="one up or one down with each line, and (0 online) at the end"
        + (f" ({least} lines)" if visits else ""),
        received=_listed(received),
        hint=hint or (ONE_STEP if ends else "whatever a visit begins with, it ends in finally"),
    )


def _listed(numbers: list[int]) -> str:
    """Return the numbers as the log shows them, without the first ones of a long list."""
    told = " ".join(f"({number} online)" for number in numbers[-8:])
    return f"… {told} ({len(numbers)} lines)" if len(numbers) > 8 else told or "no such line"
