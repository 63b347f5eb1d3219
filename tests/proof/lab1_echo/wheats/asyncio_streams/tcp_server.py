"""A TCP echo server on asyncio's streams."""

import argparse
import asyncio
import signal
import socket

from .. import frame

writers: set[asyncio.StreamWriter] = set()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one peer until it ends its sending side, or breaks off."""
    writers.add(writer)
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()  # a peer that does not read is not read from either
        writer.close()
        await writer.wait_closed()
    except OSError as error:
        frame.info(f"A client is gone: {error}")
    finally:
        writers.discard(writer)
        writer.close()


async def serve(options: argparse.Namespace) -> None:
    """Serve everybody until a signal comes, then end the connections and wait for their tasks."""
    asyncio.get_running_loop().set_exception_handler(lambda _, what: frame.info(what["message"]))
    stopping = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.append(True))
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        server = await asyncio.start_server(echo, options.host, options.port, family=socket.AF_INET)
    frame.ready(server.sockets[0])
    while not stopping:  # a signal does not wake this kind of loop on Windows
        await asyncio.sleep(0.2)
    server.close()
    while len(asyncio.all_tasks()) > 1:  # cancelling them would print tracebacks
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


def main() -> None:
    """Run the loop that works on every system."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    loop = asyncio.SelectorEventLoop()
    try:
        loop.run_until_complete(serve(options))
    finally:
        loop.close()


if __name__ == "__main__":
    frame.run(main)
