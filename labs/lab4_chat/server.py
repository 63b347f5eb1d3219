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
from collections.abc import Iterable

from .. import frame
from ..clients import Clients
from .chat import Chat, Letter
from .outbox import Outbox
from .protocol import MAX_CLIENT_LINE, Lines, Refused, packed, parse, stamped

PIECE = 65_536  # bytes: the most that one recv() fetches


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
            while not visitor.outbox.dropped and (piece := connection.recv(PIECE)):
                self._obey(visitor, visitor.lines.feed(piece))
        except TimeoutError:
            self._refuse(visitor, Refused("idle", f"nothing came for {self._idle_timeout:g} s"))
        except Refused as reason:  # a line that is too long: where it ends is not known
            self._refuse(visitor, reason)
        finally:
            self._leave(visitor)

    def shut_down(self) -> None:
        """Tell everybody that the server is going."""
        with self._lock:
            reached = self._post(self._chat.shut_down())
        _flush(reached)

    def _obey(self, visitor: Visitor, lines: Iterable[bytes]) -> None:
        """Do what these lines ask for; whoever gets something gets all of it in one piece."""
        reached: set[Outbox] = set()
        try:
            for line in lines:
                if line.strip():
                    reached |= self._obey_line(visitor, line)
        finally:
            _flush(reached)

    def _obey_line(self, visitor: Visitor, line: bytes) -> set[Outbox]:
        try:
            message = parse(line)
            with self._lock:
                if visitor.name:
                    return self._post(self._chat.obey(visitor.name, message))
                visitor.name, letters = self._chat.login(message)
                self._outboxes[visitor.name] = visitor.outbox
                return self._post(letters)
        except Refused as reason:
            visitor.outbox.put(_error(reason))
            return {visitor.outbox}

    def _refuse(self, visitor: Visitor, reason: Refused) -> None:
        visitor.outbox.put(_error(reason))
        visitor.outbox.flush()

    def _leave(self, visitor: Visitor) -> None:
        try:
            with self._lock:
                reached = set()
                if visitor.name:
                    letters = self._chat.leave(visitor.name)
                    del self._outboxes[visitor.name]
                    reached = self._post(letters)
            _flush(reached)
        finally:
            visitor.outbox.close()

    def _post(self, letters: list[Letter]) -> set[Outbox]:
        """Put each letter into the outboxes of those who get it, and return these."""
        reached = set()
        for letter in letters:
            line = packed(letter.message)
            for name in letter.to:
                self._outboxes[name].put(line)
                reached.add(self._outboxes[name])
        return reached


def _error(reason: Refused) -> bytes:
    return packed(stamped("error", code=reason.code, message=str(reason)))


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
