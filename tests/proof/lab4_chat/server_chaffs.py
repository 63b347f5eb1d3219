"""Lab 4's wrong servers that do wrong as a whole: the threads, the ends, the way out."""

from proof.rules_chaffs import (
    Server,
    keeps_the_port,
    server_chaffs,
    shares_the_port,
    takes_another_port,
)
from proof.subjects import Chaff, chaff

LIKE_EVERY_SERVER = Server("server", port=8083)
SERVES = "        Clients(server.attend, server.shut_down).serve(listener)\n"
IDLE = "        connection.settimeout(self._idle_timeout)\n"
TIMEOUT = "        except TimeoutError:\n"
LOOP = (
    "            while not (visitor.must_go or visitor.outbox.dropped) and (\n"
    "                connection.recv(1, socket.MSG_PEEK)\n"
    "            ):\n"
    "                self._obey(visitor, visitor.lines.feed(connection.recv(PIECE)))\n"
)
THREADING = "import threading\n"
CLASS = "class Server:\n"
TELLS = "            visitor.outbox.put(packed(_error(reason)))\n"
VISITOR = "        visitor = Visitor(connection)\n"


def wrong(name: str, *changes: str, program: str = "server") -> Chaff:
    """Return a wrong server."""
    return chaff(program, name, *changes, part="server")


def reader(name: str, *changes: str, program: str = "outbox") -> Chaff:
    """Return a server that does wrong with who never reads."""
    return chaff(program, name, *changes, part="reader")


def accepts(name: str, *lines: str) -> Chaff:
    """Return a server that has its own way to accept a client: these lines."""
    return wrong(
        name,
        SERVES,
        "        Own(server.attend, server.shut_down).serve(listener)\n",
        "def main() -> None:\n",
        "class Own(Clients):\n"
        "    def _accept(self, listener):\n"
        + "".join(f"        {line}\n" for line in lines)
        + "\n\ndef main() -> None:\n",
    )


SERVER = [
    # The time.
    wrong(
        "the answer to a ping has no time", 'stamped("pong")', '{"type": "pong"}', program="chat"
    ),
    wrong(
        "the time is the one of its start",
        "def stamped(kind: str, **fields: Any)",
        "def stamped(kind: str, now: Any = datetime.now(), **fields: Any)",
        '    now = datetime.now(timezone.utc).isoformat(timespec="seconds")\n',
        '    now = now.isoformat(timespec="seconds")\n',
        program="protocol",
    ),
    wrong(
        "the time is a number",
        'datetime.now(timezone.utc).isoformat(timespec="seconds")',
        "datetime.now(timezone.utc).timestamp()",
        program="protocol",
    ),
    wrong(
        "the time is another country's",
        'datetime.now(timezone.utc).isoformat(timespec="seconds")',
        'datetime.now(timezone.utc).isoformat(timespec="seconds")[:19] + "+03:00"',
        program="protocol",
    ),
    # What others do.
    wrong(
        "who resets the connection keeps the lock",
        TIMEOUT,
        "        except ConnectionResetError:\n"
        "            if visitor.name:\n"
        "                self._lock.acquire()\n"
        "            raise\n" + TIMEOUT,
    ),
    wrong(
        "half a line at the end is obeyed",
        LOOP,
        LOOP + '            self._obey(visitor, visitor.lines.feed(b"\\n"))\n',
    ),
    wrong(
        "one after the other logs in",
        LOOP,
        "            with FIRST:\n"
        "                while not visitor.name and (piece := connection.recv(PIECE)):\n"
        "                    self._obey(visitor, visitor.lines.feed(piece))\n" + LOOP,
        CLASS,
        f"FIRST = threading.Lock()\n\n\n{CLASS}",
    ),
    wrong("it does not know silence", IDLE, IDLE.replace("_timeout)", "_timeout * 100)")),
    wrong("who is idle is dropped without a word", TELLS, ""),
    wrong(
        "who is idle is told, and stays",
        LOOP,
        "            while not (visitor.must_go or visitor.outbox.dropped):\n"
        "                try:\n"
        "                    piece = connection.recv(PIECE)\n"
        "                except TimeoutError:\n"
        '                    visitor.outbox.put(packed(_error(Refused("idle", "hello?"))))\n'
        "                    visitor.outbox.flush()\n"
        "                    continue\n"
        "                if not piece:\n"
        "                    break\n"
        "                self._obey(visitor, visitor.lines.feed(piece))\n",
    ),
    wrong(
        "a ping is no sign of life",
        LOOP,
        "            until = time.monotonic() + self._idle_timeout\n"
        "            while not visitor.must_go and (piece := connection.recv(PIECE)):\n"
        "                self._obey(visitor, visitor.lines.feed(piece))\n"
        "                if b'\"ping\"' not in piece:\n"
        "                    until = time.monotonic() + self._idle_timeout\n"
        "                connection.settimeout(max(until - time.monotonic(), 0.001))\n",
        THREADING,
        "import threading\nimport time\n",
    ),
    wrong(
        "half a line is no sign of life",
        LOOP,
        "            until = time.monotonic() + self._idle_timeout\n"
        "            while not visitor.must_go and (piece := connection.recv(PIECE)):\n"
        "                self._obey(visitor, visitor.lines.feed(piece))\n"
        "                if b'\\n' in piece:\n"
        "                    until = time.monotonic() + self._idle_timeout\n"
        "                connection.settimeout(max(until - time.monotonic(), 0.001))\n",
    ),
    wrong(
        "it goes without a word",
        "Clients(server.attend, server.shut_down)",
        "Clients(server.attend)",
    ),
    wrong(
        "at SIGTERM it goes without a word",
        SERVES,
        "        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))\n" + SERVES,
        "import socket\nimport threading\n",
        "import os\nimport signal\nimport socket\nimport threading\n",
    ),
    wrong(
        "the last notice does not say how many are online",
        'return [self._system([*self._online], "The server is shutting down")]',
        'return [Letter([*self._online], stamped("system", message="The end"))]',
        program="chat",
    ),
    accepts(
        "a failed accept() ends it",
        "connection, _ = listener.accept()",
        "with self._changed:",
        "    self._online.add(connection)",
        "threading.Thread(target=self._visit, args=(connection,), daemon=True).start()",
    ),
    wrong(
        "it takes what two say at once for an echo",
        '        return [Letter(self._others(name), stamped("message", from_username=name',
        "        last, self._last = self._last, text\n"
        "        if text == last:\n"
        "            return []\n"
        '        return [Letter(self._others(name), stamped("message", from_username=name',
        "        self._online: list[str] = []\n",
        '        self._online: list[str] = []\n        self._last = ""\n',
        program="chat",
    ),
    # Rules for every server, as they look here.
    wrong(
        "it keeps all that was said",
        LOOP,
        LOOP.replace("connection.recv(PIECE)", "kept(connection.recv(PIECE))"),
        CLASS,
        f"KEPT: list[bytes] = []\n\n\n"
        f"def kept(piece: bytes) -> bytes:\n    KEPT.append(piece)\n    return piece\n\n\n{CLASS}",
    ),
    wrong(
        "it keeps its visitors",
        VISITOR,
        VISITOR + "        KEPT.append((visitor, connection.dup()))\n",
        CLASS,
        f"KEPT: list[object] = []\n\n\n{CLASS}",
    ),
    wrong(
        "it polls until the login",
        LOOP,
        "            while not visitor.name:\n"
        "                connection.settimeout(0)\n"
        "                try:\n"
        "                    piece = connection.recv(PIECE)\n"
        "                except BlockingIOError:\n"
        "                    continue\n"
        "                if not piece:\n"
        "                    break\n"
        "                self._obey(visitor, visitor.lines.feed(piece))\n"
        "            connection.settimeout(self._idle_timeout)\n" + LOOP,
    ),
    accepts(
        "it waits for the first byte where it accepts",
        "connection, _ = listener.accept()",
        "try:",
        "    connection.recv(1, socket.MSG_PEEK)",
        "except ConnectionResetError:",
        '    raise RuntimeError("no first byte") from None',
        "with self._changed:",
        "    self._online.add(connection)",
        "threading.Thread(target=self._visit, args=(connection,), daemon=True).start()",
    ),
    wrong(
        "a reset ends it",
        TIMEOUT,
        "        except ConnectionResetError:\n"
        "            if not visitor.name:\n"
        "                os._exit(1)\n"
        "            raise\n" + TIMEOUT,
        THREADING,
        "import os\nimport threading\n",
    ),
    accepts(
        "at Ctrl+C it waits for its clients",
        "connection, _ = listener.accept()",
        "threading.Thread(target=self._visit, args=(connection,)).start()",
    ),
    wrong(
        "it ends with exit code 143 at SIGTERM",
        SERVES,
        "        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n" + SERVES,
        "import socket\nimport threading\n",
        "import signal\nimport socket\nimport sys\nimport threading\n",
    ),
    *server_chaffs(LIKE_EVERY_SERVER),
    takes_another_port(LIKE_EVERY_SERVER),
    shares_the_port(LIKE_EVERY_SERVER),
    keeps_the_port(LIKE_EVERY_SERVER),
]

