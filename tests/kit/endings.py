"""How programs end: with a usage message, with an error line, when told to; and how they wait."""

import re
import time

from kit import system, whereabouts
from kit.failure import NotRun, Seen
from kit.program import PATIENCE, STOP_LIMIT, Program
from kit.stage import START_PATIENCE, Stage
from kit.whereabouts import Place

BUSY = 0.1  # of a core: the contract says "well under a tenth"
CALM = 0.02  # of a core: that is enough to be sure
WATCHED, WATCHED_LONGEST = 0.3, 2.0  # seconds: the rest of some work, or a share of a busy machine
TYPE = "argparse checks an option with its type= function, which may refuse a value"
CATCHES_ALL = "a bare except: catches Ctrl+C, too: name the exception that you expect"
SLACK = 2.0  # seconds beyond the contract's two, for a slow machine


def ends_with_usage(
    stage: Stage, name: str, *attempts: tuple[str, ...], bad: int = 2, hint: str = TYPE
) -> None:
    """See that each of these command lines gets argparse's message and exit code 2.

    What is bad comes first, usually an option with its value: so many words.
    """
    programs = [(words, stage.program(name, *words)) for words in attempts]
    for words, program in programs:
        ended = program.has_ended(within=START_PATIENCE)
        stage.requires(
            ended and program.exit_code == 2 and bool(program.stderr.text),
            f"{name} accepts {' '.join(words[:bad])}",
            expected="a usage message on stderr, and exit code 2",
            received=f"exit code {program.exit_code}, on stderr: {program.stderr.text}",
            hint=hint,
        )


def ends_with_error_line(program: Program, stage: Stage, situation: str, hint: str = "") -> None:
    """See that a program ends with exit code 1 and one line on stderr that begins with [ERROR].

    Other lines may stand before it: who logs on stderr logs there.
    """
    ended = program.has_ended(within=START_PATIENCE)
    lines = [line for line in program.stderr.lines if line.strip()]
    expected = "exit code 1, and one line on stderr that begins with [ERROR]"
    printed = "\n".join(lines) or "nothing"
    if not ended:
        seen = Seen("silence", expected, f"it runs on; on stderr: {printed}")
        raise stage.failure(f"{situation}, and {program.name} did not end", seen, hint)
    errors = [line for line in lines if line.startswith("[ERROR]")]
    crashed = bool(program.exception())
    stage.requires(
        program.exit_code == 1 and len(errors) == 1 and lines[-1] in errors and not crashed,
        f"{situation}, and {program.name} did not end with an [ERROR] line and exit code 1",
        expected=expected,
        received=f"exit code {program.exit_code}, on stderr: {printed}",
        hint="after a failure: let the error go its way, or sys.exit(1)"
        if not program.exit_code
        else "catch the OSError, print one line, sys.exit(1)"
        if len(lines) > 1
        else hint,
    )


def stops(program: Program, stage: Stage, signal_name: str, *, server: bool) -> None:
    """See that a signal ends a program within the contract's time, quietly; a server with 0."""
    key = "Ctrl+C" if signal_name == "SIGINT" else signal_name
    stage.requires(
        program.exit_code is None,
        f"{program.name} ended before {key}",
        expected="it waits",
        received="it has ended",
    )
    ended = program.is_told_to_stop(signal_name, STOP_LIMIT + SLACK)
    stage.requires(
        ended,
        f"{program.name} did not end at {key}",
        expected=f"it ends within {STOP_LIMIT:g} s",
        received="it runs on",
        hint=_who_stays(program),
    )
    program.has_ended(within=PATIENCE)
    stage.requires(
        "Traceback (most recent call last)" not in program.stderr.text,
        f"{program.name} showed a traceback at {key}",
        expected="no traceback",
        received=program.stderr.text,
        hint="Ctrl+C is a KeyboardInterrupt: catch it where the program begins"
        if program.exception().startswith("KeyboardInterrupt")
        else "",
    )
    if server:
        stage.requires(
            program.exit_code == 0,
            f"{program.name} did not end with exit code 0 at {key}",
            expected="exit code 0",
            received=f"exit code {program.exit_code}",
            hint=_HOW_IT_ENDED.get(program.exit_code or 0, ""),
        )


_ALL = re.compile(r"^[ \t]*except(?: BaseException(?: as \w+)?)?:", re.MULTILINE)
_HOW_IT_ENDED = {
    130: "130 is the shell's way to say Ctrl+C",
    -15: "SIGTERM is no KeyboardInterrupt by itself: signal.signal()",
}


def _who_stays(program: Program) -> str:
    places = program.places()
    sources = [place.source for place in places]
    if any(".join(" in source for source in sources):
        return "join() waits for a thread, and that thread for its client: end the connection"
    if any(source.startswith("with ") and "lock" in source for source in sources):
        return "a lock that nobody releases: its owner waits itself"
    if any(place.in_main for place in places):
        return CATCHES_ALL if _catches_all(program, places) else ""  # whatever its threads do
    try:
        alone = system.threads(program.pid) == 1
    except (NotRun, OSError):
        return ""
    return "" if alone else "a thread that is not a daemon keeps the program alive"


def _catches_all(program: Program, places: list[Place]) -> bool:
    """Tell whether one of the files in which it stands has an `except` for whatever comes."""
    root = program.tree.root.resolve()
    return any(_ALL.search(whereabouts.text_of(root / place.file, root)) for place in places)


def leaves_the_processor_alone(program: Program, stage: Stage) -> None:
    """See that a program that waits does not compute."""
    pid = program.pid
    began, worked = time.monotonic(), system.processor_time(pid)
    if worked is None:
        raise NotRun(system.NEEDS_LINUX)
    stage.story.tell(program.name, "..", "is watched while nothing happens")
    busy = 0.0
    while time.monotonic() < began + WATCHED_LONGEST:
        program.has_ended(within=WATCHED)
        now = system.processor_time(pid)
        if now is None:
            break  # it has ended: what was seen before counts
        busy = (now - worked) / (time.monotonic() - began)
        if busy < CALM:
            break
    stage.requires(
        busy < BUSY,
        f"{program.name} keeps the processor busy while nothing happens",
        expected="well under a tenth of a core",
        received=f"{busy:.0%} of a core",
        hint="a loop that asks again and again, instead of a call that waits",
    )
