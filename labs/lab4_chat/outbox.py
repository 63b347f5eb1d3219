"""Lab 4: what waits to be sent to one client, also if this client never reads.

Who writes must not wait for those who read. So nobody waits here: what the connection of a client
does not take at once stays in its outbox, and a thread is started that sends it bit by bit and ends
when nothing is left. Who lets too much wait is dropped.
"""

import contextlib
import socket
import threading
import time

LIMIT = 4_194_304  # bytes that may wait for one client


class Outbox:
    """The way out to one client: lines are put into it in their order, and flushed."""

    def __init__(self, connection: socket.socket) -> None:
        # A message goes out at once, whether or not the one before it has been acknowledged.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        # A second way to use the same connection: through this one no call ever waits.
        self._hasty = socket.socket(fileno=connection.fileno())
        self._hasty.setblocking(False)
        self._turn = threading.Lock()  # held by the one thread that is sending
        self._lock = threading.Lock()  # held by whoever uses the two below
        self._lines: list[bytes] = []
        self._size = 0
        self.dropped = False

    def put(self, piece: bytes) -> None:
        """Add a line, or several in one piece, to those that wait."""
        with self._lock:
            self._lines.append(piece)
            self._size += len(piece)
        if self._size > LIMIT:
            self._drop()

    def flush(self) -> None:
        """Send the lines that wait, all in one piece, as far as the client takes them now."""
        # If it is another thread's turn, that one sees these lines, too, when it looks again.
        while self._lines and self._turn.acquire(blocking=False):
            piece = self._take()
            try:
                sent = self._hasty.send(piece)
            except BlockingIOError:
                sent = 0
            except OSError:  # the client has gone, which its own thread sees
                sent = len(piece)
            if sent < len(piece):
                self._send_slowly(memoryview(piece)[sent:])
            else:
                self._turn.release()

    def drain(self, deadline: float) -> None:
        """Wait until all that was put has been sent, by whoever does that, or the time is up."""
        while self._turn.acquire(timeout=max(0.0, deadline - time.monotonic())):
            all_sent = not self._lines
            self._turn.release()
            if all_sent:
                return
            self.flush()

    def close(self) -> None:
        """End the connection, and wait until nobody sends any more."""
        with contextlib.suppress(OSError):  # the client has ended it already
            self._connection.shutdown(socket.SHUT_RDWR)
        with self._turn:
            self._hasty.detach()

    def _take(self) -> bytes:
        with self._lock:
            lines, self._lines, self._size = self._lines, [], 0
        return b"".join(lines)

    def _send_slowly(self, piece: memoryview) -> None:
        """Send the rest of a piece, and what comes after it, in a thread that may wait."""

        # TODO 11: Start a daemon thread that sends the piece, bit by bit, with the connection that
        #   waits, and then what _take() finds, until that is nothing. Then it is another thread's
        #   turn, and flush() sees what came in the last moment. TimeoutError: the client does not
        #   read now, which it may; any other OSError: it has gone.
        raise NotImplementedError("TODO 11")

    def _drop(self) -> None:
        """Give this client up: too much waits for it."""
        # TODO 12: Note that it is dropped, and shutdown() the connection: the client's own thread,
        #   which waits in recv(), and the one that sends then see the end.
        raise NotImplementedError("TODO 12")
