"""The relay's TCP: a connection to the server for each client that connects.

What comes is passed on at once, unless the network is to do otherwise: bytes, the end of one
direction, and resets. Where the receiver takes nothing, no more is read than fits into `ROOM`, so
that the sender has to wait as it would without the relay.
"""

import contextlib
import errno
import functools
import os
import selectors
import socket
import struct
from collections.abc import Callable
from typing import Literal

from kit.story import Link
from relay.network import Network, Pace
from relay.record import Record

ROOM = 262_144  # bytes of one direction that have come and not gone
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
LOOK = 0.2  # seconds; so often it is asked whether somebody who is not read from was cut off

UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)  # what connect() may say
BREAK_OFF = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds; close() sends a reset then

Address = tuple[str, int]
Clock = Callable[[], float]


class Streams:
    """Takes clients at `listener`, and leads each to the server."""

    def __init__(
        self,
        selector: selectors.BaseSelector,
        listener: socket.socket,
        to: Address,
        record: Record,
        network: Network,
        clock: Clock,
    ) -> None:
        self.selector, self.record, self.network, self.clock = selector, record, network, clock
        self.to = to
        self.connections: set[Connection] = set()
        self._listener = listener
        self._next_look = 0.0
        self._listens = True
        listener.setblocking(False)
        selector.register(listener, READ, self._comes)

    def due(self) -> float:
        """Return when something is to be passed on that waits for its time."""
        return min((each.due() for each in self.connections), default=float("inf"))

    def looks_round(self) -> None:
        """Do what has come due."""
        now = self.clock()
        for each in list(self.connections):
            if each.due() <= now:
                each.goes_on()
        if now >= self._next_look:
            self._next_look = now + LOOK
            self._attends(True)
            for each in list(self.connections):
                each.looks_for_resets()

    def closes(self) -> None:
        """Close every connection, and listen no longer."""
        for each in list(self.connections):
            each.closes()
        self._attends(False)
        self._listener.close()

    def _attends(self, listens: bool) -> None:
        """Take those who come, or let them wait."""
        if listens and not self._listens:
            self.selector.register(self._listener, READ, self._comes)
        elif self._listens and not listens:
            self.selector.unregister(self._listener)
        self._listens = listens

    def _comes(self, _: int) -> None:
        try:
            client, address = self._listener.accept()
        except OSError:  # it has gone again, or there is no descriptor: do not ask at once again
            self._attends(False)
            return
        name = self.record.newcomer()
        try:
            server = socket.socket()
        except OSError as error:
            self.record.tells(name, f"cannot be served: {error.strerror}")
            self.record.forgets(name)
            client.close()
            return
        connection = Connection(self, name, client, server, address[1])
        self.connections.add(connection)
        connection.calls()


class Pipe:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, target: socket.socket, network: Network) -> None:
        self.source, self.target = source, target
        self.waiting = bytearray()  # has come and not gone
        self.pace = Pace(network)
        self.ended = False  # the source sends nothing more
        self.closed = False  # and the target has been told so
        self.blocked = False  # the target takes nothing at the moment
        self.lost = False  # the target has gone

    @property
    def room(self) -> int:
        """How many bytes may be read from the source."""
        return 0 if self.ended or self.lost else ROOM - len(self.waiting)


