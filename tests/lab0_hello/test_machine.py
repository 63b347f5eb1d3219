"""Lab 0, this machine: is it ready for the labs, and if not, what is in the way."""

import errno
import socket
import sys

from kit import system
from kit.lab import check
from kit.ports import tries
from kit.stage import Stage

PORT = 6789  # where the programs of lab 0 and lab 1 listen by hand
OLDEST = (3, 10)


@check(points=4)
def test_python_is_new_enough(stage: Stage) -> None:
    stage.requires(
        sys.version_info >= OLDEST,
        "this Python is too old for the labs",
        expected="Python 3.10 or newer",
        received=f"Python {sys.version.split()[0]}",
    )


@check(points=4)
def test_tcp_works_on_this_machine(stage: Stage) -> None:
    """TCP works between two programs on this machine."""
    try:
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname(), timeout=3) as client,
            listener.accept()[0] as connection,
        ):
            client.sendall(b"hello")
            connection.settimeout(3)
            received = connection.recv(100).decode()
    except OSError as error:
        received = str(error)
    stage.requires(
        received == "hello",
        "a TCP connection from this machine to itself does not work",
        expected="hello",
        received=received,
        hint="a firewall or a security program blocks 127.0.0.1",
    )


@check(points=4)
def test_udp_works_on_this_machine(stage: Stage) -> None:
    """UDP works between two programs on this machine."""
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        try:
            one.bind(("127.0.0.1", 0))
            two.sendto(b"hello", one.getsockname())
            one.settimeout(3)
            received = one.recv(100).decode()
        except OSError as error:
            received = str(error)
    stage.requires(
        received == "hello",
        "a UDP datagram from this machine to itself does not arrive",
        expected="hello",
        received=received,
        hint="a firewall or a security program blocks 127.0.0.1",
    )


@check(points=4)
def test_the_default_port_is_free(stage: Stage) -> None:
    """Port 6789, at which you will run the programs by hand, is free."""
    taken = ""

    def looked() -> bool:
        nonlocal taken
        taken = next((name for name in ("tcp", "udp") if is_taken(name)), "")
        return not taken

    tries(looked, patience=3.0)  # another run of the suites may have it for a moment
    owner = system.owner_of_port(PORT, taken) if taken else ""
    stage.requires(
        not taken,
        f"port {PORT} is taken",
        expected="nobody listens there",
        received=f"{taken.upper()} port {PORT} is held by {owner or 'another program'}",
        hint="a server of yours still runs: end it with Ctrl+C, or use --port with another number",
    )


def is_taken(protocol: str) -> bool:
    """Tell whether a server has the port; a mere look, which disturbs nobody who looks as well."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with socket.socket(type=kind) as sock:
        if not system.WINDOWS:  # there it would let us have a port that is taken
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", PORT))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return True
    return False
