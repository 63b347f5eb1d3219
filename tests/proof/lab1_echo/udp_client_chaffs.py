"""Lab 1's wrong programs: the UDP client, in the order of its checks."""

from proof.rules_chaffs import Client, client_chaffs, client_chaffs_of_many_checks
from proof.subjects import Chaff, chaff

NAME = "udp_client"
CLIENT = Client(NAME, port=6789, trouble="no echo from")
LOOP = "    for _ in range(attempts):\n"
SEND = "        sock.sendto(message, server)\n"
RECV = "sock.recvfrom(MAX_DATAGRAM)"
IS_ANSWER = "(received, sender) == (message, server)"
FOUND = "                    return received\n"
MESSAGE = "        message = options.message.encode()\n"
ASK = "ask(sock, server, message, options.timeout, options.attempts)"
PRINT = f"        print({ASK}.decode())\n"
SERVER = "server = socket.gethostbyname(options.host), options.port"


def wrong(name: str, *changes: str) -> Chaff:
    """Return a wrong UDP client."""
    return chaff(NAME, name, *changes)


def accepts(name: str, condition: str) -> Chaff:
    """Return one that takes something else for the answer."""
    return wrong(name, IS_ANSWER, condition)


def asks(name: str, message: str) -> Chaff:
    """Return one that sends something else than the message."""
    return wrong(name, "options.message.encode()", message)


def connected(name: str, asks: str) -> Chaff:
    """Return one whose socket is connected; `asks` stands instead of `PRINT`."""
    sends = f"    sock.connect(server)\n{LOOP}        sock.send(message)\n"
    return wrong(name, RECV, "sock.recv(MAX_DATAGRAM), server", LOOP + SEND, sends, PRINT, asks)


UDP_CLIENT = [
    # The echo is printed.
    wrong(
        "it speaks TCP",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.create_connection((options.host, options.port))",
    ),
    wrong("it prints the repr of the bytes", PRINT, f"        print({ASK})\n"),
    wrong("it prints more on the same line", PRINT, f'        print("Echo:", {ASK}.decode())\n'),
    wrong("it prints no echo", PRINT, f"        {ASK}\n"),
    asks("it adds a newline", '(options.message + "\\n").encode()'),
    asks("it sends the repr of the bytes", "str(options.message.encode()).encode()"),
    # Text in any script.
    asks(
        "it drops what is beyond U+FFFF",
        '"".join(c for c in options.message if c <= "\\uffff").encode()',
    ),
    asks("it encodes as Latin-1", 'options.message.encode("latin-1", "replace")'),
    wrong(
        "it reads as many bytes as the text has letters",
        RECV,
        "sock.recvfrom(len(message.decode()))",
    ),
    # A lost datagram.
    wrong(
        "when nothing came it tries again from a new socket",
        LOOP + SEND,
        f"    out = sock\n{LOOP}"
        "        out.sendto(message, server)\n"
        "        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n",
        f"                if {IS_ANSWER}",
        f"                out = sock\n                if {IS_ANSWER}",
    ),
    wrong("it waits for ever", "            sock.settimeout(left)\n", ""),
    wrong("it sends once", LOOP + SEND, SEND.removeprefix("    ") + LOOP),
    # Attempts.
    wrong("it makes no more than three attempts", "range(attempts)", "range(min(attempts, 3))"),
    wrong("it always makes three attempts", "range(attempts)", "range(3)"),
    wrong("it makes one attempt too many", "range(attempts)", "range(attempts + 1)"),
    wrong("it tries for ever", LOOP, "    while True:\n"),
    wrong(
        "each wait is twice as long as the one before",
        "        deadline = time.monotonic() + timeout\n",
        "        deadline = time.monotonic() + timeout\n        timeout *= 2\n",
    ),
    wrong("without --attempts it makes five", "default=3", "default=5"),
    # Timeout.
    wrong(
        "the attempts share one timeout",
        "time.monotonic() + timeout",
        "time.monotonic() + timeout / attempts",
    ),
    # Strangers, and what is no echo.
    accepts("it believes any sender", "received == message"),
    accepts(
        "it believes the server's address with any port",
        "received == message and sender[0] == server[0]",
    ),
    accepts(
        "it believes any address with the server's port",
        "received == message and sender[1] == server[1]",
    ),
    accepts("it believes whatever the server sends", "sender == server"),
    accepts(
        "it takes an answer that is as long as the message",
        "sender == server and len(received) == len(message)",
    ),
    accepts(
        "it takes an answer with blanks around the message",
        "sender == server and received.strip() == message.strip()",
    ),
    accepts(
        "it decodes what need not be text",
        "sender == server and received.decode() == message.decode()",
    ),
    accepts(
        "it takes an answer that contains the message", "message in received and sender == server"
    ),
    wrong(
        "each datagram of a stranger begins the wait anew",
        "sock.settimeout(left)",
        "sock.settimeout(timeout)",
        "while (left := deadline - time.monotonic()) > 0:",
        "while True:",
        "with contextlib.suppress(TimeoutError):",
        "try:",
        FOUND,
        f"{FOUND}            except TimeoutError:\n                break\n",
        "        deadline = time.monotonic() + timeout\n",
        "",
    ),
    wrong(
        "what the server did not echo begins the wait anew",
        FOUND,
        f"{FOUND}                if sender == server:\n"
        "                    deadline = time.monotonic() + timeout\n",
    ),
    wrong("a stranger's datagram ends the attempt", FOUND, f"{FOUND}                break\n"),
    # A host by name.
    wrong(
        "it compares the sender with the host's name", SERVER, "server = options.host, options.port"
    ),
    # The longest, and too long.
    wrong("it reads 1024 bytes", RECV, "sock.recvfrom(1024)"),
    wrong(
        "what is too long is an exception that nobody catches",
        MESSAGE,
        f"{MESSAGE}        if len(message) > MAX_DATAGRAM:\n"
        '            raise OverflowError("the message is too long")\n',
    ),
    # Times and counts.
    wrong("it takes any number of attempts", "type=frame.count", "type=int"),
    wrong("without --timeout it waits a tenth of a second", "default=1.0", "default=0.1"),
    *client_chaffs(CLIENT),
    *client_chaffs_of_many_checks(CLIENT)[::2],
    # What these rules look like in this program alone.
    wrong(
        "it polls",
        "sock.settimeout(left)",
        "sock.setblocking(False)",
        "contextlib.suppress(TimeoutError)",
        "contextlib.suppress(BlockingIOError)",
    ),
    # Nobody listens: only a connected socket hears of it.
    connected(
        "it is connected, and ends with exit code 0 when nobody listens",
        f"        try:\n    {PRINT}"
        "        except ConnectionRefusedError:\n"
        "            raise SystemExit from None\n",
    ),
    connected(
        "it is connected, and tries for ever when nobody listens",
        f"        while True:\n            try:\n        {PRINT}                break\n"
        "            except ConnectionRefusedError:\n"
        "                time.sleep(0.1)\n",
    ),
]
