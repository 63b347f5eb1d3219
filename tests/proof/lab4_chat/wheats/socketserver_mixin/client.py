"""A chat client whose main thread receives, while another one waits for the keyboard."""

import contextlib
import json
import math
import os
import select
import socket
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from typing import Any

from .. import frame
from .editor import Editor

LONGEST_SENT = 65_536  # bytes, with the line end
LONGEST_RECEIVED = 2**20
GOOD_BYE = 1.0  # seconds that the server has to close, after /quit
TICK = 0.3  # seconds between two looks at what the keyboard's thread says

HELP = """Plain text goes to all, or to your partner while you have one.
  /users               who is online
  /private NAME TEXT   to one person
  /session NAME        ask for a private session, which /exit leaves
  y, n                 the answer to somebody who asks for one
  /quit                leave"""


class Pipe:
    """What stands in for the editor when there is no terminal."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __enter__(self) -> "Pipe":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, text: str) -> None:
        with self.lock:
            print(text, flush=True)

    def says(self, prompt: str) -> None:
        if prompt.startswith("["):
            self.show(prompt.strip())

    def lines(self) -> Iterator[str]:
        """Yield lines; read without Python's buffer, whose lock would outlive the program."""
        rest = b""
        while sys.stdin and (piece := os.read(sys.stdin.fileno(), 65_536)):
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines)
        if rest:
            yield rest.decode("utf-8", "replace")


