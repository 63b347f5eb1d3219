"""Lab 5's wrong servers: who gets in, who hears whom, who is out, and the server as a whole."""

from proof.rules_chaffs import Server, server_chaffs
from proof.subjects import Chaff, chaff

# protocol.py
ROOM_OF_HEAD = "    room = name_text(read_exactly(receive, room_size))\n"
USER_OF_HEAD = "    user = name_text(read_exactly(receive, user_size))\n"
READ_HEAD = "def read_head("
NAME_TEXT = 'return data.decode(errors="surrogateescape")'
SIZE_OF_DATAGRAM = "not DATAGRAM_HEAD.size <= len(data) <= MAX_DATAGRAM"
TEXT_OR_NOT = "(text_at < len(data)) != (kind in (TEXT, NOTICE))"
TEXT_DECODED = "data[text_at:].decode()"
NOT_UTF8 = '        raise ProtocolError(f"a datagram that is not UTF-8: {error}") from None\n'
# rooms.py
CLASS = "class Rooms:\n"
INIT = "        self._rooms: dict[str, dict[str, Member]] = {}\n"
NAME_RULE = '0 < len(text) <= MAX_NAME and all(c.isalnum() or c in "_-." for c in text)'
NAMES_FIT = "            if len(longer) > MAX_PAYLOAD:\n                break\n"
NAMES = "        return names\n"
EXISTS = '        if room in self._rooms:\n            raise Refused(f"there is a room {room}")\n'
USER_TAKEN = "        if user in self._rooms[room]:\n"
NO_ROOM = (
    '        if room not in self._rooms:\n            raise Refused(f"there is no room {room}")\n'
)
NEW_TOKEN = "        token = os.urandom(TOKEN_SIZE)\n"
CREATES = "        self._rooms[room] = {user: Member(token, now)}\n"
JOINS = "        self._rooms[room][user] = Member(token, now)\n"
JOINED = 'self._notice(room, user, f"{user} has joined")'
FINDS = "        member = self._rooms.get(room, {}).get(user)\n"
TOKEN_DIFFERS = "member.token != token"
IS_NOTICE = " or kind == NOTICE"
BELONGS = f"        if member is None or {TOKEN_DIFFERS}{IS_NOTICE}:\n"
HEARD = "        member.heard, member.address = now, address\n"
ANSWERS = "            return [Letter([address], packed_datagram(Datagram(HELLO, room, user)))]\n"
TEXT_GOES = "            return [Letter(self._others(room, user), data)]\n"
LEAVES = 'self._leave(room, user, f"{user} has left")'
IS_SILENT = "if now - member.heard >= self._idle_timeout\n"
TIMES_OUT = 'self._leave(room, user, f"{user} has timed out") for room, user in silent'
EXPIRES = f"""        silent = [
            (room, user)
            for room, members in self._rooms.items()
            for user, member in members.items()
            {IS_SILENT}        ]
        letters = [{TIMES_OUT}]
        return [letter for some in letters for letter in some]
"""
OTHERS = "[member.address for name, member in members if member.address and name != user]"
# server.py
SERVER_CLASS = "class Server:\n"
UDP = "        self._udp = udp\n"
READS = "            head = read_head(connection.recv)\n"
REFUSES = "                state, payload = REFUSED, str(reason).encode()\n"
REPLIES = "packed(head.operation, state, head.room, head.user, payload)"
ENDS = "            if not head.is_request:\n                return\n"
WAITS = "        while connection.recv(1, socket.MSG_PEEK):\n"
TAKES = "                self._take(*self._udp.recvfrom(MAX_DATAGRAM + 1))\n"
LOCKED_LIST = (
    "        with self._lock:\n"
    "            if head.operation == LIST:\n"
    "                return self._rooms.names(), []\n"
)
TAKEN = "            letters = self._rooms.take(datagram, address, time.monotonic())\n"
PARSES = "        datagram = parsed_datagram(data)\n"
ATTEND_DOC = (
    '        """Answer the requests of one TCP client, until it goes or breaks'
    ' the rules of the wire."""\n'
)
RELAYS = "    def relay("
LISTENER = "        listener = socket.create_server((host, port), backlog=socket.SOMAXCONN)\n"
BINDS = "            udp.bind(listener.getsockname())\n"
SERVES = "Clients(server.attend).serve(listener)"
MAIN = "def main() -> None:\n"
LIKE_EVERY_SERVER = Server("server", port=8084, listens="bound_twice(options.host, options.port)")


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


