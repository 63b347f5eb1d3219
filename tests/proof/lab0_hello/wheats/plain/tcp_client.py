"""Lab 0: the TCP client."""

import socket

from .hello import client

if __name__ == "__main__":
    client(socket.SOCK_STREAM)
