"""A thread for each client, and one end for all: what lab 2 builds, given to the labs after it."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable

from . import frame

PATIENCE = 1.5  # seconds in which a thread ends when its connection has been ended


class Clients:
    """The clients of a TCP server: `attend` serves one of them, in a thread of its own.

    `attend` gets the connection, which is closed when it returns. An OSError in it means that
    this client broke off; any other exception is a bug, and its traceback is shown. `farewell`
    is called at Ctrl+C, before the connections are ended.
    """

    def __init__(
        self,
        attend: Callable[[socket.socket], None],
        farewell: Callable[[], None] = lambda: None,
    ) -> None:
        self._attend = attend
        self._farewell = farewell
        self._online: set[socket.socket] = set()
        self._changed = threading.Condition()  # held by whoever reads or changes `_online`

    def serve(self, listener: socket.socket) -> None:
        """Accept clients until Ctrl+C; then end every connection, and wait for the threads."""
        try:
            while True:
                self._accept(listener)
        finally:
            self._farewell()
            self._stop()

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError as error:  # too many open files, for instance: somebody may go soon
            frame.info(f"A client could not be accepted: {error}")
            time.sleep(0.1)
            return
        with self._changed:
            self._online.add(connection)
        threading.Thread(target=self._visit, args=(connection,), daemon=True).start()

    def _visit(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._attend(connection)
        except OSError as error:
            frame.info(f"A client broke off: {error}")
        finally:
            with self._changed:
                self._online.remove(connection)
                self._changed.notify_all()

    def _stop(self) -> None:
        with self._changed:
            for connection in self._online:
                with contextlib.suppress(OSError):  # its client has just ended it
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._online, PATIENCE)
