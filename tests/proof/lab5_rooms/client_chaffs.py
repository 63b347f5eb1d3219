"""Lab 5's wrong programs: the client, in the order of its checks."""

from proof.rules_chaffs import MAIN, RUN, Client, client_chaffs, client_chaffs_of_many_checks
from proof.subjects import Chaff, chaff

NAME = "client"
LIKE_EVERY_CLIENT = Client("client", port=8084, trouble="no room at")

READ_PAYLOAD = "    payload = read_exactly(connection.recv, head.size)\n"
JOINED = "return options.join, user, asked(connection, JOIN, options.join, user)"
CHOSEN = "            operation = chosen(terminal)\n"
NAMES = 'asked(connection, LIST).decode(errors="replace").split("\\n")'
SHOWN_LIST = (
    "                terminal.show("
    "f\"* rooms: {visible(', '.join(filter(None, names))) or 'none'}\")\n"
)
ASK_ROOM = '            room = question(terminal, "Room: ")\n'
ASKED = "            return room, user, asked(connection, operation, room, user)\n"
SHOWN_REASON = '            terminal.show(f"! {visible(str(reason))}")\n'
ASK_NAME = '        user = question(terminal, "Your name: ")\n'
GIVES_UP = 'sys.exit(f"[ERROR] {visible(str(reason))}")'
ANSWER = "        answer = terminal.read().strip()\n"

ENTRY = '        self._terminal.show(f"* {self._user} is in {self._room} now; /quit leaves it")\n'
READ = "self._terminal.read()"
UNTIL_QUIT = f'            while (line := {READ}) != "/quit":\n'
SAY = "                if line:\n                    self._say(line)\n"
BYE = "        self._send(BYE)\n"
NOT_SENT = '            self._terminal.show(f"! not sent: {reason}")\n'
TOO_LONG = "        if len(data) > MAX_DATAGRAM:\n"
ATTEMPTS = "        for _ in range(ATTEMPTS):\n"
HELLO = "            self._send(HELLO)\n"
LOST = (
    "            with contextlib.suppress(OSError):\n                self._sock.settimeout(left)\n"
)
IS_HELLO = "        if kind == HELLO and user == self._user:\n"
TEXT = 'self._terminal.show(visible(f"{user}: {text}"))'
NOTICE = 'self._terminal.show(visible(f"* {text}"))'
SPACE = '" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c'

CONNECTION = (
    "            with socket.create_connection(server) as connection:\n"
    "                entered = enter(connection, terminal, options)\n"
)
UDP = "        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:\n"
TO_SERVER = (
    "            sock.connect(server)  # what others send to this socket never gets through\n"
)
TALK = "            Talk(sock, terminal, entered).run()\n"

ENDED = '            raise ProtocolError(f"the stream ended after {len(data)} of {size} bytes")\n'
SIZES = "len(names[0]), len(names[1]), len(payload)"
FITS = "if not DATAGRAM_HEAD.size <= len(data) <= MAX_DATAGRAM:"


def wrong(name: str, *changes: str) -> Chaff:
    """Return a client that does something wrong with what it reads or sends."""
    return chaff(NAME, name, *changes)


def speaks(name: str, *changes: str) -> Chaff:
    """Return a client whose wire is wrong."""
    return chaff("protocol", name, *changes, part=NAME)


def believes(name: str, condition: str) -> Chaff:
    """Return one whose socket is not connected; it looks itself at who is the `sender`."""
    return wrong(
        name,
        UDP + TO_SERVER,
        "        with Unconnected(socket.AF_INET, socket.SOCK_DGRAM) as sock:\n"
        "            sock.server = server\n",
        MAIN,
        "class Unconnected(socket.socket):\n"
        "    def send(self, data):\n"
        "        return self.sendto(data, self.server)\n\n"
        "    def recv(self, size):\n"
        "        data, sender = self.recvfrom(size)\n"
        f"        if not ({condition}):\n"
        '            raise ProtocolError("a stranger")\n'
        f"        return data\n\n\n{MAIN}",
    )


def looks(name: str, condition: str) -> Chaff:
    """Return one that takes a line for too long on another condition."""
    return wrong(name, TOO_LONG, f"        if {condition}:\n")


def shows(name: str, char: str) -> Chaff:
    """Return one that makes something else of a control character; each one is `c`."""
    return wrong(name, SPACE, char)


