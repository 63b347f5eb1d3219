"""Lab 1's wrong programs: the TCP client, in the order of its checks."""

from proof.rules_chaffs import RUN, Client, client_chaffs, client_chaffs_of_many_checks
from proof.subjects import Chaff, chaff

NAME = "tcp_client"
CLIENT = Client(NAME, port=6789, trouble="no echo from")
SEND = "    sock.sendall(message)\n"
READ = """\
    received = b""
    while len(received) < len(message):
        piece = sock.recv(len(message) - len(received))
        if not piece:
            raise ConnectionError("the server closed the connection")
        received += piece
    return received
"""
RECV = "sock.recv(len(message) - len(received))"
NO_PIECE = '            raise ConnectionError("the server closed the connection")\n'
FOR = "        for message in messages(options.messages):\n"
PRINT = "            print(echo(sock, message.encode()).decode(), flush=True)\n"
LINES = "        for line in sys.stdin:\n"
SKIPPED = '            if text := line.removesuffix("\\n"):\n                yield text\n'
CONNECT = "socket.create_connection(server)"


def wrong(name: str, *changes: str) -> Chaff:
    """Return a wrong TCP client."""
    return chaff(NAME, name, *changes)


def sends(name: str, what: str) -> Chaff:
    """Return one that sends something else than the message."""
    return wrong(name, SEND, f"    sock.sendall({what})\n")


def reads(name: str, *lines: str) -> Chaff:
    """Return one that reads the echo in another way."""
    return wrong(name, READ, "".join(f"    {line}\n" for line in lines))


def prints(name: str, statement: str) -> Chaff:
    """Return one that prints something else than the echo; it is in `text`."""
    echo = "            text = echo(sock, message.encode()).decode()\n"
    return wrong(name, PRINT, f"{echo}            {statement}\n")


