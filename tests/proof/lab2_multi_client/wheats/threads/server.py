"""As simple as it can be: a thread for each client, a number, a lock; what it logs is on stderr."""

import argparse
import logging
import os
import signal
import socket
import sys
import threading

online = 0
lock = threading.Lock()


def port_number(text):
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError
    return port


def count(change):
    global online
    with lock:
        online += change
        logging.info("%s (%d online)", "Hello" if change > 0 else "Goodbye", online)


def serve(conn):
    try:
        while True:
            data = conn.recv(4096)
            logging.info("%d bytes", len(data))
            if not data:
                break
            conn.sendall(data)
    except OSError:
        logging.exception("it broke off")
    finally:
        conn.close()
        count(-1)


def stop(signum, frame):
    os._exit(0)  # the system closes every connection


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8081)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)s %(message)s")
    try:
        server = socket.create_server((args.host, args.port), backlog=200)
    except OSError as e:
        print("[ERROR]", e, file=sys.stderr)
        sys.exit(1)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    logging.info("nobody has come yet (%d online)", online)
    host, port = server.getsockname()
    print(f"[INFO] Listening on {host}:{port}", flush=True)
    while True:
        conn, addr = server.accept()
        count(+1)
        threading.Thread(target=serve, args=(conn,), daemon=True).start()


if __name__ == "__main__":
    main()
