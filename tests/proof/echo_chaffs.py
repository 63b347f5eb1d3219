"""Wrong TCP echo servers: what is wrong in them is what they do for each client.

They change echo(), which is the same text in lab 1, for one client at a time, and in lab 2. In the
order of the checks in `kit.echo_rules`; a lab's own may stand between these lists.
"""

from proof.subjects import Chaff, chaff

RECV = "connection.recv(PIECE)"
ECHO = "    while piece := connection.recv(PIECE):\n        connection.sendall(piece)\n"
DEF_ECHO = "def echo(connection: socket.socket) -> None:\n"


def sends(program: str, name: str, what: str) -> Chaff:
    """Return a server that sends back something else than `piece`."""
    return chaff(program, name, "connection.sendall(piece)", f"connection.sendall({what})")


def echoes(program: str, name: str, *lines: str) -> Chaff:
    """Return a server with another echo()."""
    return chaff(program, name, ECHO, "".join(f"    {line}\n" for line in lines))


def of_one_piece(program: str) -> list[Chaff]:
    """Return those that do not send back what a client sends."""
    return [
        echoes(
            program,
            "it reads until the end before it answers",
            'whole = b""',
            "while piece := connection.recv(PIECE):",
            "    whole += piece",
            "connection.sendall(whole)",
        ),
        echoes(
            program,
            "it reads lines",
            'for line in connection.makefile("rb"):',
            "    connection.sendall(line)",
        ),
        echoes(
            program,
            "it waits until its buffer is full",
            "while piece := connection.recv(PIECE, socket.MSG_WAITALL):",
            "    connection.sendall(piece)",
        ),
        sends(program, "it says who speaks", 'b"Echo: " + piece'),
        sends(program, "it sends the repr of the bytes", "str(piece).encode()"),
        sends(program, "it sends a newline after each piece", 'piece + b"\\n"'),
        sends(program, "it sends text", "piece.decode()"),
    ]


def of_a_stream(program: str) -> list[Chaff]:
    """Return those that do not go on, do not send any bytes, or not all of them."""
    return [
        # Going on.
        echoes(
            program,
            "it answers the first piece alone",
            "connection.sendall(connection.recv(PIECE))",
            "while connection.recv(PIECE):",
            "    pass",
        ),
        echoes(
            program,
            "it takes nine short pieces for a flood",
            "short = 0",
            "while short < 9 and (piece := connection.recv(PIECE)):",
            "    connection.sendall(piece)",
            "    short += len(piece) < 100",
            "while connection.recv(PIECE):",
            "    pass",
        ),
        # Any bytes.
        sends(program, "it decodes what comes", "piece.decode().encode()"),
        sends(program, "it drops what is not UTF-8", 'piece.decode(errors="ignore").encode()'),
        sends(program, "it strips", "piece.strip()"),
        sends(program, "it drops a byte order mark", 'piece.removeprefix(b"\\xff\\xfe")'),
        echoes(
            program,
            "it takes quit for the end",
            "while (piece := connection.recv(PIECE)) and piece != b'quit':",
            "    connection.sendall(piece)",
        ),
        echoes(
            program,
            "it takes an empty line for the end",
            "while (piece := connection.recv(PIECE)).strip():",
            "    connection.sendall(piece)",
        ),
        # A character in two pieces.
        chaff(
            program,
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
            program,
            "it loses each thousandth piece",
            "count = 0",
            "while piece := connection.recv(1024):",
            "    count += 1",
            "    if count % 1000:",
            "        connection.sendall(piece)",
        ),
        # What came before the end.
        echoes(
            program,
            "it closes with SO_LINGER 0, which drops what is not sent as yet",
            "import struct",
            "",
            "while piece := connection.recv(PIECE):",
            "    connection.sendall(piece)",
            "connection.shutdown(socket.SHUT_WR)",
            'linger = struct.pack("ii", 1, 0)',
            "connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)",
        ),
    ]


def of_the_end(program: str) -> list[Chaff]:
    """Return the one that does not notice the end."""
    return [
        echoes(
            program,
            "it reads on after the end",
            "while True:",
            "    connection.sendall(connection.recv(PIECE))",
        ),
    ]


def of_patience(program: str) -> list[Chaff]:
    """Return those that stand no client who reads late, or never, or is quiet."""
    return [
        echoes(
            program,
            "it reads on while it cannot write",
            "import select",
            "",
            "connection.setblocking(False)",
            "unsent = bytearray()",
            "while True:",
            "    wants = [connection] if unsent else []",
            "    readable, writable, _ = select.select([connection], wants, [])",
            "    if readable:",
            "        piece = connection.recv(PIECE)",
            "        if not piece:",
            "            break",
            "        unsent += piece",
            "    if writable:",
            "        del unsent[: connection.send(unsent)]",
            "connection.setblocking(True)",
            "connection.sendall(unsent)",
        ),
        echoes(
            program,
            "it waits for a quiet client no longer than 0.8 s",
            "while piece := connection.recv(PIECE):",
            "    connection.sendall(piece)",
            "    connection.settimeout(0.8)",
        ),
        chaff(
            program,
            "it gives up on a client that does not read at once",
            "        connection.sendall(piece)\n",
            "        connection.settimeout(0.1)\n"
            "        connection.sendall(piece)\n"
            "        connection.settimeout(None)\n",
        ),
    ]


def polls(program: str) -> Chaff:
    """Return the one that asks again and again."""
    return echoes(
        program,
        "it polls",
        "while True:",
        "    try:",
        "        piece = connection.recv(PIECE, socket.MSG_DONTWAIT)",
        "    except BlockingIOError:",
        "        continue",
        "    if not piece:",
        "        return",
        "    connection.sendall(piece)",
    )


def keeps_everything(program: str) -> Chaff:
    """Return the one whose memory grows with all that comes."""
    return chaff(
        program,
        "it keeps all that came",
        ECHO,
        "    while piece := connection.recv(PIECE):\n"
        "        LOG.append(piece)\n"
        "        connection.sendall(piece)\n",
        DEF_ECHO,
        "LOG = []\n\n\n" + DEF_ECHO,
    )


def echo_chaffs(program: str) -> list[Chaff]:
    """Return all that fail the checks of the echo."""
    makers = (of_one_piece, of_a_stream, of_the_end, of_patience)
    return [wrong for make in makers for wrong in make(program)]
