"""Lab 0: the UDP client."""

import socket

from .hello import client

if __name__ == "__main__":
    client(socket.SOCK_DGRAM)
