"""Lab 4's wrong clients that take what is typed, or what comes, for something else."""

from proof.rules_chaffs import MAIN
from proof.subjects import Chaff, chaff

NAME = "client"
TO_ALL = '        return fits({"type": "message", "message": text})\n'
SHOWN = '                return f"{sender}: {text}"\n'
PRIVATELY = 'f"{sender} (private): {text}"'
NO_COMMAND = 'raise Explained(f"this is no command: {HELP}")'
USERS = '            case ["/users"]:\n'
EXIT = '                return {"type": "session_end"}\n'
ANSWERS = (
    '        if self._asking and text in ("y", "n"):\n'
    '            return _to("session_response", self._asking.pop(0), accepted=text == "y")\n'
)
QUEUES = (
    "                if sender not in self._asking:\n"
    "                    self._asking.append(str(sender))\n"
)
ASKING = "        self._asking: list[str] = []  # who asked for one, the oldest first\n"
PARTNERS = '            return fits(_to("private", self._partner, message=text))\n'
REASON = "                return f\"! {text} ({message.get('code')})\"\n"
OTHER = "return str(second if first == self.name else first)"
WAITS = (
    "                while not (self._lost or self._answered.wait(SLICE)):\n"
    "                    pass  # what is typed meanwhile waits, too\n"
)
LOST = "                if self._lost:\n                    raise Ended\n"
QUIT = '        if text == "/quit":\n            raise EOFError\n'
EXPLAINS = '                self._terminal.show(f"! {explanation}")\n'
SHOWS = (
    "        if text:\n            self._terminal.show(visible(text))\n        if mode != before:\n"
)
ANSWERED = (
    '        if message.get("type") in ("system", "error"):\n            self._answered.set()\n'
)
SENDS = "self._sock.sendall(packed(message))"
FLUSHED = "        sys.stdout.write(text)\n        sys.stdout.flush()\n"


def wrong(name: str, *changes: str) -> Chaff:
    """Return a client that brings its parts together in a wrong way."""
    return chaff(NAME, name, *changes)


def talks(name: str, *changes: str) -> Chaff:
    """Return a client that takes what is typed, or what arrives, for something else."""
    return chaff("conversation", name, *changes, part=NAME)


def reads(name: str, *changes: str) -> Chaff:
    """Return a client whose wire is wrong."""
    return chaff("protocol", name, *changes, part=NAME)


def draws(name: str, *changes: str) -> Chaff:
    """Return a client whose terminal is wrong."""
    return chaff("../terminal", name, *changes, part=NAME)


