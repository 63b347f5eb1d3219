"""Likely causes, guessed from evidence alone; where the evidence fits several causes, none."""

from collections.abc import Iterable

from kit.failure import Seen
from kit.program import Program
from kit.whereabouts import Place

NOT_CLOSED = Seen("silence", "the end of the stream", "nothing: the connection stays open")
SLIPS = (
    "AttributeError",
    "ImportError",
    "IndentationError",
    "ModuleNotFoundError",
    "NameError",
    "SyntaxError",
    "TabError",
    "TypeError",
    "UnboundLocalError",
)
TOLD = 40  # bytes of what a program adds
BUFFERS = (100, 128, 256, 512, 1_000, 1_024, 1_500, 2_048, 4_096, 8_192, 16_384, 32_768)


def cause(seen: Seen, programs: Iterable[Program], places: Iterable[Place], hint: str) -> str:
    """Return the one likely cause that the evidence names, or the check's own `hint`, or ""."""
    for program in programs:
        if program.exception().partition(":")[0] in SLIPS:
            return ""  # the exception says it all, and no rule of the wire was the cause
    if isinstance(seen.expected, bytes) and isinstance(seen.received, bytes):
        return _of_bytes(seen.expected, seen.received) or hint
    sources = [place.source for place in places]
    waits = any("accept(" in source for source in sources)
    if seen == NOT_CLOSED and waits and not any("recv(" in source for source in sources):
        return "nobody closes the connection before the next accept(): close(), or with"
    return hint


def _of_bytes(expected: bytes, received: bytes) -> str:
    if not received or received == expected:
        return ""
    if received == expected.decode("utf-8", "ignore").encode():
        return "decode() with errors='ignore' drops the bytes that are no UTF-8: send bytes back"
    if len(received) in BUFFERS and expected.startswith(received):
        return f"a buffer of {len(received)} bytes: what does not fit into it is lost"
    if received == repr(expected).encode():
        return "str() or an f-string of bytes gives their repr, b'…': send the bytes themselves"
    if received == expected.decode("utf-8", "ignore").strip().encode():
        return "strip(): it takes away bytes that belong to the message"
    if expected in received:
        added = received.replace(expected, b"", 1)
        more = f"… ({len(added):,} bytes)" if len(added) > TOLD else ""
        return f"the program adds {added[:TOLD]!r}{more} to what it was sent"
    return ""
