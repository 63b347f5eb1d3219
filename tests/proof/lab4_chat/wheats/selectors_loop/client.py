"""A chat client of one thread: it waits for the server and the keyboard at the same time."""

import collections
import contextlib
import json
import selectors
import socket
import sys
import time
import unicodedata

from .. import frame
from .keys import KeyedLine, PlainLines, Source

LONGEST_SENT = 65_536  # bytes, with the line end
LONGEST_RECEIVED = 2**20
ENOUGH_UNSENT = 65_536  # bytes; with more, no more is read from the keyboard
STUCK = 5.0  # seconds: a server that takes nothing for so long gets no more, at the end
GOOD_BYE = 0.8  # seconds that the server has to close, at the end

HELP = (
    "Type a text for all, or: /users, /private NAME TEXT, /session NAME, y or n (to who asks), "
    "/exit (from a session), /help, /quit"
)


class Gone(Exception):
    """The server is not there any more."""


class Client:
    """The state of the chat, and what is on its way."""

    def __init__(
        self, sock: socket.socket, lines: PlainLines, name: str | None, ping_interval: float
    ) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.lines = lines
        self.received = bytearray()
        self.unsent = bytearray()
        self.typed: collections.deque[str] = collections.deque()
        self.input_ended = False
        self.quits = False
        self.logged_in = False
        self.answer_awaited = False
        self.name = ""
        self.partner = ""
        self.requests: dict[str, None] = {}  # the oldest one first
        self.ping_interval = ping_interval
        self.next_ping = time.monotonic() + ping_interval
        if name is None:
            lines.ask("name? ")
        else:
            self.log_in(name)

    # the loop

    def run(self, source: Source) -> None:
        # Other selectors do not take a stdin that is a file.
        with selectors.SelectSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            listening = False
            while not self.quits:
                if listening != self.wants_typing() and source.fileno() >= 0:
                    listening = not listening
                    if listening:
                        selector.register(source, selectors.EVENT_READ)
                    else:
                        selector.unregister(source)
                write = selectors.EVENT_WRITE if self.unsent else 0
                selector.modify(self.sock, selectors.EVENT_READ | write)
                ready = {key.fileobj for key, _ in selector.select(self.until_ping())}
                if self.sock in ready:
                    self.receive()
                    self.flush()
                if source in ready:
                    self.type(source.read())
                elif source.fileno() < 0 and not self.input_ended:
                    self.type(b"")
                self.obey_what_is_typed()
                self.flush()

    def wants_typing(self) -> bool:
        return not (self.input_ended or self.typed) and len(self.unsent) < ENOUGH_UNSENT

    def until_ping(self) -> float:
        """Send a ping when it is time; return how long it is until the next one, 1 s at most."""
        now = time.monotonic()
        if now >= self.next_ping:
            self.next_ping = now + self.ping_interval
            if self.logged_in:
                self.send(type="ping")
        return min(1.0, self.next_ping - now)

    def flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self.unsent:
                del self.unsent[: self.sock.send(bytes(self.unsent[:65_536]))]

    def deliver(self) -> None:
        """Get rid of what is still to be sent, then wait until the server closes."""
        self.sock.settimeout(STUCK)
        while self.unsent:
            del self.unsent[: self.sock.send(bytes(self.unsent[:65_536]))]
        self.sock.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + GOOD_BYE
        while (left := deadline - time.monotonic()) > 0:
            self.sock.settimeout(left)
            if not self.sock.recv(65_536):
                return

    # the keyboard

    def type(self, piece: bytes) -> None:
        self.typed.extend(self.lines.feed(piece))
        if not piece or (isinstance(self.lines, KeyedLine) and self.lines.ends):
            self.input_ended = True

    def obey_what_is_typed(self) -> None:
        while self.typed and not self.answer_awaited and not self.quits:
            line = self.typed.popleft().strip()
            if line == "/quit":
                self.quits = True
            elif self.logged_in:
                self.obey(line)
            elif line:
                self.log_in(line)
        if self.input_ended and not self.typed:
            self.quits = True

    def log_in(self, name: str) -> None:
        self.name = name
        self.answer_awaited = self.send(username=name)
        self.lines.ask("" if self.answer_awaited else "name? ")

    def obey(self, line: str) -> None:
        word, *rest = line.split(None, 2) or [""]
        if not line.startswith("/"):
            self.say(line)
        elif word == "/private" and len(rest) == 2:
            self.send(type="private", target_username=rest[0], message=rest[1])
        elif word == "/session" and len(rest) == 1:
            self.send(type="session_request", target_username=rest[0])
        elif line == "/exit":
            self.send(type="session_end")
        elif line == "/users":
            self.send(type="users")
        elif line == "/help":
            self.lines.show(HELP)
        else:
            self.lines.show(f"This is not a command: {harmless(line)}. {HELP}")

    def say(self, text: str) -> None:
        if not text:
            return
        if text in ("y", "n") and self.requests:
            asker = next(iter(self.requests))
            del self.requests[asker]
            self.send(type="session_response", target_username=asker, accepted=text == "y")
        elif self.partner:
            self.send(type="private", target_username=self.partner, message=text)
        else:
            self.send(type="message", message=text)

    def send(self, **fields: object) -> bool:
        """Queue a line; return whether it was short enough."""
        line = json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        if len(line) > LONGEST_SENT:
            self.lines.show(f"Too long: {len(line) - LONGEST_SENT} bytes less would go.")
            return False
        self.unsent += line
        return True

    # the server

    def receive(self) -> None:
        try:
            piece = self.sock.recv(65_536)
        except BlockingIOError:
            return
        if not piece:
            raise Gone("it has closed the connection")
        start = len(self.received)
        self.received += piece
        if self.received.find(b"\n", start) >= 0:
            *lines, self.received = self.received.split(b"\n")
            for line in lines:
                self.take(bytes(line))
        if len(self.received) >= LONGEST_RECEIVED:
            raise Gone("what it sends is no chat")

    def take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            self.lines.show("(something that is not to be understood)")
            return
        kind = message.get("type")
        who, other, text = (
            harmless(message.get(name, "")) for name in ("from_username", "to_username", "message")
        )
        if kind == "message":
            self.lines.show(f"{who}> {text}")
        elif kind == "private":
            self.lines.show(f"{who} [private]> {text}")
        elif kind == "system":
            self.lines.show(f"# {text} | online: {harmless(message.get('online_users'))}")
            if not self.logged_in:
                self.answer_awaited = False
                self.logged_in = True
                self.next_ping = time.monotonic() + self.ping_interval
                self.lines.ask("[all] ")
        elif kind == "error":
            self.lines.show(f"# error: {text} | {harmless(message.get('code'))}")
            if not self.logged_in:
                self.answer_awaited = False
                self.lines.ask("name? ")
        elif kind == "session_request":
            self.requests.setdefault(str(message.get("from_username")))
            self.lines.show(f"# {who} asks: {text} | private session, answer with y or n")
        elif kind in ("session_accepted", "session_ended", "session_rejected"):
            self.lines.show(f"# {kind.replace('_', ' ')}: {who}, {other} | {text}")
            if kind == "session_accepted":
                self.requests.clear()
                pair = [str(message.get(name)) for name in ("from_username", "to_username")]
                self.change_mode(pair[pair[0] == self.name])
            elif kind == "session_ended":
                self.change_mode("")
        elif kind == "users_list":
            users = message.get("users")
            names = [harmless(name) for name in users] if isinstance(users, list) else []
            self.lines.show(f"# {len(names)} online: {', '.join(names)}")

    def change_mode(self, partner: str) -> None:
        self.partner = partner
        mode = f"[@{harmless(partner)}]" if partner else "[all]"
        if not isinstance(self.lines, KeyedLine):
            self.lines.show(mode)
        self.lines.ask(f"{mode} ")


