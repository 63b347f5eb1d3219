"""A chat server of one thread: a selector, sockets that never wait, and a buffer for each."""

import collections
import json
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable
from datetime import datetime

from .. import frame

LONGEST_LINE = 65_536  # bytes, with the line end
MOST_UNSENT = 8 * 2**20  # bytes that wait for a client that does not read
PIECE = 65_536  # bytes that one recv() fetches
TURN = 50  # lines of one peer that are obeyed before it is the others' turn
TICK = 0.25  # seconds between two looks at the clocks
LAST_WORDS = 1.0  # seconds in which a connection that ends still gets what waits for it

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

Fields = dict[str, object]


class BadLine(Exception):
    """What a client asked for is not possible: a code, and a text for people."""


class Peer:
    """One connection: bytes in, bytes out, and how far its end has come."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.name = ""
        self.received = bytearray()
        self.lines: collections.deque[bytes] = collections.deque()
        self.unsent = bytearray()
        self.heard = time.monotonic()
        self.ending = 0.0  # until then it may still get what waits; 0 means that it does not end
        self.deaf = False  # it has closed its side, or what it sends is not read any more

    def pull(self) -> None:
        """Receive lines; the last one may be too long and unfinished."""
        piece = self.sock.recv(PIECE)
        if not piece:
            raise EOFError
        self.heard = time.monotonic()
        if self.ending:
            return
        self.received += piece
        *lines, self.received = self.received.split(b"\n")
        self.lines.extend(lines)
        if len(self.received) >= LONGEST_LINE:
            self.lines.append(self.received)

    def push(self) -> None:
        """Send what can be sent now."""
        while self.unsent:
            with memoryview(self.unsent) as view:
                sent = self.sock.send(view[:PIECE])
            del self.unsent[:sent]
        if self.ending and not self.deaf:
            # The rest of its bytes is read, as closing on them would be a reset, which might
            # overtake the last words.
            self.deaf = True
            self.sock.shutdown(socket.SHUT_WR)

    def events(self) -> int:
        return READ | WRITE if self.unsent else READ


class Chat:
    """The rules. It puts lines into the peers' buffers, and touches no socket."""

    def __init__(self) -> None:
        self.users: dict[str, Peer] = {}
        self.sessions: dict[str, str] = {}  # both ways
        self.requests: set[tuple[str, str]] = set()
        self.full: collections.deque[Peer] = collections.deque()
        self.actions: dict[str, Callable[[str, Fields], None]] = {
            "message": self.message,
            "private": self.private,
            "session_request": self.request,
            "session_response": self.response,
            "session_end": self.end,
            "users": self.list_users,
            "ping": self.ping,
        }

    def obey(self, peer: Peer, line: bytes) -> None:
        try:
            if len(line) >= LONGEST_LINE:
                raise BadLine("too_long", f"a line has at most {LONGEST_LINE} bytes")
            if line in (b"", b"\r"):
                return
            try:
                fields = json.loads(line.decode())
            except (ValueError, RecursionError) as error:
                raise BadLine("bad_json", f"not readable: {type(error).__name__}") from error
            if not isinstance(fields, dict):
                raise BadLine("bad_json", "not an object")
            if peer.name:
                kind = text_of(fields, "type")
                if kind not in self.actions:
                    raise BadLine("unknown_type", "no such type of message")
                self.actions[kind](peer.name, fields)
            elif "username" in fields:
                self.log_in(peer, text_of(fields, "username"))
            else:
                raise BadLine("login_required", "log in before you do anything else")
        except BadLine as bad:
            code, text = bad.args
            self.send([peer], "error", code=code, message=text)
            if code == "too_long":
                self.remove(peer)

    def log_in(self, peer: Peer, name: str) -> None:
        if not 0 < len(name) < 33 or any(not (c.isalnum() or c in "-_.") for c in name):
            raise BadLine("bad_username", "a name is 1 to 32 letters, digits or _ - .")
        if name in self.users:
            raise BadLine("username_taken", "this name is taken")
        self.users[name] = peer
        peer.name = name
        self.notice([peer], f"Hello {name}")
        self.notice(self.all_but(name), f"{name} is new here")

    def remove(self, peer: Peer) -> None:
        """Take a user off, and tell it to all who have to do with it."""
        peer.ending = peer.ending or time.monotonic() + LAST_WORDS
        if self.users.get(peer.name) is peer:
            del self.users[peer.name]
            self.requests = {pair for pair in self.requests if peer.name not in pair}
            self.part(peer.name, "has left")
            self.notice(self.users.values(), f"{peer.name} has left")

    # one action for each type

    def message(self, me: str, fields: Fields) -> None:
        text = text_of(fields, "message")
        self.send(self.all_but(me), "message", from_username=me, message=text)

    def private(self, me: str, fields: Fields) -> None:
        text = text_of(fields, "message")
        other = self.other(me, fields)
        self.send([self.users[other]], "private", from_username=me, message=text)

    def request(self, me: str, fields: Fields) -> None:
        other = self.other(me, fields)
        if me in self.sessions or other in self.sessions:
            raise BadLine("busy", "you are, or the other one is, in a session")
        self.requests.add((me, other))
        text = "a private session?"
        self.send([self.users[other]], "session_request", from_username=me, message=text)

    def response(self, me: str, fields: Fields) -> None:
        other = text_of(fields, "target_username")
        accepted = fields.get("accepted")
        if not isinstance(accepted, bool):
            raise BadLine("bad_request", "accepted: true or false is needed")
        if (other, me) not in self.requests:
            raise BadLine("no_such_request", "there is nothing to answer")
        self.requests.remove((other, me))
        pair: Fields = {"from_username": other, "to_username": me}
        asker = self.users[other]
        if not accepted:
            self.send([asker], "session_rejected", **pair, message=f"{me}: no")
            return
        self.requests = {old for old in self.requests if other not in old and me not in old}
        self.sessions[me], self.sessions[other] = other, me
        self.send([self.users[me], asker], "session_accepted", **pair, message="it begins")

    def end(self, me: str, fields: Fields) -> None:
        if me not in self.sessions:
            raise BadLine("no_session", "you are in none")
        self.part(me, "has ended the session")

    def list_users(self, me: str, fields: Fields) -> None:
        self.send([self.users[me]], "users_list", users=list(reversed(self.users)))

    def ping(self, me: str, fields: Fields) -> None:
        self.send([self.users[me]], "pong")

    # what they share

    def other(self, me: str, fields: Fields) -> str:
        name = text_of(fields, "target_username")
        if name not in self.users:
            raise BadLine("no_such_user", "nobody with that name is here")
        if name == me:
            raise BadLine("not_yourself", "this is your own name")
        return name

    def part(self, me: str, what: str) -> None:
        """End a session, if there is one; who is online of the two is told."""
        other = self.sessions.pop(me, None)
        if other:
            del self.sessions[other]
            told = [self.users[name] for name in (me, other) if name in self.users]
            pair: Fields = {"from_username": me, "to_username": other}
            self.send(told, "session_ended", **pair, message=f"{me} {what}")

    def all_but(self, me: str) -> list[Peer]:
        return [peer for name, peer in self.users.items() if name != me]

    def notice(self, peers: Iterable[Peer], text: str) -> None:
        self.send(peers, "system", message=text, online_users=len(self.users))

    def send(self, peers: Iterable[Peer], kind: str, **fields: object) -> None:
        now = datetime.now().astimezone().isoformat(timespec="milliseconds")
        line = json.dumps({**fields, "type": kind, "timestamp": now}, ensure_ascii=False)
        data = f"{line}\n".encode()
        for peer in peers:
            if len(peer.unsent) + len(data) > MOST_UNSENT:
                self.full.append(peer)
            else:
                peer.unsent += data


