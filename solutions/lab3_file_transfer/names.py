"""Lab 3: which names a server takes. What a stranger sends must not choose where a file goes."""

import unicodedata

SEPARATORS = "/\\:"  # of folders and drives, on one system or another


class Refused(Exception):
    """Something that is not accepted; the text is the reason."""


def checked(name: bytes) -> str:
    """Return an offered name as text if it is the plain name of a file.

    Raises Refused for a name that is empty, not UTF-8, "." or "..", or that has a separator or a
    control character (Unicode category Cc) in it.
    """
    # gap 2: Check what is promised above, one thing after another; each has its reason.
    #   bytes.decode() raises UnicodeDecodeError, unicodedata.category() names the category.
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise Refused("the name is not UTF-8") from None
    if text in ("", ".", ".."):
        raise Refused(f"no file has the name {text!r}")
    for character in text:
        if character in SEPARATORS or unicodedata.category(character) == "Cc":
            raise Refused(f"a file name has no {character!r} in it")
    return text
    # end gap