def harmless(value: object) -> str:
    """Return a text that stays on its line: a picture for each control character."""
    letters = []
    for letter in str(value):
        if unicodedata.category(letter) == "Cs":
            letter = "\ufffd"
        elif unicodedata.category(letter) == "Cc":
            letter = chr(0x2400 + ord(letter)) if letter < " " else "\u2421"
        letters.append(letter)
    return "".join(letters)


def main() -> None:
    """Connect and chat; stdout is the only thing that we wait for longer than needed."""
    parser = frame.client_options(__doc__, port=8083)
    parser.add_argument("--username")
    parser.add_argument("--ping-interval", type=frame.seconds, default=30.0)
    options = parser.parse_args()
    with frame.error_line(f"no server at {options.host}:{options.port}"):
        sock = socket.create_connection((options.host, options.port))
    terminal = all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout))
    source = Source(terminal)
    lines = KeyedLine() if terminal else PlainLines()
    try:
        client = Client(sock, lines, options.username, options.ping_interval)
        client.run(source)
    except (OSError, Gone) as error:
        reason = getattr(error, "strerror", None) or error
        if terminal:
            print()
        sys.exit(f"[ERROR] the server is gone: {reason}")
    finally:
        source.close()
    if terminal:
        print()
    with sock, contextlib.suppress(OSError):
        client.deliver()


if __name__ == "__main__":
    frame.run(main)
