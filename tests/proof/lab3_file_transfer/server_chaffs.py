"""Lab 3's wrong programs: the server and its framing, in the order of the checks."""

from proof.rules_chaffs import (
    FRAME,
    MAIN,
    RUN,
    SIGTERM_ALONE,
    Server,
    keeps_the_port,
    server_chaffs,
    shares_the_port,
    takes_another_port,
)
from proof.subjects import Chaff, chaff

PART = "server"
LIKE_EVERY_SERVER = Server("server", port=8082)
ATTEND = "def attend(options: argparse.Namespace, connection: socket.socket) -> None:\n"
LOOP = "    while connection.recv(1, socket.MSG_PEEK):  # the next offer may take its time,\n"
TIMED = (
    "        connection.settimeout(options.timeout)"
    "  # but once begun, silence means that it broke off\n"
)
TAKEN = "        connection.sendall(packed_reply(take(options, connection)))\n"
UNTIMED = "        connection.settimeout(None)\n"
REFUSED = "        return Reply(False, str(reason))\n"
TOO_LARGE = (
    "        if offer.size > min(options.max_size, shutil.disk_usage(options.directory).free):\n"
)
CONTENT = "    content = pieces(connection, offer.size)\n"
STORE = "        store(content, options.directory / name)\n"
PASSED_ON = "    except (ConnectionError, TimeoutError):\n        raise\n"
FAILED = (
    "    except OSError as error:  # the disk is full, for instance\n"
    "        for _ in content:  # what follows the rest can be understood again\n"
    "            pass\n"
    '        return Reply(False, f"{name} could not be stored: {error.strerror}")\n'
)
BUFFER = "    buffer = memoryview(bytearray(min(size, PIECE)))\n"
RECEIVES = "        count = connection.recv_into(buffer, min(size, len(buffer)))\n"
ENDED = '            raise ProtocolError(f"the stream ended with {size:,} bytes still to come")\n'
YIELDS = "        yield buffer[:count]\n        size -= count\n"
PART_NAME = '    part = target.with_name(f".{os.urandom(8).hex()}.part")\n'
OPENS = '        with part.open("xb") as file:\n'
WRITES = "            for piece in content:\n                file.write(piece)\n"
REPLACES = "        part.replace(target)\n"
CLEARS = "        part.unlink(missing_ok=True)\n"
MAKES = (
    '    with frame.error_line(f"cannot make the folder {options.directory}"):\n'
    "        options.directory.mkdir(parents=True, exist_ok=True)\n"
)
SERVES = "        Clients(functools.partial(attend, options)).serve(listener)\n"
ENDS = '            raise ProtocolError(f"the stream ended after {len(data)} of {size} bytes")\n'


def wrong(name: str, *changes: str) -> Chaff:
    """Return a wrong server."""
    return chaff("server", name, *changes, part=PART)


def frames(name: str, *changes: str) -> Chaff:
    """Return a server whose framing is wrong."""
    return chaff("framing", name, *changes, part=PART)


def serves(name: str, *lines: str) -> Chaff:
    """Return a server that has its own way with clients: these lines, which know `visit`."""
    return wrong(
        name,
        SERVES,
        "        own_way(listener, options)\n",
        MAIN,
        "def visit(options: argparse.Namespace, connection: socket.socket) -> None:\n"
        "    with connection, contextlib.suppress(OSError):\n"
        "        attend(options, connection)\n\n\n"
        "def own_way(listener: socket.socket, options: argparse.Namespace) -> None:\n"
        + "".join(f"    {line}\n" for line in lines)
        + "\n\n"
        + MAIN,
        FRAME,
        "import contextlib\nimport threading\n\n" + FRAME,
    )


