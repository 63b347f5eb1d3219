"""A client that uploads files, on asyncio's streams."""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path
from typing import BinaryIO

from .. import frame

PIECE = 131_072  # bytes


class Refusal(Exception):
    """What the server says against a file."""


async def reply(reader: asyncio.StreamReader) -> str:
    """Return the text of a reply; raise it when it is a bad one."""
    code, *size = await reader.readexactly(5)
    message = await reader.readexactly(int.from_bytes(bytes(size), "big"))
    text = message.decode("utf-8", "replace").replace("\n", " ")
    if code:
        raise Refusal(text)
    return text


async def offer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> str:
    """Upload one file; return the name that it has at the server."""
    name = path.name.encode("utf-8")
    if len(name) > 200:
        raise Refusal("this name is too long to be offered")
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        writer.write(len(name).to_bytes(4, "big") + name + length.to_bytes(8, "big"))
        await writer.drain()
        await reply(reader)
        await send(writer, file, length)
        return await reply(reader)


async def send(writer: asyncio.StreamWriter, file: BinaryIO, length: int) -> None:
    """Send the content, and show on a terminal how it goes."""
    terminal = sys.stderr is not None and sys.stderr.isatty()
    sent = 0
    try:
        while sent < length:
            piece = file.read(min(PIECE, length - sent))
            if not piece:
                raise EOFError("the file got shorter")
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            if terminal:
                percent = 100 * sent // length
                done = "*" * (percent // 5)
                print(f"\r<{done:20}> {percent} %", end="", file=sys.stderr, flush=True)
        if terminal and not length:
            print("<********************> 100 %", end="", file=sys.stderr)
    finally:
        if terminal:
            print(file=sys.stderr, flush=True)


async def upload(options: argparse.Namespace) -> bool:
    """Upload all files; return whether all are stored."""
    reader, writer = await asyncio.open_connection(
        options.host, options.port, family=socket.AF_INET
    )
    succeeded = True
    try:
        for path in options.files:
            if reason := unreadable(path):
                print(f"[ERROR] {path.name!r}: {reason}", file=sys.stderr, flush=True)
                succeeded = False
                continue
            try:
                print(f"stored as {await offer(reader, writer, path)}", flush=True)
            except (Refusal, UnicodeEncodeError) as reason:
                print(f"[ERROR] {path.name!r}: {reason}", file=sys.stderr, flush=True)
                succeeded = False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return succeeded


def unreadable(path: Path) -> str | None:
    """Return why a file cannot be read, if so."""
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        return error.strerror


def main() -> None:
    """Connect and upload; Ctrl+C ends the program on the spot."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    parser = frame.client_options(__doc__, port=8082)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args()
    try:
        succeeded = asyncio.run(upload(options))
    except (OSError, EOFError, UnicodeError) as error:
        sys.exit(f"[ERROR] {options.host}:{options.port}: the connection is lost: {error}")
    if not succeeded:
        sys.exit(1)


if __name__ == "__main__":
    frame.run(main)
