"""Lab 3: a server that stores the files that its clients upload, each one whole or not at all.

    a client                          this server
        | -- offer: name, length -----> |   looks at both before it opens anything
        | <- reply: send it ----------- |
        | -- content, content, ... ---> |   into a temporary file, piece by piece
        | <- reply: stored as ... ----- |   which got its final name a moment before
        | -- offer ... ---------------> |   any number of uploads over one connection

What comes in: offers, and the content of those that were accepted (framing.py draws them).
What goes out: a reply to each offer, and one to each content.

By hand:  python -m labs.lab3_file_transfer.server
          python -m labs.lab3_file_transfer.client labs/lab3_file_transfer/important_secret_file.txt
"""

import argparse
import functools
import math
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from .. import frame
from ..clients import Clients
from .framing import ProtocolError, Reply, packed_reply, read_offer
from .names import Refused, checked

PIECE = 524_288  # bytes: the buffer of an upload; a smaller one means more calls, and less speed


def attend(options: argparse.Namespace, connection: socket.socket) -> None:
    """Take uploads from one client until it ends the connection."""
    while connection.recv(1, socket.MSG_PEEK):  # the next offer may take its time,
        connection.settimeout(options.timeout)  # but once begun, silence means that it broke off
        connection.sendall(packed_reply(take(options, connection)))
        connection.settimeout(None)


def take(options: argparse.Namespace, connection: socket.socket) -> Reply:
    """Take one upload, and return the last reply to it. Raises OSError if it broke off."""
    try:
        offer = read_offer(connection.recv)
    except ProtocolError as error:
        connection.sendall(packed_reply(Reply(False, str(error))))
        raise
    try:
        name = "received_" + checked(offer.name)
        if offer.size > min(options.max_size, shutil.disk_usage(options.directory).free):
            raise Refused(f"no room for {offer.size:,} bytes")
    except Refused as reason:
        return Reply(False, str(reason))
    connection.sendall(packed_reply(Reply(True, "")))
    content = pieces(connection, offer.size)
    try:
        store(content, options.directory / name)
    except (ConnectionError, TimeoutError):
        raise
    except OSError as error:  # the disk is full, for instance
        for _ in content:  # what follows the rest can be understood again
            pass
        return Reply(False, f"{name} could not be stored: {error.strerror}")
    frame.info(f"Stored {offer.size:,} bytes as {name}")
    return Reply(True, name)


def pieces(connection: socket.socket, size: int) -> Iterator[memoryview]:
    """Yield the content piece by piece as it comes, `size` bytes in all, each in the same buffer.

    Raises ProtocolError when the stream ends before that.
    """
    # gap 3: recv_into() fills a memoryview of one bytearray and returns how many bytes came; they
    #   may be fewer than asked for. Ask for no more than are left: the next offer follows.
    buffer = memoryview(bytearray(min(size, PIECE)))
    while size:
        count = connection.recv_into(buffer, min(size, len(buffer)))
        if not count:
            raise ProtocolError(f"the stream ended with {size:,} bytes still to come")
        yield buffer[:count]
        size -= count
    # end gap


def store(content: Iterator[memoryview], target: Path) -> None:
    """Write the content into a file that is whole when it appears as `target`.

    Whatever fails, an earlier `target` stays as it was, and no temporary file is left.
    """
    # gap 4: Write each piece into a temporary file in the folder of `target`, under a name that no
    #   other upload uses: with_name(). When it is whole and closed, give it its final name:
    #   replace(). Whatever fails, unlink() it, if it is still there.
    part = target.with_name(f".{os.urandom(8).hex()}.part")
    try:
        with part.open("xb") as file:
            for piece in content:
                file.write(piece)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    # end gap


def main() -> None:
    """Listen where the options say, and serve; uploads under way at Ctrl+C are dropped."""
    parser = frame.server_options(__doc__, port=8082)
    parser.add_argument("--directory", type=Path, default=Path("received"), help="where files go")
    parser.add_argument(
        "--timeout", type=frame.seconds, default=60.0, help="silence in an upload, in seconds"
    )
    parser.add_argument(
        "--max-size", type=frame.count, default=math.inf, help="of a file, in bytes"
    )
    options = parser.parse_args()
    with frame.error_line(f"cannot make the folder {options.directory}"):
        options.directory.mkdir(parents=True, exist_ok=True)
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port), backlog=socket.SOMAXCONN)
    with listener:
        frame.ready(listener)
        Clients(functools.partial(attend, options)).serve(listener)


if __name__ == "__main__":
    frame.run(main)
