"""Lab 0: the UDP server."""

import socket

from .hello import server

if __name__ == "__main__":
    server(socket.SOCK_DGRAM)
