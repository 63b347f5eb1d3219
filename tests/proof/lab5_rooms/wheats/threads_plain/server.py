"""Rooms server, plain style: a thread for each TCP client, one for UDP, one that sends."""

import argparse
import os
import queue
import select
import signal
import socket
import sys
import threading
import time

MAX_PAYLOAD = 65536
MAX_DATAGRAM = 4096

lock = threading.Lock()  # for the three dictionaries; what is put into the queue keeps its order
tokens = {}  # (room, user) -> token
addresses = {}  # (room, user) -> (ip, port), from the first datagram on
last_heard = {}  # (room, user) -> time

to_send = queue.Queue(maxsize=2000)  # (datagram, address)
print_lock = threading.Lock()
idle_timeout = 60.0
udp_socket = None


def log(text):
    with print_lock:
        print("[INFO] " + text, flush=True)


# what both sides do; the lock is held


def users_in(room):
    return [user for (other_room, user) in tokens if other_room == room]


def all_rooms():
    return {room for (room, user) in tokens}


def send_to_others(kind, room, user, text):
    room_bytes = room.encode("utf-8")
    user_bytes = user.encode("utf-8")
    header = bytes([kind, len(room_bytes), len(user_bytes), 0])
    datagram = header + room_bytes + user_bytes + text
    for other in users_in(room):
        if other != user and (room, other) in addresses:
            to_send.put((datagram, addresses[(room, other)]))


def add_member(room, user):
    token = os.urandom(16)
    tokens[(room, user)] = token
    last_heard[(room, user)] = time.monotonic()
    send_to_others(3, room, user, f"{user} joined {room}".encode())
    return token


def remove_member(room, user, why):
    send_to_others(3, room, user, f"{user} {why}".encode())
    del tokens[(room, user)]
    del last_heard[(room, user)]
    addresses.pop((room, user), None)


# TCP


def receive_exactly(sock, size):
    """Return so many bytes, or None if the stream ends before."""
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            return None
        data += part
    return data


def is_good_name(name):
    wrong = [letter for letter in name if not letter.isalnum() and letter not in "_-."]
    return not wrong and 1 <= len(name) <= 32


def room_list():
    result = b""
    for room in all_rooms():
        name = room.encode("utf-8")
        if result:
            name = b"\n" + name
        if len(result) + len(name) <= MAX_PAYLOAD:
            result += name
    return result


def create_or_join(operation, room_bytes, user_bytes):
    """Return a state and a payload."""
    try:
        room = room_bytes.decode("utf-8")
        user = user_bytes.decode("utf-8")
    except UnicodeDecodeError:
        return 2, b"a name is not UTF-8"
    if not is_good_name(room):
        return 2, b"bad room name (1 to 32 letters, digits, _ - .)"
    if not is_good_name(user):
        return 2, b"bad user name (1 to 32 letters, digits, _ - .)"
    with lock:
        if operation == 1 and room in all_rooms():
            return 2, b"this room exists already"
        if operation == 3 and room not in all_rooms():
            return 2, b"this room does not exist"
        if (room, user) in tokens:
            return 2, b"this user name is taken in the room"
        return 1, add_member(room, user)


def answer_request(sock):
    """Answer one request; return what is to happen next: "more", "end", "refused"."""
    header = receive_exactly(sock, 8)
    if header is None:
        return "end"
    operation = header[0]
    payload_size = int.from_bytes(header[4:8], "big")
    names = receive_exactly(sock, header[2] + header[3])
    if names is None:
        return "end"
    room_bytes = names[: header[2]]
    user_bytes = names[header[2] :]

    next_step = "more"
    if operation not in (1, 2, 3):
        state, payload, next_step = 2, b"unknown operation", "refused"
    elif header[1] != 0:
        state, payload, next_step = 2, b"the state of a request is 0", "refused"
    elif payload_size > 0:
        state, payload, next_step = 2, b"a request has no payload", "refused"
    elif operation == 2:
        with lock:
            state, payload = 1, room_list()
    else:
        state, payload = create_or_join(operation, room_bytes, user_bytes)

    reply = bytes([operation, state]) + header[2:4] + len(payload).to_bytes(4, "big")
    sock.sendall(reply + names + payload)
    if state == 1 and operation != 2:
        user, room = user_bytes.decode("utf-8"), room_bytes.decode("utf-8")
        log(f"{user} is in {room}")
    return next_step


