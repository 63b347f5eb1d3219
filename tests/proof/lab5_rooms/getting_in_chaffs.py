"""Lab 5's wrong servers over TCP: who gets in, and with which token."""

from proof.lab5_rooms.reference import (
    CLASS,
    CREATES,
    ENDS,
    EXISTS,
    INIT,
    JOINS,
    LOCKED_LIST,
    NAME_RULE,
    NAME_TEXT,
    NAMES,
    NAMES_FIT,
    NEW_TOKEN,
    NO_ROOM,
    READ_HEAD,
    READS,
    REFUSES,
    REPLIES,
    ROOM_OF_HEAD,
    USER_OF_HEAD,
    USER_TAKEN,
)
from proof.subjects import Chaff, chaff


def getting_in(name: str, *changes: str, program: str = "rooms") -> Chaff:
    """Return a server over which nobody gets into a room as it should be."""
    return chaff(program, name, *changes, part="getting_in")


def tokens(name: str, module: str, token: str, above: str = "") -> Chaff:
    """Return a server whose tokens are made like this, of what this module has."""
    new = f"        token = {token}\n"
    return getting_in(
        name,
        "import os\n",
        f"import os\nimport {module}\n",
        CLASS,
        f"{above}\n\n\n{CLASS}",
        NEW_TOKEN + CREATES,
        new + CREATES,
        NEW_TOKEN + JOINS,
        new + JOINS,
    )


