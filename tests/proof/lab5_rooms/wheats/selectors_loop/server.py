"""A server for rooms of one thread: a selector waits for all sockets, and nothing blocks."""

import contextlib
import selectors
import socket
import time

from .. import frame
from .rooms import MOST_IN_A_DATAGRAM, Rooms, take_request

PIECE = 16_384  # bytes
TURN = 100  # requests of one visitor, or datagrams, until it is the others' turn
LINGER = 2.0  # seconds in which who is sent away can read why
LOOK = 0.2  # seconds between two looks at the clocks; what Windows needs to notice Ctrl+C
LATEST_LOOK = 2.0  # seconds, when more datagrams come than can be read
NO_ROOM = 0.3  # seconds without accept(), when there is no descriptor


class Visitor:
    """A TCP connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.at_end = False  # nothing more comes
        self.last_moment: float | None = None  # of one who is sent away
        self.told = False  # that nothing more goes there


class Loop:
    """All sockets, and what happens when one is ready."""

    def __init__(self, tcp: socket.socket, udp: socket.socket, rooms: Rooms) -> None:
        self.tcp = tcp
        self.udp = udp
        self.rooms = rooms
        self.visitors: set[Visitor] = set()
        self.unfinished: set[Visitor] = set()  # have sent more than was answered in a turn
        self.accept_again = 0.0
        self.looked = time.monotonic()
        self.selector = selectors.DefaultSelector()
        for sock in (tcp, udp):
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)

    def run(self) -> None:
        while True:
            for key, events in self.selector.select(0 if self.unfinished else LOOK):
                if key.fileobj is self.tcp:
                    self.accept()
                elif key.data in self.visitors:
                    self.attend(key.data, events)
            for visitor in list(self.unfinished):
                self.attend(visitor, 0)
            self.hear_and_look()
            self.look_at_visitors()
            for datagram, address in self.rooms.letters():
                with contextlib.suppress(OSError):  # an address that is none, or no room: lost
                    self.udp.sendto(datagram, address)

    def close(self) -> None:
        for visitor in list(self.visitors):
            self.bid_farewell(visitor)
        self.selector.close()

    # UDP

    def hear_and_look(self) -> None:
        """Read datagrams; nobody is dropped while there may be one from before that."""
        now = time.monotonic()
        if self.hear() or now > self.looked + LATEST_LOOK:
            self.looked = now
            self.rooms.expire(now)

    def hear(self) -> bool:
        """Take what came; return whether that was all."""
        for _ in range(TURN):
            try:
                datagram, sender = self.udp.recvfrom(MOST_IN_A_DATAGRAM + 1)
            except BlockingIOError:
                return True
            except OSError:  # Windows: it was longer, or an earlier one of ours found nobody
                continue
            self.rooms.hear(datagram, sender, time.monotonic())
        return False

    # TCP

    def accept(self) -> None:
        try:
            sock, _ = self.tcp.accept()
        except (BlockingIOError, ConnectionError):
            return
        except OSError as error:
            frame.info(f"cannot take a visitor: {error}")
            self.selector.unregister(self.tcp)
            self.accept_again = time.monotonic() + NO_ROOM
            return
        sock.setblocking(False)
        visitor = Visitor(sock)
        self.visitors.add(visitor)
        self.selector.register(sock, selectors.EVENT_READ, visitor)

    def attend(self, visitor: Visitor, events: int) -> None:
        self.unfinished.discard(visitor)
        try:
            if events & selectors.EVENT_READ:
                self.read(visitor)
            self.answer(visitor)
            self.wait_for(visitor)
        except OSError:
            self.bid_farewell(visitor)

    def read(self, visitor: Visitor) -> None:
        with contextlib.suppress(BlockingIOError):
            piece = visitor.sock.recv(PIECE)
            visitor.at_end = not piece
            if visitor.last_moment is None:
                visitor.inbox += piece

    def answer(self, visitor: Visitor) -> None:
        """Answer requests one after the other, each when the reply before it is on its way."""
        self.flush(visitor)
        for _ in range(TURN):
            if visitor.outbox or visitor.last_moment is not None:
                return
            request = take_request(visitor.inbox)
            if request is None:
                return
            reply, goes_on = self.rooms.answer(request, time.monotonic())
            visitor.outbox += reply
            if not goes_on:
                visitor.last_moment = time.monotonic() + LINGER
                visitor.inbox.clear()
            self.flush(visitor)
        self.unfinished.add(visitor)

    def flush(self, visitor: Visitor) -> None:
        with contextlib.suppress(BlockingIOError):
            while visitor.outbox:
                del visitor.outbox[: visitor.sock.send(visitor.outbox)]
            if visitor.last_moment is not None and not visitor.told:
                visitor.told = True
                visitor.sock.shutdown(socket.SHUT_WR)

    def wait_for(self, visitor: Visitor) -> None:
        """Wait for what is next from a visitor, or end the connection if nothing is."""
        if visitor.at_end and not visitor.outbox and visitor not in self.unfinished:
            self.bid_farewell(visitor)
            return
        events = selectors.EVENT_WRITE if visitor.outbox else 0
        if not visitor.at_end and (not visitor.outbox or visitor.last_moment is not None):
            events |= selectors.EVENT_READ
        if not events:  # at its end, with requests left: the next turn is its
            events = selectors.EVENT_WRITE
        self.selector.modify(visitor.sock, events, visitor)

    def bid_farewell(self, visitor: Visitor) -> None:
        self.visitors.discard(visitor)
        self.unfinished.discard(visitor)
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(visitor.sock)
        visitor.sock.close()

    def look_at_visitors(self) -> None:
        now = time.monotonic()
        for visitor in list(self.visitors):
            if visitor.last_moment is not None and now > visitor.last_moment:
                self.bid_farewell(visitor)
        if self.accept_again and now > self.accept_again:
            self.accept_again = 0.0
            self.selector.register(self.tcp, selectors.EVENT_READ)


def bound(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Return two sockets for one port: UDP first, as there nothing may be shared."""
    host = socket.gethostbyname(host)
    failed: list[socket.socket] = []  # kept, so that their numbers are not proposed again
    try:
        while True:
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                udp.bind((host, port))
                return socket.create_server(udp.getsockname()), udp
            except OSError:
                failed.append(udp)
                if port or len(failed) > 30:
                    raise
    finally:
        for udp in failed:
            udp.close()


def main() -> None:
    """Bind both sockets and run the loop."""
    parser = frame.server_options(__doc__, port=8084)
    parser.add_argument("--idle-timeout", type=frame.seconds, default=60.0)
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        tcp, udp = bound(options.host, options.port)
    with tcp, udp:
        loop = Loop(tcp, udp, Rooms(options.idle_timeout))
        frame.ready(tcp)
        try:
            loop.run()
        finally:
            loop.close()


if __name__ == "__main__":
    frame.run(main)
