"""An echo server for many clients on asyncio's streams: a task a client."""

import asyncio
import contextlib
import signal
import socket

from .. import frame

writers: set[asyncio.StreamWriter] = set()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client until it ends its sending side, or breaks off."""
    writers.add(writer)
    frame.info(f"+1 ({len(writers)} online)")
    with contextlib.suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()  # a client that does not read is not read from either
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    writers.remove(writer)
    frame.info(f"-1 ({len(writers)} online)")


async def serve(listener: socket.socket) -> None:
    """Serve everybody until a signal comes, then end the connections and wait for their tasks."""
    asyncio.get_running_loop().set_exception_handler(lambda _, what: frame.info(what["message"]))
    stopping = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.append(True))
    server = await asyncio.start_server(echo, sock=listener, backlog=512)
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
    options = frame.server_options(__doc__, port=8081).parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port))
    with listener, contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        loop.run_until_complete(serve(listener))


if __name__ == "__main__":
    frame.run(main)
