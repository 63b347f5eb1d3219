"""Lab 1's wrong programs: the TCP server, in the order of its checks."""

from proof.lab1_echo.rules_chaffs import FRAME, RUN, SIGTERM_ALONE, server_chaffs
from proof.subjects import Chaff, chaff

NAME = "tcp_server"
ACCEPT = "            connection, _ = listener.accept()\n"
SERVED = "            with connection:\n                echo(connection)\n"
BROKEN = "        except OSError as error:\n"
GONE = '            frame.info(f"A client is gone: {error}")\n'
RECV = "connection.recv(PIECE)"
ECHO = "    while piece := connection.recv(PIECE):\n        connection.sendall(piece)\n"
DEF_ECHO = "def echo(connection: socket.socket) -> None:\n"
CREATE = "        listener = socket.create_server((options.host, options.port))\n"
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


def sends(name: str, what: str) -> Chaff:
    """Return one that sends back something else than `piece`."""
    return wrong(name, "connection.sendall(piece)", f"connection.sendall({what})")


def echoes(name: str, *lines: str) -> Chaff:
    """Return one with another echo()."""
    return wrong(name, ECHO, "".join(f"    {line}\n" for line in lines))


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
    echoes(
        "it reads until the end before it answers",
        'whole = b""',
        "while piece := connection.recv(PIECE):",
        "    whole += piece",
        "connection.sendall(whole)",
    ),
    echoes(
        "it reads lines", 'for line in connection.makefile("rb"):', "    connection.sendall(line)"
    ),
    echoes(
        "it waits until its buffer is full",
        "while piece := connection.recv(PIECE, socket.MSG_WAITALL):",
        "    connection.sendall(piece)",
    ),
    sends("it says who speaks", 'b"Echo: " + piece'),
    sends("it sends the repr of the bytes", "str(piece).encode()"),
    sends("it sends a newline after each piece", 'piece + b"\\n"'),
    sends("it sends text", "piece.decode()"),
    wrong(
        "it calls recv() on the listener",
        RECV,
        "listener.recv(PIECE)",
        "                echo(connection)\n",
        "                echo(connection, listener)\n",
        DEF_ECHO,
        "def echo(connection: socket.socket, listener: socket.socket) -> None:\n",
    ),
    # Going on.
    echoes(
        "it answers the first piece alone",
        "connection.sendall(connection.recv(PIECE))",
        "while connection.recv(PIECE):",
        "    pass",
    ),
    echoes(
        "it takes nine short pieces for a flood",
        "short = 0",
        "while short < 9 and (piece := connection.recv(PIECE)):",
        "    connection.sendall(piece)",
        "    short += len(piece) < 100",
        "while connection.recv(PIECE):",
        "    pass",
    ),
    # Any bytes.
    sends("it decodes what comes", "piece.decode().encode()"),
    sends("it drops what is not UTF-8", 'piece.decode(errors="ignore").encode()'),
    sends("it strips", "piece.strip()"),
    sends("it drops a byte order mark", 'piece.removeprefix(b"\\xff\\xfe")'),
    # A character in two pieces.
    wrong(
        "it waits for the rest of a character",
        ECHO,
        "    while piece := connection.recv(PIECE):\n"
        "        while is_cut(piece):\n"
        "            piece += connection.recv(PIECE)\n"
        "        connection.sendall(piece)\n",
        DEF_ECHO,
        "def is_cut(piece: bytes) -> bool:\n"
        "    try:\n"
        "        piece.decode()\n"
        "    except UnicodeDecodeError as error:\n"
        '        return error.reason == "unexpected end of data"\n'
        "    return False\n\n\n" + DEF_ECHO,
    ),
    # A long stream.
    echoes(
        "it loses each thousandth piece",
        "count = 0",
        "while piece := connection.recv(1024):",
        "    count += 1",
        "    if count % 1000:",
        "        connection.sendall(piece)",
    ),
    # What came before the end.
    serves(
        "it closes with SO_LINGER 0, which drops what is not sent as yet",
        "import struct",
        "",
        "with connection:",
        "    echo(connection)",
        "    connection.shutdown(socket.SHUT_WR)",
        '    linger = struct.pack("ii", 1, 0)',
        "    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)",
    ),
    # The end.
    serves("it closes a connection when the next one comes", "echo(connection)"),
    wrong(
        "it keeps all connections open",
        TRY,
        "    connections = []\n" + TRY,
        SERVED,
        "            connections.append(connection)\n            echo(connection)\n",
    ),
    echoes(
        "it reads on after the end", "while True:", "    connection.sendall(connection.recv(PIECE))"
    ),
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
    # A client that never reads.
    echoes(
        "it reads on while it cannot write",
        "import contextlib",
        "import queue",
        "import threading",
        "",
        "pieces: queue.Queue[bytes] = queue.Queue()",
        "",
        "def send() -> None:",
        "    with contextlib.suppress(OSError):",
        "        while piece := pieces.get():",
        "            connection.sendall(piece)",
        "",
        "sender = threading.Thread(target=send, daemon=True)",
        "sender.start()",
        "try:",
        "    while piece := connection.recv(PIECE):",
        "        pieces.put(piece)",
        "finally:",
        '    pieces.put(b"")',
        "    sender.join()",
    ),
    # A quiet client.
    wrong(
        "it waits for a quiet client no longer than 0.8 s",
        ACCEPT,
        ACCEPT + "            connection.settimeout(0.8)\n",
    ),
    wrong(
        "it gives up on a client that does not read at once",
        "        connection.sendall(piece)\n",
        "        connection.settimeout(0.1)\n"
        "        connection.sendall(piece)\n"
        "        connection.settimeout(None)\n",
    ),
    *server_chaffs(NAME),
    # What these rules look like in this program alone.
    wrong(
        "it only tries the port, and takes another",
        "    with listener:\n",
        "    if options.port not in (0, 6789):\n"
        "        listener.close()\n"
        "        listener = socket.create_server((options.host, 0))\n"
        "    with listener:\n",
    ),
    wrong("it sets SO_REUSEPORT", "options.port))", "options.port), reuse_port=True)"),
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
    echoes(
        "it polls",
        "while True:",
        "    try:",
        "        piece = connection.recv(PIECE, socket.MSG_DONTWAIT)",
        "    except BlockingIOError:",
        "        continue",
        "    if not piece:",
        "        return",
        "    connection.sendall(piece)",
    ),
    wrong(
        "it keeps all that came",
        ECHO,
        "    while piece := connection.recv(PIECE):\n"
        "        LOG.append(piece)\n"
        "        connection.sendall(piece)\n",
        DEF_ECHO,
        "LOG = []\n\n\n" + DEF_ECHO,
    ),
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
    wrong(
        "it is bound without SO_REUSEADDR",
        CREATE,
        "        listener = socket.socket()\n"
        "        listener.bind((options.host, options.port))\n"
        "        listener.listen()\n",
    ),
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
