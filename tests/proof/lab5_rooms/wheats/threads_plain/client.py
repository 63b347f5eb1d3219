"""Rooms client, plain style: the main thread does what is typed, others read and receive."""

import argparse
import os
import queue
import select
import signal
import socket
import sys
import threading
import time
import unicodedata

CREATE, LIST, JOIN = 1, 2, 3
HELLO, TEXT, BYE, NOTICE = 0, 1, 2, 3

lines = queue.Queue(maxsize=100)  # what is typed; None at the end
answered = threading.Event()  # the first hello
print_lock = threading.Lock()
server = None  # (ip, port), when it is known


def show(text):
    with print_lock:
        print(text, flush=True)


def finish(code, error=""):
    """End at once, whatever the other threads wait for."""
    print_lock.acquire(timeout=0.5)
    if error:
        print(f"[ERROR] {error}", file=sys.stderr, flush=True)
    os._exit(code)


def clean(data):
    text = data.decode("utf-8", "replace")
    return "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text)


# keyboard


def read_keyboard():
    try:
        while sys.stdin is not None:
            line = sys.stdin.buffer.readline()
            if not line:
                break
            if line.endswith(b"\n"):
                line = line[:-1]
            if line.endswith(b"\r"):
                line = line[:-1]
            lines.put(line)
    except OSError:
        pass
    lines.put(None)


def next_line(timeout=None):
    """Return the next line; it looks up now and then, as Windows hears Ctrl+C only then."""
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        try:
            return lines.get(timeout=0.3)
        except queue.Empty:
            if end is not None and time.monotonic() >= end:
                raise


def ask(question):
    if sys.stdin and sys.stdout and sys.stdin.isatty() and sys.stdout.isatty():
        with print_lock:
            print(question + " ", end="", flush=True)
    line = next_line()
    if line is None:
        finish(0)
    return line


# TCP


def receive_exactly(sock, size):
    data = b""
    while len(data) < size:
        while not select.select([sock], [], [], 0.5)[0]:
            pass
        part = sock.recv(size - len(data))
        if not part:
            finish(1, "the server closed the connection")
        data += part
    return data


def request(args, operation, room=b"", user=b""):
    """Make a connection for one request. Return whether it was done, and the payload."""
    global server
    if len(room) > 255 or len(user) > 255:
        return False, b"the name is too long"
    try:
        with socket.create_connection((args.host, args.port)) as sock:
            server = sock.getpeername()
            header = bytes([operation, 0, len(room), len(user), 0, 0, 0, 0])
            sock.sendall(header + room + user)
            header = receive_exactly(sock, 8)
            size = int.from_bytes(header[4:8], "big")
            if header[0] != operation or header[1] not in (1, 2) or size > 65536:
                finish(1, "the server sent a strange answer")
            receive_exactly(sock, header[2] + header[3])
            payload = receive_exactly(sock, size)
    except (OSError, UnicodeError) as error:
        finish(1, f"no connection with {args.host}:{args.port}: {error}")
    done = header[1] == 1
    if done and operation != LIST and size != 16:
        finish(1, "the server sent a strange token")
    return done, payload


def enter_room(args):
    """Return room, user and token."""
    user = None if args.username is None else args.username.encode("utf-8", "surrogateescape")
    option = args.create if args.create is not None else args.join
    while True:
        if user is None:
            user = ask("Your name:")
        if option is not None:
            operation = CREATE if args.create is not None else JOIN
            room = option.encode("utf-8", "surrogateescape")
        else:
            answer = b""
            while answer not in (b"1", b"2"):
                answer = ask("1 = create a room, 2 = join a room:").strip()
            operation = CREATE if answer == b"1" else JOIN
            if operation == JOIN:
                _, payload = request(args, LIST)
                show("These are the rooms:")
                for name in payload.split(b"\n"):
                    show("- " + (clean(name) or "."))
            room = ask("Name of the room:")
        done, payload = request(args, operation, room, user)
        if done:
            return room, user, payload
        if option is not None:
            finish(1, clean(payload))
        show("Sorry: " + clean(payload))
        user = None


# UDP


def receive_datagrams(sock, my_room, my_user):
    while True:
        try:
            data, address = sock.recvfrom(65535)
        except OSError:  # Windows: nobody was there for a datagram of ours
            time.sleep(0.01)
            continue
        if address[:2] != server[:2] or len(data) < 4 or len(data) > 4096 or data[3] != 0:
            continue
        kind = data[0]
        user_start = 4 + data[1]
        text_start = user_start + data[2]
        room, user, text = data[4:user_start], data[user_start:text_start], data[text_start:]
        if len(data) < text_start or room != my_room:
            continue
        try:
            user.decode("utf-8")
            text.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if kind == HELLO and user == my_user and text == b"":
            answered.set()
        elif kind == TEXT and text != b"":
            show(clean(user) + " says: " + clean(text))
        elif kind == NOTICE and text != b"":
            show("(" + clean(user) + ") " + clean(text))


def chat(sock, room, user, token):
    start = bytes([len(room), len(user), len(token)]) + room + user + token

    def send(kind, text=b""):
        try:
            sock.sendto(bytes([kind]) + start + text, server)
        except OSError as error:
            show(f"(could not send: {error})")

    for _ in range(3):
        send(HELLO)
        if answered.wait(1):
            break
    else:
        finish(1, "no answer to hello")
    hello_time = time.monotonic() + 15
    while True:
        if time.monotonic() >= hello_time:
            send(HELLO)
            hello_time = time.monotonic() + 15
        try:
            line = next_line(timeout=0.3)
        except queue.Empty:
            continue
        if line is None or line == b"/quit":
            break
        if line == b"":
            continue
        if len(start) + 1 + len(line) > 4096:
            show(f"(too long, not sent: {len(line)} bytes)")
            continue
        send(TEXT, line)
    send(BYE)
    finish(0)


# start


def port_number(text):
    port = int(text)
    if port < 1 or port > 65535:
        raise argparse.ArgumentTypeError("a port is 1 to 65535")
    return port


def main():
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="replace")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: os._exit(130))

    parser = argparse.ArgumentParser(description="rooms client")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8084)
    parser.add_argument("--username")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--create")
    group.add_argument("--join")
    args = parser.parse_args()

    threading.Thread(target=read_keyboard, daemon=True).start()
    room, user, token = enter_room(args)
    sock = socket.socket(socket.AF_INET6 if len(server) == 4 else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 0))  # Windows cannot receive before that
    threading.Thread(target=receive_datagrams, args=(sock, room, user), daemon=True).start()
    chat(sock, room, user, token)


if __name__ == "__main__":
    main()
