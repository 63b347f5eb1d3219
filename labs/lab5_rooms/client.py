"""Lab 5: the client of the rooms: TCP to get into one, then UDP to talk in it.

    the user                 this client                        the server
      | name, 1 or 2, room ----> |                                  |
      |                          | ==TCP== create or join --------> |
      |                          | <- done: the token ============= |
      |                          | --UDP-- hello, token ---X        |   lost: UDP promises nothing
      |                          | -- hello, token ---------------> |   a second later, once more
      | <- "[kitchen]" --------- | <- hello ----------------------- |
      | "Hi!" -----------------> | -- text, token ----------------> |
      | <- "bob: Hello!" ------- | <- text ------------------------ |
      |                          | -- hello, token ---------------> |   each 15 s: I am still here
      | /quit -----------------> | -- bye, token -----------------> |

By hand:  python -m labs.lab5_rooms.client --username alice --create kitchen
"""

import contextlib
import socket
import sys
import threading
import time
import unicodedata
from argparse import Namespace

from .. import frame
from ..terminal import SLICE, Terminal
from .protocol import (
    BYE,
    CREATE,
    DONE,
    HELLO,
    JOIN,
    LIST,
    MAX_DATAGRAM,
    MAX_NAME,
    MAX_PAYLOAD,
    NOTICE,
    REQUEST,
    TEXT,
    Datagram,
    ProtocolError,
    packed,
    packed_datagram,
    parsed_datagram,
    read_exactly,
    read_head,
)

ATTEMPTS = 3  # to say the first hello
PATIENCE = 1.0  # seconds until one of them is answered
INTERVAL = 15.0  # seconds between two later ones

Entered = tuple[str, str, bytes]  # the room, the user, and the token for the two


class Refused(Exception):
    """The server does not want it so; the text says why."""


def asked(connection: socket.socket, operation: int, room: str = "", user: str = "") -> bytes:
    """Send a request, and return the payload of its reply. Raises Refused and OSError."""
    # TODO 12: Send it, read the head of the reply and then exactly its payload, but not more than
    #   MAX_PAYLOAD. If its state is not DONE, the payload is the reason: raise Refused with it.
    raise NotImplementedError("TODO 12")


def enter(connection: socket.socket, terminal: Terminal, options: Namespace) -> Entered:
    """Get into a room, as the options say, or else as the user answers. Raises Refused."""
    user = options.username or question(terminal, "Your name: ")
    if options.create is not None:
        return options.create, user, asked(connection, CREATE, options.create, user)
    if options.join is not None:
        return options.join, user, asked(connection, JOIN, options.join, user)
    while True:
        try:
            operation = chosen(terminal)
            if operation == JOIN:
                names = asked(connection, LIST).decode(errors="replace").split("\n")
                terminal.show(f"* rooms: {visible(', '.join(filter(None, names))) or 'none'}")
            room = question(terminal, "Room: ")
            return room, user, asked(connection, operation, room, user)
        except Refused as reason:
            terminal.show(f"! {visible(str(reason))}")
        user = question(terminal, "Your name: ")


def chosen(terminal: Terminal) -> int:
    """Ask until the user has chosen an operation."""
    choices = {"1": CREATE, "2": JOIN}
    while (answer := question(terminal, "1 creates a room, 2 joins one: ")) not in choices:
        terminal.show(f"! {answer} is neither 1 nor 2")
    return choices[answer]


def question(terminal: Terminal, text: str) -> str:
    """Ask until there is an answer, and return it. Raises EOFError if there will be none."""
    terminal.prompt(text)
    while True:
        answer = terminal.read().strip()
        if answer == "/quit":
            raise EOFError
        if len(answer.encode()) > MAX_NAME:
            terminal.show("! that is too long")
        elif answer:
            return answer


class Talk:
    """A user in a room: what is typed goes out as datagrams, what comes in is shown."""

    def __init__(self, sock: socket.socket, terminal: Terminal, entered: Entered) -> None:
        self._sock = sock
        self._terminal = terminal
        self._room, self._user, self._token = entered
        self._answered = threading.Event()  # set when a hello has come back

    def run(self) -> None:
        """Send what is typed until it ends. Raises TimeoutError if no hello is answered."""
        threading.Thread(target=self._receive, daemon=True).start()
        self._say_hello()
        self._terminal.prompt(f"[{self._room}] ")
        self._terminal.show(f"* {self._user} is in {self._room} now; /quit leaves it")
        with contextlib.suppress(EOFError):
            while (line := self._terminal.read()) != "/quit":
                if line:
                    self._say(line)
        self._send(BYE)

    def _say(self, text: str) -> None:
        try:
            self._send(TEXT, text)
        except ProtocolError as reason:
            self._terminal.show(f"! not sent: {reason}")

    def _send(self, kind: int, text: str = "") -> None:
        """Send a datagram. Raises ProtocolError, and sends nothing, if it would be too long."""
        data = packed_datagram(Datagram(kind, self._room, self._user, self._token, text))
        if len(data) > MAX_DATAGRAM:
            raise ProtocolError(f"{len(data) - MAX_DATAGRAM:,} bytes too long for a datagram")
        with contextlib.suppress(OSError):  # it is lost, as any datagram may be
            self._sock.send(data)

    def _say_hello(self) -> None:
        """Say hello until it is answered. Raises TimeoutError if that does not happen."""
        # TODO 13: Say it ATTEMPTS times at most, and wait for PATIENCE seconds each time, after the
        #   last one, too. `_answered` knows when the answer is there: wait() with a timeout (on
        #   Windows of SLICE at most, again and again: Ctrl+C waits for the end of each).
        raise NotImplementedError("TODO 13")

    def _receive(self) -> None:
        """Show what comes, for ever, and say hello when it is time for one."""
        # TODO 14: Wait for a datagram, but not beyond the time of the next hello: each INTERVAL
        #   seconds, whatever comes. Give each good one to _take(). Ignore every OSError: it is a
        #   ProtocolError, the end of the wait, or one of ours that found nobody.
        raise NotImplementedError("TODO 14")

    def _take(self, datagram: Datagram) -> None:
        kind, room, user, token, text = datagram
        if room != self._room or token:
            return
        if kind == HELLO and user == self._user:
            self._answered.set()
        elif kind == TEXT:
            self._terminal.show(visible(f"{user}: {text}"))
        elif kind == NOTICE:
            self._terminal.show(visible(f"* {text}"))


def visible(text: str) -> str:
    """Return the text on one line: it cannot clear a screen, or begin a line of its own."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)


def main() -> None:
    """Get into a room where the options say, and talk."""
    parser = frame.client_options(__doc__, port=8084)
    parser.add_argument("--username", default="", help="who you are (default: you are asked)")
    room = parser.add_mutually_exclusive_group()
    room.add_argument("--create", metavar="ROOM", help="make this room (default: you are asked)")
    room.add_argument("--join", metavar="ROOM", help="enter this room (default: you are asked)")
    options = parser.parse_args()
    with (
        frame.error_line(f"no room at {options.host}:{options.port}"),
        contextlib.suppress(EOFError),  # the end of input, or /quit, at a question
        Terminal() as terminal,
    ):
        server = socket.gethostbyname(options.host), options.port
        try:
            with socket.create_connection(server) as connection:
                entered = enter(connection, terminal, options)
        except Refused as reason:
            sys.exit(f"[ERROR] {visible(str(reason))}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(server)  # what others send to this socket never gets through
            Talk(sock, terminal, entered).run()


if __name__ == "__main__":
    frame.run(main)
