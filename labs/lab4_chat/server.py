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

import contextlib
import socket
import threading
from collections.abc import Iterable, Iterator
from itertools import groupby

from .. import frame
from ..clients import Clients
from .chat import Chat, Letter
from .outbox import Outbox
from .protocol import MAX_CLIENT_LINE, Lines, Refused, packed, parse, stamped

PIECE = 16_384  # bytes: the most that one recv() fetches, and so what one turn of the lock does


class Visitor:
    """A connection: what comes in, what goes out, and the user's name after the login."""

    def __init__(self, connection: socket.socket) -> None:
        self.lines = Lines(MAX_CLIENT_LINE)
        self.outbox = Outbox(connection)
        self.name = ""


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
            # Wait for a byte, and leave it there: the memory for a piece is taken when it is there.
            while not visitor.outbox.dropped and connection.recv(1, socket.MSG_PEEK):
                self._obey(visitor, visitor.lines.feed(connection.recv(PIECE)))
        except TimeoutError:
            self._refuse(visitor, Refused("idle", f"nothing came for {self._idle_timeout:g} s"))
        except Refused as reason:  # a line that is too long: where it ends is not known
            self._refuse(visitor, reason)
        finally:
            self._leave(visitor)

    def shut_down(self) -> None:
        """Tell everybody that the server is going."""
        with self._posting() as letters:
            letters += self._chat.shut_down()

    def _obey(self, visitor: Visitor, lines: Iterable[bytes]) -> None:
        """Do what these lines ask for."""
        with self._posting() as letters:
            for line in lines:
                if line.strip():
                    letters += self._answer(visitor, line)
        visitor.outbox.flush()  # an error before the login is in no letter

    def _answer(self, visitor: Visitor, line: bytes) -> list[Letter]:
        """Return what follows from this line."""
        try:
            message = parse(line)
            if visitor.name:
                return self._chat.obey(visitor.name, message)
            visitor.name, letters = self._chat.login(message)
            self._outboxes[visitor.name] = visitor.outbox
            return letters
        except Refused as reason:
            return _error(visitor, reason)

    def _refuse(self, visitor: Visitor, reason: Refused) -> None:
        with self._posting() as letters:
            letters += _error(visitor, reason)
        visitor.outbox.flush()

    def _leave(self, visitor: Visitor) -> None:
        try:
            if visitor.name:
                with self._posting() as letters:
                    del self._outboxes[visitor.name]
                    letters += self._chat.leave(visitor.name)
        finally:
            visitor.outbox.close()

    @contextlib.contextmanager
    def _posting(self) -> Iterator[list[Letter]]:
        """Hold the lock, and when it is free again, send the letters that are in the list then."""
        letters: list[Letter] = []
        reached: set[Outbox] = set()
        try:
            with self._lock:
                try:
                    yield letters
                finally:
                    reached = self._post(letters)
        finally:
            for outbox in reached:
                outbox.flush()

    def _post(self, letters: list[Letter]) -> set[Outbox]:
        """Put each letter into the outboxes of those who get it, and return these."""
        reached = set()
        # What follows each other to the same people is one piece, made once for all of them.
        for names, same in groupby(letters, key=lambda letter: letter.to):
            piece = b"".join(packed(letter.message) for letter in same)
            outboxes = [self._outboxes[name] for name in names]
            for outbox in outboxes:
                outbox.put(piece)
            reached.update(outboxes)
        return reached


def _error(visitor: Visitor, reason: Refused) -> list[Letter]:
    message = stamped("error", code=reason.code, message=str(reason))
    if visitor.name:
        return [Letter([visitor.name], message)]
    visitor.outbox.put(packed(message))  # by name it cannot be reached yet
    return []


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