TCP_CLIENT = [
    # The echo is printed.
    wrong(
        "it speaks UDP",
        CONNECT,
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        SEND,
        '    sock.sendto(message, ("127.0.0.1", 6789))\n',
    ),
    reads(
        "it reads until the server closes",
        'received = b""',
        "while piece := sock.recv(4096):",
        "    received += piece",
        "return received",
    ),
    reads("it reads a line", 'return sock.makefile("rb").readline()'),
    prints("it prints the repr of the bytes", "print(text.encode(), flush=True)"),
    prints("it prints more on the same line", 'print("Echo:", text, flush=True)'),
    prints("it prints a prompt on the same line", 'print("> " + text, flush=True)'),
    wrong(
        "it sends a header before the message",
        SEND,
        '    sock.sendall(len(message).to_bytes(4, "big"))\n' + SEND,
    ),
    wrong("it runs on when all is done", PRINT, PRINT + "        sock.recv(1)\n"),
    # Nothing is added.
    wrong(
        "it strips its arguments",
        "        yield from arguments\n",
        "        yield from map(str.strip, arguments)\n",
    ),
    sends("it adds a newline", 'message + b"\\n"'),
    # Text in any script.
    wrong(
        "it drops what is beyond U+FFFF",
        FOR,
        FOR + '            message = "".join(c for c in message if c <= "\\uffff")\n',
    ),
    wrong(
        "it counts letters",
        "sock: socket.socket, message: bytes",
        "sock: socket.socket, text: str",
        SEND,
        "    message = text.encode()\n" + SEND,
        "while len(received) < len(message):",
        "while len(received) < len(text):",
        RECV,
        "sock.recv(len(text) - len(received))",
        "message.encode()",
        "message",
    ),
    wrong("it encodes as Latin-1", "message.encode()", 'message.encode("latin-1", "replace")'),
    # One after another.
    wrong(
        "it sends all arguments as one message",
        "        yield from arguments\n",
        '        yield " ".join(arguments)\n',
    ),
    wrong(
        "it sends all messages, and then reads",
        SEND,
        "",
        FOR,
        "        every = list(messages(options.messages))\n"
        "        for message in every:\n"
        "            sock.sendall(message.encode())\n"
        "        for message in every:\n",
    ),
    wrong("it connects anew for each message", FOR, FOR + "            sock = " + CONNECT + "\n"),
    # In pieces.
    reads("it takes one recv(1024) for all", "return sock.recv(1024)"),
    wrong(
        "it strips the pieces of an echo that is cut",
        "received += piece",
        "received += piece if len(piece) == len(message) else piece.strip()",
    ),
    # What comes back.
    prints("it prints what it has sent", "print(message, flush=True)"),
    wrong("it takes more than the echo for the echo", RECV, "sock.recv(4096)"),
    # 100,000 bytes.
    sends("it sends 65536 bytes at most", "message[:65536]"),
    # Typed lines.
    wrong("it does not flush", ", flush=True", ""),
    wrong(
        "it reads all of stdin before it begins",
        LINES,
        "        for line in sys.stdin.readlines():\n",
    ),
    wrong(
        "it reads stdin 4096 letters at a time",
        LINES,
        '        for line in iter(lambda: sys.stdin.readline(4096), ""):\n',
    ),
    wrong(
        "it takes a server that has gone for the end of its work",
        "            raise ConnectionError(",
        "            if not received:\n"
        "                sys.exit(0)\n"
        "            raise ConnectionError(",
    ),
    wrong("it ignores stdin", LINES, "        for line in []:\n"),
    wrong("it shows a prompt on a pipe", LINES, '        while line := input("> ") + "\\n":\n'),
    wrong("it strips the lines", 'line.removesuffix("\\n")', "line.strip()"),
    wrong("it strips the ends of the lines", 'line.removesuffix("\\n")', "line.rstrip()"),
    wrong(
        "it skips lines of blanks",
        SKIPPED,
        SKIPPED.replace("yield text", "if not text.isspace():\n                    yield text"),
    ),
    wrong(
        "it splits the lines again",
        SKIPPED,
        "            yield from filter(None, line.splitlines())\n",
    ),
    wrong("it sends the lines with their newlines", 'line.removesuffix("\\n")', "line"),
    wrong("an empty line ends it", SKIPPED, SKIPPED + "            else:\n                break\n"),
    wrong(
        "it waits for the echo of an empty line",
        SKIPPED,
        '            yield line.removesuffix("\\n")\n',
        "while len(received) < len(message):",
        "while not received or len(received) < len(message):",
        RECV,
        "sock.recv(max(1, len(message) - len(received)))",
    ),
    # End of input.
    wrong("it cuts the last letter of each line", 'line.removesuffix("\\n")', "line[:-1]"),
    wrong("it does not catch EOFError", LINES, "        while True:\n            line = input()\n"),
    wrong(
        "the end of input is an error to it",
        LINES,
        LINES,
        SKIPPED,
        SKIPPED + '        raise EOFError("no more input")\n',
    ),
    # The server closes or resets.
    wrong("it prints what it has when the server closes", NO_PIECE, "            break\n"),
    wrong("it asks on when the server has closed", NO_PIECE, "            continue\n"),
    wrong(
        "it catches only what it raises itself when it is connected",
        f"        {CLIENT.guard}\n        {CONNECT} as sock,\n    ):\n",
        f"        {CLIENT.guard}\n    ):\n        sock = {CONNECT}\n    with sock:\n",
        NO_PIECE,
        '            sys.exit("[ERROR] the server closed the connection")\n',
    ),
    # A host by name.
    wrong(
        "it takes no names for a host",
        CONNECT,
        "socket.create_connection((socket.inet_ntoa(socket.inet_aton(server[0])), server[1]))",
    ),
    *client_chaffs(CLIENT),
    *client_chaffs_of_many_checks(CLIENT)[1::2],
    # What these rules look like in this program alone.
    wrong(
        "it catches Ctrl+C while it waits for an echo alone",
        RUN,
        "    main()\n",
        PRINT,
        "            try:\n"
        "                text = echo(sock, message.encode()).decode()\n"
        "            except KeyboardInterrupt:\n"
        "                sys.exit(130)\n"
        "            print(text, flush=True)\n",
    ),
    wrong(
        "it ends its sending side after each message",
        SEND,
        SEND + "    sock.shutdown(socket.SHUT_WR)\n",
    ),
    wrong(
        "it polls",
        f"        piece = {RECV}\n",
        (
            "        try:\n"
            "            piece = sock.recv(len(message) - len(received), socket.MSG_DONTWAIT)\n"
            "        except BlockingIOError:\n"
            "            continue\n"
        ),
    ),
    wrong(
        "it tries for ever to connect",
        CONNECT,
        "connected(server)",
        "def main()",
        "def connected(server):\n"
        "    while True:\n"
        "        try:\n"
        "            return socket.create_connection(server)\n"
        "        except ConnectionRefusedError:\n"
        '            print("Waiting for the server", flush=True)\n'
        '            __import__("time").sleep(0.2)\n\n\n'
        "def main()",
    ),
]
