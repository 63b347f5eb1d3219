"""Lab 3's messages in words, for pictures."""

import struct

from pictures.words import Long, Readers, Script, Scripted, piece, plain

MAX_NAME = 200  # bytes: the server reads no longer one
MAX_TEXT = 1_000_000  # bytes of a reply: whoever announces more has lost count


def readers(wire: str) -> Readers:
    """Return the readers of a connection."""
    if wire != "tcp":
        return plain(wire)
    connection = Connection()
    return Readers(Scripted(connection.to_server()), Scripted(connection.to_client()))


class Connection:
    """What both directions know: a reply says whether a content comes, and what it answers."""

    def __init__(self) -> None:
        self.unanswered: list[str] = []  # an "offer", or a "content" that was wanted
        self.refused = False

    def to_server(self) -> Script:
        """Follow offers and contents."""
        while True:
            head = yield 4
            if len(head) < 4:
                return
            length = int.from_bytes(head, "big")
            if length > MAX_NAME:
                yield f"offer with a name of {length:,} bytes"
                return
            name = yield length
            size = yield 8
            if len(size) < 8:
                return
            expected = int.from_bytes(size, "big")
            self.unanswered.append("offer")
            self.refused = False
            yield f"offer name={piece(name, length - len(name))} {expected:,} bytes"
            yield None
            if expected and not self.refused:
                yield Long("content", expected)
                yield f"content {expected:,} of {expected:,} bytes"

    def to_client(self) -> Script:
        """Follow replies."""
        while True:
            head = yield 5
            if len(head) < 5:
                return
            status, length = struct.unpack(">BI", head)
            if status > 1 or length > MAX_TEXT:
                return
            text = yield length
            said = f" {piece(text, length - len(text))}" if length else ""
            yield self._reply(status) + said

    def _reply(self, status: int) -> str:
        answered = self.unanswered.pop(0) if self.unanswered else ""
        if answered == "offer":
            self.refused = status == 1
            self.unanswered += [] if self.refused else ["content"]
            return "refused" if self.refused else "send it"
        if answered == "content":
            return "failed" if status else "stored"
        return f"reply {status}"
