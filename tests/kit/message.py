"""A failure as a student reads it: what was seen, where the program stood, what to look at."""

import traceback

from kit.failure import Failure, NotRun
from kit.result import CheckResult
from kit.story import SHOWN_BYTES, as_lines, printable, shown

MOST_TEXT = 4_000  # characters of what a program printed


def explain(result: CheckResult, error: Exception) -> None:
    """Fill in why a check did not pass: from a failure, from "not run", or from a bug of ours."""
    result.points = 0
    if isinstance(error, NotRun):
        result.verdict, result.reason, result.sentence = "not run", "system", str(error)
    elif isinstance(error, Failure) and error.todo:
        result.verdict, result.reason = "not run", "todo"
        result.sentence = f"TODO {error.todo} waits for you"
        result.where = [str(place) for place in error.places]
        result.message = _todo(result, error.asked)
    elif isinstance(error, Failure):
        result.verdict, result.sentence, result.hint = "failed", error.sentence, error.hint
        result.expected, result.received = _text(error.seen.expected), _text(error.seen.received)
        result.received += _where_they_part(error.seen.expected, error.seen.received)
        result.where = [str(place) for place in error.places]
        result.timeout = error.seen.kind == "silence"
        result.message = _failure(result, error.outcome, as_lines(error.story))
    else:
        result.verdict, result.reason = "not run", "kit"
        result.sentence = f"the kit itself broke: {type(error).__name__}: {error}"
        result.message = "".join(traceback.format_exception(error))


def _failure(result: CheckResult, outcome: str, story: list[str]) -> str:
    lines = [result.sentence]
    if result.expected:
        lines.append(f"  expected  {_indented(result.expected)}")
    if result.expected or result.received:
        lines.append(f"  received  {_indented(result.received or 'nothing')}")
    if outcome:
        lines.append(f"  {outcome}")
    lines += [f"  your program was at {place}" for place in result.where]
    if story:
        lines += ["", "  what happened", *(f"  {line}" for line in story)]
    lines.append("")
    if result.hint:
        lines.append(f"  likely cause: {result.hint}")
    lines.append(f"  read on: {result.read_on}")
    return "\n".join(lines)


def _todo(result: CheckResult, asked: str) -> str:
    lines = [result.sentence]
    lines += [f"  your program came to {place}" for place in result.where]
    told = asked or "the line that raises NotImplementedError is still there: delete it"
    lines += ["", *(f"  {line}" for line in told.splitlines())]
    return "\n".join([*lines, "", f"  read on: {result.read_on}"])


def _text(seen: str | bytes | None) -> str:
    if seen is None:
        return ""
    if isinstance(seen, bytes):
        return shown(seen)
    if len(seen) > MOST_TEXT:
        left_out = f"\n… {len(seen) - MOST_TEXT:,} characters left out …\n"
        seen = seen[: MOST_TEXT // 2] + left_out + seen[-MOST_TEXT // 2 :]
    return printable(seen)


def _where_they_part(expected: str | bytes | None, received: str | bytes | None) -> str:
    """Say where two long pieces of data begin to differ, which the eye does not find."""
    if not isinstance(expected, bytes) or not isinstance(received, bytes) or not received:
        return ""
    pairs = zip(expected, received, strict=False)
    same = next((at for at, (one, other) in enumerate(pairs) if one != other), None)
    if same is None:
        same = min(len(expected), len(received))
    return f"\nthe first {same:,} bytes are right" if same > SHOWN_BYTES // 2 else ""


def _indented(text: str) -> str:
    return text.replace("\n", f"\n{'':12}")
