"""All four programs in one file, in a student's plain style, without the frame."""

import argparse
import datetime
import signal
import socket
import sys

HELLO, ANSWER = b"HEY!", b"Are you talking to me?"


def port(lowest):
    def convert(text):
        number = int(text)
        if number < lowest or number > 65535:
            raise ValueError(text)
        return number

    return convert


def options(lowest):
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port(lowest), default=6789)
    return parser.parse_args()


def say(*words):
    print("[INFO]", *words, flush=True)


def complain(error):
    print("[ERROR]", error, file=sys.stderr, flush=True)
    raise SystemExit(1)


def stop(number, stack):
    raise SystemExit(0)


def begin(who, lowest):
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    args = options(lowest)
    say("Starting the", who, "at", datetime.datetime.now())
    return args


def heard(peer, words):
    say("At", datetime.datetime.now(), f"{peer[0]} port {peer[1]}", "said", words)


def server(kind):
    args = begin("server", 0)
    sock = socket.socket(socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM and sys.platform != "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((args.host, args.port))
    except OSError as error:
        complain(error)
    if kind == socket.SOCK_STREAM:
        sock.listen(1)
    say(f"Listening on {args.host}:{sock.getsockname()[1]}")
    say("Waiting for a client to call.")
    try:
        if kind == socket.SOCK_DGRAM:
            words, peer = sock.recvfrom(4096)
            heard(peer, words)
            sock.sendto(ANSWER, peer)
        else:
            connection, peer = sock.accept()
            words = connection.recv(4096)
            heard(peer, words)
            connection.sendall(ANSWER)
            connection.close()
    except OSError as error:
        complain(error)
    sock.close()


def client(kind):
    args = begin("client", 1)
    sock = socket.socket(socket.AF_INET, kind)
    sock.settimeout(5)
    try:
        sock.connect((args.host, args.port))
        sock.send(HELLO)
        words = sock.recv(4096)
        peer = sock.getpeername()
    except OSError as error:
        complain(error)
    if not words:
        complain("no answer")
    heard(peer, words)
    sock.close()