def talking(name: str, *changes: str, program: str = "rooms") -> Chaff:
    """Return a server that does wrong with datagrams."""
    return chaff(program, name, *changes, part="talking")


def believes(name: str, differs: str) -> Chaff:
    """Return a server that drops a datagram where this is so, instead of where tokens differ."""
    return talking(name, TOKEN_DIFFERS, differs)


def leaving(name: str, *changes: str, program: str = "rooms") -> Chaff:
    """Return a server that does wrong with who leaves, or should leave."""
    return chaff(program, name, *changes, part="leaving")


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
        "from dataclasses",
        "from collections import defaultdict\nfrom dataclasses",
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

TALKING = [
    # A hello.
    talking("a hello has no answer", ANSWERS, "            return []\n"),
    talking(
        "a member is where its connection came from",
        READS,
        READS + "            self._where[head.room, head.user] = connection.getpeername()\n",
        UDP,
        UDP + "        self._where: dict[tuple[str, str], Address] = {}\n",
        PARSES,
        PARSES + "        address = self._where.get((datagram.room, datagram.user), address)\n",
        program="server",
    ),
    talking("it answers a hello twice", "[Letter([address], ", "2 * [Letter([address], "),
    # A text, from one to the other.
    talking(
        "it sends a text back to who wrote it",
        TEXT_GOES,
        TEXT_GOES.replace("room, user", 'room, ""'),
    ),
    talking(
        "it passes a text on with its token",
        "Datagram(TEXT, room, user, text=text)",
        "datagram",
    ),
    talking(
        "it takes what two say at once for an echo",
        TEXT_GOES,
        "            last, self._last = self._last, text\n"
        "            if text == last:\n"
        "                return []\n" + TEXT_GOES,
        INIT,
        INIT + '        self._last = ""\n',
    ),
    # The room.
    talking(
        "a text goes to all rooms",
        TEXT_GOES,
        "            return [Letter(self._others(name, user), data) for name in self._rooms]\n",
    ),
    talking(
        "a text goes to all rooms in which somebody has the name of its writer",
        TEXT_GOES,
        "            rooms = [name for name, members in self._rooms.items() if user in members]\n"
        "            return [Letter(self._others(name, user), data) for name in rooms]\n",
    ),
    # Any script.
    talking(
        "it counts the lengths in characters",
        "len(room), len(user), len(token)",
        "len(room_name), len(user_name), len(token)",
        program="protocol",
    ),
    talking(
        "it strips a text",
        "Datagram(TEXT, room, user, text=text)",
        "Datagram(TEXT, room, user, text=text.strip())",
    ),
    # Where a member is.
    talking(
        "who has no address yet ends the relay",
        OTHERS,
        OTHERS.replace("member.address and ", ""),
        "list[Address]:\n        members",
        "list:\n        members",
    ),
    talking(
        "a text before the first hello is dropped",
        BELONGS,
        BELONGS.replace(
            "if member",
            "if kind == TEXT and member and not member.address:\n"
            "            return []\n"
            "        if member",
        ),
    ),
    talking(
        "only a hello says where a member is",
        HEARD,
        "        member.heard = now\n"
        "        if kind == HELLO:\n"
        "            member.address = address\n",
    ),
    talking(
        "a member is where its first datagram came from",
        HEARD,
        "        member.heard, member.address = now, member.address or address\n",
    ),
    talking(
        "it answers a hello where the member was before",
        HEARD,
        "        before = member.address or address\n" + HEARD,
        ANSWERS,
        ANSWERS.replace("[address]", "[before]"),
    ),
    talking(
        "it leaves out the writer by the address",
        TEXT_GOES,
        "            addresses = {member.address for member in self._rooms[room].values()}\n"
        "            return [Letter([at for at in addresses if at and at != address], data)]\n",
    ),
    talking(
        "who has reset the connection is heard no more",
        UDP,
        UDP + "        self._who: dict[tuple[str, str], socket.socket] = {}\n",
        READS,
        READS + "            self._who[head.room, head.user] = connection.dup()\n",
        PARSES,
        PARSES + "        if who := self._who.get((datagram.room, datagram.user)):\n"
        "            who.getpeername()  # an OSError after a reset\n",
        program="server",
    ),
    # What belongs together.
    believes("it does not look at the token", "False"),
    believes(
        "every token of the room will do",
        "token not in [each.token for each in self._rooms[room].values()]",
    ),
    believes(
        "a user's token will do in every room",
        "all(token != members[user].token for members in self._rooms.values()\n"
        "                              if user in members)",
    ),
    talking(
        "it believes a datagram who wrote it",
        FINDS,
        "        everybody = self._rooms.get(room, {}).values()\n"
        "        member = next((each for each in everybody if each.token == token), None)\n",
    ),
    # What is malformed.
    talking(
        "a datagram of three bytes ends the relay",
        SIZE_OF_DATAGRAM,
        "len(data) > MAX_DATAGRAM",
        program="protocol",
    ),
    talking(
        "a text that is not UTF-8 ends the relay", NOT_UTF8, "        raise\n", program="protocol"
    ),
    talking(
        "it drops the bytes that are not UTF-8",
        TEXT_DECODED,
        'data[text_at:].decode(errors="ignore")',
        program="protocol",
    ),
    believes(
        "it compares as many bytes of a token as it has", "not token.startswith(member.token)"
    ),
    talking(
        "an empty text is passed on",
        TEXT_OR_NOT,
        "(text_at < len(data) and kind not in (TEXT, NOTICE))",
        program="protocol",
    ),
    talking(
        "it passes on a notice of a client as a text",
        IS_NOTICE,
        "",
        "        if kind == TEXT:\n",
        "        if kind in (TEXT, NOTICE):\n",
    ),
    talking(
        "it answers what is malformed",
        PARSES,
        "        try:\n"
        "            datagram = parsed_datagram(data)\n"
        "        except OSError as error:\n"
        "            self._udp.sendto(str(error).encode(), address)\n"
        "            raise\n",
        program="server",
    ),
    talking(
        "it notes an address before it looks at the token",
        FINDS,
        FINDS + "        if member:\n            member.address = address\n",
    ),
    talking(
        "it notes where a malformed datagram came from",
        PARSES,
        "        try:\n"
        "            datagram = parsed_datagram(data)\n"
        "        except OSError:\n"
        "            for members in self._rooms._rooms.values():\n"
        "                for member in members.values():\n"
        "                    if member.token in data:\n"
        "                        member.address = address\n"
        "            raise\n",
        program="server",
    ),
    # The longest.
    talking(
        "it takes 4,096 bytes of what is longer",
        "MAX_DATAGRAM + 1",
        "MAX_DATAGRAM",
        program="server",
    ),
    talking("it takes 1,024 bytes", "MAX_DATAGRAM + 1", "1_024", program="server"),
    # The order.
    talking(
        "it has a thread for each datagram",
        TAKES,
        "                came = self._udp.recvfrom(MAX_DATAGRAM + 1)\n"
        "                threading.Thread(target=self._later, args=came, daemon=True).start()\n",
        RELAYS,
        "    def _later(self, data: bytes, address: Address) -> None:\n"
        "        time.sleep(0.005 if data.endswith((b'1', b'4', b'7')) else 0)  # as it happens\n"
        "        try:\n"
        "            self._take(data, address)\n"
        "        except OSError:\n"
        "            return\n\n" + RELAYS,
        program="server",
    ),
    # Who joins.
    talking(
        "who joins is announced with its first hello",
        f"return token, {JOINED}",
        "return token, []",
        HEARD,
        "        first = not member.address\n" + HEARD,
        ANSWERS,
        "            joined = self._notice(room, user, f'{user} has joined') if first else []\n"
        + ANSWERS.replace(")]\n", "), *joined]\n"),
    ),
    talking(
        "who joins is announced in all rooms",
        JOINED,
        "[\n"
        "            Letter(self._others(each, user),\n"
        "                   packed_datagram(Datagram(NOTICE, each, user, text='has joined')))\n"
        "            for each in sorted(self._rooms, key=lambda each: each == room)\n"
        "        ]",
    ),
    # Tokens.
    talking(
        "it tells the others who has joined, and its token",
        'f"{user} has joined"',
        'f"{user} has joined: {token.hex()}"',
    ),
    # Who is gone: Linux tells of it only those who ask (man 7 ip, IP_RECVERR).
    talking(
        "at a member that is gone it stops sending",
        f"{TAKEN}        self._send(letters)\n",
        f"{TAKEN}        self._udp.setsockopt(socket.IPPROTO_IP, 11, int(datagram.kind == 1))\n"
        "        for letter in letters:\n"
        "            for each in reversed(letter.to):\n"
        "                self._udp.sendto(letter.data, each)\n",
        program="server",
    ),
    # Many.
    talking(
        "a room has room for ten",
        USER_TAKEN,
        "        if len(self._rooms[room]) == 10:\n"
        '            raise Refused("this room is full")\n' + USER_TAKEN,
    ),
]

