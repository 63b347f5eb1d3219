"""Peers that speak TCP: the client of a server under test, and a server for a client under test."""

import contextlib
import errno
import random
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Literal

from kit.failure import Seen
from kit.hints import NOT_CLOSED
from kit.peer import Address, Peer, Server
from kit.program import PATIENCE, Program
from kit.stage import QUIET, START_PATIENCE, Stage
from kit.story import Link

CONNECT_PATIENCE = 10.0  # seconds
SMALL_SEGMENT = 536  # bytes
PIECE = 262_144  # bytes a read or write of a long stream


class TcpPeer(Peer):
    """One end of a TCP connection; `role` is this end's."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        program: Program,
        sock: socket.socket,
        role: Literal["client", "server"] = "client",
    ) -> None:
        super().__init__(stage, name, program, sock)
        self._role = role
        self._link: Link | None = None
        self._exchanged = time.monotonic()
        self.sock.setblocking(False)
        with contextlib.suppress(OSError):  # macOS: the other end has gone meanwhile
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def is_connected(self) -> bool:
        """Tell whether the connection has been made."""
        try:
            self.sock.getpeername()
        except OSError:
            return False
        return True

    @property
    def link(self) -> Link | None:
        """The connection, from its beginning on."""
        if self._link is None:
            with contextlib.suppress(OSError):  # it is not connected yet, or no longer
                ports = self.sock.getsockname()[1], self.sock.getpeername()[1]
                self._link = Link("tcp", self._role, ports[0], self.program.name, ports[1])
        return self._link

    def sends(self, data: bytes) -> None:
        """Send all of it; fails when the program does not take it.

        When the connection has ended, the next wait sees it: here, and in all that sends.
        """
        self.speaks()
        self.tells("->", data)
        left = memoryview(data)
        deadline = time.monotonic() + PATIENCE
        while left:
            try:
                sent = self.sock.send(left[:PIECE])
            except BlockingIOError:
                if not self.waits(deadline, to_read=False, to_write=True) or self.over():
                    rest = Seen("silence", f"{len(data):,} bytes are taken", f"{len(left):,} left")
                    raise self.fails(f"{self.name} wanted to send", rest) from None
                continue
            except OSError as error:
                self.could_not(error)
                return
            left = left[sent:]
            deadline = time.monotonic() + PATIENCE

    def sends_byte_by_byte(self, data: bytes, gap: float = 0.003) -> None:
        """Send each byte alone, `gap` seconds apart, so that no two are likely to come together."""
        self.tells("--", f"sends {len(data)} bytes, one at a time")
        self.tells("->", data)
        for byte in data:
            try:
                self.sock.send(bytes([byte]))
            except OSError as error:
                self.could_not(error)
                return
            self.program.waits_until(self.over, gap)

    def expects(self, data: bytes, hint: str = "", silent: str = "") -> None:
        """Wait until exactly these bytes have come; what comes after them stays unread.

        `silent` is the likely cause when nothing comes, `hint` the one of anything else.
        """
        received = bytearray()
        waited = f"{self.name} waited for {_count(data)}"
        deadline = time.monotonic() + PATIENCE
        while len(received) < len(data):
            cause = hint if received else silent or hint
            received += self._piece(
                len(data) - len(received), deadline, waited, data, received, cause
            )
            if not data.startswith(received):
                received += self._read(PIECE, time.monotonic() + QUIET, lenient=True) or b""
                self.tells("<-", bytes(received))
                raise self.fails(waited, Seen("other", data, bytes(received)), hint)
            deadline = time.monotonic() + PATIENCE
        self.tells("<-", bytes(received))
        self._exchanged = time.monotonic()

    def reads(self, size: int, what: str, hint: str = "", patience: float = PATIENCE) -> bytes:
        """Wait for exactly `size` bytes of `what`, and return them, whatever they are."""
        received = bytearray()
        while len(received) < size:
            deadline = time.monotonic() + patience
            missing = size - len(received)
            received += self._piece(
                missing,
                deadline,
                f"{self.name} waited for {what}",
                f"{size:,} bytes",
                received,
                hint,
            )
        self.tells("<-", bytes(received))
        return bytes(received)

    def exchanges(self, data: bytes, hint: str = "") -> None:
        """Send a long stream and read its echo at the same time: neither end must store it."""
        self.tells("->", data)
        received = bytearray()
        left = memoryview(data)
        waited = f"{self.name} waited for the echo of {_count(data)}"
        deadline = time.monotonic() + PATIENCE
        while len(received) < len(data):
            if not self.waits(deadline, to_write=bool(left) and not self.over()):
                self.tells("<-", bytes(received))
                raise self.fails(waited, Seen("silence", data, bytes(received) or None), hint)
            if left:
                try:
                    left = left[self.sock.send(left[:PIECE]) :]
                except BlockingIOError:
                    pass
                except OSError:
                    left = left[:0]  # what can be read will tell what happened
            if self.can_read() or self.over():
                piece = self._piece(PIECE, deadline, waited, data, received, hint)
                received += piece
                if not data.startswith(piece, len(received) - len(piece)):
                    at = len(received) - len(piece)
                    seen = Seen("other", data[at : at + 64], bytes(piece[:64]))
                    raise self.fails(waited, seen, hint)
                deadline = time.monotonic() + PATIENCE
        self.tells("<-", bytes(received))

    def pushes(self, data: bytes, stuck_after: float, times: int = 1) -> int:
        """Send data, again and again if so told, and read nothing until that is stuck.

        Returns how many bytes were taken.
        """
        limit = times * len(data)
        self.tells("--", f"sends up to {limit:,} bytes and reads nothing")
        taken = 0
        while taken < limit:
            at = taken % len(data)
            try:
                taken += self.sock.send(memoryview(data)[at : at + PIECE])
            except BlockingIOError:
                until = time.monotonic() + stuck_after
                if not self.waits(until, to_read=False, to_write=True) or self.over():
                    break
            except OSError as error:
                self.could_not(error)
                break
        self.tells("..", f"got rid of {taken:,} bytes")
        return taken

    def ends_sending(self) -> None:
        """Half-close: nothing more will be sent, what comes is still read (TCP's FIN)."""
        self.tells("--", "ends its sending side", "FIN")
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.could_not(error)

    def expects_close(self, hint: str = "", patience: float = PATIENCE) -> None:
        """Wait for the end of the stream, with nothing before it."""
        waited = f"{self.name} waited for the end of the connection"
        expected = NOT_CLOSED.expected
        try:
            data = self._read(PIECE, time.monotonic() + patience)
        except OSError as error:
            seen = Seen(_how(error), expected, str(error))
            raise self.stage.failure(f"{self.name}'s connection was reset", seen, hint) from None
        if data is None:
            self.tells("..", f"waits {patience:g} s, and the connection stays open")
            raise self.stage.failure(f"{self.name}'s connection was not closed", NOT_CLOSED, hint)
        if data:
            self.tells("<-", data)
            raise self.fails(waited, Seen("other", expected, data), hint)
        self.tells("<-", "the end of the stream", "FIN")

    def expects_close_or_reset(self, hint: str = "", patience: float = PATIENCE) -> None:
        """Wait for the end of the connection, in whatever way and after whatever bytes."""
        deadline = time.monotonic() + patience
        try:
            while data := self._read(PIECE, deadline):
                self.tells("<-", data)
        except OSError:
            data = b""
        if data is None:
            self.tells("..", f"waits {patience:g} s, and the connection stays open")
            raise self.stage.failure(f"{self.name}'s connection was not closed", NOT_CLOSED, hint)
        self.tells("--", "sees its connection end")

    def expects_nothing(self, hint: str = "", quiet: float = QUIET) -> None:
        """See that nothing comes for a moment; where a later message can prove it, prefer that."""
        self.waits(time.monotonic() + quiet)
        if self.can_read():
            waited = f"{self.name} expected nothing"
            try:
                data = self.sock.recv(PIECE)
            except OSError as error:
                raise self.fails(waited, Seen(_how(error), "nothing", str(error)), hint) from None
            came = data or "the end of the stream"
            self.tells("<-", came, "" if data else "FIN")
            raise self.fails(waited, Seen("other" if data else "closed", "nothing", came), hint)
        self.tells("..", "hears nothing, as it should be")

    def stays_quiet(self, seconds: float) -> None:
        """Say nothing for that long, counted from the last answer."""
        self.tells("--", f"says nothing for {seconds:g} s")
        until = self._exchanged + seconds
        while not self.over() and time.monotonic() < until:
            if self.waits(until) and self.can_read():
                return  # what there is to read will be judged by the next wait

    def reads_nothing(self, seconds: float) -> None:
        """Let what comes wait for that long."""
        self.tells("--", f"reads nothing for {seconds:g} s")
        self.program.waits_until(self.over, seconds)

    def resets(self) -> None:
        """Break the connection off (TCP's RST): closing with SO_LINGER 0, see man 7 socket."""
        self.tells("--", "resets the connection", "RST")
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def hangs_up(self) -> None:
        """Close the connection, also with something unread: then the system breaks it off."""
        self.tells("--", "closes the connection, and reads nothing of what comes", "RST")
        self.sock.close()

    def leaves(self) -> None:
        """Close the connection; fails when something has come that nobody asked for."""
        if self.can_read():
            try:
                data = self.sock.recv(PIECE)
            except OSError:
                data = b""
            if data:
                self.tells("<-", data)
                seen = Seen("other", "nothing more", data)
                raise self.stage.failure(f"{self.name} was sent more than it asked for", seen)
        self.tells("--", "closes the connection", "FIN")
        self.sock.close()

    def could_not(self, error: OSError) -> None:
        """Tell that the connection has ended."""
        self.tells("..", f"could not: {error.strerror or error}")

    def _piece(
        self,
        size: int,
        deadline: float,
        waited: str,
        expected: str | bytes,
        received: bytearray,
        hint: str,
    ) -> bytes:
        """Return the next bytes, or raise the failure that their absence is."""
        try:
            piece = self._read(size, deadline)
        except OSError as error:
            kind, piece = _how(error), b""
        else:
            kind = "silence" if piece is None else "closed"
        if not piece:
            if received:
                self.tells("<-", bytes(received))
            raise self.fails(waited, Seen(kind, expected, bytes(received) or None), hint)
        return piece

    def _read(self, size: int, deadline: float, *, lenient: bool = False) -> bytes | None:
        """Return what has come (b"": the end of the stream), None when nothing came in time.

        A connection that was broken off is an OSError, or also None when `lenient`.
        """
        while True:
            over = self.over()
            try:
                return self.sock.recv(size)
            except ConnectionError:
                if not lenient:
                    raise
                return None
            except BlockingIOError:
                if over or not self.waits(deadline):
                    return None


class Listener(Peer):
    """A TCP server of the test's: the program, a client, connects to it."""

    def __init__(self, stage: Stage, name: str, at: Address = ("127.0.0.1", 0)) -> None:
        super().__init__(stage, name, None, socket.create_server(at))
        self.sock.setblocking(False)

    def is_called(self, hint: str = "") -> TcpPeer:
        """Wait until a program that is just starting connects, and return the connection."""
        deadline = time.monotonic() + START_PATIENCE
        while True:
            over = self.over()
            try:
                connection, _ = self.sock.accept()
            except BlockingIOError:
                if over or not self.waits(deadline):
                    break
            else:
                self.tells("--", "accepts a connection")
                return TcpPeer(self.stage, self.name, self.program, connection, "server")
        seen = Seen("silence", "a connection", "none")
        raise self.fails(f"{self.name} waited for a connection", seen, hint)

    def leaves(self) -> None:
        """Stop listening."""
        self.sock.close()


class TcpServer(Server):
    """A server that speaks TCP."""

    def client(self, name: str, room: int = 0) -> TcpPeer:
        """Connect a client; see `calls`."""
        return calls(self.stage, name, self.program, (self.host, self.port), room)

    def crowd(self, size: int, within: float) -> Sequence[TcpPeer]:
        """Connect as many clients in the same moment; all must get through `within` seconds.

        Who comes to a full queue tries again after 1 s, 3 s and 7 s (RFC 6298).
        """
        self.stage.story.tell(
            "a crowd", "--", f"{size} clients connect to port {self.port} at once"
        )
        socks = [socket.socket() for _ in range(size)]
        deadline = time.monotonic() + within
        for sock in socks:
            sock.setblocking(False)
            sock.connect_ex((self.host, self.port))
        for sock in socks:
            select.select([], [sock], [sock], max(0.0, deadline - time.monotonic()))
        peers = [TcpPeer(self.stage, f"one of {size}", self.program, sock) for sock in socks]
        missing = [peer for peer in peers if not peer.is_connected()]
        if missing:
            expected = f"{size} connections within {within:g} s"
            seen = Seen("silence", expected, f"{size - len(missing)}")
            full = (
                "who comes while listen()'s queue is full waits: a longer one, and accept() at once"
            )
            raise missing[0].fails("a crowd tried to connect", seen, full)
        return peers


def calls(stage: Stage, name: str, program: Program, address: Address, room: int = 0) -> TcpPeer:
    """Connect to a server; while it refuses and lives, go on trying until patience ends.

    When it has ended, the next wait sees it. Patience is longer than usual: a full queue costs
    whole seconds (RFC 6298, section 2).

    `room` makes the receive buffer small, in bytes, for a peer that is not going to read.
    """
    deadline = time.monotonic() + CONNECT_PATIENCE
    stage.story.tell(name, "--", f"connects to port {address[1]}")
    while True:
        sock = socket.socket()
        if room:
            _leaves_room(sock, room)
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            sock.connect(address)
        except OSError as error:
            peer = TcpPeer(stage, name, program, sock)
            if peer.over():
                peer.could_not(error)
                return peer
            sock.close()
            if time.monotonic() > deadline:
                seen = Seen("silence", "a connection", str(error))
                raise peer.fails(f"{name} tried to connect", seen) from None
            program.waits_until(peer.over, 0.02)
        else:
            return TcpPeer(stage, name, program, sock)


def _leaves_room(sock: socket.socket, room: int) -> None:
    """Make the receive buffer small, in bytes, and with it the buffer of who sends.

    Linux makes the sender's large enough for twenty segments, or for as many as were ever out of
    order on the way to this address: hence small ones, and an address that it has not met.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    with contextlib.suppress(OSError, AttributeError):  # Windows has no TCP_MAXSEG
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SMALL_SEGMENT)
    with contextlib.suppress(OSError):  # macOS has but one address of its own
        sock.bind((f"127.{random.randrange(1, 255)}.{random.randrange(256)}.1", 0))


def _count(data: bytes) -> str:
    return "1 byte" if len(data) == 1 else f"{len(data):,} bytes"


def _how(error: OSError) -> str:
    gone = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN)
    if error.errno not in gone:
        raise error
    return "reset"
