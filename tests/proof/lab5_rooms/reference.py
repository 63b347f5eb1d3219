"""Places in the text of lab 5's reference that several wrong programs change."""

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
