"""A chat server in plain style: a global dictionary, a lock, and two threads a client.

What it says to people is Russian.
"""

import argparse
import contextlib
import itertools
import json
import math
import os
import signal
import socket
import sys
import threading
import time
from datetime import datetime
from typing import Any

MAX_LINE = 65536  # bytes, with "\n"
MAX_WAITING = 15 * 1024 * 1024  # bytes for a client that does not read
FLUSH_TIME = 0.8  # seconds that a connection has to get its last lines

lock = threading.Lock()
changed = threading.Condition(lock)  # somebody has something to get, or is to be closed
clients: list["Client"] = []  # all connections
users: dict[str, "Client"] = {}  # those who are logged in
partners: dict[str, str] = {}  # private sessions, each name leads to the other
requests: list[tuple[str, str]] = []  # who asked, and whom
too_slow: list["Client"] = []  # are thrown out when the present line is dealt with
ids = itertools.count(1)
stopped = False


class Client:
    """Data of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.name = ""
        self.waiting: list[bytes] = []
        self.waiting_size = 0
        self.last_byte_time = time.monotonic()
        self.closing = False  # gets what waits, and then nothing more
        self.close_time = math.inf


class ChatError(Exception):
    """Its arguments are a code and a text."""


def stop(*_: object) -> None:
    global stopped
    stopped = True


def port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("порт бывает от 0 до 65535")
    return port


def duration(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000000:
        raise argparse.ArgumentTypeError("время должно быть положительным")
    return value


# sending (the lock is held)


def send(receivers: list[Client], message_type: str, **fields: Any) -> None:
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    message = {"timestamp": now, "room": "общая", "id": next(ids), **fields, "type": message_type}
    line = json.dumps(message, sort_keys=False).encode("ascii") + b"\n"
    for client in receivers:
        if client.waiting_size + len(line) > MAX_WAITING:
            too_slow.append(client)
        elif not client.closing:
            client.waiting.append(line)
            client.waiting_size += len(line)
    changed.notify_all()


def notify(receivers: list[Client], text: str) -> None:
    send(receivers, "system", message=text, online_users=len(users))


def others(name: str) -> list[Client]:
    return [client for other, client in users.items() if other != name]


# who comes and goes (the lock is held)


def log_in(client: Client, name: Any) -> None:
    if not isinstance(name, str):
        raise ChatError("bad_request", "имя должно быть строкой")
    if len(name) < 1 or len(name) > 32:
        raise ChatError("bad_username", "в имени от 1 до 32 символов")
    for letter in name:
        if not letter.isalnum() and letter not in "_-.":
            raise ChatError("bad_username", "в имени могут быть буквы, цифры и _ - .")
    if name in users:
        raise ChatError("username_taken", f"имя {name} уже занято")
    client.name = name
    users[name] = client
    notify([client], f"Добро пожаловать, {name}!")
    notify(others(name), f"{name} теперь с нами")


def log_out(client: Client) -> None:
    name = client.name
    close_soon(client)
    if users.get(name) is not client:
        return
    del users[name]
    forget_requests(name)
    if name in partners:
        other = partners.pop(name)
        del partners[other]
        send_ended([users[other]], name, other)
    notify(list(users.values()), f"{name} нас покинул(а)")


def close_soon(client: Client) -> None:
    if not client.closing:
        client.closing = True
        client.close_time = time.monotonic() + FLUSH_TIME
        changed.notify_all()


def throw_out_slow() -> None:
    while too_slow:
        client = too_slow.pop()
        client.waiting.clear()
        disconnect(client)
        log_out(client)


def disconnect(client: Client) -> None:
    with contextlib.suppress(OSError):
        client.sock.shutdown(socket.SHUT_RDWR)  # both its threads wake up


def forget_requests(*names: str) -> None:
    requests[:] = [pair for pair in requests if pair[0] not in names and pair[1] not in names]


def send_ended(receivers: list[Client], who: str, other: str) -> None:
    text = f"{who} завершает личную беседу с {other}"
    send(receivers, "session_ended", from_username=who, to_username=other, message=text)


# what a user's line asks for (the lock is held)


def get(message: dict[str, Any], key: str, kind: type) -> Any:
    if key not in message:
        raise ChatError("bad_request", f"нет поля {key}")
    if type(message[key]) is not kind:
        raise ChatError("bad_request", f"поле {key} не того типа")
    return message[key]


def get_text(message: dict[str, Any]) -> str:
    text = get(message, "message", str)
    if text == "":
        raise ChatError("bad_request", "сообщение пустое")
    return text


def get_user(message: dict[str, Any], me: str) -> str:
    name = get(message, "target_username", str)
    if name not in users:
        raise ChatError("no_such_user", "такого пользователя нет")
    if name == me:
        raise ChatError("not_yourself", "это же вы сами")
    return name


def do(client: Client, message: dict[str, Any]) -> None:
    me = client.name
    message_type = get(message, "type", str)
    if message_type == "message":
        send(others(me), "message", from_username=me, message=get_text(message))
    elif message_type == "private":
        text = get_text(message)
        target = get_user(message, me)
        send([users[target]], "private", from_username=me, message=text)
    elif message_type == "session_request":
        target = get_user(message, me)
        if me in partners or target in partners:
            raise ChatError("busy", "кто-то из вас уже беседует")
        if (me, target) not in requests:
            requests.append((me, target))
        text = f"{me} приглашает вас в личную беседу"
        send([users[target]], "session_request", from_username=me, message=text)
    elif message_type == "session_response":
        answer(me, get(message, "target_username", str), get(message, "accepted", bool))
    elif message_type == "session_end":
        if me not in partners:
            raise ChatError("no_session", "вы ни с кем не беседуете")
        other = partners.pop(me)
        del partners[other]
        send_ended([users[me], users[other]], me, other)
    elif message_type == "users":
        send([client], "users_list", users=sorted(users, reverse=True))
    elif message_type == "ping":
        send([client], "pong")
    else:
        raise ChatError("unknown_type", "такого типа нет")


def answer(me: str, asker: str, accepted: bool) -> None:
    if (asker, me) not in requests:
        raise ChatError("no_such_request", "вас об этом никто не просил")
    requests.remove((asker, me))
    if accepted:
        forget_requests(me, asker)
        partners[me] = asker
        partners[asker] = me
        receivers, result, text = [users[me], users[asker]], "accepted", "Беседа началась"
    else:
        receivers, result, text = [users[asker]], "rejected", f"{me} не хочет беседовать"
    send(receivers, f"session_{result}", from_username=asker, to_username=me, message=text)


def handle_line(client: Client, line: bytes) -> None:
    with lock:
        if client.closing:
            return
        try:
            if len(line) > MAX_LINE - 1:
                raise ChatError("too_long", "строка слишком длинная")
            try:
                message = json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                raise ChatError("bad_json", f"это не JSON: {type(error).__name__}") from None
            if not isinstance(message, dict):
                raise ChatError("bad_json", "это не объект JSON")
            if client.name:
                do(client, message)
            elif "username" in message:
                log_in(client, message["username"])
            else:
                raise ChatError("login_required", "сначала назовите себя")
        except ChatError as error:
            send([client], "error", code=error.args[0], message=error.args[1])
            if error.args[0] == "too_long":
                log_out(client)
        throw_out_slow()


# the threads


def receive_from(client: Client) -> None:
    buffer = b""
    while not client.closing:
        try:
            data = client.sock.recv(65536)
        except OSError:
            break
        if not data:
            break
        client.last_byte_time = time.monotonic()
        buffer += data
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            handle_line(client, line)
        if len(buffer) >= MAX_LINE:
            handle_line(client, buffer)
    with lock:
        log_out(client)
        throw_out_slow()


def send_to(client: Client, receiver: threading.Thread) -> None:
    """Send what waits; when that is over, end the connection and clear up."""
    try:
        while True:
            with lock:
                while not client.waiting and not client.closing:
                    changed.wait()
                lines, client.waiting = client.waiting, []
            if not lines:
                break
            for line in lines:
                client.sock.sendall(line)
                with lock:
                    client.waiting_size -= len(line)
    except OSError:
        pass
    disconnect(client)
    receiver.join()
    with lock:
        clients.remove(client)
    client.sock.close()
    print(f"[INFO] Отключился: {client.name or 'безымянный'}", flush=True)


def check_times(idle_timeout: float) -> None:
    now = time.monotonic()
    with lock:
        for client in clients:
            if now > client.close_time:
                disconnect(client)
            elif not client.closing and now - client.last_byte_time > idle_timeout:
                text = f"от вас ничего не было {idle_timeout:g} с"
                send([client], "error", code="idle", message=text)
                log_out(client)
        throw_out_slow()


def accept_clients(listener: socket.socket, idle_timeout: float) -> None:
    last_check = time.monotonic()
    while not stopped:
        if time.monotonic() - last_check > 0.5:
            last_check = time.monotonic()
            check_times(idle_timeout)
        try:
            sock, address = listener.accept()
        except TimeoutError:
            continue
        except OSError as error:
            print(f"[INFO] Не смог принять клиента: {error}", flush=True)
            time.sleep(0.1)
            continue
        print(f"[INFO] Подключился {address[0]}:{address[1]}", flush=True)
        client = Client(sock)
        receiver = threading.Thread(target=receive_from, args=(client,), daemon=True)
        sender = threading.Thread(target=send_to, args=(client, receiver), daemon=True)
        with lock:
            clients.append(client)
        try:
            receiver.start()
            sender.start()
        except RuntimeError as error:
            print(f"[INFO] Нет больше потоков: {error}", flush=True)
            disconnect(client)
            with lock:
                clients.remove(client)
            sock.close()


def say_goodbye() -> None:
    with lock:
        notify(list(users.values()), "Сервер завершает работу. До свидания!")
        for client in clients:
            close_soon(client)
    deadline = time.monotonic() + FLUSH_TIME
    while clients and time.monotonic() < deadline:
        time.sleep(0.02)
    with lock:
        for client in clients:
            disconnect(client)
    while clients and time.monotonic() < deadline + 0.3:
        time.sleep(0.02)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)

    parser = argparse.ArgumentParser(description="сервер чата")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8083)
    parser.add_argument("--idle-timeout", type=duration, default=120.0)
    args = parser.parse_args()

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((args.host, args.port))
        listener.listen(100)
    except (OSError, UnicodeError) as error:
        print(f"[ERROR] Не могу начать на {args.host}:{args.port}: {error}", file=sys.stderr)
        listener.close()
        sys.exit(1)
    host, port = listener.getsockname()
    print(f"[INFO] Listening on {host}:{port}", flush=True)

    listener.settimeout(0.3)  # to look at `stopped` now and then
    accept_clients(listener, args.idle_timeout)
    listener.close()
    say_goodbye()
    print("[INFO] Сервер остановлен.", flush=True)


if __name__ == "__main__":
    main()
