"""Lab 4: the client of the chat: one activity reads the keyboard, another one receives.

    the main thread                 the server                  the receiving thread
        | read(): a line is typed       |                               |
        | -- {"type": "message", ...} ->|                               |
        | read() ...                    | -- {"type": "private", ...} ->| show()
        :                               | <- {"type": "ping"} ----------| now and then

What is typed and shown: see conversation.py. What comes in and goes out: a JSON object a line.

By hand:  python -m labs.lab4_chat.client --username alice
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator

from .. import frame
from ..terminal import SLICE, Ended, Terminal
from .conversation import Conversation, Explained, Message, visible
from .protocol import MAX_SERVER_LINE, Lines, Refused, packed, parse

PIECE = 65_536  # bytes: the most that one recv() fetches
FAREWELL = 1.0  # seconds in which a server may still answer when the user has left


class Client:
    """A connection, a terminal, and what is said between the two."""

    def __init__(self, sock: socket.socket, terminal: Terminal, ping_interval: float) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # lines go out at once
        self._sock = sock
        self._terminal = terminal
        self._ping_interval = ping_interval
        self._sending = threading.Lock()  # held by the thread that sends: lines must not mix
        self._lock = threading.Lock()  # held by whoever uses the conversation
        self._talk = Conversation()
        self._answered = threading.Event()  # set when the login has been answered
        self._lost = ""  # why the connection has ended

    def run(self, username: str) -> None:
        """Log in, and do what the user types until it ends. Raises OSError if the server goes."""
        receiver = threading.Thread(target=self._receive, daemon=True)
        receiver.start()
        try:
            self._log_in(username)
            while True:
                self._do(self._terminal.read().strip())
        except Ended:
            raise ConnectionError(self._lost) from None
        except EOFError:  # the end of input, or /quit
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
            receiver.join(FAREWELL)
        finally:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)
            receiver.join(FAREWELL)

    def _log_in(self, username: str) -> None:
        """Ask for a name, unless there is one, until the server takes it."""
        self._terminal.prompt("Your name: ")
        while not self._talk.name:
            name = username or self._terminal.read().strip()
            username = ""
            if name == "/quit":
                raise EOFError
            if name:
                self._answered.clear()
                self._talk.wanted = name
                self._send({"username": name})
                while not (self._lost or self._answered.wait(SLICE)):
                    pass  # what is typed meanwhile waits, too
                if self._lost:
                    raise Ended
        self._show_mode(self._talk.mode)

    def _do(self, text: str) -> None:
        if text == "/quit":
            raise EOFError
        if text:
            try:
                with self._lock:
                    message = self._talk.typed(text)
            except Explained as explanation:
                self._terminal.show(f"! {explanation}")
            else:
                self._send(message)

    def _send(self, message: Message) -> None:
        # A connection that has ended is noticed by the receiving thread, which says so.
        with self._sending, contextlib.suppress(OSError):
            self._sock.sendall(packed(message))

    def _receive(self) -> None:
        """Show what arrives, until the server goes."""
        lines = Lines(MAX_SERVER_LINE)
        try:
            for piece in self._pieces():
                for line in lines.feed(piece):
                    self._take(line)
            self._lost = "the server has ended the connection"
        except (OSError, Refused) as error:
            self._lost = str(error)
        finally:
            self._lost = self._lost or "nothing is received any more"
            self._answered.set()
            self._terminal.end()

    def _take(self, line: bytes) -> None:
        try:
            message = parse(line)
        except Refused as reason:  # not our fault, and not worth leaving for
            self._terminal.show(f"! {reason}")
            return
        with self._lock:
            before = self._talk.mode
            text, mode = self._talk.arrived(message), self._talk.mode
        if text:
            self._terminal.show(visible(text))
        if mode != before:
            self._show_mode(mode)
        if message.get("type") in ("system", "error"):
            self._answered.set()

    def _show_mode(self, mode: str) -> None:
        mode = visible(mode)
        if self._terminal.is_terminal:
            self._terminal.prompt(f"{mode} ")
        else:
            self._terminal.show(mode)

    def _pieces(self) -> Iterator[bytes]:
        """Yield what comes, until the end of the stream; send a ping when it is time for one."""
        # gap 13: select() waits for the socket, but not beyond the time of the next ping, which
        #   only who is logged in sends. Yield what recv() returns; no bytes are the end.
        next_ping = time.monotonic() + self._ping_interval
        while True:
            patience = next_ping - time.monotonic()
            if patience <= 0:
                next_ping += self._ping_interval
                if self._talk.name:
                    self._send({"type": "ping"})
            elif select.select([self._sock], [], [], patience)[0]:
                piece = self._sock.recv(PIECE)
                if not piece:
                    return
                yield piece
        # end gap


def main() -> None:
    """Connect where the options say, and chat."""
    parser = frame.client_options(__doc__, port=8083)
    parser.add_argument("--username", default="", help="who you are (default: you are asked)")
    parser.add_argument(
        "--ping-interval", type=frame.seconds, default=30.0, help="between two pings, in seconds"
    )
    options = parser.parse_args()
    with (
        frame.error_line(f"no chat at {options.host}:{options.port}"),
        socket.create_connection((options.host, options.port)) as sock,
        Terminal() as terminal,
    ):
        Client(sock, terminal, options.ping_interval).run(options.username)


if __name__ == "__main__":
    frame.run(main)
