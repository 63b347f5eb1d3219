"""The frame that the labs' programs are given: what only another system would show."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

WAITING = """
import socket
from solutions import frame

frame.wait_in_slices(0.05)
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
connection, _ = listener.accept()
client.sendall(b"hello")
assert connection.recv(10) == b"hello"
connection.settimeout(0.01)
try:
    connection.recv(10)
except TimeoutError:
    print("as on Windows", flush=True)
connection.settimeout(None)
connection.recv(10)
"""


def test_sockets_that_wait_in_slices_work_and_can_be_interrupted() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING],
        env=os.environ | {"PYTHONPATH": os.fspath(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stdout
        assert program.stdout.readline() == b"as on Windows\n"

        program.send_signal(signal.SIGINT)

        _, errors = program.communicate(timeout=10)
        assert b"KeyboardInterrupt" in errors
