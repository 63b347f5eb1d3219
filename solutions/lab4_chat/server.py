"""Lab 4: the server of the chat. It brings together the wire, the rules and the ways out.

    main thread           alice's thread                          bob's thread
        | accept() -----> | recv(): a piece                       | recv(): bob is silent
        | accept() -------|-------------------------------------> :
        | accept()        |   -> lines (protocol.py)              :
        :                 |   -> letters, in the lock (chat.py)
                          |   -> into bob's outbox (outbox.py)
                          | flush(): send() to bob's client
                          | recv() ...

What comes in and goes out: a JSON object a line; the handout has the tables of all of them.
What is shared: the chat and the outboxes, behind one lock that nobody holds while sending.

By hand:  python -m labs.lab4_chat.server
          python -m labs.lab4_chat.client --username alice
          nc 127.0.0.1 8083
"""

import socket
import threading
import time
from collections.abc import Iterable
from itertools import groupby

from .. import frame
from ..clients import Clients
from .chat import Chat, Letter, Message
from .outbox import Outbox
from .protocol import MAX_CLIENT_LINE, Lines, Refused, packed, parse, stamped

FAREWELL = 0.4  # seconds in which the last notice is sent to those who read it
PIECE = 16_384  # bytes: the most that one recv() fetches, and one turn of the lock handles


class Visitor:
    """A connection: what comes in, what goes out, and the user's name after the login."""

    def __init__(self, connection: socket.socket) -> None:
        self.lines = Lines(MAX_CLIENT_LINE)
        self.outbox = Outbox(connection)
        self.name = ""
        self.must_go = False


class Server:
    """The chat, and the outboxes of those who are online."""

    def __init__(self, idle_timeout: float) -> None:
        self._idle_timeout = idle_timeout
        self._lock = threading.Lock()  # held by whoever uses the two below, and never for long
        self._chat = Chat()
        self._outboxes: dict[str, Outbox] = {}

    def attend(self, connection: socket.socket) -> None:
        """Serve one client until it leaves, in whatever way it does."""
        connection.settimeout(self._idle_timeout)
        visitor = Visitor(connection)
        try:
            # Wait for a byte, and leave it there: memory for a piece is taken when it has come.
            while not (visitor.must_go or visitor.outbox.dropped) and (
                connection.recv(1, socket.MSG_PEEK)
            ):
                self._obey(visitor, visitor.lines.feed(connection.recv(PIECE)))
        except TimeoutError:
            reason = Refused("idle", f"nothing came for {self._idle_timeout:g} s")
            visitor.outbox.put(packed(_error(reason)))
            visitor.outbox.flush()
        finally:
            self._leave(visitor)

    def shut_down(self) -> None:
        """Tell everybody that the server is going, before the connections are ended."""
        with self._lock:
            reached = self._post(self._chat.shut_down())
        deadline = time.monotonic() + FAREWELL
        for outbox in reached:
            outbox.drain(deadline)

    def _obey(self, visitor: Visitor, lines: Iterable[bytes]) -> None:
        """Do what these lines ask for; whoever gets something gets all of it in one piece."""
        letters: list[Letter] = []
        with self._lock:
            try:
                for line in lines:
                    if line.strip():
                        letters += self._answer(visitor, line)
            except Refused as reason:  # the line is too long: where it ends is not known
                letters += self._refuse(visitor, reason)
                visitor.must_go = True
            reached = self._post(letters)
        _flush({visitor.outbox, *reached})

    def _answer(self, visitor: Visitor, line: bytes) -> list[Letter]:
        try:
            message = parse(line)
            if visitor.name:
                return self._chat.obey(visitor.name, message)
            visitor.name, letters = self._chat.login(message)
        except Refused as reason:
            return self._refuse(visitor, reason)
        self._outboxes[visitor.name] = visitor.outbox
        return letters

    def _refuse(self, visitor: Visitor, reason: Refused) -> list[Letter]:
        if visitor.name:
            return [Letter([visitor.name], _error(reason))]
        visitor.outbox.put(packed(_error(reason)))  # who has no name gets no letters
        return []

    def _leave(self, visitor: Visitor) -> None:
        try:
            reached = set()
            with self._lock:
                if visitor.name:
                    letters = self._chat.leave(visitor.name)
                    del self._outboxes[visitor.name]
                    reached = self._post(letters)
            _flush(reached)
        finally:
            visitor.outbox.close()

    def _post(self, letters: list[Letter]) -> set[Outbox]:
        """Put the letters into the outboxes of those who get them, and return these.

        Letters that follow each other to the same people are one piece, made once for all.
        """
        reached = set()
        for names, same in groupby(letters, key=lambda letter: letter.to):
            piece = b"".join(packed(letter.message) for letter in same)
            for name in names:
                self._outboxes[name].put(piece)
                reached.add(self._outboxes[name])
        return reached


def _error(reason: Refused) -> Message:
    return stamped("error", code=reason.code, message=str(reason))


def _flush(outboxes: Iterable[Outbox]) -> None:
    for outbox in outboxes:
        outbox.flush()


def main() -> None:
    """Listen where the options say, and serve; at Ctrl+C say so to everybody who is online."""
    parser = frame.server_options(__doc__, port=8083)
    parser.add_argument(
        "--idle-timeout", type=frame.seconds, default=120.0, help="silence of a user, in seconds"
    )
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port), backlog=socket.SOMAXCONN)
    with listener:
        frame.ready(listener)
        server = Server(options.idle_timeout)
        Clients(server.attend, server.shut_down).serve(listener)


if __name__ == "__main__":
    frame.run(main)
