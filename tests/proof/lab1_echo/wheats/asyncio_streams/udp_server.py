"""A UDP echo server on asyncio; its transports lose empty datagrams, so the socket is ours."""

import asyncio
import signal
import socket

from .. import frame


def answer(sock: socket.socket) -> None:
    """Send one datagram back; what the system has no room for is lost, as UDP may."""
    try:
        datagram, address = sock.recvfrom(65_535)
        sock.sendto(datagram, address)
    except OSError as error:
        frame.info(f"A datagram is lost: {error}")


async def serve(sock: socket.socket) -> None:
    """Answer until a signal comes."""
    stopping = []
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.append(True))
    asyncio.get_running_loop().add_reader(sock, answer, sock)
    frame.ready(sock)
    while not stopping:  # a signal does not wake this kind of loop on Windows
        await asyncio.sleep(0.2)
    asyncio.get_running_loop().remove_reader(sock)


def main() -> None:
    """Bind where the options say, and serve."""
    options = frame.server_options(__doc__, port=6789).parse_args()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
            sock.bind((options.host, options.port))
        loop = asyncio.SelectorEventLoop()  # Windows' own kind has no add_reader()
        loop.run_until_complete(serve(sock))
        loop.close()


if __name__ == "__main__":
    frame.run(main)