READER = [
    reader(
        "it waits until who never reads has read",
        "                sent = self._hasty.send(piece)\n",
        "                self._connection.sendall(piece)\n                sent = len(piece)\n",
    ),
    reader("it keeps all for who never reads", "LIMIT = 4_194_304", "LIMIT = 4_194_304_000"),
    reader(
        "who has read late gets nothing more",
        "            self._turn.release()\n            self.flush()\n",
        "            self.flush()\n",
    ),
    reader(
        "it forgets what was not sent",
        "                self._send_slowly(memoryview(piece)[sent:])\n",
        "                self._turn.release()\n",
    ),
    reader(
        "it drops who does not read at once",
        "                self._send_slowly(memoryview(piece)[sent:])\n",
        "                self._turn.release()\n                self._drop()\n",
    ),
    reader(
        "it counts the lines that wait, not their bytes",
        "if self._size > LIMIT:",
        'if b"".join(self._lines).count(b"\\n") > 100:',
    ),
    reader(
        "it answers with the lock held",
        "            reached = self._post(letters)\n        _flush({visitor",
        "            reached = self._post(letters)\n"
        "            if reached == {visitor.outbox}:\n"
        "                visitor.outbox._connection.sendall(visitor.outbox._take())\n"
        "        _flush({visitor",
        program="server",
    ),
    reader("it keeps little for who reads late", "LIMIT = 4_194_304", "LIMIT = 262_144"),
    reader(
        "it takes an unfinished send() for a finished one",
        "                        piece = piece[self._connection.send(piece) :]\n",
        "                        self._connection.send(piece)\n"
        "                        piece = piece[:0]\n",
    ),
    reader(
        "it holds the lock while it sends",
        "            reached = self._post(letters)\n        _flush({visitor",
        "            reached = self._post(letters)\n"
        "            for outbox in reached:\n"
        "                outbox._connection.sendall(outbox._take())\n"
        "        _flush({visitor",
        program="server",
    ),
]

WHOLE = [*SERVER, *READER]
