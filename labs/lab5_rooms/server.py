"""Lab 5: the server of the rooms: TCP to get into one, UDP to talk in it, on one port number.

    alice                      this server                      bob
      | ==TCP== create kitchen -> |                              |
      | <- done: alice's token == |                              |
      | --UDP-- hello, token ---> |  so that is where alice is   |
      | <- hello ---------------- |                              |
      |                           | <- join kitchen ==TCP======= |
      | <- notice: bob joined --- | == done: bob's token ======> |
      |                           | <- hello, token --UDP------- |
      | -- text, token ---------> | -- text, without token ----> |

What comes in and goes out: protocol.py draws it. Who gets what: rooms.py.
What is shared: the rooms, behind one lock that nobody holds while sending.

By hand:  python -m labs.lab5_rooms.server
          python -m labs.lab5_rooms.client --username alice
"""

import socket
import threading
import time
from collections.abc import Iterable

from .. import frame
from ..clients import Clients
from .protocol import (
    CREATE,
    DONE,
    LIST,
    MAX_DATAGRAM,
    REFUSED,
    Head,
    packed,
    parsed_datagram,
    read_head,
)
from .rooms import Address, Letter, Refused, Rooms

TICK = 0.25  # seconds between two looks for members that are silent for too long
TRIES = 100  # to find a port number that is free twice


class Server:
    """The rooms, and the one UDP socket through which all their members are reached."""

    def __init__(self, udp: socket.socket, idle_timeout: float) -> None:
        self._udp = udp
        self._lock = threading.Lock()  # held by whoever uses the rooms
        self._rooms = Rooms(idle_timeout)

    def attend(self, connection: socket.socket) -> None:
        """Answer the requests of one TCP client, until it goes or breaks the rules of the wire."""
        while connection.recv(1, socket.MSG_PEEK):
            head = read_head(connection.recv)
            # TODO 3: Let _obey() answer it: DONE, with the payload that it returns, or REFUSED,
            #   with the reason that it raises. The reply repeats operation, room and user. When it
            #   is sent, _send() the letters. After something that is no request, stop.
            raise NotImplementedError("TODO 3")

    def relay(self) -> None:
        """Take datagrams, for ever."""
        while True:
            try:
                self._take(*self._udp.recvfrom(MAX_DATAGRAM + 1))
            except OSError:  # no message; on Windows also: too long, or an earlier one found nobody
                continue

    def expire(self) -> None:
        """Let those go who send no datagrams any more, for ever."""
        while True:
            time.sleep(TICK)
            with self._lock:
                letters = self._rooms.expire(time.monotonic())
            self._send(letters)

    def _obey(self, head: Head) -> tuple[bytes, list[Letter]]:
        """Do what a request asks for; return the payload of its reply, and letters.

        Raises Refused.
        """
        if not head.is_request:
            raise Refused("this is no request")
        now = time.monotonic()
        with self._lock:
            if head.operation == LIST:
                return self._rooms.names(), []
            if head.operation == CREATE:
                return self._rooms.create(head.room, head.user, now), []
            return self._rooms.join(head.room, head.user, now)

    def _take(self, data: bytes, address: Address) -> None:
        """Do what a datagram asks for. Raises ProtocolError, an OSError, if it is no message."""
        # TODO 10: Parse it, let the rooms take it, with the lock held, and send what comes of it.
        raise NotImplementedError("TODO 10")

    def _send(self, letters: Iterable[Letter]) -> None:
        for letter in letters:
            for address in letter.to:
                try:
                    self._udp.sendto(letter.data, address)
                except OSError:  # this one cannot be reached, the next one may be
                    continue


def bound_twice(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Return a TCP listener and a UDP socket on one port number; 0 is any number free for both."""
    for left in reversed(range(TRIES)):
        listener = socket.create_server((host, port), backlog=socket.SOMAXCONN)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(listener.getsockname())
            break
        except OSError:
            listener.close()
            udp.close()
            if port or not left:
                raise
    return listener, udp


def main() -> None:
    """Listen where the options say, and serve."""
    parser = frame.server_options(__doc__, port=8084)
    parser.add_argument(
        "--idle-timeout", type=frame.seconds, default=60.0, help="silence of a member, in seconds"
    )
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener, udp = bound_twice(options.host, options.port)
    with listener, udp:
        server = Server(udp, options.idle_timeout)
        for task in (server.relay, server.expire):
            threading.Thread(target=task, daemon=True).start()
        frame.ready(listener)
        Clients(server.attend).serve(listener)


if __name__ == "__main__":
    frame.run(main)