SERVER = [
    # A file is stored under its name.
    wrong("it stores a file under the name as it came", 'name = "received_" + ', "name = "),
    wrong("it replies with text", "packed_reply(take(options, connection))", 'b"ok"'),
    wrong(
        "it waits for the content before it replies to the offer",
        '    connection.sendall(packed_reply(Reply(True, "")))\n',
        "",
    ),
    frames(
        "it sends the length of the text with the lowest byte first", '(">BI", 0 if', '("<BI", 0 if'
    ),
    wrong(
        "it says that a file is stored before it is on the disk",
        STORE,
        "        store(content, options.directory / name, connection)\n",
        "    return Reply(True, name)\n",
        "    return None\n",
        TAKEN,
        "        if reply := take(options, connection):\n"
        "            connection.sendall(packed_reply(reply))\n",
        "target: Path) -> None:\n",
        "target: Path, connection: socket.socket) -> None:\n",
        WRITES,
        WRITES
        + "            connection.sendall(packed_reply(Reply(True, target.name)))\n"
        + "            os.fsync(file.fileno())\n",
    ),
    # One upload after another.
    wrong(
        "it takes one upload a connection",
        LOOP,
        LOOP.replace("while", "if"),
    ),
    # Quiet between two uploads.
    wrong(
        "it closes when nothing is offered for 2 s",
        LOOP,
        "    connection.settimeout(2.0)\n" + LOOP,
        UNTIMED,
        UNTIMED.replace("None", "2.0"),
    ),
    # Files of every size.
    wrong(
        "it waits for the content of an empty file",
        "    while size:\n",
        "    while True:\n",
        YIELDS,
        YIELDS + "        if not size:\n            return\n",
    ),
    # Any bytes.
    wrong(
        "it writes text",
        OPENS,
        '        with part.open("x", encoding="utf-8", newline="") as file:\n',
        "file.write(piece)",
        "file.write(bytes(piece).decode())",
    ),
    wrong(
        "it writes text with this system's newlines",
        "file.write(piece)",
        'file.write(bytes(piece).replace(b"\\r\\n", b"\\n"))',
    ),
    # An offer in pieces.
    frames(
        "it calls recv() once for each part of an offer",
        "    while len(data) < size:\n",
        "    if size:\n",
    ),
    frames(
        "it calls recv() twice at most for each part of an offer",
        "    while len(data) < size:\n",
        "    for _ in range(2):\n        if len(data) == size:\n            break\n",
    ),
    # A content in pieces.
    wrong(
        "it takes many small pieces for an attack",
        "    while size:\n",
        "    small = 0\n    while size:\n",
        YIELDS,
        "        small += count < 10\n"
        "        if small > 100:\n"
        '            raise ProtocolError("too many small pieces")\n' + YIELDS,
    ),
    # The next offer right behind.
    wrong(
        "it reads past the end of a content",
        BUFFER,
        "    buffer = memoryview(bytearray(PIECE))\n",
        RECEIVES,
        "        count = connection.recv_into(buffer)\n",
        "    while size:\n",
        "    while size > 0:\n",
    ),
    # After a refusal.
    wrong(
        "it closes after a refusal",
        REFUSED,
        "        connection.sendall(packed_reply(Reply(False, str(reason))))\n"
        "        raise ConnectionError(str(reason)) from None\n",
    ),
    wrong("it refuses without a reason", "Reply(False, str(reason))", 'Reply(False, "")'),
    # After a failure.
    wrong("it closes after a failure", FAILED, "    except FileExistsError:\n        raise\n"),
    wrong(
        "it says that a file is stored whose name is taken",
        REPLACES,
        "        if not target.is_dir():\n    " + REPLACES,
    ),
    # Limits.
    wrong("it ignores --max-size", "min(options.max_size, ", "min(math.inf, "),
    wrong(
        "it refuses what is as long as --max-size",
        "min(options.max_size, ",
        "min(options.max_size - 1, ",
    ),
    wrong(
        "it does not ask how much room the disk has",
        TOO_LARGE,
        "        if offer.size > options.max_size:\n",
    ),
    wrong("it compares a file with the whole disk", ".free", ".total"),
    # A second upload of a name.
    wrong(
        "it keeps the first file of a name",
        REPLACES,
        "        if target.exists():\n"
        '            raise FileExistsError(17, "there is one already")\n' + REPLACES,
    ),
    wrong(
        "it numbers files of one name",
        REPLACES,
        "        if target.exists():\n"
        '            target = target.with_name(target.name + ".1")\n' + REPLACES,
    ),
    # Only whole files.
    wrong(
        "it reserves the name with an empty file",
        PART_NAME,
        PART_NAME + "    fresh = not target.exists()\n    target.touch()\n",
        CLEARS,
        "        if part.exists() and fresh:\n            target.unlink(missing_ok=True)\n"
        + CLEARS,
    ),
    wrong(
        "it writes into the final file",
        PART_NAME,
        "    part = target\n",
        '"xb"',
        '"wb"',
        CLEARS,
        "        pass\n",
    ),
    # Breaking off.
    wrong("it takes the end of the stream for the end of the file", ENDED, "            return\n"),
    wrong("it leaves temporary files behind", CLEARS, "        pass\n"),
    wrong(
        "it removes the earlier file first",
        PART_NAME,
        PART_NAME + "    target.unlink(missing_ok=True)\n",
    ),
    frames("it reads on after the end of the stream", ENDS, "            continue\n"),
    wrong(
        "it does not close a connection that was reset",
        PASSED_ON,
        "    except ConnectionResetError:\n        LOST.append(connection.dup())\n        raise\n"
        + PASSED_ON,
        ATTEND,
        "LOST = []\n\n\n" + ATTEND,
    ),
    # Silence.
    wrong("it waits for ever", TIMED, ""),
    wrong(
        "it waits for a silent one without a limit within a content",
        CONTENT,
        "    connection.settimeout(None)\n" + CONTENT,
    ),
    wrong(
        "its time limit is one for the first upload",
        LOOP + TIMED,
        "    connection.settimeout(options.timeout)\n" + LOOP,
    ),
    wrong(
        "it says no to a silent one, and keeps the connection",
        PASSED_ON,
        "    except ConnectionError:\n        raise\n"
        "    except TimeoutError:\n"
        '        return Reply(False, "too slow")\n',
    ),
    serves(
        "it ends when nobody connects for as long as --timeout",
        "class Impatient(socket.socket):",
        "    def accept(self):",
        "        self.settimeout(options.timeout)",
        "        try:",
        "            return super().accept()",
        "        except TimeoutError:",
        '            raise RuntimeError("nobody came") from None',
        "",
        "impatient = Impatient(fileno=listener.detach())",
        "Clients(functools.partial(attend, options)).serve(impatient)",
    ),
    wrong(
        "it gives a whole offer as long as --timeout",
        "        offer = read_offer(connection.recv)\n",
        "        deadline = time.monotonic() + options.timeout\n\n"
        "        def receive(size: int) -> bytes:\n"
        "            connection.settimeout(max(0.001, deadline - time.monotonic()))\n"
        "            return connection.recv(size)\n\n"
        "        offer = read_offer(receive)\n"
        "        connection.settimeout(options.timeout)\n",
        FRAME,
        "import time\n\n" + FRAME,
    ),
    wrong(
        "it gives the whole upload as long as --timeout",
        TIMED,
        "        limit = threading.Timer(\n"
        "            options.timeout, connection.shutdown, [socket.SHUT_RDWR]\n"
        "        )\n"
        "        limit.daemon = True\n"
        "        limit.start()\n",
        UNTIMED,
        "        limit.cancel()\n",
        FRAME,
        "import threading\n\n" + FRAME,
    ),
    # Side by side.
    wrong(
        "it holds a lock while it stores",
        STORE,
        "        with LOCK:\n    " + STORE,
        ATTEND,
        "LOCK = threading.Lock()\n\n\n" + ATTEND,
        FRAME,
        "import threading\n\n" + FRAME,
    ),
    wrong(
        "uploads of one name share a temporary file",
        PART_NAME,
        '    part = target.with_name(f".{target.name}.part")\n',
        '"xb"',
        '"wb"',
    ),
    wrong(
        "it drops what comes while a file of that name comes, and says that it is stored",
        STORE,
        "        if name in BUSY:\n"
        "            for _ in content:\n"
        "                pass\n"
        "            return Reply(True, name)\n"
        "        BUSY.add(name)\n"
        "        try:\n"
        "    " + STORE + "        finally:\n            BUSY.remove(name)\n",
        ATTEND,
        "BUSY = set()\n\n\n" + ATTEND,
    ),
    wrong(
        "it attends to 50 clients at most",
        LOOP,
        "    with PLACES:\n        attend_to(options, connection)\n\n\n"
        "def attend_to(options: argparse.Namespace, connection: socket.socket) -> None:\n" + LOOP,
        ATTEND,
        "PLACES = threading.Semaphore(50)\n\n\n" + ATTEND,
        FRAME,
        "import threading\n\n" + FRAME,
    ),
    # Memory.
    wrong(
        "it keeps a file in memory until it is whole",
        WRITES,
        '            file.write(b"".join(map(bytes, content)))\n',
    ),
    # The folder.
    wrong(
        "it makes one level of folders",
        "mkdir(parents=True, exist_ok=True)",
        "mkdir(exist_ok=True)",
    ),
    wrong("it always uses the same folder", "options.directory / name", 'Path("received") / name'),
    # Ctrl+C.
    serves(
        "Ctrl+C ends it before its threads have cleared up",
        "while True:",
        "    connection, _ = listener.accept()",
        "    threading.Thread(target=visit, args=(options, connection), daemon=True).start()",
    ),
    wrong(
        "SIGTERM ends it before its threads have cleared up",
        MAIN,
        MAIN + "    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))\n",
        FRAME,
        "import signal\n\n" + FRAME,
    ),
    # Options.
    wrong("it takes any time", "type=frame.seconds", "type=float"),
    wrong(
        "it makes its folder where nothing catches the failure",
        MAKES,
        "    options.directory.mkdir(parents=True, exist_ok=True)\n",
    ),
    wrong(
        "it serves without its folder, and closes at the first offer",
        MAKES,
        "    with contextlib.suppress(OSError):\n"
        "        options.directory.mkdir(parents=True, exist_ok=True)\n",
        FRAME,
        "import contextlib\n\n" + FRAME,
    ),
    # Rules for every server, as they look here.
    wrong(
        "it closes no file",
        OPENS,
        '        file = part.open("xb")\n        FILES.append(file)\n        if file:\n',
        REPLACES,
        "        file.flush()\n" + REPLACES,
        ATTEND,
        "FILES = []\n\n\n" + ATTEND,
    ),
    wrong(
        "it opens what it has stored once more",
        REPLACES,
        REPLACES + '        FILES.append(target.open("rb"))\n',
        ATTEND,
        "FILES = []\n\n\n" + ATTEND,
    ),
    wrong(
        "it ends with exit code 143 at SIGTERM",
        "        Clients(",
        "        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n        Clients(",
        "import socket\n",
        "import signal\nimport socket\nimport sys\n",
    ),
    wrong(
        "it polls for the next offer",
        LOOP,
        "    while begun(connection):\n",
        ATTEND,
        "def begun(connection: socket.socket) -> bytes:\n"
        "    while True:\n"
        "        try:\n"
        "            return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)\n"
        "        except BlockingIOError:\n"
        "            continue\n\n\n" + ATTEND,
    ),
    wrong(
        "a reset between two uploads ends it",
        LOOP,
        "    while begun(connection):\n",
        ATTEND,
        "def begun(connection: socket.socket) -> bytes:\n"
        "    try:\n"
        "        return connection.recv(1, socket.MSG_PEEK)\n"
        "    except ConnectionResetError:\n"
        "        os._exit(1)\n\n\n" + ATTEND,
        FRAME,
        "import os\n\n" + FRAME,
    ),
    *server_chaffs(LIKE_EVERY_SERVER),
    takes_another_port(LIKE_EVERY_SERVER),
    shares_the_port(LIKE_EVERY_SERVER),
    keeps_the_port(LIKE_EVERY_SERVER),
    wrong(
        "at Ctrl+C it asks whether it has stored anything",
        RUN,
        "    try:\n"
        + "".join(f"    {line}\n" for line in SIGTERM_ALONE.splitlines() if line)
        + "    except KeyboardInterrupt:\n"
        '        raise SystemExit(0 if any(Path("received").iterdir()) else 130) from None\n',
    ),
    serves(
        "at Ctrl+C it ends the connection of the latest client alone",
        "connection = None",
        "try:",
        "    while True:",
        "        connection, _ = listener.accept()",
        "        threading.Thread(target=visit, args=(options, connection)).start()",
        "except KeyboardInterrupt:",
        "    if connection:",
        "        with contextlib.suppress(OSError):",
        "            connection.shutdown(socket.SHUT_RDWR)",
    ),
    serves(
        "it waits for the first byte where it accepts",
        "class Shy(socket.socket):",
        "    def accept(self):",
        "        connection, address = super().accept()",
        "        try:",
        "            connection.recv(1, socket.MSG_PEEK)",
        "        except OSError:",
        '            raise RuntimeError("no first byte") from None',
        "        return connection, address",
        "",
        "shy = Shy(fileno=listener.detach())",
        "Clients(functools.partial(attend, options)).serve(shy)",
    ),
]
