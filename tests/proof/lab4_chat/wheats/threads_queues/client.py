"""A chat client of threads: the main one reads the keyboard, another one receives."""

import contextlib
import json
import os
import queue
import socket
import sys
import threading
import unicodedata
from typing import Any, NoReturn

from .. import frame
from .keyboard import Plain, Terminal, keyboard

LONGEST_SENT = 65_536  # bytes, with the line end
LONGEST_RECEIVED = 2 * 2**20
GOOD_BYE = 1.0  # seconds that the server has to close, after /quit

HELP = (
    "/users: who is here. /session NAME: ask for a private session; y or n answers such"
    " a question, /exit ends it. /private NAME TEXT: for one alone. /quit: good bye."
)


class Chat:
    """One person's side of the chat."""

    def __init__(self, sock: socket.socket, keys: Plain | Terminal) -> None:
        self.sock = sock
        self.keys = keys
        self.name = ""
        self.partner = ""
        self.waiting: list[str] = []  # who asked for a session
        self.logged_in = False
        self.answers: queue.Queue[bool] = queue.Queue()  # to logins
        self.sending = threading.Lock()
        self.state = threading.Lock()
        self.ending = threading.Lock()
        self.leaving = False

    # the keyboard

    def log_in(self, name: str | None) -> bool:
        """Send names until one is taken; return whether one was."""
        while True:
            if name is None:
                self.keys.says("Your name?")
                name = self.keys.ask()
                if name is None or name == "/quit":
                    return False
                if not name:
                    name = None
                    continue
            self.name = name
            if self.send(username=name) and self.answered():
                self.keys.says("[all]")
                return True
            name = None

    def answered(self) -> bool:
        while True:
            try:
                return self.answers.get(timeout=0.5)  # Windows: Ctrl+C comes in between
            except queue.Empty:
                pass

    def talk(self, ping_interval: float) -> None:
        """Do what is typed, until it ends."""
        threading.Thread(target=self.ping, args=(ping_interval,), daemon=True).start()
        while (line := self.keys.ask()) is not None:
            match line.split(maxsplit=2):
                case []:
                    pass
                case ["/quit"]:
                    return
                case ["/help"]:
                    self.keys.show(HELP)
                case ["/users"]:
                    self.send(type="users")
                case ["/session", name]:
                    self.send(type="session_request", target_username=name)
                case ["/exit"]:
                    self.send(type="session_end")
                case ["/private", name, text]:
                    self.send(type="private", target_username=name, message=text)
                case [word, *_] if word.startswith("/"):
                    self.keys.show(f"Not sent, for it is no whole command: {visible(line)}. {HELP}")
                case ["y" | "n" as answer] if self.responds(answer == "y"):
                    pass
                case _:
                    self.say(line.strip())

    def say(self, text: str) -> None:
        partner = self.partner
        if partner:
            self.send(type="private", target_username=partner, message=text)
        else:
            self.send(type="message", message=text)

    def responds(self, accepted: bool) -> bool:
        """Answer the oldest request that waits; return whether there was one."""
        with self.state:
            if not self.waiting:
                return False
            name = self.waiting.pop(0)
        return self.send(type="session_response", target_username=name, accepted=accepted)

    def send(self, **message: object) -> bool:
        """Send a line; return whether it could be sent."""
        line = json.dumps(message).encode() + b"\n"
        if len(line) > LONGEST_SENT:
            line = json.dumps(message, ensure_ascii=False).encode(errors="replace") + b"\n"
        if len(line) > LONGEST_SENT:
            self.keys.show(f"Not sent: {len(line)} bytes are more than {LONGEST_SENT}.")
            return False
        try:
            with self.sending:
                self.sock.sendall(line)
        except OSError as error:
            self.lost(str(error))
        return True

    def ping(self, interval: float) -> None:
        pause = threading.Event()
        while not pause.wait(interval) and not self.leaving:
            self.send(type="ping")

    # the server

    def receive(self) -> None:
        try:
            reason = self.receive_all()
        except OSError as error:
            reason = error.strerror or str(error)
        self.lost(reason)

    def receive_all(self) -> str:
        """Show what comes; return why nothing more does."""
        rest = b""
        while piece := self.sock.recv(65_536):
            if b"\n" not in piece:
                rest += piece
                if len(rest) > LONGEST_RECEIVED:
                    return "the server's line is too long"
                continue
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                try:
                    message = json.loads(line.decode(errors="replace"))
                except (ValueError, RecursionError):
                    continue  # whatever it is, it is no chat
                if isinstance(message, dict):
                    self.take(message)
        return "the server has closed the connection"

    def take(self, message: dict[str, Any]) -> None:
        """Show a message, and keep in mind what it changes."""
        kind = message.get("type")
        who = visible(message.get("from_username", "?"))
        text = visible(message.get("message", ""))
        match kind:
            case "system":
                self.keys.show(f"* {text} ({visible(message.get('online_users', '?'))} online)")
                if not self.logged_in:
                    self.logged_in = True
                    self.answers.put(True)
            case "message":
                self.keys.show(f"<{who}> {text}")
            case "private":
                self.keys.show(f"<{who}, private> {text}")
            case "session_request":
                with self.state:
                    name = str(message.get("from_username"))
                    if name not in self.waiting:
                        self.waiting.append(name)
                self.keys.show(f"? {who} asks you for a private session: y or n? {text}")
            case "session_accepted" | "session_rejected" | "session_ended":
                mode = self.changes(kind, message)
                self.keys.show(f"* {text} ({who}, {visible(message.get('to_username', '?'))})")
                if mode:
                    self.keys.says(mode)
            case "users_list":
                names = message.get("users")
                names = names if isinstance(names, list) else []
                self.keys.show(f"* here: {', '.join(map(visible, names))}")
            case "error":
                self.keys.show(f"! {visible(message.get('code', '?'))}: {text}")
                if not self.logged_in:
                    self.answers.put(False)

    def changes(self, kind: str, message: dict[str, Any]) -> str:
        """Note a session's begin or end; return the mode that it leads to."""
        pair = [str(message.get("from_username")), str(message.get("to_username"))]
        if kind == "session_accepted":
            with self.state:
                self.waiting.clear()
                self.partner = pair[1] if pair[0] == self.name else pair[0]
            return f"[@{visible(self.partner)}]"
        if kind == "session_ended":
            self.partner = ""
            return "[all]"
        return ""

    # the end

    def lost(self, reason: str) -> NoReturn:
        """End the program, whatever the main thread waits for; unless it is about to leave."""
        with self.ending:
            if self.leaving:
                sys.exit()  # this thread alone, or the program, with success
            self.keys.give_back()
            print(f"[ERROR] the connection is lost: {reason}", file=sys.stderr, flush=True)
            os._exit(1)

    def leave(self) -> None:
        with self.ending:
            self.leaving = True


def visible(value: object) -> str:
    """Return a text that can be printed, on one line."""
    return "".join(
        f"\\x{ord(letter):02x}" if unicodedata.category(letter) in ("Cc", "Cs") else letter
        for letter in str(value)
    )


def main() -> None:
    """Connect, log in, talk."""
    parser = frame.client_options(__doc__, port=8083)
    parser.add_argument("--username")
    parser.add_argument("--ping-interval", type=frame.seconds, default=30.0)
    options = parser.parse_args()
    with frame.error_line(f"cannot reach {options.host}:{options.port}"):
        sock = socket.create_connection((options.host, options.port), timeout=10)
    sock.settimeout(None)
    keys = keyboard()
    chat = Chat(sock, keys)
    receiver = threading.Thread(target=chat.receive, daemon=True)
    receiver.start()
    try:
        if chat.log_in(options.username):
            chat.talk(options.ping_interval)
        chat.leave()
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)  # what was typed is delivered before the end
        receiver.join(GOOD_BYE)
    finally:
        chat.leave()
        keys.give_back()
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        receiver.join(GOOD_BYE)
    sock.close()


if __name__ == "__main__":
    frame.run(main)