class Connection:
    """A client and the server, as far as the relay has come with them."""

    def __init__(
        self,
        streams: Streams,
        name: str,
        client: socket.socket,
        server: socket.socket,
        port: int,
    ) -> None:
        self._streams, self._name = streams, name
        self._record, self._clock = streams.record, streams.clock
        self._client, self._server = client, server
        self._link = Link("tcp", "client", port, "server", streams.to[1])
        self._to_server = Pipe(client, server, streams.network)
        self._to_client = Pipe(server, client, streams.network)
        self._watched: dict[socket.socket, int] = {client: 0, server: 0}
        self._connected = False
        self._open = True
        for sock in (client, server):
            sock.setblocking(False)
            with contextlib.suppress(OSError):  # macOS: the other end has gone meanwhile
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def calls(self) -> None:
        """Begin to connect to the server."""
        trouble = self._server.connect_ex(self._streams.to)
        if trouble in UNDER_WAY:
            self._watch(self._to_client, WRITE)
        else:
            self._fails(trouble)

    def due(self) -> float:
        """Return when something is to be passed on that waits for its time."""
        pipes = (self._to_server, self._to_client)
        times = [each.pace.due for each in pipes if each.waiting and not each.blocked]
        return min(times, default=float("inf"))

    def goes_on(self) -> None:
        """Pass on what has come due."""
        for pipe in (self._to_server, self._to_client):
            self._passes(pipe)
        self._watches()

    def looks_for_resets(self) -> None:
        """See whether an end from which nothing is read has broken the connection off."""
        for pipe in (self._to_server, self._to_client):
            unread = self._connected and self._open and not self._watched[pipe.source] & READ
            if unread and pipe.source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._resets(pipe)

    def closes(self) -> None:
        """Close both ends."""
        for pipe in (self._to_server, self._to_client):
            self._watch(pipe, 0)
            pipe.source.close()
        self._open = False
        self._streams.connections.discard(self)
        self._record.forgets(self._name)

    def _connects(self) -> None:
        """See whether the server is there."""
        if trouble := self._server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fails(trouble)
            return
        self._connected = True
        self._record.tells(self._name, f"connects from port {self._link.port}", self._link)

    def _fails(self, trouble: int) -> None:
        """Tell the client that there is no server: a reset, as it has been accepted already."""
        told = "nobody listens there" if trouble == errno.ECONNREFUSED else os.strerror(trouble)
        host, port = self._streams.to
        self._record.tells(self._name, f"cannot be led to {host}:{port}: {told}")
        self._breaks_off()

    def _comes(self, pipe: Pipe) -> None:
        """Take what the source has sent, and pass it on."""
        if not pipe.room:
            return
        try:
            data = pipe.source.recv(pipe.room)
        except BlockingIOError:
            return
        except OSError:
            self._resets(pipe)
            return
        if not data and self._back(pipe).lost:
            self._resets(pipe)
            return
        if data and not pipe.waiting:
            pipe.pace.begins(self._clock())
        pipe.waiting += data
        pipe.ended = not data
        self._passes(pipe)

    def _passes(self, pipe: Pipe) -> None:
        """Pass on what may be passed on now, as far as the target takes it."""
        now = self._clock()
        while self._open and (size := pipe.pace.allows(len(pipe.waiting), now)):
            if not self._sends(pipe, size):
                break
            pipe.pace.passed(now)
        if pipe.ended and not pipe.waiting and not pipe.closed and not pipe.lost:
            self._ends(pipe)

    def _sends(self, pipe: Pipe, size: int) -> bool:
        """Pass on up to `size` bytes; tell whether the target took any."""
        try:
            sent = pipe.target.send(pipe.waiting[:size])
        except BlockingIOError:
            pipe.blocked = True
            return False
        except OSError:
            self._is_lost(pipe)
            return False
        mark: Literal["->", "<-"] = "->" if pipe is self._to_server else "<-"
        self._record.passes(self._name, mark, bytes(pipe.waiting[:sent]), self._link)
        del pipe.waiting[:sent]
        return True

    def _is_lost(self, pipe: Pipe) -> None:
        """Give up a target that has broken off; what it sent before is still to be read."""
        pipe.lost = True
        pipe.waiting.clear()
        if self._back(pipe).ended:
            self._resets(self._back(pipe))

    def _ends(self, pipe: Pipe) -> None:
        """Pass on that the source sends nothing more."""
        pipe.closed = True
        told = "ends its sending side" if pipe is self._to_server else "the end of the stream"
        self._record.tells(self._name, told, self._link, self._mark(pipe), "FIN")
        try:
            pipe.target.shutdown(socket.SHUT_WR)
        except OSError:
            self._is_lost(pipe)
        if self._open and self._back(pipe).closed:
            self.closes()

    def _resets(self, pipe: Pipe) -> None:
        """Pass on that the source has broken the connection off, behind what it had sent."""
        if not self._open:
            return
        while pipe.waiting and self._sends(pipe, len(pipe.waiting)):
            pass
        told = "resets the connection" if pipe is self._to_server else "a reset"
        self._record.tells(self._name, told, self._link, self._mark(pipe), "RST")
        self._breaks_off()

    def _breaks_off(self) -> None:
        for sock in (self._client, self._server):
            with contextlib.suppress(OSError):  # macOS: the other end has gone meanwhile
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, BREAK_OFF)
        self.closes()

    def _back(self, pipe: Pipe) -> Pipe:
        """Return the other direction."""
        return self._to_client if pipe is self._to_server else self._to_server

    def _mark(self, pipe: Pipe) -> Literal["--", "<-"]:
        return "--" if pipe is self._to_server else "<-"

    def _ready(self, pipe: Pipe, events: int) -> None:
        """Do what the source of a pipe is ready for."""
        if not self._open:
            return
        back = self._back(pipe)
        if not self._connected:
            self._connects()
        elif events & WRITE:
            back.blocked = False
            self._passes(back)
        if events & READ and self._open:
            self._comes(pipe)
        self._watches()

    def _watches(self) -> None:
        """Wait for what can be done next."""
        for pipe in (self._to_server, self._to_client):
            if self._open:
                writes = WRITE if self._back(pipe).blocked else 0
                self._watch(pipe, (READ if pipe.room else 0) | writes)

    def _watch(self, pipe: Pipe, events: int) -> None:
        """Wait until the source of a pipe can be used in this way."""
        selector, then = self._streams.selector, functools.partial(self._ready, pipe)
        before = self._watched[pipe.source]
        self._watched[pipe.source] = events
        if events and not before:
            selector.register(pipe.source, events, then)
        elif events and events != before:
            selector.modify(pipe.source, events, then)
        elif before and not events:
            selector.unregister(pipe.source)
