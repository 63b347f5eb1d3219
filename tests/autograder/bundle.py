"""The zip that is uploaded: the same tree makes the same bytes, whatever the machine."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from autograder import order
from autograder.order import Order
from kit import edition

ROOMS = ("autograder", "grading")
SCRIPTS = "tests/autograder/scripts"
FORMS = {
    "gradescope": ("run_autograder", "setup.sh"),
    "classroom50": ("autograder.py", "runtime.json"),
}
EXECUTABLE = ("run_autograder", "setup.sh")
LONG_AGO = (1980, 1, 1, 0, 0, 0)
UNIX = 3  # in ZipInfo.create_system; else no permissions


def content(root: Path, wanted: Order, form: str) -> dict[str, bytes]:
    """Return what the zip of a form has: the kit in `root` without solutions, and what grades."""
    lab = wanted.lab.partition("_")[0]
    files = edition.files(root, [lab])
    for room in ROOMS:
        for file in (root / "tests" / room).iterdir():
            if file.suffix == ".py":
                files[file.relative_to(root).as_posix()] = file.read_bytes()
    for name in FORMS[form]:
        files[name] = (root / SCRIPTS / name).read_bytes()
    files[order.FILE] = wanted.text().encode()
    return {name: data.replace(b"\r\n", b"\n") for name, data in files.items()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of these files. They are stored: another zlib would make other bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(name, LONG_AGO)
            info.create_system = UNIX
            info.external_attr = (0o100755 if name in EXECUTABLE else 0o100644) << 16
            archive.writestr(info, data)
    return whole.getvalue()
