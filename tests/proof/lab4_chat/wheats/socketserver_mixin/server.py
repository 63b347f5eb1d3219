"""A chat server on the standard library's socketserver: a thread a client, one postman for all.

A handler's thread reads its own client. A line for somebody is sent at once as far as it goes
without waiting; what is left over waits for the postman, the thread that delivers it later.
"""

import contextlib
import json
import os
import selectors
import signal
import socket
import socketserver
import sys
import threading
import time
from datetime import datetime, timezone
from typing import Any

from .. import frame

LONGEST_LINE = 65_536  # bytes, with the line end
MOST_UNSENT = 2**20  # bytes that wait for a client that does not read
LAST_WORDS = 0.8  # seconds in which a connection that ends still gets what waits for it

# Both wait for a few sockets without a descriptor of their own; the first takes any number.
Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Refused(Exception):
    """Carries the code and the text of an error."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Postman(threading.Thread):
    """Delivers what could not be sent at once."""

    def __init__(self, lock: threading.RLock) -> None:
        super().__init__(daemon=True)
        self.lock = lock
        self.waiting: set[ChatHandler] = set()
        self.bell, self.button = socket.socketpair()
        self.button.setblocking(False)

    def run(self) -> None:
        while True:
            with Selector() as selector:
                selector.register(self.bell, selectors.EVENT_READ)
                with self.lock:
                    for handler in self.waiting:
                        selector.register(handler.request, selectors.EVENT_WRITE, handler)
                ready = []
                with contextlib.suppress(OSError):  # Windows: one was closed meanwhile
                    ready = selector.select()
                with self.lock:
                    for key, _ in ready:
                        if key.data is None:
                            self.bell.recv(4096)
                        elif key.data in self.waiting:
                            key.data.send_more()

    def takes(self, handler: "ChatHandler") -> None:
        self.waiting.add(handler)
        self.ring()

    def forgets(self, handler: "ChatHandler") -> None:
        self.waiting.discard(handler)
        self.ring()

    def ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it has been rung often enough
            self.button.send(b"!")


class ChatHandler(socketserver.BaseRequestHandler):
    """One client: a field of this class for all that the server knows about it."""

    server: "ChatServer"

    def setup(self) -> None:
        self.request.setblocking(False)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.name: str | None = None
        self.partner: ChatHandler | None = None
        self.asked: set[str] = set()  # whom I asked for a session
        self.unsent = bytearray()
        self.empty = threading.Event()
        self.empty.set()
        self.gone = False
        with self.server.lock:
            self.server.handlers.add(self)

    def handle(self) -> None:
        rest = b""
        while not self.gone and (piece := self.some()):
            rest += piece
            *lines, rest = rest.split(b"\n")
            for line in [*lines, rest] if len(rest) >= LONGEST_LINE else lines:
                with self.server.lock:
                    if not self.gone:
                        self.obey(line)
                    self.server.dismiss_the_slow()

    def finish(self) -> None:
        """Say good bye to the others at once, and to this one when it has got everything."""
        with self.server.lock:
            self.leave()
            self.server.dismiss_the_slow()
        self.empty.wait(LAST_WORDS)
        with self.server.lock:
            self.server.handlers.discard(self)
            self.server.postman.forgets(self)

    def some(self) -> bytes:
        """Return what came, or nothing at the end: of the stream, or of our patience."""
        patience = self.server.patience if self.name else None
        with Selector() as selector, contextlib.suppress(ConnectionError):
            selector.register(self.request, selectors.EVENT_READ)
            deadline = time.monotonic() + (patience or 0)
            while True:
                with contextlib.suppress(BlockingIOError):
                    return self.request.recv(65_536)
                left = deadline - time.monotonic() if patience else None
                if left is not None and left <= 0:
                    break
                selector.select(left)
            with self.server.lock:
                if not self.gone:
                    self.tell("error", code="idle", message=f"{patience} s of silence")
        return b""

    # what comes; the server's lock is held

    def obey(self, line: bytes) -> None:
        """Do what a line asks for, or say why not."""
        try:
            if len(line) >= LONGEST_LINE:
                raise Refused("too_long", f"{LONGEST_LINE} bytes a line, not more")
            message = parsed(line)
            if self.name is None:
                self.log_in(message)
                return
            kind = message.get("type")
            if not isinstance(kind, str):
                raise Refused("bad_request", "which type?")
            if kind not in FIELDS:
                raise Refused("unknown_type", f"type {kind} is unknown")
            values = [field(message, name, kind_of) for name, kind_of in FIELDS[kind].items()]
            getattr(self, f"on_{kind}")(*values)
        except Refused as refused:
            self.tell("error", code=refused.code, message=str(refused))
            if refused.code == "too_long":
                self.leave()

    def log_in(self, message: dict[str, Any]) -> None:
        if "username" not in message:
            raise Refused("login_required", "who are you?")
        name = message["username"]
        if not isinstance(name, str):
            raise Refused("bad_username", "a username is a string")
        letters = name.replace("_", "x").replace("-", "x").replace(".", "x")
        if not letters.isalnum() or len(name) > 32:
            raise Refused("bad_username", "1 to 32 letters, digits, _ - .")
        if name in self.server.users:
            raise Refused("username_taken", f"{name} is online already")
        self.name = name
        self.server.users[name] = self
        self.tell("system", message=f"you are {name}", online_users=len(self.server.users))
        self.server.announce(f"{name} is here", but=self)

    def on_message(self, text: str) -> None:
        self.server.tell_all("message", but=self, from_username=self.name, message=text)

    def on_private(self, target: str, text: str) -> None:
        self.another(target).tell("private", from_username=self.name, message=text)

    def on_session_request(self, target: str) -> None:
        other = self.server.users.get(target)
        if other and (self.partner or other.partner):
            raise Refused("busy", "one session a person")
        other = self.another(target)
        if target not in self.asked:
            self.asked.add(target)
            text = f"{self.name} would like to talk with you alone"
            other.tell("session_request", from_username=self.name, message=text)

    def on_session_response(self, target: str, accepted: bool) -> None:
        if accepted and self.partner:
            raise Refused("busy", "one session at a time")
        other = self.server.users.get(target)
        if not other or self.name not in other.asked:
            raise Refused("no_such_request", f"{target} does not ask you")
        other.asked.remove(self.name)
        names = {"from_username": target, "to_username": self.name}
        if not accepted:
            other.tell("session_rejected", **names, message=f"{self.name} says no")
            return
        for pair in (self, other):
            pair.forget_requests()
            pair.partner = other if pair is self else self
            pair.tell("session_accepted", **names, message="you are alone now")

    def on_session_end(self) -> None:
        if not self.partner:
            raise Refused("no_session", "there is no session to end")
        names = {"from_username": self.name, "to_username": self.partner.name}
        for pair in (self, self.partner):
            pair.partner = None
            pair.tell("session_ended", **names, message="the session is over")

    def on_users(self) -> None:
        self.tell("users_list", users=sorted(self.server.users))

    def on_ping(self) -> None:
        self.tell("pong")

    # what they do

    def another(self, name: str) -> "ChatHandler":
        if name not in self.server.users:
            raise Refused("no_such_user", f"{name} is not online")
        if name == self.name:
            raise Refused("not_yourself", "talk to somebody else")
        return self.server.users[name]

    def forget_requests(self) -> None:
        self.asked.clear()
        for user in self.server.users.values():
            user.asked.discard(self.name)

    def leave(self) -> None:
        """Be no user any more, and obey nothing more."""
        if self.gone:
            return
        self.gone = True
        if not self.unsent:
            self.hang_up()
        if self.name is None:
            return
        del self.server.users[self.name]
        self.forget_requests()
        self.server.announce(f"{self.name} is gone")
        if self.partner:
            self.partner.partner = None
            names = {"from_username": self.name, "to_username": self.partner.name}
            self.partner.tell("session_ended", **names, message=f"{self.name} is gone")
            self.partner = None

    def tell(self, kind: str, **fields: object) -> None:
        self.send(encoded(kind, fields))

    def send(self, line: bytes) -> None:
        """Send a line, or as much as goes; the postman sends the rest."""
        if self.gone:
            return
        if len(self.unsent) + len(line) > MOST_UNSENT:
            self.server.slow.append(self)
            return
        was_empty = not self.unsent
        self.unsent += line
        if was_empty:
            self.send_more()
            if self.unsent:
                self.empty.clear()
                self.server.postman.takes(self)

    def send_more(self) -> None:
        try:
            while self.unsent:
                del self.unsent[: self.request.send(self.unsent[:131_072])]
        except BlockingIOError:
            return
        except OSError:
            self.unsent.clear()  # it is gone, as its own thread will see
        self.empty.set()
        self.server.postman.waiting.discard(self)
        if self.gone:
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection, which wakes its thread."""
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)


