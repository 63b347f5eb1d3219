"""The golden messages: for each chaff what its failing checks say, kept in one text a lab.

== udp_server: it reads 1024 bytes
✗ datagrams of every size come back whole
    something else came while alice waited for a datagram
    likely cause: a buffer of 1024 bytes: what does not fit into it is lost

Where a bug is a race of the program with its peers, there are several such texts with a line "or"
between them, and a run may tell any one of them.
"""

from pathlib import Path
from typing import Any

OR = "\nor\n"


def told(result: dict[str, Any]) -> str:
    """Return what of a result is pinned: what does not vary from run to run."""
    lines = []
    for check in result["checks"]:
        if check["verdict"] == "failed":
            # Whether a program that goes is seen to close or to reset depends on the moment.
            sentence = check["sentence"].replace("was reset", "was closed")
            lines += [f"✗ {check['title']}", f"    {sentence}"]
            if check["hint"]:
                lines.append(f"    likely cause: {check['hint']}")
        elif check["reason"] in ("todo", "kit"):
            lines += [f"· {check['title']}", f"    {check['sentence']}"]
    return "\n".join(lines)


def read(file: Path) -> dict[str, str]:
    """Return the golden texts of a lab by the chaff's name."""
    if not file.exists():
        return {}
    sections = file.read_text(encoding="utf-8").split("== ")[1:]
    return {name: text.strip("\n") for name, _, text in (part.partition("\n") for part in sections)}


def texts(text: str) -> list[str]:
    """Return the texts of which a run of a chaff may tell any one; without a text there is none."""
    return text.split(OR) if text else []


def write(file: Path, texts: dict[str, str]) -> None:
    """Write the golden texts of a lab."""
    whole = "\n\n".join(f"== {name}\n{text}" for name, text in texts.items())
    file.write_text(whole + "\n", encoding="utf-8", newline="\n")
