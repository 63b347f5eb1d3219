"""Lab 3's wrong programs: the client, in the order of its checks."""

from proof.rules_chaffs import FRAME, MAIN, Client, client_chaffs, client_chaffs_of_many_checks
from proof.subjects import Chaff, chaff

NAME = "client"
LIKE_EVERY_CLIENT = Client("client", port=8082, trouble="no upload to")
CHECKED = "    if not agreed:\n        raise Refused(text)\n"
OFFERS = "    sock.sendall(packed_offer(offer))\n"
READS = "    agreed, text = read_reply(sock.recv)\n"
FIRST = OFFERS + READS + "    if not agreed:\n        raise Refused(text)\n    sent = 0\n"
STEPS = "        step = sock.sendfile(file, sent, min(STEP, offer.size - sent))\n"
SECOND = (
    "        progress.advance(step)\n" + READS + "    if not agreed:\n        raise Refused(text)\n"
)
SHORTER = '            raise OSError("the file has become shorter meanwhile")\n'
ADVANCES = "        sent += step\n        progress.advance(step)\n"
DEF_UPLOAD = (
    "def upload(sock: socket.socket, file: BinaryIO, offer: Offer, progress: Progress) -> str:\n"
)
SENDS = "    while sent < offer.size:\n" + STEPS + "        if not step:\n" + SHORTER + ADVANCES
PIECE_BY_PIECE = (
    "    while sent < offer.size:\n"
    "        piece = file.read(min(1_000_000, offer.size - sent))\n"
    "        if not piece:\n" + SHORTER
)
COMPLAINS = (
    "                failed = True\n"
    "                print(f\"[ERROR] {path}: {' '.join(str(reason).split())}\", file=sys.stderr)\n"
)
TOO_LONG = "    if len(name) > MAX_NAME:\n"


def wrong(name: str, *changes: str) -> Chaff:
    """Return a wrong client."""
    return chaff(NAME, name, *changes)


