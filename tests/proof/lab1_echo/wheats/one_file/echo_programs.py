"""All four echo programs in one module, on the lowest calls that Python's sockets have."""

import os
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .. import frame

ROOM = 65_536  # bytes: more than any datagram has


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
    print(f"{time.strftime('%H:%M:%S')} {name}: {text}", flush=True)


def listen(name: str, kind: socket.SocketKind, place: Place) -> socket.socket:
    """Return a socket that can be reached at `place`, and say so."""
    sock = socket.socket(socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_DGRAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * ROOM)
        elif os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((place.host, place.port))
        if kind == socket.SOCK_STREAM:
            sock.listen(1)
    except (OSError, UnicodeError):
        sock.close()
        raise
    say(name, f"Listening on {place.host}:{sock.getsockname()[1]} (Ctrl+C ends)")
    return sock


def send_all(sock: socket.socket, data: memoryview) -> None:
    while data:
        data = data[sock.send(data) :]


def udp_server(place: Place) -> None:
    room = memoryview(bytearray(ROOM))
    with listen("echo-udp", socket.SOCK_DGRAM, place) as sock:
        while True:
            try:
                count, peer = sock.recvfrom_into(room)
                sock.sendto(room[:count], peer)
            except OSError as error:
                say("echo-udp", f"one is lost ({error})")


def tcp_server(place: Place) -> None:
    room = memoryview(bytearray(ROOM))
    with listen("echo-tcp", socket.SOCK_STREAM, place) as listener:
        while True:
            try:
                connection, _ = listener.accept()
                with connection:
                    while count := connection.recv_into(room):
                        send_all(connection, room[:count])
            except OSError as error:
                say("echo-tcp", f"one is lost ({error})")


def udp_client(place: Place, patience: Patience, text: str) -> None:
    message = text.encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * ROOM)
        server = socket.gethostbyname(place.host), place.port
        for _ in range(patience.attempts):
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
        for text in texts:
            message = text.encode()
            send_all(sock, memoryview(message))
            echo = memoryview(bytearray(len(message)))
            got = 0
            while got < len(message):
                match sock.recv_into(echo[got:]):
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
