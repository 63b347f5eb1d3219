"""A TCP echo server of one thread: non-blocking sockets, a selector, and bounded buffers."""

import contextlib
import selectors
import signal
import socket
import time

from .. import frame

PIECE = 65_536  # bytes that one recv() fetches
LIMIT = 262_144  # bytes that may wait for a peer before we stop reading from it


class Connection:
    """One peer: what it has still to get, and whether it has ended its sending side."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.waiting = bytearray()
        self.ended = False

    def wants(self) -> int:
        """Return the events to wait for; none of them means that the peer is served."""
        events = selectors.EVENT_WRITE if self.waiting else 0
        if not self.ended and len(self.waiting) < LIMIT:
            events |= selectors.EVENT_READ
        return events

    def work(self, events: int) -> None:
        """Receive when there is something, and send as much as goes."""
        with contextlib.suppress(BlockingIOError):
            if events & selectors.EVENT_READ:
                piece = self.sock.recv(PIECE)
                self.waiting += piece
                self.ended = not piece
            if self.waiting:
                del self.waiting[: self.sock.send(self.waiting)]


def accept(selector: selectors.BaseSelector, listener: socket.socket) -> None:
    """Take one more peer, if it has not left again."""
    try:
        connection = Connection(listener.accept()[0])
        selector.register(connection.sock, connection.wants(), connection)
    except OSError as error:
        frame.info(f"Nobody was accepted: {error}")
        time.sleep(0.01)  # without file descriptors, this would be tried again at once


def work(selector: selectors.BaseSelector, connection: Connection, events: int) -> None:
    """Do what can be done for one peer, and forget it when it is served or gone."""
    try:
        connection.work(events)
        wanted = connection.wants()
    except OSError:
        wanted = 0
    if wanted:
        selector.modify(connection.sock, wanted, connection)
    else:
        selector.unregister(connection.sock)
        connection.sock.close()


def serve(selector: selectors.BaseSelector, listener: socket.socket, bell: socket.socket) -> None:
    """Serve everybody until `bell` rings."""
    selector.register(listener, selectors.EVENT_READ)
    selector.register(bell, selectors.EVENT_READ)
    while True:
        for key, events in selector.select():
            if key.fileobj is bell:
                return
            if key.fileobj is listener:
                accept(selector, listener)
            else:
                work(selector, key.data, events)


def main() -> None:
    """Listen where the options say, serve until a signal, and close what is open."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port))
    listener.setblocking(False)
    bell, rope = socket.socketpair()
    rope.setblocking(False)
    signal.set_wakeup_fd(rope.fileno())
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)
    with selectors.DefaultSelector() as selector:
        frame.ready(listener)
        serve(selector, listener, bell)
        signal.set_wakeup_fd(-1)
        for key in list(selector.get_map().values()):
            key.fileobj.close()
    rope.close()


if __name__ == "__main__":
    frame.run(main)