CLIENT = [
    # It creates a room and says hello.
    speaks("its numbers have the least significant byte first", '">BBBBI"', '"<BBBBI"'),
    speaks(
        "it puts the user's name before the room's",
        "names = name_bytes(room), name_bytes(user)",
        "names = name_bytes(user), name_bytes(room)",
    ),
    speaks(
        "it writes numbers as digits",
        f"HEAD.pack(operation, state, {SIZES})",
        'f"{operation}{state}{len(room)}{len(user)}{len(payload)}".encode()',
    ),
    wrong("it does not read the payload", READ_PAYLOAD, '    payload = b""\n'),
    wrong(
        "it reads a reply up to the end of the stream",
        READ_PAYLOAD,
        '    payload = b"".join(iter(lambda: connection.recv(1024), b""))\n',
    ),
    wrong(
        "it takes the token for text",
        "    return payload\n",
        '    return payload.decode(errors="replace").encode()\n',
    ),
    wrong(
        "it says hello without the token", "self._token, text)", "self._token * bool(text), text)"
    ),
    wrong(
        "it makes a token of its own",
        "self._room, self._user, self._token = entered",
        "self._room, self._user, self._token = *entered[:2], bytes(range(16))",
    ),
    wrong(
        "it sends its datagrams to the next port",
        TO_SERVER,
        "            sock.connect((server[0], server[1] + 1))\n",
    ),
    wrong(
        "it says hello over TCP",
        UDP + TO_SERVER,
        "        with socket.create_connection(server) as sock:\n",
    ),
    # It joins one.
    speaks("it takes 2 for join, and 3 for list", "JOIN = 1, 2, 3", "JOIN = 1, 3, 2"),
    wrong(
        "with --join it takes the room for the user, and the user for the room",
        JOINED,
        JOINED.replace("options.join, user, asked", "user, options.join, asked"),
    ),
    # Typed and shown.
    wrong(
        "it has words of its own for a notice that somebody has joined",
        NOTICE,
        'self._terminal.show(visible(f"* hello, {user}!" if "joined" in text else f"* {text}"))',
    ),
    wrong("it shows no notices", "        elif kind == NOTICE:\n", "        elif kind > NOTICE:\n"),
    wrong("it shows a text without its sender", TEXT, "self._terminal.show(visible(text))"),
    # The questions.
    wrong(
        "it takes 1 for join, and 2 for create",
        '{"1": CREATE, "2": JOIN}',
        '{"1": JOIN, "2": CREATE}',
    ),
    wrong(
        "it asks for the room before it asks for 1 or 2",
        CHOSEN,
        ASK_ROOM + CHOSEN,
        SHOWN_LIST + ASK_ROOM,
        SHOWN_LIST,
    ),
    wrong(
        "after a 1 it takes the room for the user, and the user for the room",
        ASKED,
        "            token = asked(connection, operation, room, user)\n"
        "            return (user, room, token) if operation == CREATE else (room, user, token)\n",
    ),
    # The list.
    wrong(
        "it asks for the room without the list",
        "            if operation == JOIN:\n",
        "            if operation == LIST:\n",
    ),
    wrong(
        "it shows the list when a room has been typed",
        SHOWN_LIST + ASK_ROOM,
        f"{ASK_ROOM}            if operation == JOIN:\n{SHOWN_LIST}",
    ),
    wrong("it shows the list as bytes", NAMES, "[str(asked(connection, LIST))]"),
    wrong("it drops the last room of the list", NAMES, f"{NAMES}[:-1]"),
    wrong(
        "it shows the names of rooms as they are",
        SHOWN_LIST,
        SHOWN_LIST.replace("visible(', '.join(filter(None, names)))", "', '.join(names)"),
    ),
    # Refused, at the questions.
    wrong(
        "it does not say why it was refused", SHOWN_REASON, '            terminal.show("! no")\n'
    ),
    wrong("it shows a reason as it is", SHOWN_REASON, '            terminal.show(f"! {reason}")\n'),
    wrong(
        "it shows a reason as bytes",
        'Refused(payload.decode(errors="replace"))',
        "Refused(str(payload))",
    ),
    wrong("a refusal ends it", SHOWN_REASON, f"{SHOWN_REASON}            raise\n"),
    wrong("it asks the server again, and not the user", ASK_NAME, ASKED),
    wrong(
        "it asks again once",
        ASK_NAME,
        f'{ASK_NAME}        operation, room = chosen(terminal), question(terminal, "Room: ")\n'
        "        return room, user, asked(connection, operation, room, user)\n",
    ),
    wrong(
        "it takes a reason for a token",
        "    if head.state != DONE:\n",
        "    if head.state == REQUEST:\n",
    ),
    # Refused, with the options.
    wrong(
        "it ends with exit code 0 when it was refused",
        GIVES_UP,
        'sys.exit(print("[ERROR]", reason, file=sys.stderr))',
    ),
    wrong(
        "with the options it shows a reason as it is",
        GIVES_UP,
        'sys.exit(f"[ERROR] {reason}")',
    ),
    wrong(
        "it shows a traceback when it was refused",
        f"        except Refused as reason:\n            {GIVES_UP}",
        f"        except OSError as reason:\n            {GIVES_UP}",
    ),
    wrong(
        "it asks for another room when --join was refused",
        f"        {JOINED}\n",
        f"        with contextlib.suppress(Refused):\n            {JOINED}\n",
    ),
    wrong(
        "it takes --create and --join together", "parser.add_mutually_exclusive_group()", "parser"
    ),
    # The end of input.
    wrong(
        "it shows a traceback when the input ends at a question",
        "contextlib.suppress(EOFError),  # the end of input, or /quit, at a question\n",
        "contextlib.nullcontext(),\n",
    ),
    wrong(
        "it asks for ever when the input has ended",
        ANSWER,
        f'        answer = ""\n        with contextlib.suppress(EOFError):\n    {ANSWER}',
    ),
    wrong("it says no bye", BYE, ""),
    wrong("it says bye at /quit alone", BYE, f"    {BYE}"),
    wrong(
        "it ends with exit code 1 at the end of input",
        UNTIL_QUIT,
        UNTIL_QUIT.replace(READ, "self._typed()"),
        "    def _say(self",
        "    def _typed(self) -> str:\n"
        "        try:\n"
        f"            return {READ}\n"
        "        except EOFError:\n"
        "            self._send(BYE)\n"
        '            sys.exit("[ERROR] the end of input")\n\n'
        "    def _say(self",
    ),
    wrong(
        "it does not know /quit", UNTIL_QUIT, f"            while (line := {READ}) is not None:\n"
    ),
    wrong(
        "the thread that takes datagrams keeps it alive",
        "target=self._receive, daemon=True",
        "target=self._receive",
    ),
    # Lines.
    wrong(
        "it takes every word with a slash for a command",
        SAY,
        '                if line.startswith("/"):\n'
        '                    self._terminal.show("! there is no such command")\n'
        f"{SAY.replace('if', 'elif', 1)}",
    ),
    wrong(
        "it leaves at every line that begins with /quit",
        UNTIL_QUIT,
        f'            while not (line := {READ}).startswith("/quit"):\n',
    ),
    wrong("it takes /QUIT for /quit", UNTIL_QUIT, UNTIL_QUIT.replace(") !=", ").lower() !=")),
    wrong("it sends an empty line", SAY, "                self._say(line)\n"),
    # Names.
    speaks(
        "it counts the letters of the names in a request",
        SIZES,
        "len(room), len(user), len(payload)",
    ),
    speaks(
        "it counts the letters of a sender's name",
        "len(user), len(token)",
        "len(user_name), len(token)",
    ),
    # Pieces, and the end of the connection.
    speaks("it calls recv() once for each part", "    while len(data) < size:\n", "    if size:\n"),
    wrong(
        "it calls recv() once for the payload",
        READ_PAYLOAD,
        "    payload = connection.recv(head.size)\n",
    ),
    wrong(
        "it looks before each line whether the TCP connection still stands",
        CONNECTION,
        "            connection = socket.create_connection(server)\n"
        "            entered = enter(connection, terminal, options)\n"
        "            connection.setblocking(False)\n",
        TALK,
        TALK.replace("run()", "run(connection)"),
        "    def run(self) -> None:\n",
        "    def run(self, connection: socket.socket) -> None:\n",
        SAY,
        "                with contextlib.suppress(BlockingIOError):\n"
        "                    if not connection.recv(1):\n"
        f'                        raise ConnectionError("the server has gone")\n{SAY}',
    ),
    wrong(
        "a text that has found nobody ends the thread that takes datagrams",
        LOST,
        LOST.replace("OSError", "TimeoutError, ProtocolError"),
    ),
    wrong(
        "a text that has found nobody ends it with exit code 0",
        LOST,
        LOST.replace("OSError)", "OSError), ended()"),
        MAIN,
        "@contextlib.contextmanager\n"
        "def ended():\n"
        "    try:\n"
        "        yield\n"
        "    except ConnectionRefusedError:\n"
        f"        os._exit(0)\n\n\n{MAIN}",
        "import socket\n",
        "import os\nimport socket\n",
    ),
    speaks("it takes half a reply for a whole one", ENDED, "            break\n"),
    speaks(
        "it takes a lost connection for the end of input", ENDED, "            raise EOFError\n"
    ),
    # Hellos.
    wrong(
        "it takes any datagram for the answer to its hello",
        IS_HELLO,
        f"        self._answered.set()\n{IS_HELLO}",
    ),
    wrong("it says hello once", "ATTEMPTS = 3", "ATTEMPTS = 1"),
    wrong("it says hello four times", "ATTEMPTS = 3", "ATTEMPTS = 4"),
    wrong("it says hello for ever", ATTEMPTS, "        while True:\n"),
    wrong(
        "it gives up at once after the third hello",
        ATTEMPTS + HELLO,
        f"        for attempt in range(ATTEMPTS):\n{HELLO}"
        "            if attempt == ATTEMPTS - 1:\n"
        "                break\n",
    ),
    # Strangers.
    believes("it takes datagrams from anybody", "sender"),
    believes("it compares the sender's host, and not the port", "sender[0] == self.server[0]"),
    # Malformed.
    wrong(
        "a malformed datagram ends the thread that takes them",
        LOST,
        LOST.replace("OSError", "TimeoutError, ConnectionRefusedError"),
    ),
    speaks(
        "it shows what is not UTF-8",
        "data[text_at:].decode()",
        'data[text_at:].decode(errors="replace")',
    ),
    speaks(
        "it takes a kind that it does not know for a notice",
        "    user_at = ",
        "    kind = min(kind, NOTICE)\n    user_at = ",
    ),
    wrong("it cuts a datagram that is too long", "recv(MAX_DATAGRAM + 1)", "recv(MAX_DATAGRAM)"),
    speaks("it takes datagrams of any length", FITS, "if len(data) < DATAGRAM_HEAD.size:"),
    # Too long.
    looks("it sends a line of any length", "not data"),
    looks(
        "it forgets the header when it looks whether a line is too long",
        "len(text.encode()) > MAX_DATAGRAM",
    ),
    wrong(
        "it cuts a line that is too long",
        "        data = packed",
        "        text = text[:1000]\n        data = packed",
    ),
    wrong(
        "it sends a line that is too long in two",
        NOT_SENT,
        "            for part in (text[: len(text) // 2], text[len(text) // 2 :]):\n"
        "                self._say(part)\n",
    ),
    wrong(
        "a line that is too long ends it", NOT_SENT, '            sys.exit(f"[ERROR] {reason}")\n'
    ),
    wrong(
        "it drops a line that is too long without a word", NOT_SENT, "            pass\n", ENTRY, ""
    ),
    # Control characters.
    wrong("it shows a text as it is", TEXT, 'self._terminal.show(f"{user}: {text}")'),
    wrong(
        "it shows the name of a sender as it is",
        TEXT,
        'self._terminal.show(f"{user}: {visible(text)}")',
    ),
    shows("it drops control characters", '"" if unicodedata.category(c) == "Cc" else c'),
    shows("it replaces line feeds alone", '" " if c == "\\n" else c'),
    # The longest text.
    speaks("it takes a datagram of 4,096 bytes for too long", FITS, FITS.replace("<= M", "< M")),
    wrong("it receives 1,024 bytes", "recv(MAX_DATAGRAM + 1)", "recv(1_024)"),
    # Pipes.
    wrong(
        "it shows a prompt on a pipe while it talks",
        UNTIL_QUIT,
        UNTIL_QUIT.replace(READ, "self._typed()"),
        "    def _say(self",
        "    def _typed(self) -> str:\n"
        f'        print("> ", end="", flush=True)\n        return {READ}\n\n'
        "    def _say(self",
    ),
    # While it talks.
    wrong(
        "in a room it goes on after Ctrl+C",
        UNTIL_QUIT,
        UNTIL_QUIT.replace(READ, "self._patiently()"),
        "    def _say(self",
        "    def _patiently(self) -> str:\n"
        f"        try:\n            return {READ}\n"
        '        except KeyboardInterrupt:\n            return ""\n\n'
        "    def _say(self",
    ),
    wrong("in a room it polls", LOST, LOST.replace("settimeout(left)", "settimeout(0)")),
    # Rules for every client, as they look here.
    wrong(
        "before it is in a room it does not catch Ctrl+C",
        RUN,
        "    main()\n",
        TALK,
        "            frame.run(Talk(sock, terminal, entered).run)\n",
    ),
    wrong(
        "it says in two lines that nobody listens",
        "socket.create_connection(server)",
        "connected(server)",
        MAIN,
        "def connected(address: tuple[str, int]) -> socket.socket:\n"
        "    try:\n"
        "        return socket.create_connection(address)\n"
        "    except ConnectionRefusedError:\n"
        '        print("[ERROR] nobody listens", file=sys.stderr)\n'
        f"        raise\n\n\n{MAIN}",
    ),
    wrong(
        "it asks again and again whether a reply has come",
        "    head = read_head(connection.recv)\n",
        "    connection.setblocking(False)\n    head = read_head(polled(connection))\n",
        READ_PAYLOAD,
        READ_PAYLOAD.replace("connection.recv", "polled(connection)"),
        MAIN,
        "def polled(connection):\n"
        "    def receive(size):\n"
        "        while True:\n"
        "            with contextlib.suppress(BlockingIOError):\n"
        "                return connection.recv(size)\n\n"
        f"    return receive\n\n\n{MAIN}",
    ),
    *client_chaffs(LIKE_EVERY_CLIENT),
    *client_chaffs_of_many_checks(LIKE_EVERY_CLIENT),
]