def text_of(fields: Fields, name: str) -> str:
    """Return a field that is a text, and can be sent as UTF-8 to others."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadLine("bad_request", f"{name}: a text is needed")
    if name == "message" and not value:
        raise BadLine("bad_request", "an empty message")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadLine("bad_request", f"{name}: half a surrogate pair is no text") from None
    return value


class Server:
    """The loop: it moves bytes between the sockets and the peers."""

    def __init__(self, listener: socket.socket, idle_timeout: float) -> None:
        listener.setblocking(False)
        self.listener = listener
        self.idle_timeout = idle_timeout
        self.selector = selectors.DefaultSelector()
        self.chat = Chat()
        self.peers: set[Peer] = set()
        self.accepts_again = 0.0

    def run(self, stopping: list[bool]) -> None:
        self.selector.register(self.listener, READ)
        next_look = time.monotonic() + TICK
        while not stopping:
            self.turn()
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + TICK
                self.look_at_the_clocks()

    def turn(self) -> None:
        """Wait a little, and do what has become possible."""
        busy = any(peer.lines for peer in self.peers)
        for key, events in self.selector.select(0 if busy else TICK):
            peer = key.data
            if peer is None:
                self.accept()
            elif peer in self.peers and events & READ and not peer.lines:
                self.read(peer)
        for peer in list(self.peers):
            for _ in range(min(TURN, len(peer.lines))):
                if peer.ending:
                    peer.lines.clear()
                    break
                self.chat.obey(peer, peer.lines.popleft())
        while self.chat.full:
            peer = self.chat.full.popleft()
            self.chat.remove(peer)
            self.drop(peer)
        for peer in list(self.peers):
            if peer.unsent or (peer.ending and not peer.deaf):
                self.write(peer)

    def accept(self) -> None:
        try:
            sock, _ = self.listener.accept()
            peer = Peer(sock)
        except (BlockingIOError, ConnectionError):
            return
        except OSError as error:
            frame.info(f"Not accepted: {error}")
            self.selector.unregister(self.listener)  # or it would be reported again at once
            self.accepts_again = time.monotonic() + 2 * TICK
            return
        self.peers.add(peer)
        self.selector.register(sock, READ, peer)

    def read(self, peer: Peer) -> None:
        try:
            peer.pull()
        except BlockingIOError:
            return
        except (OSError, EOFError):
            self.chat.remove(peer)
            self.drop(peer)

    def write(self, peer: Peer) -> None:
        try:
            peer.push()
        except BlockingIOError:
            pass  # the selector tells when more can be sent
        except OSError:
            self.chat.remove(peer)
            self.drop(peer)
            return
        self.selector.modify(peer.sock, peer.events(), peer)

    def drop(self, peer: Peer) -> None:
        """Close the connection, unless that is done."""
        if peer in self.peers:
            self.peers.remove(peer)
            self.selector.unregister(peer.sock)
            peer.sock.close()

    def look_at_the_clocks(self) -> None:
        now = time.monotonic()
        for peer in list(self.peers):
            if peer.ending:
                if now > peer.ending:
                    self.drop(peer)
            elif now - peer.heard > self.idle_timeout:
                text = f"silent for more than {self.idle_timeout} s"
                self.chat.send([peer], "error", code="idle", message=text)
                self.chat.remove(peer)
        if self.accepts_again and now > self.accepts_again:
            self.accepts_again = 0.0
            self.selector.register(self.listener, READ)

    def close(self) -> None:
        """Tell all users, and wait a moment until they have got it."""
        if not self.accepts_again:
            self.selector.unregister(self.listener)
        self.chat.notice(self.chat.users.values(), "The server stops.")
        self.chat.full.clear()
        deadline = time.monotonic() + LAST_WORDS
        for peer in self.peers:
            peer.ending = deadline
        while any(not peer.deaf for peer in self.peers) and time.monotonic() < deadline:
            self.turn()
        for peer in list(self.peers):
            self.drop(peer)
        self.selector.close()


def main() -> None:
    """Listen where the options say, and run until a signal comes."""
    parser = frame.server_options(__doc__, port=8083)
    parser.add_argument("--idle-timeout", type=frame.seconds, default=120.0)
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port), backlog=128)
    stopping: list[bool] = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.append(True))
    with listener:
        server = Server(listener, options.idle_timeout)
        frame.ready(listener)
        server.run(stopping)
        server.close()


if __name__ == "__main__":
    frame.run(main)
