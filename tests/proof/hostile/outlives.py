"""Leaves a child in a session of its own, which nothing asks to end and which goes on trying."""

import subprocess
import sys

CHILD = """
import os, signal, socket, sys, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if os.fork():
    os._exit(0)
os.setsid()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    sock.sendto(b"still here", ("127.0.0.1", 6788))
    for name in ("result.json", "udp_server.py"):
        try:
            open(name, "w").write("still here")
        except OSError:
            pass
    time.sleep(0.2)
"""

subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.DEVNULL, start_new_session=True)
