"""Lab 3's wrong programs: the names, in the order of the checks."""

from proof.subjects import Chaff, chaff

PART = "names"
DECODES = "        text = name.decode()\n"
DOTS = '("", ".", "..")'
BAD = 'character in SEPARATORS or unicodedata.category(character) == "Cc"'
SEPARATORS = 'SEPARATORS = "/\\\\:"'
LOOKS = (
    "    for character in text:\n"
    f"        if {BAD}:\n"
    '            raise Refused(f"a file name has no {character!r} in it")\n'
)


def wrong(name: str, *changes: str) -> Chaff:
    """Return a server with a wrong names module."""
    return chaff("names", name, *changes, part=PART)


NAMES = [
    wrong("it takes no names with a dot", f"if text in {DOTS}:", 'if "." in text or not text:'),
    wrong(
        "it takes no hidden files",
        f"if text in {DOTS}:",
        'if not text or text.startswith("."):',
    ),
    wrong(
        "it refuses what has two dots in it",
        f"if text in {DOTS}:",
        'if ".." in text or text in ("", "."):',
    ),
    wrong(
        "it takes ASCII alone", f"if text in {DOTS}:", f"if not text.isascii() or text in {DOTS}:"
    ),
    wrong("it replaces blanks", "    return text\n", '    return text.replace(" ", "_")\n'),
    wrong("it strips names", DECODES, DECODES.replace("decode()", "decode().strip()")),
    wrong(
        "it normalizes names",
        "    return text\n",
        '    return unicodedata.normalize("NFC", text)\n',
    ),
    wrong(
        "it refuses what Windows has no files for",
        SEPARATORS,
        SEPARATORS.replace(":", ':*?<>|\\"'),
    ),
    chaff(
        "framing",
        "it refuses a name of 200 bytes",
        "if length > MAX_NAME:",
        "if length >= MAX_NAME:",
        part=PART,
    ),
    chaff(
        "server",
        "it stores a name that is too long under a shorter one",
        'name = "received_" + checked(offer.name)',
        'name = ("received_" + checked(offer.name))[:204]',
        part=PART,
    ),
    chaff(
        "framing",
        "it reads a name of any length",
        "if length > MAX_NAME:",
        "if length > 2**40:",
        part=PART,
    ),
    wrong("it knows / alone", SEPARATORS, 'SEPARATORS = "/"'),
    wrong(
        "it removes ../ and looks no further",
        BAD,
        'unicodedata.category(character) == "Cc"',
        DECODES,
        '        text = name.decode().replace("../", "")\n',
    ),
    wrong(
        "it takes what stands behind the last /",
        "    return text\n",
        "    return text\n",
        DECODES,
        '        text = name.decode().rpartition("/")[2]\n',
    ),
    wrong("it takes an empty name", DOTS, '(".", "..")'),
    wrong("it takes two dots for a name", DOTS, '("", ".")'),
    wrong("it knows NUL alone", BAD, 'character in SEPARATORS or character == "\\0"'),
    wrong(
        "it takes control characters beyond ASCII",
        BAD,
        "character in SEPARATORS or ord(character) in {*range(32), 127}",
    ),
    wrong(
        "its pattern ends with $",
        LOOKS,
        '    if not re.match(r"[^/\\\\:\\x00-\\x1f\\x7f-\\x9f]+$", text):\n'
        '        raise Refused("a character that no name has")\n',
        "import unicodedata\n",
        "import re\n",
    ),
    wrong(
        "it replaces what is no UTF-8", DECODES, '        text = name.decode(errors="replace")\n'
    ),
    wrong("it decodes Latin-1", DECODES, '        text = name.decode("latin-1")\n'),
]