LEAVING = [
    # A bye.
    leaving("nobody is told of a bye", f"return {LEAVES}", f"{LEAVES}\n        return []"),
    leaving(
        "a bye is announced, and no more",
        f"return {LEAVES}",
        "return self._notice(room, user, f'{user} has left')",
    ),
    leaving("a bye is announced twice", f"return {LEAVES}", f"return 2 * {LEAVES}"),
    leaving(
        "it passes a bye on as a notice, with its token",
        f"return {LEAVES}",
        "data = packed_datagram(datagram._replace(kind=NOTICE, text='has left'))\n"
        f"        {LEAVES}\n"
        "        return [Letter(self._others(room, user), data)] if room in self._rooms else []",
    ),
    # Names that are free again.
    leaving(
        "who has left cannot come back",
        INIT,
        INIT + "        self._came: set[tuple[str, str]] = set()\n",
        USER_TAKEN,
        "        if (room, user) in self._came or user in self._rooms[room]:\n",
        JOINS,
        JOINS + "        self._came.add((room, user))\n",
    ),
    leaving(
        "who comes back has the token of before",
        INIT,
        INIT + "        self._tokens: dict[tuple[str, str], bytes] = {}\n",
        NEW_TOKEN + JOINS,
        "        token = self._tokens.setdefault((room, user), os.urandom(TOKEN_SIZE))\n" + JOINS,
    ),
    # Rooms without members.
    leaving(
        "a room stays when its last member has said bye",
        f"return {LEAVES}",
        "del self._rooms[room][user]\n        return self._notice(room, user, f'{user} has left')",
    ),
    leaving(
        "a room ends with its creator",
        f"return {LEAVES}",
        "letters = self._notice(room, user, f'{user} has left')\n"
        "        if next(iter(self._rooms[room])) == user:\n"
        "            del self._rooms[room]\n"
        "            return letters\n"
        f"        return {LEAVES}",
    ),
    # Silence.
    leaving("it does not know silence", IS_SILENT, "if False\n"),
    leaving("half the time is enough", IS_SILENT, IS_SILENT.replace(">= self", ">= 0.5 * self")),
    leaving(
        "it looks for the silent each ten seconds", "TICK = 0.25", "TICK = 10.0", program="server"
    ),
    leaving("who never says anything stays", IS_SILENT, "if member.address and" + IS_SILENT[2:]),
    leaving(
        "nobody is told who has timed out",
        f"letters = [{TIMES_OUT}]\n",
        f"letters = [{TIMES_OUT}][:0]\n",
    ),
    leaving(
        "a text is no sign of life",
        HEARD,
        "        member.address = address\n"
        "        if kind == HELLO:\n"
        "            member.heard = now\n",
    ),
    leaving("its clock begins when somebody joins", HEARD, "        member.address = address\n"),
    leaving(
        "who has timed out is announced in all rooms",
        f"letters = [{TIMES_OUT}]\n",
        "letters = [\n"
        "            [*(Letter(self._others(each, user),\n"
        "                      packed_datagram(Datagram(NOTICE, each, user, text='timed out')))\n"
        "               for each in self._rooms if each != room),\n"
        "             *self._leave(room, user, 'timed out')] for room, user in silent]\n",
    ),
    leaving(
        "it changes a dict while it goes through it",
        EXPIRES,
        "        letters: list[Letter] = []\n"
        "        for room, members in self._rooms.items():\n"
        "            for user, member in members.items():\n"
        "                if now - member.heard >= self._idle_timeout:\n"
        "                    letters += self._leave(room, user, f'{user} has timed out')\n"
        "        return letters\n",
    ),
    leaving(
        "it hears a member before it looks at the token",
        FINDS,
        FINDS + "        if member:\n            member.heard = now\n",
    ),
]

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

SERVER = [*GETTING_IN, *TALKING, *LEAVING, *WHOLE]
