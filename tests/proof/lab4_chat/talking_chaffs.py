"""Lab 4's wrong servers whose rules are wrong: who is online, and who gets what."""

from proof.subjects import Chaff, chaff

JOINED = '            self._system(self._others(name), f"{name} has joined"),\n'
HAS_LEFT = 'return [*ended, self._system(self._others(name), f"{name} has left")]'
TO_ALL = 'return [Letter(self._others(name), stamped("message", from_username=name, message=text))]'
UNKNOWN = '        raise Refused("unknown_type", f"there is no type {kind}")\n'
OBEYS_MESSAGE = "            return self._to_all(name, _text(message))\n"
PRIVATE = 'return [Letter([target], stamped("private", from_username=name, message=text))]'
CHECKED = "        self._check_another(name, target)\n        return"
ASKED = "        self._asked.add((name, target))\n"
NOT_ASKED = "        if (asker, name) not in self._asked:\n"
USED_UP = "        self._asked.remove((asker, name))\n"
PARTED = "        del self._partners[partner]\n"
INIT = "        self._online: list[str] = []\n"


def to_all(name: str, *changes: str, program: str = "chat") -> Chaff:
    """Return a server that does wrong with what goes to all."""
    return chaff(program, name, *changes, part="all")


def users(name: str, *changes: str, program: str = "chat") -> Chaff:
    """Return a server that does not know who is online, or does not say it."""
    return chaff(program, name, *changes, part="users")


def private(name: str, *changes: str) -> Chaff:
    """Return a server that does wrong with private messages."""
    return chaff("chat", name, *changes, part="private")


def session(name: str, *changes: str) -> Chaff:
    """Return a server that does wrong with private sessions."""
    return chaff("chat", name, *changes, part="session")


TO_ALL_CHAFFS = [
    to_all("it does not say who wrote", TO_ALL, TO_ALL.replace("from_username=name, ", "")),
    to_all(
        "it sends a message back to who wrote it",
        TO_ALL,
        TO_ALL.replace("self._others(name)", "self._online"),
    ),
    to_all(
        "it sends a message to one other alone",
        TO_ALL,
        TO_ALL.replace("self._others(name)", "self._others(name)[:1]"),
    ),
    to_all(
        "it sends a message twice",
        TO_ALL,
        TO_ALL.replace("self._others(name)", "self._others(name) * 2"),
    ),
    to_all(
        "who has not logged in gets messages to all",
        "        self._idle_timeout = idle_timeout\n",
        "        self._idle_timeout = idle_timeout\n        self._visitors: list[Visitor] = []\n",
        "        visitor = Visitor(connection)\n",
        "        visitor = Visitor(connection)\n        self._visitors.append(visitor)\n",
        "            for name in names:\n",
        "            for visitor in self._visitors:\n"
        '                if not visitor.name and b\'"message", "timestamp\' in piece:\n'
        "                    visitor.outbox.put(piece)\n"
        "                    reached.add(visitor.outbox)\n"
        "            for name in names:\n",
        program="server",
    ),
    to_all(
        "it takes blanks from a text",
        '    text = field(message, "message", str)\n',
        '    text = field(message, "message", str).strip()\n',
    ),
    to_all(
        "it writes its JSON by hand",
        '    return _encode(message).encode(errors="replace") + b"\\n"',
        '    if message.get("type") != "message":\n'
        '        return json.dumps(message).encode() + b"\\n"\n'
        "    fields = ', '.join(f'\"{name}\": \"{value}\"' for name, value in message.items())\n"
        "    return ('{' + fields + '}').encode() + b\"\\n\"",
        program="protocol",
    ),
    to_all(
        "it believes who a message says it is from",
        OBEYS_MESSAGE,
        '            return self._to_all(message.get("from_username", name), _text(message))\n',
    ),
    to_all(
        "it passes on the fields that came",
        OBEYS_MESSAGE,
        "            letters = self._to_all(name, _text(message))\n"
        "            letters[0].message.update(message, from_username=name)\n"
        "            return letters\n",
    ),
    to_all("a text may be empty", "    if not text:\n", "    if False:\n"),
    to_all("a text of blanks is no text", "    if not text:\n", "    if not text.strip():\n"),
    to_all(
        "it counts the bytes of a text",
        OBEYS_MESSAGE,
        "            assert len(_text(message).encode()) <= 65_536\n" + OBEYS_MESSAGE,
    ),
    to_all(
        "it prints a type that there is not",
        UNKNOWN,
        '        print(f"no such type: {kind}")\n' + UNKNOWN,
    ),
    to_all(
        "it makes a text of anything",
        '    text = field(message, "message", str)\n',
        '    text = str(message.get("message"))\n',
    ),
    to_all(
        "an unknown type ends the connection",
        UNKNOWN,
        '        raise ConnectionError("unknown type")\n',
    ),
    to_all(
        "it takes every type for a message to all",
        UNKNOWN,
        "        return self._to_all(name, _text(message))\n",
    ),
]

