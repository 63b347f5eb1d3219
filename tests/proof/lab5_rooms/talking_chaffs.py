"""Lab 5's wrong servers over UDP: who hears whom, and who is out."""

from proof.lab5_rooms.reference import (
    ANSWERS,
    BELONGS,
    CREATES,
    EXPIRES,
    FINDS,
    HEARD,
    INIT,
    IS_NOTICE,
    IS_SILENT,
    JOINED,
    JOINS,
    LEAVES,
    NEW_TOKEN,
    NOT_UTF8,
    OTHERS,
    PARSES,
    READS,
    RELAYS,
    SIZE_OF_DATAGRAM,
    TAKEN,
    TAKES,
    TEXT_DECODED,
    TEXT_GOES,
    TEXT_OR_NOT,
    TIMES_OUT,
    TOKEN_DIFFERS,
    UDP,
    USER_TAKEN,
    WAITS,
)
from proof.subjects import Chaff, chaff


def talking(name: str, *changes: str, program: str = "rooms") -> Chaff:
    """Return a server that does wrong with datagrams."""
    return chaff(program, name, *changes, part="talking")


def believes(name: str, differs: str) -> Chaff:
    """Return a server that drops a datagram where this is so, instead of where tokens differ."""
    return talking(name, TOKEN_DIFFERS, differs)


def leaving(name: str, *changes: str, program: str = "rooms") -> Chaff:
    """Return a server that does wrong with who leaves, or should leave."""
    return chaff(program, name, *changes, part="leaving")


def addresses_by(user: str, name: str) -> tuple[str, ...]:
    """Return the changes of a server with a dict of addresses: what they are noted and found by."""
    return (
        INIT,
        INIT + "        self._addresses: dict = {}\n",
        HEARD,
        f"        member.heard, self._addresses[{user}] = now, address\n",
        OTHERS,
        f"[self._addresses[{name}] for name, member in members\n"
        f"                if {name} in self._addresses and name != user]",
    )


def clocks_by(heard: str, silent: str) -> tuple[str, ...]:
    """Return the changes of a server with a dict of clocks: how one is set and looked up."""
    return (
        INIT,
        INIT + "        self._heard: dict = {}\n",
        HEARD,
        f"        self._heard[{heard}], member.address = now, address\n",
        IS_SILENT,
        IS_SILENT.replace("member.heard", f"self._heard.{silent}"),
    )


def kept(name: str, goes: str) -> Chaff:
    """Return a server with a dict of clocks, in which those of who has left stay for a while."""
    noted = "        self._heard[room, user] = now\n"
    return leaving(
        name,
        INIT,
        INIT + "        self._heard: dict[tuple[str, str], float] = {}\n",
        CREATES,
        CREATES + noted,
        JOINS,
        JOINS + noted,
        HEARD,
        "        member.address = address\n" + noted,
        EXPIRES,
        "        silent = [\n"
        "            who for who in self._heard if now - self._heard[who] >= self._idle_timeout\n"
        "        ]\n"
        f"        letters = [\n{goes}        ]\n"
        "        for who in silent:\n"
        "            del self._heard[who]\n"
        "        return [letter for some in letters for letter in some]\n",
    )


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
    talking("a user has one address, whatever the room", *addresses_by("user", "name")),
    talking(
        "a user has one token, whatever the room",
        INIT,
        INIT + "        self._tokens: dict[str, bytes] = {}\n",
        CREATES,
        CREATES + "        self._tokens[user] = token\n",
        JOINS,
        JOINS + "        self._tokens[user] = token\n",
        TOKEN_DIFFERS,
        "token != self._tokens[user]",
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
        "                    if member.token in data and len(data) <= MAX_DATAGRAM:\n"
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
    talking(
        "it notes where a datagram that is too long came from",
        PARSES,
        "        if len(data) > MAX_DATAGRAM:\n"
        "            for members in self._rooms._rooms.values():\n"
        "                for member in members.values():\n"
        "                    if member.token in data:\n"
        "                        member.address = address\n" + PARSES,
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
    leaving("who comes back is where it was before", *addresses_by("room, user", "(room, name)")),
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
        "it rounds a silence to whole seconds",
        IS_SILENT,
        IS_SILENT.replace("now - member.heard", "round(now - member.heard)"),
    ),
    leaving(
        "who has timed out is told so itself",
        f"letters = [{TIMES_OUT}]\n",
        "letters = [\n"
        "            [Letter([at for at in [self._rooms[room][user].address] if at],\n"
        "                    packed_datagram(Datagram(NOTICE, room, user, text='timed out'))),\n"
        "             *self._leave(room, user, 'timed out')] for room, user in silent]\n",
    ),
    leaving(
        "it looks for the silent each ten seconds", "TICK = 0.25", "TICK = 10.0", program="server"
    ),
    leaving("who never says anything stays", IS_SILENT, "if member.address and" + IS_SILENT[2:]),
    leaving(
        "who comes back has the clock of before",
        *clocks_by("room, user", "setdefault((room, user), member.heard)"),
    ),
    leaving(
        "a connection that is quiet for two seconds is closed",
        WAITS,
        "        connection.settimeout(2.0)\n" + WAITS,
        program="server",
    ),
    leaving(
        "the idle timeout is that of connections, too",
        WAITS,
        "        connection.settimeout(self._rooms._idle_timeout)\n" + WAITS,
        program="server",
    ),
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
    leaving(
        "a clock is that of an address", *clocks_by("address", "get(member.address, member.heard)")
    ),
    leaving(
        "a user has one clock, whatever the room", *clocks_by("user", "get(user, member.heard)")
    ),
    kept(
        "the clock of who has left ends the thread that looks at clocks",
        "            self._leave(room, user, f'{user} has timed out') for room, user in silent\n",
    ),
    kept(
        "who has left times out as well",
        "            self._leave(room, user, f'{user} has timed out')\n"
        "            if user in self._rooms[room]\n"
        "            else self._notice(room, user, f'{user} has timed out')\n"
        "            for room, user in silent\n",
    ),
    leaving("who times out is announced twice", f"[{TIMES_OUT}", f"[2 * {TIMES_OUT}"),
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
        "a notice of a client is a sign of life",
        IS_NOTICE,
        "",
        HEARD,
        "        member.heard = now\n"
        "        if kind == NOTICE:\n"
        "            return []\n"
        "        member.address = address\n",
    ),
    leaving(
        "it hears a member before it looks at the token",
        FINDS,
        FINDS + "        if member:\n            member.heard = now\n",
    ),
]
