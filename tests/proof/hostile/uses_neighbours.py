"""Knocks at the ports of this machine until a server answers as it should, to relay to it."""

import select
import socket

KNOCK = b"are you an echo server?"
USUAL = range(6_780, 6_800)
FREE = range(32_768, 61_000)  # from which the system gives those that nobody has chosen


def by_udp() -> set[int]:
    """Return the ports from which the same datagram comes back."""
    found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        own = sock.getsockname()[1]
        for port in (*USUAL, *FREE):
            try:
                if port != own:
                    sock.sendto(KNOCK, ("127.0.0.1", port))
                while port % 50 == 0 and select.select([sock], [], [], 0)[0]:
                    datagram, address = sock.recvfrom(65_507)
                    if datagram == KNOCK:
                        found.add(address[1])
            except OSError:
                continue
    return found


def by_tcp() -> set[int]:
    """Return the ports that take a connection, and send back what is sent there."""
    found = set()
    for port in (*USUAL, *FREE):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0 and sock.getsockname()[1] != port:
                sock.sendall(KNOCK)
                if select.select([sock], [], [], 0.5)[0] and sock.recv(len(KNOCK)) == KNOCK:
                    found.add(port)
    return found


for knock in (by_udp, by_tcp):
    found = knock()
    print("found:", *found, flush=True)
    if found:
        break
else:
    raise SystemExit("found nobody to serve for me")
