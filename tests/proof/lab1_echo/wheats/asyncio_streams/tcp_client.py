"""A TCP echo client on asyncio's streams; stdin is read in a thread."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator

from .. import frame


async def messages(arguments: list[str]) -> AsyncIterator[str]:
    """Yield the arguments, or the lines of stdin that are not empty."""
    for argument in arguments:
        yield argument
    while not arguments and sys.stdin and (line := await asyncio.to_thread(sys.stdin.readline)):
        if text := line.removesuffix("\n"):
            yield text


async def talk(options: argparse.Namespace) -> None:
    """Print the echo of each message."""
    reader, writer = await asyncio.open_connection(
        options.host, options.port, family=socket.AF_INET
    )
    try:
        async for text in messages(options.messages):
            message = text.encode()
            writer.write(message)
            await writer.drain()
            echo = await reader.readexactly(len(message))
            print(echo.decode(errors="replace"), flush=True)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def main() -> None:
    """Connect and talk; Ctrl+C ends the program on the spot, whatever the thread does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    parser = frame.client_options(__doc__, port=6789)
    parser.add_argument("messages", nargs="*")
    options = parser.parse_args()
    try:
        asyncio.run(talk(options))
    except (OSError, EOFError, UnicodeError) as error:
        sys.exit(f"[ERROR] no echo from {options.host}:{options.port}: {error}")


if __name__ == "__main__":
    frame.run(main)
