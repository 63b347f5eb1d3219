"""Lab 5's wrong servers that do wrong as a whole."""

from proof.lab5_rooms.reference import (
    ATTEND_DOC,
    BINDS,
    LISTENER,
    PARSES,
    READS,
    SERVER_CLASS,
    SERVES,
    SIZE_OF_DATAGRAM,
    UDP,
    WAITS,
)
from proof.rules_chaffs import MAIN, Server, server_chaffs
from proof.subjects import Chaff, chaff

LIKE_EVERY_SERVER = Server("server", port=8084, listens="bound_twice(options.host, options.port)")


def wrong(name: str, *changes: str, program: str = "server") -> Chaff:
    """Return a server that does wrong as a whole."""
    return chaff(program, name, *changes, part="server")


def kept(name: str, what: str, where: str) -> Chaff:
    """Return a server that keeps something behind a place in its text."""
    return wrong(
        name,
        where,
        f"{where}        KEPT.append({what})\n",
        SERVER_CLASS,
        f"KEPT: list[object] = []\n\n\n{SERVER_CLASS}",
    )


WHOLE = [
    # Who stops in a request.
    wrong(
        "it holds the lock while it reads",
        READS,
        f"            with self._lock:\n    {READS}",
    ),
    wrong(
        "it serves one client after the other",
        SERVES,
        "Own(server.attend).serve(listener)",
        MAIN,
        "class Own(Clients):\n"
        "    def _accept(self, listener: socket.socket) -> None:\n"
        "        connection, _ = listener.accept()\n"
        "        with self._changed:\n"
        "            self._online.add(connection)\n"
        "        self._visit(connection)\n\n\n" + MAIN,
    ),
    # Two sockets.
    wrong("UDP has a port of its own", BINDS, "            udp.bind((host, 0))\n"),
    wrong(
        "it takes another port for UDP if that is taken",
        BINDS,
        "            try:\n"
        f"    {BINDS}"
        "            except OSError:\n"
        "                udp.bind((host, 0))\n",
    ),
    wrong(
        "unless it is told a host, UDP listens on every address",
        BINDS,
        '            udp.bind(("" if host == "127.0.0.1" else host, listener.getsockname()[1]))\n',
    ),
    wrong("it takes any number for a time", "type=frame.seconds", "type=float"),
    # Noise.
    wrong(
        "a datagram of three bytes ends the relay",
        SIZE_OF_DATAGRAM,
        "len(data) > MAX_DATAGRAM",
        program="protocol",
    ),
    # Rules for every server, as they look here.
    kept("it keeps all datagrams", "data", PARSES),
    kept("it keeps its connections", "connection.dup()", ATTEND_DOC),
    wrong("it polls", UDP, "        udp.setblocking(False)\n" + UDP),
    wrong(
        "a reset before the first byte ends it",
        WAITS,
        "        try:\n"
        "            connection.recv(1, socket.MSG_PEEK)\n"
        "        except ConnectionResetError:\n"
        "            os._exit(1)\n" + WAITS,
        "import socket\n",
        "import os\nimport socket\n",
    ),
    wrong("its threads are no daemons", "target=task, daemon=True", "target=task"),
    *server_chaffs(LIKE_EVERY_SERVER),
    wrong(
        "it sets SO_REUSEPORT",
        LISTENER,
        LISTENER.replace("backlog=socket.SOMAXCONN", "reuse_port=True"),
        BINDS,
        "            udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n" + BINDS,
    ),
    wrong(
        "it is bound without SO_REUSEADDR",
        LISTENER,
        "        listener = socket.socket()\n"
        "        listener.bind((host, port))\n"
        "        listener.listen(socket.SOMAXCONN)\n",
    ),
]