TYPING = [
    # Typed and shown.
    talks("it sends a text without a type", TO_ALL, '        return fits({"message": text})\n'),
    talks("it shows a message without its sender", SHOWN, "                return str(text)\n"),
    reads(
        "it sends a text without the end of its line",
        'errors="replace") + b"\\n"',
        'errors="replace")',
    ),
    wrong(
        "it looks at what has arrived when a line has been typed",
        "        receiver = threading.Thread(target=self._receive, daemon=True)\n"
        "        receiver.start()\n",
        "        receiver = threading.Thread(target=self._receive, daemon=True)\n"
        "        threading.Thread.start(receiver)\n",
        SHOWS,
        "        if self._talk.name:\n            self._later.append(text)\n"
        "        elif text:\n            self._terminal.show(visible(text))\n"
        "        if mode != before:\n",
        QUIT,
        "        while self._later:\n"
        "            self._terminal.show(visible(self._later.pop(0)))\n" + QUIT,
        '        self._lost = ""  # why the connection has ended\n',
        '        self._lost = ""\n        self._later: list[str] = []\n',
    ),
    # The name.
    wrong(
        "it ends when its name is refused",
        LOST,
        LOST + "                if not self._talk.name:\n"
        '                    raise ConnectionError("the name was refused")\n',
    ),
    talks(
        "it does not say why a name was refused",
        REASON,
        '                if not self.name:\n                    return "! not this name"\n'
        + REASON,
    ),
    wrong("it sends a refused name again and again", '            username = ""\n', ""),
    wrong(
        "it asks for a name with a prompt on a pipe",
        '        self._terminal.prompt("Your name: ")\n',
        '        self._terminal.prompt("Your name: ")\n'
        "        if not username:\n"
        '            print("Your name: ", end="", flush=True)\n',
    ),
    # What is typed ahead.
    wrong(
        "it sends what is typed before it is logged in",
        WAITS + LOST,
        "                break\n",
        QUIT,
        QUIT + "        if self._answered.is_set() and not self._talk.name:\n"
        "            self._answered.clear()\n"
        "            self._talk.wanted = text\n"
        '            self._send({"username": text})\n'
        "            return\n",
        SHOWS,
        ANSWERED + SHOWS,
        "            self._show_mode(mode)\n" + ANSWERED,
        "            self._show_mode(mode)\n",
    ),
    # Commands.
    wrong(
        "it makes JSON of a private message by hand",
        SENDS,
        "self._sock.sendall(by_hand(message))",
        MAIN,
        "def by_hand(message: Message) -> bytes:\n"
        '    if message.get("type") != "private":\n'
        "        return packed(message)\n"
        '    fields = ", ".join(f\'"{name}": "{value}"\' for name, value in message.items())\n'
        '    return f"{{{fields}}}\\n".encode()\n\n\n' + MAIN,
    ),
    talks(
        "it makes one blank of several",
        "match text.split(maxsplit=2):",
        "match text.split():",
        'case ["/private", name, words]:',
        'case ["/private", name, *rest] if words := " ".join(rest):',
    ),
    wrong(
        "it sends an empty line",
        "        if text:\n            try:\n",
        "        if True:\n            try:\n",
    ),
    talks(
        "it asks for the users with another type",
        USERS + '                return {"type": "users"}\n',
        USERS + '                return {"type": "users_list"}\n',
    ),
    # What is no command.
    talks(
        "it knows a command by its beginning",
        "        match text.split(maxsplit=2):\n",
        "        words = text[8:].split(maxsplit=1)\n"
        '        if text.startswith("/private") and len(words) == 2:\n'
        '            return fits(_to("private", words[0], message=words[1]))\n'
        "        match text.split(maxsplit=2):\n",
    ),
    wrong(
        "it quits at every word that begins with /quit", 'text == "/quit"', 'text[:5] == "/quit"'
    ),
    talks(
        "it sends what is no command as a text",
        NO_COMMAND,
        'return fits({"type": "message", "message": text})',
    ),
    talks(
        "it sends a private message without a text",
        '            case ["/session", name]:\n',
        '            case ["/private", name]:\n'
        '                return _to("private", name, message="")\n'
        '            case ["/session", name]:\n',
    ),
    wrong(
        "it says nothing about what is no command",
        EXPLAINS,
        '                if "no command" not in str(explanation):\n    ' + EXPLAINS,
    ),
    talks(
        "it crashes at an incomplete command",
        NO_COMMAND,
        'raise Explained(f"{text.split()[2]} is too much")',
    ),
    # Too long.
    talks(
        "it counts the letters of a line, not the bytes",
        "if len(packed(message)) > MAX_CLIENT_LINE:",
        "if len(packed(message).decode()) > MAX_CLIENT_LINE:",
    ),
    talks(
        "it sends a private message of any length",
        'return fits(_to("private", name, message=words))',
        'return _to("private", name, message=words)',
    ),
    talks(
        "it sends the partner a text of any length",
        PARTNERS,
        '            return _to("private", self._partner, message=text)\n',
    ),
    talks(
        "it takes a text of 1024 characters for too long",
        "if len(packed(message)) > MAX_CLIENT_LINE:",
        "if len(packed(message)) > 1024:",
    ),
    # Shown.
    talks("it shows a private message like one to all", PRIVATELY, 'f"{sender}: {text}"'),
    talks(
        "it shows a notice without the number online",
        "return f\"* {text} ({message.get('online_users')} online)\"",
        'return f"* {text}"',
    ),
    talks(
        "it shows how many are online, and no names",
        "return f\"* online: {', '.join(map(str, _list(message.get('users'))))}\"",
        "return f\"* online: {len(_list(message.get('users')))}\"",
    ),
    talks(
        "it does not say how to answer a request",
        "asks you for a private session: type y or n",
        "asks you for a private session",
    ),
    talks(
        "it does not show that a request was rejected",
        'return f"* {self._other(message)} wants no private session"',
        'return ""',
    ),
    draws("it does not flush what it shows", FLUSHED, "        sys.stdout.write(text)\n"),
    # Sessions.
    talks(
        "in a session it sends every private message to the partner",
        'case ["/private", name, words]:\n                return fits(_to("private", name',
        'case ["/private", name, words]:\n'
        '                return fits(_to("private", self._partner or name',
    ),
    talks(
        "it sends to all what is typed in a session",
        "        if self._partner:\n",
        "        if not self.name:\n",
    ),
    talks("it takes itself for the partner when it was asked", OTHER, "return str(second)"),
    talks(
        "it is in a session as soon as it has asked for one",
        '                return fits(_to("session_request", name))\n',
        "                self._partner = name\n"
        '                return fits(_to("session_request", name))\n',
    ),
    talks(
        "it is in a session as soon as it has said yes",
        ANSWERS,
        '        if self._asking and text == "y":\n'
        "            self._partner = self._asking[0]\n" + ANSWERS,
    ),
    talks(
        "it stays in a session that has ended",
        '                self._partner = ""\n',
        "                pass\n",
    ),
    talks(
        "it leaves a session without a word to the server",
        EXIT,
        '                self._partner = ""\n                raise Explained("you have left")\n',
    ),
    wrong(
        "it shows its mode on a terminal alone",
        "            self._terminal.show(mode)\n",
        "            pass\n",
    ),
    wrong(
        "it shows its mode as a prompt on a pipe, too",
        "            self._terminal.show(mode)\n",
        '            print(f"{mode} ", end="", flush=True)\n',
    ),
    # Answers.
    talks("it answers the newest request", "self._asking.pop(0)", "self._asking.pop()"),
    talks(
        "it knows only the last one who asked",
        QUEUES,
        "                self._asking = [str(sender)]\n",
    ),
    talks(
        "it knows nobody who asks once more",
        QUEUES,
        "                if sender not in self._seen:\n"
        "                    self._seen.add(sender)\n"
        "                    self._asking.append(str(sender))\n",
        ASKING,
        "        self._seen: set[object] = set()\n" + ASKING,
    ),
    talks(
        "who asks twice goes to the end of the queue",
        QUEUES,
        "                if sender in self._asking:\n"
        "                    self._asking.remove(str(sender))\n"
        "                self._asking.append(str(sender))\n",
    ),
    talks(
        "an answer uses up all requests",
        ANSWERS,
        ANSWERS.replace(
            "            return",
            "            self._asking = self._asking[:1]\n            return",
        ),
    ),
    talks(
        "it takes the first letter of a text for an answer",
        'text in ("y", "n"):',
        'text[0] in ("y", "n"):',
        'accepted=text == "y"',
        'accepted=text[0] == "y"',
    ),
    talks(
        "it counts the same asker twice",
        QUEUES,
        "                self._asking.append(str(sender))\n",
    ),
    talks("it says yes to everybody", 'accepted=text == "y"', "accepted=True"),
    talks(
        "it remembers the others' requests when a session begins",
        "                self._asking.clear()\n",
        "",
    ),
    talks(
        "it explains y where nobody asks",
        ANSWERS,
        ANSWERS + '        if text in ("y", "n"):\n            raise Explained("nobody asks")\n',
    ),
]
