"""Lab 3's wrong programs: the client, in the order of its checks."""

from proof.rules_chaffs import FRAME, Client, client_chaffs, client_chaffs_of_many_checks
from proof.subjects import Chaff, chaff

NAME = "client"
LIKE_EVERY_CLIENT = Client("client", port=8082, trouble="no upload to")
OFFERS = "    sock.sendall(packed_offer(offer))\n"
READS = "    agreed, text = read_reply(sock.recv)\n"
FIRST = OFFERS + READS + "    if not agreed:\n        raise Refused(text)\n    sent = 0\n"
STEPS = "        step = sock.sendfile(file, sent, min(STEP, offer.size - sent))\n"
SECOND = (
    "        progress.advance(step)\n" + READS + "    if not agreed:\n        raise Refused(text)\n"
)
SHORTER = '            raise OSError("the file has become shorter meanwhile")\n'
DEF_UPLOAD = (
    "def upload(sock: socket.socket, file: BinaryIO, offer: Offer, progress: Progress) -> str:\n"
)
SENDS = (
    "    while sent < offer.size:\n"
    + STEPS
    + "        if not step:\n"
    + SHORTER
    + "        sent += step\n        progress.advance(step)\n"
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
        "        progress.advance(step)\n"
        + READS
        + "    if not agreed:\n        raise Refused(text)\n"
        + READS,
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
        "    content = file.read(1_000_000)\n"
        "    while content:\n"
        '        sock.sendall(content.replace(b"\\r\\n", b"\\n"))\n'
        "        content = file.read(1_000_000)\n",
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
    wrong("it stops at a refusal", COMPLAINS, COMPLAINS + "                break\n"),
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
    # Memory.
    wrong("it reads the whole file", SENDS, "    sock.sendall(file.read())\n"),
    *client_chaffs(LIKE_EVERY_CLIENT),
    *client_chaffs_of_many_checks(LIKE_EVERY_CLIENT),
]