USERS = [
    users("it does not say who has left", HAS_LEFT, "return ended"),
    users(
        "it does not tell the last one who has left",
        HAS_LEFT,
        HAS_LEFT.replace("self._others(name)", "self._online if self._online[1:] else []"),
    ),
    users(
        "it counts the leaver among those online",
        "        self._online.remove(name)\n        self._forget",
        "        self._forget",
        HAS_LEFT,
        'told = self._system(self._others(name), f"{name} has left")\n'
        "        self._online.remove(name)\n        return [*ended, told]",
    ),
    users("it does not say who has come", JOINED, ""),
    users(
        "it tells the newcomer that it has come",
        JOINED,
        JOINED.replace("self._others(name)", "self._online"),
    ),
    users("the list lacks who asks", "users=[*self._online]))", "users=self._others(name)))"),
    users(
        "the list goes to all",
        'Letter([name], stamped("users_list"',
        'Letter(self._online, stamped("users_list"',
    ),
    users(
        "the list names all who ever came",
        INIT,
        INIT + "        self._known: list[str] = []\n",
        "        self._online.append(name)\n",
        "        self._online.append(name)\n        self._known.append(name)\n",
        "users=[*self._online]))",
        "users=self._known))",
    ),
    users(
        "it counts connections",
        "        self._idle_timeout = idle_timeout\n",
        "        self._idle_timeout = idle_timeout\n        self._visitors = 0\n",
        "        visitor = Visitor(connection)\n        try:\n",
        "        visitor = Visitor(connection)\n        self._visitors += 1\n        try:\n",
        "        finally:\n            self._leave(visitor)\n",
        "        finally:\n            self._visitors -= 1\n            self._leave(visitor)\n",
        "        for names, same in groupby",
        "        for letter in letters:\n"
        '            if "online_users" in letter.message:\n'
        '                letter.message["online_users"] = self._visitors\n'
        "        for names, same in groupby",
        program="server",
    ),
    users(
        "it says twice who has left",
        HAS_LEFT,
        HAS_LEFT.replace("[*ended, ", '[*ended, self._system(self._others(name), f"{name}!"), '),
    ),
    users(
        "who resets the connection stays online",
        "        finally:\n            self._leave(visitor)\n",
        "        except ConnectionResetError:\n            return\n        self._leave(visitor)\n",
        program="server",
    ),
    users(
        "a name is never free again",
        INIT,
        INIT + "        self._used: set[str] = set()\n",
        "        if name in self._online:\n",
        "        if name in self._used:\n",
        "        self._online.append(name)\n",
        "        self._online.append(name)\n        self._used.add(name)\n",
    ),
    users(
        "who is refused a name takes it away when it goes",
        "            visitor.name, letters = self._chat.login(message)\n",
        '            visitor.wanted = str(message.get("username", ""))\n'
        "            visitor.name, letters = self._chat.login(message)\n",
        "                if visitor.name:\n                    letters",
        '                wanted = getattr(visitor, "wanted", "")\n'
        '                visitor.name = wanted if wanted in self._outboxes else ""\n'
        "                if visitor.name:\n                    letters",
        program="server",
    ),
]

PRIVATE_CHAFFS = [
    private(
        "a private message looks like one to all",
        PRIVATE,
        PRIVATE.replace('"private"', '"message"'),
    ),
    private(
        "a private message goes to all", PRIVATE, PRIVATE.replace("[target]", "self._others(name)")
    ),
    private(
        "a private message goes to its writer, too",
        PRIVATE,
        PRIVATE.replace("[target]", "[target, name]"),
    ),
    private(
        "a private message to nobody is lost in silence",
        CHECKED + ' [Letter([target], stamped("private"',
        "        if target not in self._online:\n            return []\n"
        + CHECKED
        + ' [Letter([target], stamped("private"',
    ),
    private(
        "a user may write to itself",
        CHECKED + ' [Letter([target], stamped("private"',
        "        if target != name:\n"
        "            self._check_another(name, target)\n"
        '        return [Letter([target], stamped("private"',
    ),
    private(
        "half a character in a target ends the connection",
        'f"nobody called {target} is online"',
        'f"nobody called {target.encode().decode()} is online"',
    ),
    private(
        "it makes a text of any target",
        'return field(message, "target_username", str)',
        'return str(message.get("target_username"))',
    ),
]