class Chat:
    """What the two threads share."""

    def __init__(self, sock: socket.socket, screen: Editor | Pipe) -> None:
        self.sock = sock
        self.screen = screen
        self.sending = threading.Lock()
        self.name: str | None = None
        self.partner: str | None = None
        self.askers: list[str] = []
        self.logged_in = threading.Event()
        self.answered = threading.Event()  # the login that was sent
        self.finished = threading.Event()  # nothing more is typed

    # the keyboard's thread

    def type_all(self, name: str | None) -> None:
        lines = self.screen.lines()
        try:
            if self.log_in(name, lines):
                for line in lines:
                    if line.strip() == "/quit":
                        break
                    self.obey(line.strip())
        except OSError:
            return  # the main thread notices, too
        self.finished.set()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def log_in(self, name: str | None, lines: Iterator[str]) -> bool:
        """Try names until one is taken; return whether one was."""
        while True:
            if name is None:
                self.screen.says("Name: ")
                name = next(filter(None, lines), "/quit")
                if name == "/quit":
                    return False
                self.screen.says("")
            self.name = name
            self.answered.clear()
            if self.send({"username": name}):
                self.answered.wait()
                if self.logged_in.is_set():
                    return True
            name = None

    def obey(self, line: str) -> None:
        """Do what one line asks for."""
        command, _, rest = line.partition(" ")
        words = rest.split(None, 1)
        if not line:
            return
        if not line.startswith("/"):
            if line in ("y", "n") and self.askers:
                answer = {"target_username": self.askers.pop(0), "accepted": line == "y"}
                self.send({"type": "session_response", **answer})
            elif self.partner is not None:
                self.send({"type": "private", "target_username": self.partner, "message": line})
            else:
                self.send({"type": "message", "message": line})
        elif line == "/users":
            self.send({"type": "users"})
        elif line == "/exit":
            if self.partner is None:
                self.screen.show("You are in no session.")
            else:
                self.send({"type": "session_end"})
        elif command == "/session" and len(words) == 1:
            self.send({"type": "session_request", "target_username": words[0]})
        elif command == "/private" and len(words) == 2:
            target, text = words
            self.send({"type": "private", "target_username": target, "message": text})
        elif line == "/help":
            self.screen.show(HELP)
        else:
            self.screen.show(f"{clean(line)}: not understood, and not sent; see /help")

    def send(self, message: dict[str, object]) -> bool:
        """Send a line; return whether it was short enough."""
        text = json.dumps(message, ensure_ascii=False) + "\n"
        line = text.encode("utf-8", "backslashreplace")
        if len(line) > LONGEST_SENT:
            self.screen.show("This is too long for one line, and was not sent.")
            return False
        with self.sending:
            self.sock.sendall(line)
        return True

    # the main thread

    def receive_all(self, ping_interval: float) -> str:
        """Show what comes, and send pings; return why it ends."""
        rest = b""
        next_ping = time.monotonic() + ping_interval
        last_moment = math.inf
        while time.monotonic() < last_moment:
            if self.finished.is_set() and last_moment == math.inf:
                last_moment = time.monotonic() + GOOD_BYE
            left = next_ping - time.monotonic()
            if left <= 0:
                next_ping = time.monotonic() + ping_interval
                self.ping()
            if not select.select([self.sock], [], [], max(0, min(left, TICK)))[0]:
                continue
            piece = self.sock.recv(65_536)
            if not piece:
                return "the server has hung up"
            *lines, last = piece.split(b"\n")
            if lines:
                lines[0] = rest + lines[0]
                rest = b""
            for line in lines:
                self.take(line)
            rest += last
            if len(rest) > LONGEST_RECEIVED:
                return "the server sends a line without an end"
        return "the server has not hung up"

    def ping(self) -> None:
        """Say that we are here, if we are logged in and not just saying something else."""
        if self.logged_in.is_set() and self.sending.acquire(blocking=False):
            try:
                self.sock.sendall(b'{"type": "ping"}\n')
            finally:
                self.sending.release()

    def take(self, line: bytes) -> None:
        try:
            message = json.loads(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return
        if isinstance(message, dict):
            mode = self.react(message)  # first: what is shown may be answered at once
            text = self.shown(message)
            if text:
                self.screen.show(clean(text))
            if mode:
                self.screen.says(mode)

    def shown(self, message: dict[str, Any]) -> str:
        """Return the line that a message is to a person, if it is one."""
        who, text = message.get("from_username"), message.get("message")
        match message.get("type"):
            case "message":
                return f"{who}: {text}"
            case "private":
                return f"{who} (private): {text}"
            case "system":
                return f"-- {text} -- online: {message.get('online_users')}"
            case "session_request":
                return f"-- {who} wants a private session ({text}): type y or n"
            case "session_accepted" | "session_rejected" | "session_ended":
                return f"-- {text} -- {who}, {message.get('to_username')}"
            case "users_list":
                users = message.get("users")
                return f"-- online: {' '.join(map(str, users)) if isinstance(users, list) else '?'}"
            case "error":
                return f"-- error {message.get('code')}: {text}"
        return ""

    def react(self, message: dict[str, Any]) -> str:
        """Keep in mind what a message changes; return the new prompt, if it does that."""
        match message:
            case {"type": "system"} if not self.logged_in.is_set():
                self.logged_in.set()
                self.answered.set()
                return "[all] " if isinstance(self.screen, Editor) else ""
            case {"type": "error"} if not self.logged_in.is_set():
                self.answered.set()
            case {"type": "session_request", "from_username": str(asker)}:
                if asker not in self.askers:
                    self.askers.append(asker)
            case {
                "type": "session_accepted",
                "from_username": str(asker),
                "to_username": str(asked),
            }:
                self.partner = asked if asker == self.name else asker
                self.askers.clear()
                return f"[@{clean(self.partner)}] "
            case {"type": "session_ended"}:
                self.partner = None
                return "[all] "
        return ""


def clean(text: str) -> str:
    """Replace what would move the cursor, and what cannot be encoded."""
    marks = {"Cc": "\N{REPLACEMENT CHARACTER}", "Cs": "?"}
    return "".join(c if c == "\t" else marks.get(unicodedata.category(c), c) for c in text)


def main() -> None:
    """Connect; the rest is done by two threads."""
    parser = frame.client_options(__doc__, port=8083)
    parser.add_argument("--username", metavar="NAME")
    parser.add_argument("--ping-interval", metavar="SECONDS", type=frame.seconds, default=30.0)
    options = parser.parse_args()
    with frame.error_line(f"no chat at {options.host}:{options.port}"):
        sock = socket.create_connection((options.host, options.port))
    terminal = bool(sys.stdin and sys.stdout and sys.stdin.isatty() and sys.stdout.isatty())
    with sock:
        with Editor() if terminal else Pipe() as screen:
            chat = Chat(sock, screen)
            threading.Thread(target=chat.type_all, args=(options.username,), daemon=True).start()
            try:
                reason = chat.receive_all(options.ping_interval)
            except OSError as error:
                reason = str(error.strerror or error)
        if not chat.finished.is_set():
            sys.exit(f"[ERROR] the chat is over: {reason}")


if __name__ == "__main__":
    frame.run(main)
