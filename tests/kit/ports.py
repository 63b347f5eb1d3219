"""Ports that are free, taken, or where nobody listens, without ever getting in each other's way."""

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kit import system
from kit.failure import NotRun
from kit.peer import Address

TAKEN_PATIENCE = 5.0  # seconds; who has a port for longer is not another suite
OTHER_LOOPBACK = "127.0.0.2"


def free_port() -> int:
    """Return a port that was free for TCP and UDP a moment ago; the next call gives another one."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return int(tcp.getsockname()[1])


def tries(attempt: Callable[[], bool], patience: float) -> bool:
    """Try again and again until it works; False when patience ends."""
    deadline = time.monotonic() + patience
    while not attempt():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # nothing tells us when somebody else's port becomes free
    return True


def when_free(port: int, attempt: Callable[[], bool], kind: socket.SocketKind) -> None:
    """Try until `attempt` gets the well-known port: another run of this suite may just have it."""
    if not tries(attempt, TAKEN_PATIENCE):
        protocols = ("udp", "tcp") if kind == socket.SOCK_DGRAM else ("tcp", "udp")
        owners = (system.owner_of_port(port, protocol) for protocol in protocols)
        owner = next(filter(None, owners), None)
        raise NotRun(f"port {port} is taken by {owner or 'another program'}")


def needs_second_loopback() -> None:
    """Give up where the machine has no second loopback address: macOS, unless told to."""
    with socket.socket() as sock:
        try:
            sock.bind((OTHER_LOOPBACK, 0))
        except OSError as error:
            raise NotRun(f"this machine does not have the address {OTHER_LOOPBACK}") from error


def is_bound(host: str, port: int, protocol: socket.SocketKind) -> bool:
    """Tell whether somebody has this port at this address."""
    with socket.socket(type=protocol) as sock:
        try:
            sock.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return True
    return False


@contextmanager
def nobody(kind: socket.SocketKind) -> Iterator[Address]:
    """Hold a port at which nobody listens, and nobody can: whoever knocks is refused."""
    with socket.socket(socket.AF_INET, kind) as sock, socket.socket(type=kind) as other:
        sock.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_DGRAM:
            other.bind(("127.0.0.1", 0))
            sock.connect(other.getsockname())  # from then on it takes datagrams from there alone
        yield sock.getsockname()