SESSION = [
    session(
        "only the asker hears of a yes",
        'self._session("accepted", asker, name, [asker, name])',
        'self._session("accepted", asker, name, [asker])',
    ),
    session("it takes every answer for a yes", "        if not accepted:\n", "        if False:\n"),
    session(
        "a no begins a session, too",
        "        if not accepted:\n",
        "        if not accepted:\n            self._partners |= {asker: name, name: asker}\n",
    ),
    session(
        "both hear of a no",
        'self._session("rejected", asker, name, [asker])',
        'self._session("rejected", asker, name, [asker, name])',
    ),
    session(
        "who ends a session stays in it",
        "partner = self._partners.pop(name)",
        "partner = self._partners[name]",
    ),
    session("who is left over stays in the session", PARTED, ""),
    session(
        "a session outlives a partner",
        "ended = self._end_session(name) if name in self._partners else []",
        "ended: list[Letter] = []",
    ),
    session(
        "an answer needs no request",
        NOT_ASKED,
        "        if asker not in self._online:\n",
        USED_UP,
        USED_UP.replace("remove", "discard"),
    ),
    session(
        "the asker can answer",
        NOT_ASKED,
        "        if not {(asker, name), (name, asker)} & self._asked:\n",
        USED_UP,
        USED_UP.replace("remove", "discard"),
    ),
    session(
        "a request that was rejected waits on",
        USED_UP + "        if not accepted:\n",
        "        if not accepted:\n",
        "        self._forget_requests(asker)\n        self._forget_requests(name)\n        return",
        USED_UP + "        self._forget_requests(asker)\n"
        "        self._forget_requests(name)\n"
        "        return",
    ),
    session(
        "asking again is another request",
        "self._asked: set[tuple[str, str]] = set()",
        "self._asked: list[tuple[str, str]] = []",
        ASKED,
        ASKED.replace("add", "append"),
        "self._asked = {pair for pair in self._asked if name not in pair}",
        "self._asked = [pair for pair in self._asked if name not in pair]",
    ),
    session(
        "asking again is refused",
        ASKED,
        "        if (name, target) in self._asked:\n"
        '            raise Refused("busy", "you have asked already")\n' + ASKED,
    ),
    session(
        "a request outlives who leaves",
        "        self._forget_requests(name)\n        ended",
        "        ended",
    ),
    session("a request outlives who was asked", "if name not in pair}", "if name != pair[0]}"),
    session(
        "nobody is busy", "            if user in self._partners:\n", "            if False:\n"
    ),
    session(
        "only who is asked can be busy",
        "        for user in (name, target):\n",
        "        for user in (target,):\n",
    ),
    session(
        "a request the other way is a yes",
        ASKED,
        "        if (target, name) in self._asked:\n"
        "            return self._answer(name, target, True)\n" + ASKED,
    ),
    session(
        "one request waits for each user",
        ASKED,
        "        self._asked = {pair for pair in self._asked if pair[1] != target}\n" + ASKED,
    ),
    session(
        "the partner's other requests wait on",
        "        self._forget_requests(asker)\n        self._forget_requests(name)\n        return",
        "        self._forget_requests(asker)\n        return",
    ),
    session(
        "a request to nobody is lost in silence",
        "        self._check_another(name, target)\n        for user",
        "        if target not in self._online:\n"
        "            return []\n"
        "        self._check_another(name, target)\n"
        "        for user",
    ),
    session(
        "accepted may be anything",
        'field(message, "accepted", bool)',
        'bool(message.get("accepted"))',
    ),
    session(
        "in a session what is for all goes to the partner alone",
        TO_ALL,
        TO_ALL.replace(
            "self._others(name)",
            "[self._partners[name]] if name in self._partners else self._others(name)",
        ),
    ),
    session(
        "in a session each private message goes to the partner",
        PRIVATE,
        PRIVATE.replace("[target]", "[self._partners.get(name, target)]"),
    ),
    session(
        "who is in a session is in no list",
        "users=[*self._online]))",
        "users=[user for user in self._online if user not in self._partners]))",
    ),
    session(
        "all hear when the asker ends a session",
        "        both = [user for user in (name, partner) if user in self._online]\n",
        "        both = [user for user in (name, partner) if user in self._online]\n"
        "        if self._askers.pop(name, None):\n"
        "            both = self._online\n"
        "        self._askers.pop(partner, None)\n",
        "        self._partners |= {asker: name, name: asker}\n",
        "        self._partners |= {asker: name, name: asker}\n"
        "        self._askers[asker] = True\n",
        INIT,
        INIT + "        self._askers: dict[str, bool] = {}\n",
    ),
]

TALKING = [*TO_ALL_CHAFFS, *USERS, *PRIVATE_CHAFFS, *SESSION]
