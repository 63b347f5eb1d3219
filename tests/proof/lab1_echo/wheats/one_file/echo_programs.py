"""All four echo programs in one module, on the lowest calls that Python's sockets have."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .. import frame

ROOM = 65_536  # bytes: more than any datagram has
SLICE = 0.5  # seconds that one call may wait: a Ctrl+C just before it would be slept over


@dataclass(frozen=True)
class Place:
    """Where a server is, in the words of whoever started the program."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Patience:
    """How long a UDP client waits, and how often."""

    timeout: float
    attempts: int


def say(name: str, text: str) -> None:
    print(f"[INFO] {time.strftime('%H:%M:%S')} {name}: {text}", file=sys.stderr, flush=True)


def listen(kind: socket.SocketKind, place: Place) -> socket.socket:
    """Return a socket that can be reached at `place`."""
    sock = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_DGRAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * ROOM)
        elif os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((place.host, place.port))
        if kind == socket.SOCK_STREAM:
            sock.listen(1)
        sock.settimeout(SLICE)
    except (OSError, UnicodeError):
        sock.close()
        raise
    return sock


def ready(name: str, sock: socket.socket, place: Place) -> None:
    print(f"{name}: Listening on {place.host}:{sock.getsockname()[1]} (Ctrl+C ends)", flush=True)
    say(name, "nobody has called as yet")


def patiently(call: Callable[..., Any], *arguments: object) -> Any:
    """Call again until the socket is ready: a wait without end, in slices."""
    while True:
        try:
            return call(*arguments)
        except TimeoutError:
            pass


def send_all(sock: socket.socket, data: memoryview) -> None:
    while data:
        data = data[patiently(sock.send, data) :]


def udp_server(place: Place) -> None:
    room = memoryview(bytearray(ROOM))
    with listen(socket.SOCK_DGRAM, place) as sock:
        ready("echo-udp", sock, place)
        while True:
            try:
                count, peer = patiently(sock.recvfrom_into, room)
                sock.sendto(room[:count], peer)
            except OSError as error:
                say("echo-udp", f"one is lost ({error})")


def tcp_server(place: Place) -> None:
    room = memoryview(bytearray(ROOM))
    with listen(socket.SOCK_STREAM, place) as listener:
        ready("echo-tcp", listener, place)
        while True:
            try:
                connection, _ = patiently(listener.accept)
                with connection:
                    connection.settimeout(SLICE)
                    while count := patiently(connection.recv_into, room):
                        send_all(connection, room[:count])
            except OSError as error:
                say("echo-tcp", f"one is lost ({error})")


def udp_client(place: Place, patience: Patience, text: str) -> None:
    message = text.encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * ROOM)
        server = socket.gethostbyname(place.host), place.port
        for attempt in range(patience.attempts):
            say("echo-udp", f"attempt {attempt + 1}")
            sock.sendto(message, server)
            end = time.monotonic() + patience.timeout
            while (left := end - time.monotonic()) > 0:
                sock.settimeout(left)
                try:
                    match sock.recvfrom(ROOM):
                        case (data, sender) if sender == server and data == message:
                            print(data.decode())
                            return
                        case (data, sender):
                            say("echo-udp", f"{len(data)} bytes from {sender[0]} are not for me")
                except (TimeoutError, ConnectionError):
                    pass
    raise TimeoutError("nobody answered")


def tcp_client(place: Place, texts: Iterable[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.connect((place.host, place.port))
        sock.settimeout(SLICE)
        say("echo-tcp", "connected")
        for text in texts:
            message = text.encode()
            send_all(sock, memoryview(message))
            echo = memoryview(bytearray(len(message)))
            got = 0
            while got < len(message):
                match patiently(sock.recv_into, echo[got:]):
                    case 0:
                        raise ConnectionError("the server has closed")
                    case count:
                        got += count
            print(str(echo, "utf-8"), flush=True)


def typed() -> Iterator[str]:
    for line in sys.stdin or ():
        match line.removesuffix("\n"):
            case "":
                pass
            case text:
                yield text


def program(name: str) -> None:
    """Read the options of the program that `name` names, and run it."""
    make_parser = frame.server_options if name.endswith("server") else frame.client_options
    parser = make_parser(f"The {name} of the one-file echo.", port=6789)
    match name:
        case "udp_client":
            parser.add_argument("--timeout", type=frame.seconds, default=1.0)
            parser.add_argument("--attempts", type=frame.count, default=3)
            parser.add_argument("message")
        case "tcp_client":
            parser.add_argument("messages", nargs="*")
    options = parser.parse_args()
    place = Place(options.host, options.port)
    with frame.error_line(f"trouble with {place}"):
        match name:
            case "udp_server":
                udp_server(place)
            case "tcp_server":
                tcp_server(place)
            case "udp_client":
                patience = Patience(options.timeout, options.attempts)
                udp_client(place, patience, options.message)
            case "tcp_client":
                tcp_client(place, options.messages or typed())


def main(name: str) -> None:
    frame.run(lambda: program(name))
