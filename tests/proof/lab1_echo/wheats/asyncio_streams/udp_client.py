"""A UDP echo client on asyncio, with a socket of its own."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys

from .. import frame

SLACK = 0.02  # seconds: asyncio may wake up one tick of the clock too early


async def answered(
    sock: socket.socket, server: tuple[str, int], message: bytes, timeout: float
) -> bool:
    """Send the message once, and return whether its echo comes in time."""
    loop = asyncio.get_running_loop()
    echoed = asyncio.Event()

    def look() -> None:
        with contextlib.suppress(OSError):
            if sock.recvfrom(65_535) == (message, server):
                echoed.set()

    sock.sendto(message, server)
    loop.add_reader(sock, look)
    try:
        await asyncio.wait_for(echoed.wait(), timeout + SLACK)
    except asyncio.TimeoutError:
        return False
    finally:
        loop.remove_reader(sock)
    return True


async def ask(options: argparse.Namespace, sock: socket.socket) -> None:
    """Ask as often as the options say."""
    server = socket.gethostbyname(options.host), options.port
    for _ in range(options.attempts):
        if await answered(sock, server, options.message.encode(), options.timeout):
            print(options.message, flush=True)
            return
    raise TimeoutError("nothing came back")


def main() -> None:
    """Run the loop that works on every system; Ctrl+C ends the program on the spot."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    parser = frame.client_options(__doc__, port=6789)
    parser.add_argument("--timeout", type=frame.seconds, default=1.0)
    parser.add_argument("--attempts", type=frame.count, default=3)
    parser.add_argument("message")
    options = parser.parse_args()
    loop = asyncio.SelectorEventLoop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        try:
            loop.run_until_complete(ask(options, sock))
        except (OSError, UnicodeError) as error:
            sys.exit(f"[ERROR] no echo from {options.host}:{options.port}: {error}")
        finally:
            loop.close()


if __name__ == "__main__":
    frame.run(main)
