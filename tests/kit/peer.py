"""The test's end of a wire, whatever it speaks: `kit.tcp` and `kit.udp` give it its verbs.

A wait ends when what is waited for has come, when the program has ended, or when patience has.
"""

import re
import select
import socket
import time
from types import TracebackType
from typing import Any, Literal, TypeVar

from kit.failure import Seen
from kit.program import Program, Stdin
from kit.stage import Stage
from kit.story import Link, Mark

Address = tuple[str, int]
SomePeer = TypeVar("SomePeer", bound="Peer")


class Peer:
    """One end of a wire; the program at the other end is watched while this one waits."""

    landmark: re.Pattern[bytes] | None = None  # what the story shows even of a long piece of data

    def __init__(
        self, stage: Stage, name: str, program: Program | None, sock: socket.socket
    ) -> None:
        self.stage, self.name, self.sock = stage, name, sock
        self._program = program
        self.said = time.monotonic()  # when this end said something, or came
        self._waits_since: float | None = None

    @property
    def program(self) -> Program:
        """The program at the other end."""
        assert self._program, "a test's own server starts its client first: starts_client()"
        return self._program

    @property
    def address(self) -> Address:
        """Where this end is reached."""
        host, port = self.sock.getsockname()
        return host, port

    def starts_client(
        self,
        name: str,
        *arguments: str,
        port: bool = True,
        buffered: bool = False,
        stdin: Stdin = "open",
    ) -> Program:
        """Start a client program that is to talk to this end, a server of the test's.

        Without `port` it is not told the port, and has to know it.
        """
        told = ("--port", str(self.address[1])) if port else ()
        self._program = self.stage.program(name, *told, *arguments, buffered=buffered, stdin=stdin)
        return self._program

    def meets(self, program: Program) -> None:
        """Watch this program, a client that somebody else has started, from now on."""
        self._program = program

    def __enter__(self: SomePeer) -> SomePeer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None and self.sock.fileno() >= 0:
                self.leaves()
        finally:
            self.closes()

    def closes(self) -> None:
        """Be there no longer."""
        self.sock.close()

    def leaves(self) -> None:
        """Close this end, after a look at whether anything is left unread."""
        raise NotImplementedError

    @property
    def link(self) -> Link | None:
        """What joins this end with the program, as far as that is known."""
        return None

    def tells(self, mark: Mark, what: str | bytes, flag: Literal["", "FIN", "RST"] = "") -> None:
        """Add a line to the story."""
        self._waits_since = None
        self.stage.story.tell(self.name, mark, what, self.link, flag, self.landmark)

    def speaks(self) -> None:
        """Count from now on how long this end is silent; to be called when it sends something."""
        now = time.monotonic()
        self.stage.silence = max(self.stage.silence, now - self.said)
        self.said = now

    def waits(self, until: float, *, to_read: bool = True, to_write: bool = False) -> bool:
        """Wait until the socket can be used, or the program has ended; False when time is up."""
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        left = max(0.0, until - now)
        readers = [self.sock, self.program.bell] if to_read else [self.program.bell]
        writers = [self.sock] if to_write else []
        readable, writable, _ = select.select(readers, writers, [], left)
        return bool(readable or writable)

    def can_read(self) -> bool:
        """Tell whether something is there to be read, without waiting."""
        return bool(select.select([self.sock], [], [], 0)[0])

    def over(self) -> bool:
        """Tell whether the program has ended, or waits for a TODO: nothing more will come."""
        return self.program.exit_code is not None or self.program.todo is not None

    def fails(self, waited: str, seen: Seen, hint: str = "") -> Exception:
        """Return the failure of a wait, told as "waited …, and …"; `waited` says who, for what.

        A program that has ended is the first thing to say.
        """
        if seen.kind in ("closed", "reset"):
            self.program.waits_until(self.over, 0.3)  # a dying program's sockets close first
        if seen.kind != "other" and self.program.exit_code is not None:
            seen = Seen("ended", seen.expected, seen.received)
        if seen.kind == "silence":
            now = time.monotonic()
            seconds = f"{now - (self._waits_since or now):.1f} s ".removeprefix("0.0 s ")
            self.tells("..", f"waits {seconds}in vain")
        some = isinstance(seen.received, bytes) and seen.received
        how = {
            "silence": "only a part came" if some else "nothing came",
            "closed": "the connection was closed",
            "reset": "the connection was reset",
            "other": "something else came",
            "ended": f"{self.program.name} ended",
        }[seen.kind]
        return self.stage.failure(f"{waited}, and {how}", seen, hint)


class Server:
    """A server program that is ready: where it is, and clients for it."""

    protocol = socket.SOCK_STREAM

    def __init__(self, stage: Stage, program: Program) -> None:
        self.stage, self.program = stage, program
        self.host = "127.0.0.1"
        self.port = stage.sees_ready(program)[1]

    def client(self, name: str) -> Any:
        """Open a peer that speaks to this server."""
        raise NotImplementedError
