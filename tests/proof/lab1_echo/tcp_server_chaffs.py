"""Lab 1's wrong programs: the TCP server, in the order of its checks."""

from proof import echo_chaffs
from proof.echo_chaffs import DEF_ECHO, ECHO, RECV
from proof.rules_chaffs import (
    FRAME,
    RUN,
    SIGTERM_ALONE,
    Server,
    keeps_the_port,
    server_chaffs,
    server_chaffs_of_many_checks,
    shares_the_port,
    takes_another_port,
)
from proof.subjects import Chaff, chaff

NAME = "tcp_server"
LISTENS = "socket.create_server((options.host, options.port))"
SERVER = Server(NAME, port=6789, listens=LISTENS)
ACCEPT = "            connection, _ = listener.accept()\n"
SERVED = "            with connection:\n                echo(connection)\n"
BROKEN = "        except OSError as error:\n"
GONE = '            frame.info(f"A client is gone: {error}")\n'
CREATE = f"        listener = {LISTENS}\n"
TRY = "    while True:\n        try:\n"

IN_A_THREAD = (
    "        serve(listener)\n",
    "        threading.Thread(target=serve, args=(listener,), daemon=True).start()\n"
    "        threading.Event().wait()\n",
    FRAME,
    f"import threading\n\n{FRAME}",
)


def wrong(name: str, *changes: str) -> Chaff:
    """Return a wrong TCP server."""
    return chaff(NAME, name, *changes)


def serves(name: str, *lines: str) -> Chaff:
    """Return one that does something else with a client that it has accepted."""
    return wrong(name, SERVED, "".join(f"            {line}\n" for line in lines))


TCP_SERVER = [
    # What a client sends comes back.
    wrong(
        "it speaks UDP",
        CREATE,
        "        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "        listener.bind((options.host, options.port))\n",
        ACCEPT + SERVED,
        "            listener.sendto(*listener.recvfrom(PIECE))\n",
    ),
    *echo_chaffs.of_one_piece(NAME),
    wrong(
        "it calls recv() on the listener",
        RECV,
        "listener.recv(PIECE)",
        "                echo(connection)\n",
        "                echo(connection, listener)\n",
        DEF_ECHO,
        "def echo(connection: socket.socket, listener: socket.socket) -> None:\n",
    ),
    *echo_chaffs.of_a_stream(NAME),
    # The end.
    serves("it closes a connection when the next one comes", "echo(connection)"),
    wrong(
        "it keeps all connections open",
        TRY,
        "    connections = []\n" + TRY,
        SERVED,
        "            connections.append(connection)\n            echo(connection)\n",
    ),
    *echo_chaffs.of_the_end(NAME),
    # The next client.
    wrong(
        "it accepts one client alone",
        TRY + ACCEPT + SERVED,
        "    connection, _ = listener.accept()\n" + TRY + "            echo(connection)\n",
    ),
    wrong(
        "it greets a client with what the one before said first",
        TRY,
        '    known = b""\n' + TRY,
        SERVED,
        "            with connection:\n"
        "                first = connection.recv(100)\n"
        "                connection.sendall(known or first)\n"
        "                echo(connection)\n"
        "                known = first\n",
    ),
    # A client that waits.
    wrong(
        "it hangs up on who comes while it has another client",
        ECHO,
        "    while piece := connection.recv(1024):\n"
        "        if len(piece) < 1024 and select.select([listener], [], [], 0)[0]:\n"
        "            listener.accept()[0].close()\n"
        "        connection.sendall(piece)\n",
        "                echo(connection)\n",
        "                echo(connection, listener)\n",
        DEF_ECHO,
        "def echo(connection: socket.socket, listener: socket.socket) -> None:\n",
        FRAME,
        "import select\n\n" + FRAME,
    ),
    # A client that says nothing.
    serves(
        "who says nothing ends it",
        "with connection:",
        "    piece = connection.recv(PIECE)",
        "    if not piece:",
        "        return",
        "    connection.sendall(piece)",
        "    echo(connection)",
    ),
    # A client that resets.
    wrong(
        "a reset ends the thread that accepts",
        BROKEN,
        "        except BlockingIOError as error:\n",
        *IN_A_THREAD,
    ),
    wrong(
        "the line that it logs of a reset fails below a kilobyte",
        ECHO,
        "    global total\n"
        "    total = 0\n"
        "    while piece := connection.recv(PIECE):\n"
        "        total += len(piece)\n"
        "        connection.sendall(piece)\n",
        GONE,
        "            if total:\n"
        '                unit = {1: "kB", 2: "MB"}[int(math.log(total, 1000))]\n'
        '                frame.info(f"A client is gone after some {unit}: {error}")\n',
        FRAME,
        "import math\n\n" + FRAME,
    ),
    *echo_chaffs.of_patience(NAME),
    *server_chaffs(SERVER),
    *server_chaffs_of_many_checks(SERVER)[1::2],
    # What these rules look like in this program alone.
    takes_another_port(SERVER),
    shares_the_port(SERVER),
    wrong(
        "it catches Ctrl+C while it has a client, and SIGTERM",
        RUN,
        SIGTERM_ALONE,
        SERVED,
        "            with connection:\n"
        "                try:\n"
        "                    echo(connection)\n"
        "                except KeyboardInterrupt:\n"
        "                    raise SystemExit from None\n",
    ),
    echo_chaffs.polls(NAME),
    echo_chaffs.keeps_everything(NAME),
    wrong(
        "it ends connections with shutdown() and closes none",
        TRY,
        "    connections = []\n" + TRY,
        SERVED,
        "            connections.append(connection)\n"
        "            echo(connection)\n"
        "            connection.shutdown(socket.SHUT_RDWR)\n",
    ),
    wrong(
        "it does not close what a client has reset",
        TRY,
        "    connections = []\n" + TRY,
        SERVED,
        "            connections.append(connection)\n"
        "            echo(connection)\n"
        "            connections.remove(connection)\n"
        "            connection.close()\n",
    ),
    wrong(
        "it has a thread for each client, which is no daemon",
        SERVED,
        "            threading.Thread(target=served, args=(connection,)).start()\n",
        DEF_ECHO,
        "def served(connection: socket.socket) -> None:\n"
        "    with connection, contextlib.suppress(OSError):\n"
        "        echo(connection)\n\n\n" + DEF_ECHO,
        FRAME,
        "import contextlib\nimport threading\n\n" + FRAME,
    ),
    keeps_the_port(SERVER),
    wrong("it knows ConnectionResetError alone", BROKEN, BROKEN.replace("OS", "ConnectionReset")),
    wrong(
        "a reset before the first piece ends the thread that accepts",
        TRY + ACCEPT + SERVED,
        "    while True:\n"
        "        connection, _ = listener.accept()\n"
        "        first = connection.recv(PIECE)\n"
        "        try:\n"
        "            with connection:\n"
        "                connection.sendall(first)\n"
        "                echo(connection)\n",
        *IN_A_THREAD,
    ),
]
