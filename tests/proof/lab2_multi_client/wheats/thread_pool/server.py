"""An echo server with a pool of threads: a client waits in a queue until a thread is free."""

import contextlib
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .. import frame

WORKERS = 1_000  # a process has hardly more descriptors, so nobody waits for a thread
SLICE = 0.5  # seconds after which a thread that waits looks whether it is to stop


class Register:
    """Counts the clients, and writes down who comes and goes."""

    def __init__(self) -> None:
        self.online = 0
        self.lock = threading.Lock()

    def change(self, by: int) -> None:
        """Count one client more, or one less."""
        with self.lock:
            self.online += by
            frame.info(f"{'in ' if by > 0 else 'out'} ({self.online} online)")


def serve(connection: socket.socket, stopping: threading.Event) -> None:
    """Send every byte back, until the client ends its sending side or the server stops."""
    while not stopping.is_set():
        try:
            piece = connection.recv(4_096)
        except TimeoutError:
            continue
        if not piece:
            return
        send(connection, memoryview(piece), stopping)


def send(connection: socket.socket, unsent: memoryview, stopping: threading.Event) -> None:
    """Send all: sendall() with a timeout would not say how far it came."""
    while unsent and not stopping.is_set():
        try:
            unsent = unsent[connection.send(unsent) :]
        except TimeoutError:
            pass


def work(connection: socket.socket, register: Register, stopping: threading.Event) -> None:
    """Be one client's thread for a while."""
    try:
        with connection:
            connection.settimeout(SLICE)
            serve(connection, stopping)
    except OSError as error:
        frame.info(f"a client has broken off: {error}")
    finally:
        register.change(-1)


def main() -> None:
    """Accept clients until a signal comes, and put them into the queue."""
    options = frame.server_options(__doc__, port=8081).parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port), backlog=300)
    register = Register()
    stopping = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.set())
    with ThreadPoolExecutor(WORKERS) as pool, listener:
        listener.settimeout(SLICE)
        frame.ready(listener)
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                frame.info(f"nobody was accepted: {error}")
                time.sleep(0.05)
                continue
            register.change(+1)
            with contextlib.suppress(RuntimeError):  # no more threads: it waits for one of ours
                pool.submit(work, connection, register, stopping)


if __name__ == "__main__":
    frame.run(main)
