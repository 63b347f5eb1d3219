"""A server for rooms from socketserver's parts: a thread for each visitor, one for all datagrams.

The UDP server has no ThreadingMixIn: with a thread for each datagram, texts could overtake.
"""

import contextlib
import os
import secrets
import select
import signal
import socket
import socketserver
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from .. import frame

FRONT = struct.Struct("!BBBBL")
REQUEST, DONE, REFUSED = range(3)
MAX_PAYLOAD = 65_536  # bytes

HELLO, TEXT, BYE, NOTICE = range(4)
MAX_DATAGRAM = 4_096  # bytes
TOKEN_SIZE = 16

GRACE = 2.0  # seconds for who was sent away to go
ROUND = 0.2  # seconds between two looks at the clocks


class Refusal(Exception):
    """Its text is the reason."""


class LastRefusal(Refusal):
    """A refusal after which the connection is closed."""


@dataclass
class Member:
    """A user in a room."""

    token: bytes = field(default_factory=lambda: secrets.token_bytes(TOKEN_SIZE))
    seen: float = field(default_factory=time.monotonic)
    address: Any = None


class House:
    """All rooms; for whoever holds the lock. `air` sends."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.lock = threading.Lock()
        self.rooms: dict[str, dict[str, Member]] = {}
        self.air: Air

    def create(self, room: str, user: str) -> bytes:
        if room in self.rooms:
            raise Refusal(f"{room}: there is such a room")
        self.rooms[room] = {}
        return self.join(room, user)

    def join(self, room: str, user: str) -> bytes:
        if room not in self.rooms:
            raise Refusal(f"{room}: no such room")
        members = self.rooms[room]
        if user in members:
            raise Refusal(f"{user}: the name is taken in {room}")
        member = members[user] = Member()
        self.announce(room, user, "joined")
        return member.token

    def leave(self, room: str, user: str, why: str) -> None:
        self.announce(room, user, why)
        del self.rooms[room][user]
        if not self.rooms[room]:
            del self.rooms[room]

    def announce(self, room: str, user: str, what: str) -> None:
        self.spread(NOTICE, room, user, what.encode())

    def spread(self, kind: int, room: str, user: str, text: bytes) -> None:
        """Send to all in a room but one."""
        for name, member in self.rooms[room].items():
            if name != user and member.address:
                self.air.send(kind, room, user, text, member.address)

    def drop_the_silent(self, now: float) -> None:
        for room in list(self.rooms):
            for user, member in list(self.rooms[room].items()):
                if now - member.seen >= self.patience:
                    self.leave(room, user, "timed out")


# TCP


class Desk(socketserver.StreamRequestHandler):
    """One visitor, who may ask for many things."""

    server: "Reception"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.visitors.add(self.connection)

    def finish(self) -> None:
        self.server.visitors.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            try:
                while self.request_is_done():
                    pass
            except LastRefusal:
                self.connection.shutdown(socket.SHUT_WR)
                self.hear_out()

    def hear_out(self) -> None:
        """Read on for a while: to close with bytes unread resets, and takes our answer away."""
        deadline = time.monotonic() + GRACE
        self.connection.settimeout(GRACE)
        while time.monotonic() < deadline and self.connection.recv(65_536):
            pass

    def request_is_done(self) -> bool:
        """Read one request and answer it; return whether there was one."""
        front = self.rfile.read(FRONT.size)
        if len(front) < FRONT.size:
            return False
        operation, state, r, u, p = FRONT.unpack(front)
        names = self.rfile.read(r + u)
        if len(names) < r + u:
            return False
        try:
            payload = self.payload(operation, state, names[:r], names[r:], p)
        except Refusal as refusal:
            self.reply(operation, REFUSED, r, u, names, str(refusal).encode())
            if isinstance(refusal, LastRefusal):
                raise
        else:
            self.reply(operation, DONE, r, u, names, payload)
        return True

    def reply(
        self, operation: int, state: int, r: int, u: int, names: bytes, payload: bytes
    ) -> None:
        self.wfile.write(FRONT.pack(operation, state, r, u, len(payload)) + names + payload)

    def payload(self, operation: int, state: int, room: bytes, user: bytes, p: int) -> bytes:
        """Do what is asked; return what the reply carries."""
        if p > MAX_PAYLOAD:
            raise LastRefusal(f"{p:,} bytes are more than a message holds")
        if len(self.rfile.read(p)) < p:
            raise ConnectionError("half a request")
        if p:
            raise LastRefusal("a request with a payload")
        if state != REQUEST:
            raise LastRefusal(f"state {state} is not a request's")
        house = self.server.house
        if operation == 2:
            with house.lock:
                return self.listed(list(house.rooms))
        if operation not in (1, 3):
            raise LastRefusal(f"operation {operation} is none of 1, 2, 3")
        names = self.name(room), self.name(user)
        with house.lock:
            return house.create(*names) if operation == 1 else house.join(*names)

    @staticmethod
    def name(data: bytes) -> str:
        """Return a name as a text; what is not UTF-8 becomes something that is no name."""
        text = data.decode(errors="replace")
        plain = text.translate(dict.fromkeys(map(ord, "_-."), "x"))
        if not plain.isalnum() or len(text) > 32 or text.encode() != data:
            raise Refusal("a name is 1 to 32 letters, digits, _ - .")
        return text

    @staticmethod
    def listed(rooms: list[str]) -> bytes:
        """Return the newest rooms first."""
        lines = b""
        for room in reversed(rooms):
            line = room.encode() + b"\n"
            if len(lines) + len(line) <= MAX_PAYLOAD:
                lines += line
        return lines


class Reception(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """The TCP side."""

    allow_reuse_address = os.name == "posix"  # on Windows it would let two servers listen
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], house: House) -> None:
        super().__init__(address, Desk)
        self.house = house
        self.visitors: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.1)  # without file descriptors, this would be tried again at once
            raise

    def handle_error(self, request: object, client_address: object) -> None:
        complain(client_address)

    def close_connections(self) -> None:
        for sock in list(self.visitors):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


# UDP


class Voice(socketserver.BaseRequestHandler):
    """One datagram."""

    server: "Air"

    def handle(self) -> None:
        datagram = self.request[0]
        if not 4 <= len(datagram) <= MAX_DATAGRAM:
            return
        kind, r, u, t = datagram[:4]
        token_at, text_at = 4 + r + u, 4 + r + u + t
        token, text = datagram[token_at:text_at], datagram[text_at:]
        if kind not in (HELLO, TEXT, BYE) or t != TOKEN_SIZE or len(token) < t:
            return
        try:
            room, user = datagram[4 : 4 + r].decode(), datagram[4 + r : token_at].decode()
            text.decode()
        except UnicodeDecodeError:
            return
        if (kind == TEXT) == (text == b""):
            return
        with self.server.house.lock:
            self.obey(kind, room, user, token, text)

    def obey(self, kind: int, room: str, user: str, token: bytes, text: bytes) -> None:
        house = self.server.house
        member = house.rooms.get(room, {}).get(user)
        if not member or not secrets.compare_digest(member.token, token):
            return
        member.address = self.client_address
        member.seen = time.monotonic()
        if kind == HELLO:
            self.server.send(HELLO, room, user, b"", member.address)
        elif kind == TEXT:
            house.spread(TEXT, room, user, text)
        else:
            house.leave(room, user, "left")


class Air(socketserver.UDPServer):
    """The UDP side, which also looks at the clocks, in between."""

    max_packet_size = MAX_DATAGRAM + 1

    def __init__(self, address: tuple[str, int], house: House) -> None:
        super().__init__(address, Voice)
        self.house = house
        self.next_look = 0.0

    def send(self, kind: int, room: str, user: str, text: bytes, address: Any) -> None:
        names = room.encode(), user.encode()
        head = bytes([kind, len(names[0]), len(names[1]), 0])
        with contextlib.suppress(OSError):  # nobody is there, or it cannot be an address
            self.socket.sendto(head + b"".join(names) + text, address)

    def service_actions(self) -> None:
        """Look at the clocks, when everything is read that came before; at most 2 s late."""
        now = time.monotonic()
        if now < self.next_look:
            return
        if now < self.next_look + 2 and select.select([self.socket], [], [], 0)[0]:
            return
        self.next_look = now + ROUND
        with self.house.lock:
            self.house.drop_the_silent(now)

    def handle_error(self, request: object, client_address: object) -> None:
        complain(client_address)


def complain(client: object) -> None:
    print(f"[ERROR] {client}: {sys.exc_info()[1]!r}", file=sys.stderr, flush=True)


def opened(host: str, port: int, house: House) -> tuple[Reception, Air]:
    """Return both servers, on one port."""
    host = socket.gethostbyname(host)
    for tries_left in range(30, -1, -1):
        try:
            air = Air((host, port), house)
        except OSError:
            if port or not tries_left:
                raise
            continue
        try:
            return Reception(air.server_address, house), air
        except OSError:
            air.server_close()
            if port or not tries_left:
                raise
    raise AssertionError("never reached")


def main() -> None:
    """Serve until a signal comes."""
    parser = frame.server_options(__doc__, port=8084)
    parser.add_argument("--idle-timeout", type=frame.seconds, default=60.0)
    options = parser.parse_args()
    house = House(options.idle_timeout)
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        reception, house.air = opened(options.host, options.port, house)
    with reception, house.air:
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(
                    getattr(signal, name),
                    lambda *_: threading.Thread(target=reception.shutdown).start(),
                )
        flying = threading.Thread(target=house.air.serve_forever, args=(ROUND,), daemon=True)
        flying.start()
        frame.ready(reception.socket)
        reception.serve_forever(poll_interval=ROUND)
        house.air.shutdown()
        reception.close_connections()


if __name__ == "__main__":
    frame.run(main)