FIELDS: dict[str, dict[str, type]] = {
    "message": {"message": str},
    "private": {"target_username": str, "message": str},
    "session_request": {"target_username": str},
    "session_response": {"target_username": str, "accepted": bool},
    "session_end": {},
    "users": {},
    "ping": {},
}


def parsed(line: bytes) -> dict[str, Any]:
    """Return the object that a line holds; what is not strictly JSON in UTF-8 is refused."""
    try:
        text = line.decode("utf-8")
        message = json.loads(text, parse_constant=int)  # which cannot make a number of NaN
        json.dumps(message, ensure_ascii=False).encode("utf-8")  # a lone surrogate cannot be
    except (ValueError, RecursionError) as error:
        raise Refused("bad_json", "a JSON object, please") from error
    if not isinstance(message, dict):
        raise Refused("bad_json", "JSON, but no object")
    return message


def field(message: dict[str, Any], name: str, kind: type) -> Any:
    """Return a field of a message; `message` itself must not be empty."""
    value = message.get(name)
    if not isinstance(value, kind) or (name == "message" and value == ""):
        raise Refused("bad_request", f"{name}: {kind.__name__} wanted")
    return value


def encoded(kind: str, fields: dict[str, object]) -> bytes:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = json.dumps({"timestamp": now, "type": kind, **fields}, ensure_ascii=False)
    return line.encode("utf-8") + b"\n"


