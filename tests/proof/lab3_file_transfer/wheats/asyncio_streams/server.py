"""A server that takes files, on asyncio's streams: a task a client."""

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import unicodedata
from pathlib import Path

from .. import frame

PIECE = 65_536  # bytes
LONGEST_NAME = 200  # bytes
SLACK = 0.02  # seconds: asyncio's clock may be one tick ahead


class Client:
    """One client's connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        options: argparse.Namespace,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.options = options

    async def some(self, limit: int) -> bytes:
        """Return what comes next, at most `limit` bytes; hang up if that takes too long."""
        timer = asyncio.get_running_loop().call_later(
            self.options.timeout + SLACK, self.writer.transport.abort
        )
        try:
            piece = await self.reader.read(limit)
        finally:
            timer.cancel()
        if not piece:
            raise ConnectionError("left in the middle, or silent for too long")
        return piece

    async def exactly(self, count: int) -> bytes:
        """Return the next `count` bytes; each wait may take the whole timeout."""
        received = b""
        while len(received) < count:
            received += await self.some(count - len(received))
        return received

    async def reply(self, code: int, text: str = "") -> None:
        message = text.encode()
        self.writer.write(bytes([code]) + len(message).to_bytes(4, "big") + message)
        await self.writer.drain()
        await asyncio.sleep(0)  # read() does not let others have a turn when bytes are there

    async def uploads(self) -> None:
        """Serve one upload after another; between them the client may take its time."""
        while head := await self.reader.read(4):
            head += await self.exactly(4 - len(head))
            size = int.from_bytes(head, "big")
            if size > LONGEST_NAME:
                await self.reply(1, "name too long, good bye")
                return
            rest = await self.exactly(size + 8)
            name, length = rest[:size], int.from_bytes(rest[size:], "big")
            if reason := self.objection(name, length):
                await self.reply(1, reason)
            elif not await self.upload(f"received_{name.decode()}", length):
                return

    def objection(self, name: bytes, length: int) -> str | None:
        """Return why this cannot be stored, if so."""
        try:
            match name.decode():
                case "" | "." | "..":
                    return "bad name: a file cannot be called so"
                case text if any(c in "/\\:" or unicodedata.category(c) == "Cc" for c in text):
                    return "bad character in the name"
        except UnicodeDecodeError as error:
            return f"bad name: {error.reason}"
        if self.options.max_size and length > self.options.max_size:
            return f"{length} bytes are too many"
        try:
            free = shutil.disk_usage(self.options.directory).free
        except OSError as error:
            return f"bad directory: {error.strerror}"
        return f"{length} bytes do not fit into {free}" if length > free else None

    async def upload(self, name: str, length: int) -> bool:
        """Take one content; return whether the connection goes on."""
        temporary = self.options.directory / f"~{secrets.token_hex(8)}"
        try:
            file = temporary.open("xb", buffering=0)
        except OSError as error:
            await self.reply(1, f"cannot store: {error.strerror}")
            return True
        failure = None
        try:
            with file:
                await self.reply(0)
                while length and not failure:
                    piece = await self.some(min(length, PIECE))
                    length -= len(piece)
                    failure = attempt(write, file.fileno(), piece)
            failure = failure or attempt(temporary.replace, self.options.directory / name)
        finally:
            attempt(temporary.unlink)
        if failure:
            await self.reply(1, failure)
        else:
            frame.info(f"{name!r} is complete")
            await self.reply(0, name)
        return not length


def write(descriptor: int, piece: bytes) -> None:
    """Write all, past the file's buffers: what fails, fails here."""
    while piece:
        piece = piece[os.write(descriptor, piece) :]


def attempt(action: object, *arguments: object) -> str | None:
    """Do something with a file; return why it failed, if so."""
    try:
        action(*arguments)
    except OSError as error:
        return f"cannot store: {error.strerror}"
    return None


async def serve(listener: socket.socket, options: argparse.Namespace) -> None:
    """Serve everybody until a signal comes, then end the connections and wait for their tasks."""
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            await Client(reader, writer, options).uploads()
            writer.close()
            await writer.wait_closed()
        except OSError as error:
            frame.info(f"A client is gone: {error}")
        finally:
            writers.remove(writer)
            writer.close()

    asyncio.get_running_loop().set_exception_handler(lambda _, what: frame.info(what["message"]))
    stopping = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.append(True))
    server = await asyncio.start_server(connected, sock=listener, backlog=256)
    frame.ready(listener)
    while not stopping:  # a signal does not wake this kind of loop on Windows
        await asyncio.sleep(0.2)
    server.close()
    while len(asyncio.all_tasks()) > 1:  # cancelling them would print tracebacks
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


def main() -> None:
    """Listen where the options say, and run the loop that works on every system."""
    parser = frame.server_options(__doc__, port=8082)
    parser.add_argument("--directory", type=Path, default="received")
    parser.add_argument("--timeout", type=frame.seconds, default=60)
    parser.add_argument("--max-size", type=frame.count)
    options = parser.parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        options.directory.mkdir(parents=True, exist_ok=True)
        listener = socket.create_server((options.host, options.port))
    with listener, contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        loop.run_until_complete(serve(listener, options))


if __name__ == "__main__":
    frame.run(main)