GETTING_IN = [
    # A token for who creates a room.
    getting_in(
        "the lowest byte of a length comes first", '">BBBBI"', '"<BBBBI"', program="protocol"
    ),
    getting_in(
        "a reply has no names",
        REPLIES,
        'packed(head.operation, state, "", "", payload)',
        program="server",
    ),
    tokens("a token is sent as text", "secrets", "secrets.token_hex(TOKEN_SIZE).encode()"),
    # A token for who joins.
    getting_in(
        "all in a room have one token",
        NEW_TOKEN + JOINS,
        "        token = next(iter(self._rooms[room].values())).token\n" + JOINS,
    ),
    # Names in any script.
    getting_in(
        "it counts the lengths in characters",
        "len(names[0]), len(names[1]), len(payload)",
        "len(room), len(user), len(payload)",
        program="protocol",
    ),
    getting_in(
        "who joins has a name of 32 bytes",
        NO_ROOM,
        "        if len(user.encode()) > MAX_NAME:\n"
        '            raise Refused("this name is too long")\n' + NO_ROOM,
    ),
    # A stream.
    getting_in(
        "it reads a header with one recv()",
        "read_exactly(receive, HEAD.size)",
        "receive(HEAD.size)",
        program="protocol",
    ),
    getting_in(
        "it decodes each piece of a name by itself",
        ROOM_OF_HEAD + USER_OF_HEAD,
        "    room, user = read_text(receive, room_size), read_text(receive, user_size)\n",
        READ_HEAD,
        "def read_text(receive: Receive, size: int) -> str:\n"
        '    read = ""\n'
        "    while size:\n"
        "        piece = receive(size)\n"
        "        if not piece:\n"
        '            raise ProtocolError("the stream ended in a name")\n'
        "        read, size = read + name_text(piece), size - len(piece)\n"
        f"    return read\n\n\n{READ_HEAD}",
        program="protocol",
    ),
    getting_in(
        "it serves one request of a connection", ENDS, "            return\n", program="server"
    ),
    getting_in(
        "it throws away what it has read behind a request",
        READS,
        '            head = read_head(connection.makefile("rb").read)\n',
        program="server",
    ),
    # The list.
    getting_in(
        "it separates the names by commas",
        NAMES,
        '        return names.replace(b"\\n", b", ")\n',
    ),
    getting_in(
        "the reply with a list repeats no name",
        REPLIES,
        "reply",
        REFUSES,
        REFUSES + "            names = head.room, head.user\n"
        "            if head.operation == LIST and state == DONE:\n"
        '                names = "", ""\n'
        "            reply = packed(head.operation, state, *names, payload)\n",
        program="server",
    ),
    getting_in(
        "it checks the name in a list request",
        LOCKED_LIST,
        "        if head.operation == LIST and head.room:\n"
        "            check_name(head.room)\n" + LOCKED_LIST,
        "from .rooms import Address, Letter, Refused, Rooms\n",
        "from .rooms import Address, Letter, Refused, Rooms, check_name\n",
        program="server",
    ),
    getting_in(
        "it lists the rooms whose names begin like the one that is named",
        LOCKED_LIST,
        LOCKED_LIST.replace(
            "self._rooms.names()",
            'b"\\n".join(name for name in self._rooms.names().split(b"\\n")\n'
            "                    if name.startswith(head.room.encode(errors='replace')))",
        ),
        program="server",
    ),
    getting_in("a list has any length", NAMES_FIT, ""),
    getting_in(
        "it cuts a list at the limit",
        NAMES_FIT,
        "",
        NAMES,
        "        return names[:MAX_PAYLOAD]\n",
    ),
    # What is refused.
    getting_in("who creates a room that exists gets one of its own", EXISTS, ""),
    getting_in(
        "it makes a room before it looks for one",
        EXISTS + NEW_TOKEN + CREATES,
        "        before = room in self._rooms\n"
        + NEW_TOKEN
        + CREATES
        + EXISTS.replace("room in self._rooms", "before"),
    ),
    getting_in(
        "who joins a room that does not exist creates it",
        NO_ROOM,
        "        self._rooms.setdefault(room, {})\n",
    ),
    getting_in(
        "a look for a room makes it",
        "from typing",
        "from collections import defaultdict\nfrom typing",
        INIT,
        "        self._rooms: dict[str, dict[str, Member]] = defaultdict(dict)\n",
        NO_ROOM,
        NO_ROOM.replace("room not in self._rooms", "not self._rooms[room]"),
    ),
    getting_in("two in a room may have one name", USER_TAKEN, "        if False:\n"),
    getting_in(
        "it compares names without case",
        USER_TAKEN,
        "        if user.lower() in map(str.lower, self._rooms[room]):\n",
    ),
    getting_in(
        "it takes two letters for one that Unicode calls the same",
        LOCKED_LIST,
        "        room, user = (unicodedata.normalize('NFC', name) for name in head[2:4])\n"
        "        head = head._replace(room=room, user=user)\n" + LOCKED_LIST,
        "import time\n",
        "import time\nimport unicodedata\n",
        program="server",
    ),
    getting_in(
        "a user's name is taken in all rooms",
        EXISTS,
        EXISTS + "        if any(user in members for members in self._rooms.values()):\n"
        '            raise Refused(f"there is somebody called {user}")\n',
    ),
    getting_in(
        "after a refusal it closes the connection",
        ENDS,
        "            if state == REFUSED:\n                return\n",
        program="server",
    ),
    # Bad names.
    getting_in(
        "who creates a room may have any name",
        "        check_name(user)\n" + EXISTS,
        EXISTS,
    ),
    getting_in(
        "a name needs a letter or a digit",
        NAME_RULE,
        f"{NAME_RULE} and any(c.isalnum() for c in text)",
    ),
    getting_in("it counts the bytes of a name", "0 < len(text) <=", "0 < len(text.encode()) <="),
    getting_in(
        "a name may have a line end",
        NAME_RULE,
        're.match(r"[\\w.-]{1,32}$", text)',
        "import os\n",
        "import os\nimport re\n",
    ),
    getting_in(
        "a name that is not UTF-8 ends the connection",
        NAME_TEXT,
        "return data.decode()",
        program="protocol",
    ),
    getting_in(
        "it mends a name that is not UTF-8",
        NAME_TEXT,
        'return data.decode(errors="replace")',
        program="protocol",
    ),
    # No request.
    getting_in("after what is no request it goes on", ENDS, "", program="server"),
    getting_in("a request may have a payload", " and self.size == 0", "", program="protocol"),
    # What others do.
    getting_in(
        "it obeys a request that breaks off",
        '            raise ProtocolError(f"the stream ended after {len(data)} of {size} bytes")\n',
        "            break\n",
        program="protocol",
    ),
    getting_in(
        "it reads on behind the end of the stream",
        "        if not piece:\n"
        '            raise ProtocolError(f"the stream ended after {len(data)} of {size} bytes")\n',
        "",
        program="protocol",
    ),
    getting_in(
        "each connection has rooms of its own",
        "        self._rooms = Rooms(idle_timeout)\n",
        "        self._own = threading.local()\n\n"
        "    @property\n"
        "    def _rooms(self):\n"
        '        return self._own.__dict__.setdefault("rooms", Rooms(60))\n',
        program="server",
    ),
    getting_in(
        "it looks for a name, and takes it later",
        LOCKED_LIST,
        "        if head.operation not in (LIST, CREATE):\n"
        "            with self._lock:\n"
        "                members = self._rooms._rooms.get(head.room, {})\n"
        "                if head.user in members:\n"
        '                    raise Refused("somebody is called that")\n'
        "            time.sleep(0.05)\n"
        "            members.pop(head.user, None)\n" + LOCKED_LIST,
        program="server",
    ),
    # Tokens.
    tokens(
        "its random numbers begin with a seed",
        "random",
        "RANDOM.randbytes(TOKEN_SIZE)",
        above="RANDOM = random.Random(2024)",
    ),
    tokens(
        "a token is a number that is counted up",
        "itertools",
        'next(NUMBERS).to_bytes(TOKEN_SIZE, "big")',
        above="NUMBERS = itertools.count(1)",
    ),
]