def close_gently(sock):
    """Let the client read our last words: a close() with bytes unread would be a reset."""
    sock.shutdown(socket.SHUT_WR)
    end = time.monotonic() + 1.5
    sock.settimeout(1.5)
    while time.monotonic() < end:
        if not sock.recv(65536):
            break


def serve_client(sock):
    with sock:
        try:
            next_step = "more"
            while next_step == "more":
                next_step = answer_request(sock)
            if next_step == "refused":
                close_gently(sock)
        except OSError:
            pass  # the client is gone


def accept_clients(listener):
    while True:
        try:
            sock, _address = listener.accept()
        except OSError as error:
            log(f"accept: {error}")
            time.sleep(0.2)
            continue
        try:
            threading.Thread(target=serve_client, args=(sock,), daemon=True).start()
        except RuntimeError:  # there are too many threads
            sock.close()


# UDP


def handle_datagram(data, address):
    if len(data) < 4 or len(data) > MAX_DATAGRAM:
        return
    kind, room_size, user_size, token_size = data[0], data[1], data[2], data[3]
    if kind not in (0, 1, 2) or token_size != 16:
        return
    user_start = 4 + room_size
    token_start = user_start + user_size
    text_start = token_start + token_size
    if len(data) < text_start:
        return
    text = data[text_start:]
    try:
        room = data[4:user_start].decode("utf-8")
        user = data[user_start:token_start].decode("utf-8")
        text.decode("utf-8")
    except UnicodeDecodeError:
        return
    if kind == 1 and not text:
        return
    if kind != 1 and text:
        return
    with lock:
        if tokens.get((room, user)) != data[token_start:text_start]:
            return
        addresses[(room, user)] = address
        last_heard[(room, user)] = time.monotonic()
        if kind == 0:
            to_send.put((bytes([0, room_size, user_size, 0]) + data[4:token_start], address))
        elif kind == 1:
            send_to_others(1, room, user, text)
        else:
            remove_member(room, user, "left the room")


def remove_idle_members(now):
    with lock:
        for (room, user), heard in list(last_heard.items()):
            if now - heard >= idle_timeout:
                remove_member(room, user, "timed out")


def receive_datagrams():
    last_check = time.monotonic()
    while True:
        now = time.monotonic()
        readable, _, _ = select.select([udp_socket], [], [], 0.1)
        if readable:
            try:
                data, address = udp_socket.recvfrom(65535)
                handle_datagram(data, address)
            except OSError:
                pass  # Windows: somebody to whom we sent does not listen any more
        # When nothing is there, all that came before `now` has been handled.
        if not readable:
            remove_idle_members(now)
            last_check = now
        elif now - last_check > 1:
            remove_idle_members(now - 1)
            last_check = now


def send_datagrams():
    while True:
        datagram, address = to_send.get()
        try:
            udp_socket.sendto(datagram, address)
        except OSError:
            pass  # nobody can be reached there: a lost datagram


# start


def port_number(text):
    port = int(text)
    if port < 0 or port > 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return port


def positive_time(text):
    value = float(text)
    if not 0 < value <= 1000000:
        raise argparse.ArgumentTypeError("a time is positive")
    return value


def open_sockets(host, port):
    attempts = 0
    while True:
        attempts += 1
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            udp.bind(listener.getsockname())
            listener.listen(50)
            return listener, udp
        except OSError as error:
            listener.close()
            udp.close()
            if port != 0 or attempts == 20 or isinstance(error, socket.gaierror):
                raise


def stop(*_):
    raise KeyboardInterrupt


def main():
    global idle_timeout, udp_socket
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="replace")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)

    parser = argparse.ArgumentParser(description="rooms server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8084)
    parser.add_argument("--idle-timeout", type=positive_time, default=60.0)
    try:
        args = parser.parse_args()
        idle_timeout = args.idle_timeout
        try:
            listener, udp_socket = open_sockets(args.host, args.port)
        except (OSError, UnicodeError) as error:
            print(f"[ERROR] cannot listen on {args.host}:{args.port}: {error}", file=sys.stderr)
            sys.exit(1)
        host, port = listener.getsockname()
        log(f"Listening on {host}:{port}")
        for target in (receive_datagrams, send_datagrams):
            threading.Thread(target=target, daemon=True).start()
        threading.Thread(target=accept_clients, args=(listener,), daemon=True).start()
        while True:
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass
    print_lock.acquire(timeout=0.5)  # no other thread is in the middle of a line
    os._exit(0)


if __name__ == "__main__":
    main()
