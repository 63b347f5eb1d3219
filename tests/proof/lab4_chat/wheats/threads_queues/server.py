"""A chat server of threads: for each client one that reads, one that writes, a queue between."""

import contextlib
import json
import queue
import signal
import socket
import threading
import time
from datetime import datetime

from .. import frame

LONGEST_LINE = 65_536  # bytes, with the line end
LONGEST_NAME = 32
MOST_UNSENT = 4 * 2**20  # bytes that wait for a client that does not read
LAST_WORDS = 0.8  # seconds in which a connection that ends still gets what waits for it
TICK = 0.25  # seconds between two looks at the clocks

END = b"\0"  # in a queue: nothing comes after it
KINDS = (
    "message",
    "private",
    "session_request",
    "session_response",
    "session_end",
    "users",
    "ping",
)


class Refusal(Exception):
    """Says why a line is not obeyed: its code and a text."""


class ByteQueue(queue.Queue[bytes]):
    """A queue that is full when it holds so many bytes, however many items they are."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.bytes = 0

    def _qsize(self) -> int:
        return self.bytes

    def _put(self, item: bytes) -> None:
        super()._put(item)
        self.bytes += len(item)

    def _get(self) -> bytes:
        item = super()._get()
        self.bytes -= len(item)
        return item


class Client:
    """One connection, and the two threads that work for it."""

    def __init__(self, sock: socket.socket, chat: "Chat") -> None:
        self.sock = sock
        self.chat = chat
        self.name = ""
        self.heard = time.monotonic()
        self.over = False  # nothing that it sends is obeyed any more
        self.deadline = float("inf")  # when an ending connection is cut
        self.outgoing = ByteQueue(MOST_UNSENT)
        self.writer = threading.Thread(target=self.write, daemon=True)
        self.reader = threading.Thread(target=self.read, daemon=True)

    def start(self) -> None:
        self.writer.start()
        try:
            self.reader.start()
        except RuntimeError:
            self.outgoing.put(END)
            raise

    def write(self) -> None:
        try:
            while (line := self.outgoing.get()) is not END:
                self.sock.sendall(line)
        except OSError:
            pass  # the reader notices, too
        self.cut()

    def read(self) -> None:
        rest = b""
        try:
            while not self.over and (piece := self.sock.recv(65_536)):
                self.heard = time.monotonic()
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self.chat.obey(self, line)
                if len(rest) >= LONGEST_LINE:
                    self.chat.obey(self, rest)
        except OSError:
            pass  # a reset is one way to leave
        self.chat.part_with(self)
        self.writer.join(LAST_WORDS)
        self.cut()
        self.writer.join()
        self.chat.forget(self)
        self.sock.close()
        frame.info(f"{self.name or 'a visitor'} is gone")

    def cut(self) -> None:
        """End both directions, which wakes both threads."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def ends(self) -> None:
        """Send what waits, then no more."""
        self.over = True
        self.deadline = time.monotonic() + LAST_WORDS
        try:
            self.outgoing.put_nowait(END)
        except queue.Full:
            self.cut()


