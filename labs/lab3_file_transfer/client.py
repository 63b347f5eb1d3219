"""Lab 3: a client that uploads files, one after another over one connection.

    this client                       a server
        | -- offer: name, length -----> |
        | <- reply: send it, or no ---- |
        | -- content, content, ... ---> |   only after a yes
        | <- reply: stored as ... ----- |
        | -- the next offer ... ------> |

What goes out: an offer for each file, and its content where the server wants it.
What comes in: a reply to each of the two (framing.py draws offers and replies).

By hand:  python -m labs.lab3_file_transfer.client labs/lab3_file_transfer/important_secret_file.txt
"""

import os
import socket
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from .. import frame
from .framing import MAX_NAME, Offer, packed_offer, read_reply
from .names import Refused
from .progress import Progress

STEP = 4_194_304  # bytes between two looks at the progress bar


def upload(sock: socket.socket, file: BinaryIO, offer: Offer, progress: Progress) -> str:
    """Offer a file, send its content, and return the name that the server gave it.

    Raises Refused when the server says no, be it to the offer or to the content.
    """
    # TODO 5: Send the offer and read the reply; read_reply() wants a function, sock.recv. After a
    #   yes send the content in steps with socket.sendfile(), tell progress.advance() of each, and
    #   read the second reply. A step of no bytes means that the file has become shorter: OSError.
    raise NotImplementedError("TODO 5")


def opened(path: Path) -> tuple[BinaryIO, Offer]:
    """Return an open file and the offer for it. Raises Refused if it cannot be sent."""
    try:
        name = path.name.encode()
        if not stat.S_ISREG(path.stat().st_mode):  # open() would wait at a pipe
            raise Refused("is not a file")
        file = path.open("rb")
    except (OSError, UnicodeError) as error:
        raise Refused(getattr(error, "strerror", None) or error) from None
    if len(name) > MAX_NAME:
        file.close()
        raise Refused(f"has a name of {len(name)} bytes; {MAX_NAME} are allowed")
    return file, Offer(name, os.fstat(file.fileno()).st_size)


def main() -> None:
    """Connect where the options say, and upload each file; exit code 1 if one was not stored."""
    parser = frame.client_options(__doc__, port=8082)
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="what to upload")
    options = parser.parse_args()
    failed = False
    with (
        frame.error_line(f"no upload to {options.host}:{options.port}"),
        socket.create_connection((options.host, options.port)) as sock,
    ):
        for path in options.files:
            try:
                file, offer = opened(path)
                with file, Progress(path.name, offer.size) as progress:
                    name = upload(sock, file, offer, progress)
            except Refused as reason:
                failed = True
                print(f"[ERROR] {path}: {' '.join(str(reason).split())}", file=sys.stderr)
            else:
                print(f"stored as {name}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    frame.run(main)
