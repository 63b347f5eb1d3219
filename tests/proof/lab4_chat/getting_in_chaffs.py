"""Lab 4's wrong servers that let people in wrongly: the framing and the login."""

from proof.subjects import Chaff, chaff

WELCOME = '            self._system([name], f"Welcome, {name}!"),\n'
OBEY_LINE = "                        letters += self._answer(visitor, line)\n"
LOGIN = "            if visitor.name:\n                return self._chat.obey"
LOCKS = "        letters: list[Letter] = []\n        with self._lock:\n"


def framing(name: str, *changes: str, program: str = "protocol") -> Chaff:
    """Return a server whose framing is wrong."""
    return chaff(program, name, *changes, part="framing")


def wire(name: str, *changes: str) -> Chaff:
    """Return a server that takes something for a message that is none; seen after the login."""
    return chaff("protocol", name, *changes, part="login")


def login(name: str, *changes: str, program: str = "chat") -> Chaff:
    """Return a server whose login is wrong."""
    return chaff(program, name, *changes, part="login")


FRAMING = [
    framing(
        "it has another code for who has not logged in",
        '"login_required"',
        '"login"',
        program="chat",
    ),
    wire(
        "it does not look whether it got an object",
        "    if not isinstance(message, dict):\n"
        '        raise Refused("bad_json", "not a JSON object")\n',
        "",
    ),
    wire("it drops what is no UTF-8", "line.decode()", 'line.decode(errors="ignore")'),
    wire("it lets json.loads() guess the encoding", "line.decode()", "line"),
    wire(
        "it catches what json.loads() raises, and not what decode() does",
        "except (ValueError, RecursionError)",
        "except (json.JSONDecodeError, RecursionError)",
    ),
    wire(
        "it decodes each piece by itself",
        "(self._rest + piece)",
        '(self._rest + piece.decode(errors="ignore").encode())',
    ),
    framing(
        "it takes each piece for a line",
        'whole, self._rest = (self._rest + piece).split(b"\\n")',
        'whole, self._rest = *piece.split(b"\\n"), b""',
    ),
    framing(
        "it takes a single byte for a sign of life",
        "        *whole, self._rest",
        "        if len(piece) == 1:\n            return\n        *whole, self._rest",
    ),
    framing(
        "it takes the first line of a piece alone", "for line in whole:", "for line in whole[:1]:"
    ),
    framing(
        "it forgets a few bytes behind a whole line",
        "        for line in whole:\n",
        '        self._rest = b"" if whole and len(self._rest) < 100 else self._rest\n'
        "        for line in whole:\n",
    ),
    framing(
        "before the login it looks at the first line of a piece alone",
        OBEY_LINE,
        OBEY_LINE + "                    if not visitor.name:\n                        break\n",
        program="server",
    ),
    framing(
        "an empty line ends the connection",
        OBEY_LINE,
        OBEY_LINE
        + "                    else:\n"
        + '                        raise Refused("bad_json", "an empty line")\n',
        program="server",
    ),
    framing(
        "it counts the line end beyond the limit",
        "if length > self._limit",
        "if length >= self._limit",
    ),
    framing("it has a limit of 32 KiB", "65_536", "32_768"),
    framing(
        "after too_long it waits for the client to go",
        "        except TimeoutError:\n",
        "            if visitor.must_go:\n"
        "                connection.settimeout(None)\n"
        "                while connection.recv(PIECE):\n"
        "                    pass\n"
        "        except TimeoutError:\n",
        program="server",
    ),
    framing("it has no limit", "    if length > self._limit", "    if False"),
    framing(
        "it looks at the length of a whole line alone",
        "        self._check(len(self._rest) + 1)\n",
        "",
    ),
    framing("it does not know RecursionError", "(ValueError, RecursionError)", "ValueError"),
]

LOGIN_CHAFFS = [
    login(
        "the welcome does not say how many are online",
        WELCOME,
        '            Letter([name], stamped("system", message="Welcome!")),\n',
    ),
    login(
        "the welcome counts the newcomer alone",
        WELCOME,
        '            Letter([name], stamped("system", message="Welcome!", online_users=1)),\n',
    ),
    login(
        "it welcomes with another type",
        WELCOME,
        '            Letter([name], stamped("welcome", message="Welcome!", online_users=1)),\n',
    ),
    login("a name has letters of ASCII alone", "c.isalnum()", "c.isascii() and c.isalnum()"),
    login("a name has no dots", 'in "_-."', 'in "_-"'),
    login(
        "a name has any characters",
        '0 < len(text) <= MAX_NAME and all(c.isalnum() or c in "_-." for c in text)',
        "0 < len(text) <= MAX_NAME",
    ),
    login(
        "it takes blanks from a name",
        'name = field(message, "username", str)\n',
        'name = field(message, "username", str).strip()\n',
    ),
    login("a name has less than 32 characters", "<= MAX_NAME and", "< MAX_NAME and"),
    login("it counts the bytes of a name", "0 < len(text) <=", "0 < len(text.encode()) <="),
    login(
        "it prints who would like to log in",
        'name = field(message, "username", str)\n',
        'name = field(message, "username", str)\n        print(f"{name} would like to come in")\n',
    ),
    login("a name may be empty", "0 < len(text) <=", "len(text) <="),
    login(
        "it makes a text of any name",
        'name = field(message, "username", str)\n',
        'name = str(message["username"])\n',
    ),
    login("two may have one name", "if name in self._online:", "if False:"),
    login(
        "it compares names without case",
        "if name in self._online:",
        "if name.lower() in map(str.lower, self._online):",
    ),
    login(
        "after a refused name it closes the connection",
        'raise Refused("username_taken", f"somebody called {name} is online")',
        'raise ConnectionError("username_taken")',
    ),
    login(
        "before the login it obeys messages to all",
        LOGIN,
        LOGIN.replace("visitor.name:", 'visitor.name or message.get("type") == "message":'),
        program="server",
    ),
    login(
        "a login has one field",
        '        if "username" not in message:\n',
        '        if list(message) != ["username"]:\n',
    ),
    login(
        "it looks whether a name is free before it takes the lock",
        LOCKS,
        "        letters: list[Letter] = []\n"
        "        lines = list(lines)\n"
        '        name = "" if visitor.name else str(parse(lines[0]).get("username"))\n'
        "        if name in self._outboxes:\n"
        '            visitor.outbox.put(packed(_error(Refused("username_taken", "it is"))))\n'
        "            return visitor.outbox.flush()\n"
        "        time.sleep(0.01)\n"
        "        with self._lock:\n"
        "            if name in self._chat._online:\n"
        "                self._chat._online.remove(name)\n",
        "import threading\n",
        "import threading\nimport time\n",
        program="server",
    ),
]

GETTING_IN = [*FRAMING, *LOGIN_CHAFFS]