class Chat:
    """Who is online, who talks with whom, who asked whom. Everything is done under its lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clients: set[Client] = set()
        self.users: dict[str, Client] = {}
        self.partners: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.overfull: list[Client] = []

    # what the threads call

    def admit(self, sock: socket.socket) -> None:
        client = Client(sock, self)
        with self.lock:
            self.clients.add(client)
        try:
            client.start()
        except RuntimeError as error:
            frame.info(f"No more threads: {error}")
            self.forget(client)
            sock.close()

    def forget(self, client: Client) -> None:
        with self.lock:
            self.clients.discard(client)

    def obey(self, client: Client, line: bytes) -> None:
        with self.lock:
            if client.over:
                return
            try:
                if len(line) >= LONGEST_LINE:
                    raise Refusal("too_long", f"A line has at most {LONGEST_LINE} bytes.")
                self.act(client, line)
            except Refusal as refusal:
                code, text = refusal.args
                self.post([client], "error", code=code, message=text)
                if code == "too_long":
                    client.ends()
                    self.leave(client)
            self.drop_the_overfull()

    def part_with(self, client: Client) -> None:
        """Deal with the end of a client's stream."""
        with self.lock:
            if not client.over:
                client.ends()
            self.leave(client)
            self.drop_the_overfull()

    def look_at_the_clocks(self, idle_timeout: float) -> None:
        now = time.monotonic()
        with self.lock:
            for client in list(self.clients):
                if now > client.deadline:
                    client.cut()
                elif not client.over and now - client.heard > idle_timeout:
                    text = f"Nothing came for {idle_timeout:g} s, good bye."
                    self.post([client], "error", code="idle", message=text)
                    client.ends()
                    self.leave(client)
            self.drop_the_overfull()

    def close(self) -> None:
        """Tell everybody, and end all connections."""
        with self.lock:
            self.post(list(self.users.values()), "system", message="The server is shutting down.")
            clients = list(self.clients)
            for client in clients:
                if not client.over:
                    client.ends()
        deadline = time.monotonic() + LAST_WORDS
        for client in clients:
            client.writer.join(max(0, deadline - time.monotonic()))
        for client in clients:
            client.cut()
        for client in clients:
            client.reader.join(max(0, deadline + 0.3 - time.monotonic()))

    # what the lock protects

    def act(self, client: Client, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        if not line:
            return
        try:
            message = json.loads(line.decode())
        except (ValueError, RecursionError):
            raise Refusal("bad_json", "This line is no JSON in UTF-8.") from None
        if not isinstance(message, dict):
            raise Refusal("bad_json", "This line is no JSON object.")
        if not client.name:
            self.log_in(client, message)
            return
        me = client.name
        match message:
            case {"type": "message", "message": str(text)} if text:
                self.post(self.others(me), "message", from_username=me, message=text)
            case {"type": "private", "target_username": str(name), "message": str(text)} if text:
                self.post([self.another(me, name)], "private", from_username=me, message=text)
            case {"type": "session_request", "target_username": str(name)}:
                self.request(me, name)
            case {
                "type": "session_response",
                "target_username": str(name),
                "accepted": bool(accepted),
            }:
                self.respond(me, name, accepted)
            case {"type": "session_end"}:
                if me not in self.partners:
                    raise Refusal("no_session", "You are in no private session.")
                self.end_session(me, [me, self.partners[me]])
            case {"type": "users"}:
                self.post([client], "users_list", users=list(self.users))
            case {"type": "ping"}:
                self.post([client], "pong")
            case {"type": str(kind)} if kind not in KINDS:
                raise Refusal("unknown_type", f"What is {kind[:100]!r}?")
            case _:
                raise Refusal("bad_request", "A field is missing, empty or of the wrong type.")

    def log_in(self, client: Client, message: dict[str, object]) -> None:
        match message.get("username"):
            case None if "username" not in message:
                raise Refusal("login_required", "Log in first.")
            case str(name):
                pass
            case _:
                raise Refusal("bad_request", "A username is a text.")
        if not 1 <= len(name) <= LONGEST_NAME:
            raise Refusal("bad_username", f"A name has 1 to {LONGEST_NAME} characters.")
        if not all(character.isalnum() or character in "_-." for character in name):
            raise Refusal("bad_username", "A name has letters, digits and _ - . only.")
        if name in self.users:
            raise Refusal("username_taken", f"Somebody else is {name}.")
        client.name = name
        self.users[name] = client
        self.post([client], "system", message=f"Welcome, {name}!")
        self.post(self.others(name), "system", message=f"{name} joined.")

    def request(self, me: str, name: str) -> None:
        other = self.another(me, name)
        if me in self.partners or name in self.partners:
            raise Refusal("busy", f"You or {name} are in a private session.")
        if (me, name) not in self.requests:
            self.requests.append((me, name))
        text = f"{me} asks you for a private session."
        self.post([other], "session_request", from_username=me, message=text)

    def respond(self, me: str, name: str, accepted: bool) -> None:
        if (name, me) not in self.requests:
            raise Refusal("no_such_request", f"{name[:100]!r} waits for no answer of yours.")
        self.requests.remove((name, me))
        both = {"from_username": name, "to_username": me}
        if not accepted:
            text = f"{me} does not want to."
            self.post([self.users[name]], "session_rejected", **both, message=text)
            return
        self.requests = [pair for pair in self.requests if not {me, name} & set(pair)]
        self.partners |= {me: name, name: me}
        text = f"{name} and {me} talk in private now."
        self.post([self.users[name], self.users[me]], "session_accepted", **both, message=text)

    def end_session(self, me: str, told: list[str]) -> None:
        other = self.partners.pop(me)
        del self.partners[other]
        self.post(
            [self.users[name] for name in told],
            "session_ended",
            from_username=me,
            to_username=other,
            message=f"{me} ended the private session of {me} and {other}.",
        )

    def leave(self, client: Client) -> None:
        """Forget a user, if it is one, and tell the others."""
        me = client.name
        if self.users.get(me) is not client:
            return
        if me in self.partners:
            self.end_session(me, [self.partners[me]])
        del self.users[me]
        self.requests = [pair for pair in self.requests if me not in pair]
        self.post(list(self.users.values()), "system", message=f"{me} left.")

    def others(self, me: str) -> list[Client]:
        return [client for name, client in self.users.items() if name != me]

    def another(self, me: str, name: str) -> Client:
        if name not in self.users:
            raise Refusal("no_such_user", f"Nobody here is {name[:100]!r}.")
        if name == me:
            raise Refusal("not_yourself", "That is you.")
        return self.users[name]

    def post(self, receivers: list[Client], kind: str, **fields: object) -> None:
        """Put a line into the queues. Who has no room for it is dropped afterwards."""
        line = {"type": kind, **fields}
        if kind == "system":
            line["online_users"] = len(self.users)
        line["timestamp"] = datetime.now().isoformat(timespec="seconds")
        # A lone surrogate becomes what it was in the sender's line: an escape.
        data = json.dumps(line, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"
        for client in receivers:
            try:
                client.outgoing.put_nowait(data)
            except queue.Full:
                self.overfull.append(client)

    def drop_the_overfull(self) -> None:
        while self.overfull:
            client = self.overfull.pop()
            client.over = True
            client.cut()
            self.leave(client)


def serve(listener: socket.socket, idle_timeout: float) -> None:
    """Admit everybody until a signal comes."""
    stopping = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.append(True))
    chat = Chat()
    listener.settimeout(TICK)
    frame.ready(listener)
    next_look = 0.0
    while not stopping:
        try:
            sock, _ = listener.accept()
            chat.admit(sock)
        except TimeoutError:
            pass
        except OSError as error:
            frame.info(f"Nobody was admitted: {error}")
            time.sleep(0.1)  # without file descriptors, this would be tried again at once
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + TICK
            chat.look_at_the_clocks(idle_timeout)
    listener.close()
    chat.close()


def main() -> None:
    """Listen where the options say."""
    parser = frame.server_options(__doc__, port=8083)
    parser.add_argument("--idle-timeout", type=frame.seconds, default=120.0)
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port), backlog=128)
    with listener:
        serve(listener, options.idle_timeout)


if __name__ == "__main__":
    frame.run(main)