class ChatServer(socketserver.ThreadingTCPServer):
    """Knows who is online. Whoever touches that, or sends, holds the lock."""

    allow_reuse_address = os.name == "posix"  # on Windows it would let two servers listen
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, address: tuple[str, int], patience: float) -> None:
        super().__init__(address, ChatHandler)
        self.patience = patience
        self.lock = threading.RLock()
        self.postman = Postman(self.lock)
        self.handlers: set[ChatHandler] = set()
        self.users: dict[str, ChatHandler] = {}
        self.slow: list[ChatHandler] = []

    def get_request(self) -> tuple[socket.socket, object]:
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.1)  # without file descriptors, this would be tried again at once
            raise

    def announce(self, text: str, but: ChatHandler | None = None) -> None:
        self.tell_all("system", but=but, message=text, online_users=len(self.users))

    def tell_all(self, kind: str, but: ChatHandler | None, **fields: object) -> None:
        line = encoded(kind, fields)
        for user in self.users.values():
            if user is not but:
                user.send(line)

    def dismiss_the_slow(self) -> None:
        while self.slow:
            handler = self.slow.pop()
            if not handler.gone:
                handler.unsent.clear()
                handler.empty.set()
                self.postman.forgets(handler)
                handler.leave()

    def part(self) -> None:
        """Tell all users that this is the end, and end all connections."""
        with self.lock:
            self.announce("the server stops now")
            handlers = list(self.handlers)
            for handler in handlers:
                handler.gone = True
                if not handler.unsent:
                    handler.hang_up()
        deadline = time.monotonic() + LAST_WORDS
        for handler in handlers:
            handler.empty.wait(max(0.0, deadline - time.monotonic()))
            handler.hang_up()
        while self.handlers and time.monotonic() < deadline + 0.4:
            time.sleep(0.01)

    def handle_error(self, request: object, client_address: object) -> None:
        frame.info(f"{client_address} is lost: {sys.exc_info()[1]!r}")


def main() -> None:
    """Serve until a signal comes."""
    parser = frame.server_options(__doc__, port=8083)
    parser.add_argument("--idle-timeout", type=frame.seconds, default=120.0)
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        server = ChatServer((options.host, options.port), options.idle_timeout)
    with server:
        server.postman.start()
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(
                    getattr(signal, name),
                    lambda *_: threading.Thread(target=server.shutdown).start(),
                )
        frame.ready(server.socket)
        server.serve_forever(poll_interval=0.2)
        server.part()


if __name__ == "__main__":
    frame.run(main)