CLIENT = [
    # A file is offered, sent, stored.
    wrong("it sends the content without an offer", OFFERS, ""),
    wrong(
        "it says on stderr what a file is stored as",
        'print(f"stored as {name}", flush=True)',
        'print(f"stored as {name}", file=sys.stderr)',
    ),
    wrong("it says nothing of a stored file", 'print(f"stored as {name}", flush=True)', "pass"),
    # What it is stored as.
    wrong(
        "it says its own name for the file",
        'f"stored as {name}"',
        'f"stored as received_{path.name}"',
    ),
    # The first reply.
    wrong(
        "it sends the content right behind the offer",
        FIRST,
        OFFERS + "    sent = 0\n",
        SECOND,
        "        progress.advance(step)\n" + 2 * (READS + CHECKED),
    ),
    # Sizes.
    wrong(
        "it refuses to send an empty file",
        TOO_LONG,
        "    if not path.stat().st_size:\n"
        "        file.close()\n"
        '        raise Refused("is empty")\n' + TOO_LONG,
    ),
    wrong(
        "it sends one step of a file",
        "    while sent < offer.size:\n",
        "    if sent < offer.size:\n",
        "STEP = 4_194_304",
        "STEP = 65_536",
    ),
    # Any bytes.
    wrong(
        "it strips what it sends",
        SENDS,
        PIECE_BY_PIECE
        + '        sock.sendall(piece.replace(b"\\r\\n", b"\\n"))\n'
        + ADVANCES.replace("step", "len(piece)"),
    ),
    # A file that changes meanwhile.
    wrong(
        "it sends all that is in the file by now",
        SENDS,
        "    while step := sock.sendfile(file, sent, STEP):\n"
        + ADVANCES
        + "    if sent < offer.size:\n"
        + SHORTER,
    ),
    wrong(
        "it waits for what is missing of a file",
        "        if not step:\n" + SHORTER,
        "",
    ),
    wrong(
        "it sends what there is of a file, and waits for the reply",
        "        if not step:\n" + SHORTER,
        "        if not step:\n            break\n",
    ),
    # The name.
    wrong("it offers the whole path", "name = path.name.encode()", "name = str(path).encode()"),
    wrong(
        "it counts letters",
        OFFERS,
        "    letters = len(offer.name.decode())\n"
        '    size = struct.pack(">Q", offer.size)\n'
        '    sock.sendall(struct.pack(">I", letters) + offer.name + size)\n',
        FRAME,
        "import struct\n\n" + FRAME,
    ),
    # Replies in pieces.
    chaff(
        "framing",
        "it calls recv() once for each part of a reply",
        "    while len(data) < size:\n",
        "    if size:\n",
        part=NAME,
    ),
    wrong(
        "it does not read the text of the first reply",
        FIRST,
        OFFERS
        + '    status, length = struct.unpack(">BI", read_exactly(sock.recv, 5))\n'
        + "    if status:\n"
        + "        raise Refused(read_exactly(sock.recv, length).decode())\n    sent = 0\n",
        FRAME,
        "import struct\n\n" + FRAME,
        "import MAX_NAME, Offer, packed_offer, read_reply",
        "import MAX_NAME, Offer, packed_offer, read_exactly, read_reply",
    ),
    # Refusals.
    wrong(
        "it ends at a refusal",
        FIRST,
        OFFERS + READS + '    if not agreed:\n        sys.exit(f"[ERROR] {text}")\n    sent = 0\n',
    ),
    wrong("it stops when a file cannot be sent", COMPLAINS, COMPLAINS + "                break\n"),
    wrong(
        "it ends with exit code 0 after a refusal",
        "                failed = True\n",
        "                failed = False\n",
    ),
    wrong(
        "it takes every second reply for a yes",
        SECOND,
        "        progress.advance(step)\n" + READS,
    ),
    # Missing files.
    wrong(
        "it opens all files before it sends one",
        "        for path in options.files:\n            try:\n",
        "        for path in options.files:\n"
        "            if not path.exists():\n"
        '                sys.exit(f"[ERROR] {path} is missing")\n'
        "        for path in options.files:\n            try:\n",
    ),
    wrong(
        "it takes a folder for a file",
        "        if not stat.S_ISREG(path.stat().st_mode):  # open() would wait at a pipe\n"
        '            raise Refused("is not a file")\n',
        "",
        "except (OSError, UnicodeError) as error:",
        "except (FileNotFoundError, UnicodeError) as error:",
    ),
    # A name that is too long.
    wrong("it offers a name of any length", TOO_LONG, "    if len(name) > 2**20:\n"),
    # A lost connection.
    chaff(
        "framing",
        "it reads on after the end of the stream",
        '            raise ProtocolError(f"the stream ended after {len(data)} of {size} bytes")\n',
        "            continue\n",
        part=NAME,
    ),
    wrong(
        "it tries later files on a connection that is lost",
        "            except Refused as reason:\n",
        "            except (Refused, OSError) as reason:\n",
    ),
    wrong(
        "it says nothing when the connection breaks in a content",
        STEPS,
        "        try:\n    " + STEPS + "        except OSError:\n            sys.exit(0)\n",
    ),
    # The bar.
    chaff(
        "progress",
        "it shows its bar on a pipe, too",
        "sys.stderr is not None and sys.stderr.isatty()",
        "sys.stderr is not None",
        part=NAME,
    ),
    chaff(
        "progress",
        "it never shows its bar",
        "sys.stderr is not None and sys.stderr.isatty()",
        "False",
        part=NAME,
    ),
    chaff(
        "progress",
        "it shows how large a file is, and no more",
        "        if time.monotonic() >= self._drawn + REDRAWN:\n            self._draw()\n",
        "        pass\n",
        part=NAME,
    ),
    wrong(
        "it reports on stderr that a file is sent",
        "                    name = upload(sock, file, offer, progress)\n",
        "                    name = upload(sock, file, offer, progress)\n"
        "                    print('100 %', file=sys.stderr)\n",
    ),
    # Memory.
    wrong(
        "it reads the whole file",
        SENDS,
        "    content = file.read(offer.size)\n"
        "    if len(content) < offer.size:\n"
        + SHORTER
        + "    while sent < offer.size:\n"
        + "        step = sock.send(content[sent : sent + STEP])\n"
        + ADVANCES,
    ),
    # Rules for every client, as they look here.
    wrong(
        "it calls again while nobody listens",
        "        socket.create_connection((options.host, options.port)) as sock,\n",
        "        patient_connection((options.host, options.port)) as sock,\n",
        MAIN,
        "def patient_connection(address: tuple[str, int]) -> socket.socket:\n"
        "    while True:\n"
        "        try:\n"
        "            return socket.create_connection(address)\n"
        "        except ConnectionRefusedError:\n"
        "            continue\n\n\n" + MAIN,
    ),
    wrong(
        "it polls for the reply",
        FIRST,
        OFFERS
        + "    def polled(size: int) -> bytes:\n"
        + "        while True:\n"
        + "            try:\n"
        + "                return sock.recv(size, socket.MSG_DONTWAIT)\n"
        + "            except BlockingIOError:\n"
        + "                continue\n\n"
        + READS.replace("sock.recv", "polled")
        + CHECKED
        + "    sent = 0\n",
    ),
    *client_chaffs(LIKE_EVERY_CLIENT),
    *client_chaffs_of_many_checks(LIKE_EVERY_CLIENT),
]
