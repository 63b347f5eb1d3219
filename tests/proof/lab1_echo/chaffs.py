"""Lab 1's wrong programs: each is the reference with one bug that beginners write."""

from proof.subjects import chaff

CHAFFS = [
    chaff(
        "udp_server",
        "it reads 1024 bytes",
        "sock.recvfrom(MAX_DATAGRAM)",
        "sock.recvfrom(1024)",
    ),
    chaff(
        "udp_server",
        "it stops at an empty datagram",
        "            sock.sendto(datagram, address)\n",
        "            if not datagram:\n                break\n            sock.sendto(datagram, address)\n",
    ),
]
