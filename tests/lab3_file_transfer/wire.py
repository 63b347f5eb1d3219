"""Lab 3's wire as the tests speak it, written anew from the contract, and the folder beside it."""

import struct
import time
import unicodedata
from pathlib import Path

from kit.failure import Seen
from kit.program import PATIENCE, Program
from kit.stage import Stage
from kit.tcp import TcpPeer, TcpServer

MAX_TEXT = 1_000_000  # bytes of a reply: whoever announces more has lost count
LARGE = 268_435_456  # bytes: 256 MB
LONG_PATIENCE = 15.0  # seconds for what takes a slow disk its time
MUCH_MEMORY = 48_000_000  # bytes more than before
YES, NO = 0, 1
FOLDER = "received"
LATER = 0.5  # seconds for what was announced too early
CLEARING = 10.0  # seconds for what a program removes, on a slow disk
READ_EXACTLY = "recv() may return less than you asked for: read on until all is there"


def offer(name: str | bytes, size: int) -> bytes:
    """Return an offer as it goes over the wire."""
    data = name.encode() if isinstance(name, str) else name
    return struct.pack(">I", len(data)) + data + struct.pack(">Q", size)


def in_pieces(data: bytes, count: int) -> list[bytes]:
    """Cut this into so many pieces."""
    size = -(-len(data) // count)
    return [data[at : at + size] for at in range(0, len(data), size)]


def reply(status: int, text: str = "") -> bytes:
    """Return a reply as it goes over the wire."""
    data = text.encode()
    return struct.pack(">BI", status, len(data)) + data


def started(stage: Stage, *arguments: str) -> TcpServer:
    """Return a server that is ready; it stores in the folder "received" of the check's own one."""
    return TcpServer(stage, stage.server("server", "--port", "0", *arguments))


def stored(stage: Stage, name: str) -> Path:
    """Return where a file of this name is when it is stored."""
    return stage.folder / FOLDER / f"received_{name}"


def reads_reply(
    peer: TcpPeer, to: str, hint: str = "", patience: float = PATIENCE
) -> tuple[int, str]:
    """Wait for a reply to an offer or a content, and return its status and its text."""
    header = peer.reads(5, f"the reply to {to}", hint, patience)
    status, length = struct.unpack(">BI", header)
    peer.stage.requires(
        status in (YES, NO) and length <= MAX_TEXT,
        f"{peer.name} got something else than a reply to {to}",
        expected="0 or 1, and the length of a text as 4 bytes",
        received=f"{header!r}: {status}, and a length of {length:,}",
        hint=hint,
    )
    text = peer.reads(length, f"the text of the reply to {to}", hint) if length else b""
    try:
        return status, text.decode()
    except UnicodeDecodeError:
        seen = Seen("told", "UTF-8", repr(text))
        raise peer.stage.failure(f"{peer.name} got a reply that is no UTF-8", seen) from None


def expects_reply(
    peer: TcpPeer, status: int, to: str, hint: str = "", patience: float = PATIENCE
) -> str:
    """Wait for a reply with this status, and return its text."""
    came, text = reads_reply(peer, to, hint, patience)
    peer.stage.requires(
        came == status,
        f"{peer.name} was answered {'no' if came else 'yes'} to {to}",
        expected=f"a {status}",
        received=f"a {came}: {text}" if text else f"a {came}",
        hint=hint,
    )
    return text


def offers(peer: TcpPeer, name: str | bytes, size: int) -> None:
    """Offer a file, and wait until the server wants it."""
    peer.sends(offer(name, size))
    is_wanted(peer)


def is_wanted(peer: TcpPeer, hint: str = "") -> None:
    """Wait for the reply "send it", which has no text."""
    text = expects_reply(peer, YES, "an offer", hint)
    peer.stage.requires(
        not text,
        f"{peer.name} was told something with the reply to an offer",
        expected="a 0, and a length of 0",
        received=repr(text),
    )


def is_stored(peer: TcpPeer, name: str, hint: str = "", patience: float = PATIENCE) -> None:
    """Wait for the reply "stored", with the name that the file has there."""
    text = expects_reply(peer, YES, "a content", hint, patience)
    peer.stage.requires(
        text == f"received_{name}",
        f"{peer.name} was told another name than received_<name>",
        expected=_apart(f"received_{name}", text),
        received=_apart(text, f"received_{name}") if text else "no name",
    )


def is_refused(peer: TcpPeer, to: str = "an offer", hint: str = "") -> None:
    """Wait for a refusal, which has a reason."""
    reason = expects_reply(peer, NO, to, hint)
    peer.stage.requires(
        bool(reason.strip()),
        f"{peer.name} was refused without a reason",
        expected="a 1, and why",
        received="a 1, and no text",
    )


def uploads(peer: TcpPeer, name: str, content: bytes) -> None:
    """Upload a file, and see that the server says where it is."""
    offers(peer, name, len(content))
    peer.sends(content)
    is_stored(peer, name)


def uploads_if_wanted(peer: TcpPeer, name: str, content: bytes) -> int:
    """Upload a file that the server may refuse; return its last reply's status."""
    peer.sends(offer(name, len(content)))
    status, _ = reads_reply(peer, "an offer")
    if status == YES:
        peer.sends(content)
        status, _ = reads_reply(peer, "a content")
    return status


def holds(stage: Stage, name: str, content: bytes, hint: str = "") -> None:
    """See that the file is there, and is exactly this."""
    there = _content(stage, name)
    if there != content:
        expected, received = _around_the_difference(content, there)
        stage.requires(
            not _becomes(stage, name, content),
            f"received_{name} was not whole yet when its reply came, and was a moment later",
            expected=str(expected),
            received=str(received),
            hint="first close the file and give it its name, then reply that it is stored",
        )
        raise stage.failure(
            f"received_{name} is not what was sent" if there is not None else "no file was stored",
            Seen("other", expected, received),
            _likely(content, there) or hint,
        )


def _content(stage: Stage, name: str) -> bytes | None:
    return stored(stage, name).read_bytes() if is_there(stage, name) else None


def _becomes(stage: Stage, name: str, content: bytes) -> bool:
    """Tell whether the file is this a little later."""
    deadline = time.monotonic() + LATER
    while _content(stage, name) != content and time.monotonic() < deadline:
        stage.programs[-1].waits_until(lambda: False, 0.02)
    return _content(stage, name) == content


def is_there(stage: Stage, name: str) -> bool:
    """Tell whether a file of this name is stored. A link is none: it may lead anywhere."""
    file = stage.folder.resolve() / FOLDER / f"received_{name}"
    return file.is_file() and file.resolve() == file


def is_empty(stage: Stage, program: Program, *names: str, hint: str = "") -> None:
    """See that the folder holds these stored files and no other, hidden ones included."""
    expected = sorted(f"received_{name}" for name in names)
    folder = stage.folder / FOLDER

    def listed() -> list[str]:
        files = folder.iterdir() if folder.is_dir() else ()
        return sorted(file.name for file in files if not _is_empty_folder(file))

    deadline = time.monotonic() + CLEARING
    while listed() != expected and time.monotonic() < deadline:
        program.waits_until(lambda: listed() == expected, 0.02)  # it may still be clearing up
    there = listed()
    if there == expected:
        return
    more = [name for name in there if name not in expected]
    cause = (
        "an earlier file stays until the new one is whole"
        if not more
        else "the end of the stream is not the end of a file: count the bytes that have come"
        if any(name.startswith("received_") for name in more)
        else "a temporary file that is not needed any more: unlink() it in finally"
    )
    seen = Seen("told", ", ".join(expected) or "an empty folder", ", ".join(there) or "nothing")
    raise stage.failure(f"{program.name} left something else in its folder", seen, hint or cause)


def _is_empty_folder(path: Path) -> bool:
    """Tell whether this is a folder where files may lie for a time, and none does now."""
    try:
        return path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    except OSError:  # it has just gone
        return False


def _apart(text: str, other: str) -> str:
    """Show a text so that what tells it from the other one can be seen."""
    alike = unicodedata.normalize("NFC", text) == unicodedata.normalize("NFC", other)
    return ascii(text) if alike else repr(text)


def _around_the_difference(content: bytes, there: bytes | None) -> tuple[bytes | str, bytes | str]:
    if there is None:
        return f"a file of {len(content):,} bytes", "no file"
    same = next(
        (at for at, (a, b) in enumerate(zip(content, there, strict=False)) if a != b),
        min(len(content), len(there)),
    )
    where = f"of {len(content):,} bytes, at byte {same:,}: "
    return (
        where + repr(content[same : same + 20]),
        f"of {len(there):,} bytes, there: {there[same : same + 20]!r}",
    )


def _likely(content: bytes, there: bytes | None) -> str:
    if there is None:
        return ""
    if len(there) > len(content) and there.startswith(content):
        return "it reads past the end: ask for no more bytes than are still to come"
    if there and content.startswith(there):
        return "it stops too early: count the bytes that have come"
    return ""
