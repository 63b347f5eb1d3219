"""The load generator of lab 2: `python -m bench.visits PORT WAVES AT_ONCE`.

A visit is: connect, send, read the echo, end the sending side, read to the end of stream, close.
A wave is AT_ONCE visits that take each step together, in one thread: nothing costs less here. It
prints a line when it is ready, waits for one on stdin, and then prints what it took: the seconds
that passed, and the seconds of processor time.
"""

import socket
import sys
import time

MESSAGE = b"x" * 64  # bytes; small, so that the visit is what costs


def main() -> None:
    """Visit the server, and print how long that took."""
    port, waves, at_once = map(int, sys.argv[1:])
    print("ready", flush=True)
    sys.stdin.readline()
    began, busy = time.perf_counter(), time.process_time()
    for _ in range(waves):
        visit(port, at_once)
    print(time.perf_counter() - began, time.process_time() - busy, flush=True)


def visit(port: int, at_once: int) -> None:
    """Make `at_once` visits, step by step."""
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(at_once)]
    for sock in sockets:
        sock.sendall(MESSAGE)
    for sock in sockets:
        if sock.recv(len(MESSAGE), socket.MSG_WAITALL) != MESSAGE:
            sys.exit("[ERROR] the echo is not what was sent")
        sock.shutdown(socket.SHUT_WR)
    for sock in sockets:
        if sock.recv(1):
            sys.exit("[ERROR] more came back than was sent")
        sock.close()


if __name__ == "__main__":
    main()
