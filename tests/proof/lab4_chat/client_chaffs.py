"""Lab 4's wrong clients that do wrong as a whole: pieces, pings, the ends, the terminal."""

from proof.lab4_chat.typing_chaffs import ANSWERED, QUIT, draws, reads, talks, wrong
from proof.rules_chaffs import MAIN, Client, client_chaffs, client_chaffs_of_many_checks

LIKE_EVERY_CLIENT = Client("client", port=8083, trouble="no chat at")
TAKES = "                for line in lines.feed(piece):\n                    self._take(line)\n"
ENDS = "            self._terminal.end()\n"
YIELDS = "                yield piece\n"
FAREWELL = (
    "            with contextlib.suppress(OSError):\n"
    "                self._sock.shutdown(socket.SHUT_WR)\n"
    "            receiver.join(FAREWELL)\n"
    "        finally:\n"
)
SHOW = (
    "        with self._drawing:\n"
    "            self._clear()\n"
    '            self._write(f"{text}\\n")\n'
    "            self._draw()\n"
)

WHOLE_CLIENT = [
    # Pieces.
    reads(
        "it drops half a line that is not complete yet",
        "*whole, self._rest = (self._rest + piece).split",
        "*whole, _ = piece.split",
    ),
    wrong(
        "it decodes each piece by itself",
        "lines.feed(piece)",
        'lines.feed(piece.decode(errors="ignore").encode())',
    ),
    wrong(
        "it takes lines of 64 KiB from the server",
        "Lines(MAX_SERVER_LINE)",
        "Lines(65_536)",
    ),
    wrong("it takes one line from each piece", TAKES, TAKES + "                    break\n"),
    # Texts that are no texts.
    wrong(
        "it prints what it is sent as it is",
        "self._terminal.show(visible(text))",
        "self._terminal.show(text)",
    ),
    talks(
        "it makes line feeds alone visible",
        '    if char < " ":\n',
        '    if char == "\\n":\n',
        '("Cc", "Cs", "Zl", "Zp")',
        '("Cs", "Zl", "Zp")',
    ),
    talks("half a character ends it", '("Cc", "Cs", "Zl", "Zp")', '("Cc", "Zl", "Zp")'),
    wrong(
        "it takes the end of a paragraph for the end of a line",
        TAKES,
        "                for line in lines.feed(piece):\n"
        "                    for part in line.decode().splitlines():\n"
        "                        self._take(part.encode())\n",
    ),
    # Pings.
    wrong(
        "it never pings",
        '                if self._talk.name:\n                    self._send({"type": "ping"})\n',
        "                pass\n",
    ),
    wrong(
        "it pings when nothing has arrived for a while",
        YIELDS,
        YIELDS + "                next_ping = time.monotonic() + self._ping_interval\n",
    ),
    wrong(
        "in a session it does not ping",
        "                if self._talk.name:\n",
        '                if self._talk.name and self._talk.mode == "[all]":\n',
    ),
    wrong(
        "it takes the interval for milliseconds",
        "        self._ping_interval = ping_interval\n",
        "        self._ping_interval = ping_interval / 1000\n",
    ),
    wrong(
        "it takes any number for an interval",
        '"--ping-interval", type=frame.seconds',
        '"--ping-interval", type=float',
    ),
    # The end by the user.
    wrong("it does not know /quit", QUIT, ""),
    wrong(
        "it complains when the server closes after /quit",
        FAREWELL,
        FAREWELL.replace(
            "        finally:\n",
            "            if self._lost:\n"
            "                raise ConnectionError(self._lost) from None\n"
            "        finally:\n",
        ),
    ),
    draws(
        "it is gone at once when the input ends",
        '        self._typed.put("")\n',
        "        os._exit(0)\n",
    ),
    wrong(
        "it takes the end of input for a failure where it asks for a name",
        "            name = username or self._terminal.read().strip()\n",
        "            try:\n"
        "                name = username or self._terminal.read().strip()\n"
        "            except EOFError:\n"
        '                sys.exit("[ERROR] a name, please")\n',
        "import socket\nimport threading\n",
        "import socket\nimport sys\nimport threading\n",
    ),
    # The end by the server.
    wrong(
        "it notices at the next key that the server has gone",
        ENDS,
        "            if self._terminal.is_terminal:\n    " + ENDS,
    ),
    wrong(
        "it waits for another name when the server has gone",
        ENDS,
        "            if self._talk.name or not self._refused:\n    " + ENDS,
        ANSWERED,
        ANSWERED + '        self._refused = message.get("type") == "error"\n',
        '        self._lost = ""  # why the connection has ended\n',
        '        self._lost = ""\n        self._refused = False\n',
    ),
    wrong(
        "it shows a traceback when the connection is reset",
        "except (OSError, Refused) as error:",
        "except (BrokenPipeError, Refused) as error:",
    ),
    wrong(
        "it ends with exit code 0 when the server goes",
        "            raise ConnectionError(self._lost) from None\n",
        '            self._terminal.show("the server has gone")\n',
    ),
    # The terminal.
    draws(
        "it shows what arrives behind what is being typed",
        SHOW,
        '        with self._drawing:\n            self._write(f"{text}\\n")\n',
    ),
    draws(
        "it forgets what is being typed when something arrives",
        SHOW,
        SHOW + '            self._line, self._at = "", 0\n            self._draw()\n',
    ),
    draws(
        "it shows what arrives over what is being typed",
        "            self._write(f\"\\r{' ' * _columns()}\\r\")\n",
        '            self._write("\\r")\n',
    ),
    wrong(
        "it shows the mode of the beginning for ever",
        '            self._terminal.prompt(f"{mode} ")\n',
        '            self._terminal.prompt("[all] ")\n',
    ),
    wrong(
        "it waits for a key on a terminal when the server has gone",
        ENDS,
        "            if not self._terminal.is_terminal:\n    " + ENDS,
    ),
    # Rules for every client, as they look here.
    wrong(
        "it says in two lines that nobody listens",
        "        socket.create_connection((options.host, options.port)) as sock,\n",
        "        connected((options.host, options.port)) as sock,\n",
        MAIN,
        "def connected(address: tuple[str, int]) -> socket.socket:\n"
        "    try:\n"
        "        return socket.create_connection(address)\n"
        "    except ConnectionRefusedError:\n"
        '        os.write(2, b"[ERROR] nobody listens\\n")\n'
        "        raise\n\n\n" + MAIN,
        "import contextlib\nimport select\n",
        "import contextlib\nimport os\nimport select\n",
    ),
    draws(
        "it asks again and again whether something has been typed",
        "piece = self._typed.get(timeout=SLICE)",
        "piece = self._typed.get(block=False)",
    ),
    *client_chaffs(LIKE_EVERY_CLIENT),
    *client_chaffs_of_many_checks(LIKE_EVERY_CLIENT),
]
