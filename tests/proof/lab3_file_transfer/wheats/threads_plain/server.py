"""A file server in plain style: a thread a client, everything by hand, reasons in Russian."""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
import time
import unicodedata
from io import FileIO
from pathlib import Path

stopped = False
clients: dict[socket.socket, threading.Thread] = {}
lock = threading.Lock()


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
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError("нужно положительное число секунд")
    return value


def number_of_bytes(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("нужен хотя бы один байт")
    return value


def receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ConnectionError("клиент ушёл посреди сообщения")
        data += piece
    return data


def reply(sock: socket.socket, code: int, text: str = "") -> None:
    message = text.encode("utf-8")
    sock.settimeout(None)  # who reads slowly is not sent away
    sock.sendall(bytes([code]) + len(message).to_bytes(4, "big") + message)


def check_offer(raw_name: bytes, size: int, args: argparse.Namespace) -> str:
    """Return what is wrong with the offer, or an empty string."""
    if not raw_name:
        return "пустое имя"
    try:
        name = raw_name.decode("utf-8")
    except UnicodeDecodeError:
        return "имя не в UTF-8"
    if name in (".", ".."):
        return "такое имя нельзя"
    for character in name:
        if character in "/\\:" or unicodedata.category(character) == "Cc":
            return f"в имени нельзя {character!r}"
    if args.max_size is not None and size > args.max_size:
        return f"файл больше {args.max_size} байт"
    try:
        args.directory.mkdir(parents=True, exist_ok=True)
        if size > shutil.disk_usage(args.directory).free:
            return "на диске нет столько места"
    except OSError as error:
        return f"нет папки для файлов: {error.strerror}"
    return ""


def save(sock: socket.socket, size: int, file: FileIO) -> str:
    """Read the content to its end; return what went wrong with the disk, or an empty string."""
    trouble = ""
    while size > 0:
        piece = sock.recv(min(size, 65536))
        if not piece:
            raise ConnectionError("клиент ушёл посреди файла")
        size -= len(piece)
        try:
            while piece and not trouble:
                piece = piece[file.write(piece) :]
        except OSError as error:
            trouble = f"не могу записать: {error.strerror}"
    return trouble


def one_upload(sock: socket.socket, number: str, args: argparse.Namespace) -> bool:
    """Serve one upload; return whether the connection goes on."""
    sock.settimeout(None)  # between uploads a client may think as long as it likes
    first = sock.recv(1)
    if not first:
        return False
    sock.settimeout(args.timeout)
    name_length = int.from_bytes(first + receive(sock, 3), "big")
    if name_length > 200:
        reply(sock, 1, "имя длиннее 200 байт")
        return False
    raw_name = receive(sock, name_length)
    size = int.from_bytes(receive(sock, 8), "big")
    reason = check_offer(raw_name, size, args)
    if reason:
        reply(sock, 1, reason)
        print(f"[INFO] Отказ: {reason}", flush=True)
        return True

    final_name = "received_" + raw_name.decode("utf-8")
    temporary = args.directory / f"tmp_{os.getpid()}_{number}"
    try:
        file = temporary.open("wb", buffering=0)
    except OSError as error:
        reply(sock, 1, f"не могу создать файл: {error.strerror}")
        return True
    try:
        with file:
            reply(sock, 0)
            sock.settimeout(args.timeout)
            trouble = save(sock, size, file)
        if not trouble:
            try:
                temporary.replace(args.directory / final_name)
            except OSError as error:
                trouble = f"не могу сохранить: {error.strerror}"
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    if trouble:
        reply(sock, 1, trouble)
    else:
        print(f"[INFO] Сохранён {final_name}, байт: {size}", flush=True)
        reply(sock, 0, final_name)
    return True


def serve(sock: socket.socket, number: int, args: argparse.Namespace) -> None:
    upload = 0
    try:
        while not stopped and one_upload(sock, f"{number}_{upload}", args):
            upload += 1
    except OSError as error:
        print(f"[INFO] Клиент {number} пропал: {error}", flush=True)
    finally:
        with lock:
            del clients[sock]
        sock.close()


def accept_clients(listener: socket.socket, args: argparse.Namespace) -> None:
    number = 0
    while not stopped:
        try:
            client, address = listener.accept()
        except TimeoutError:
            continue
        except OSError as error:
            print(f"[INFO] Не смог принять клиента: {error}", flush=True)
            time.sleep(0.1)
            continue
        number += 1
        print(f"[INFO] Клиент {number}: {address[0]}:{address[1]}", flush=True)
        thread = threading.Thread(target=serve, args=(client, number, args))
        with lock:
            clients[client] = thread
        try:
            thread.start()
        except RuntimeError as error:
            print(f"[INFO] Нет больше потоков: {error}", flush=True)
            del clients[client]
            client.close()


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)

    parser = argparse.ArgumentParser(description="принимает файлы")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8082)
    parser.add_argument("--directory", type=Path, default=Path("received"))
    parser.add_argument("--timeout", type=duration, default=60.0)
    parser.add_argument("--max-size", type=number_of_bytes)
    args = parser.parse_args()

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        args.directory.mkdir(parents=True, exist_ok=True)
        listener.bind((args.host, args.port))
        listener.listen(100)
    except (OSError, UnicodeError) as error:
        print(f"[ERROR] Не могу начать на {args.host}:{args.port}: {error}", file=sys.stderr)
        listener.close()
        sys.exit(1)
    host, port = listener.getsockname()
    print(f"[INFO] Listening on {host}:{port}", flush=True)

    listener.settimeout(0.5)  # to look at `stopped` now and then
    accept_clients(listener, args)
    listener.close()
    with lock:
        left = list(clients.items())
    for client, _ in left:
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)  # wakes the thread, which removes its file
    for _, thread in left:
        thread.join()
    print("[INFO] Сервер остановлен.", flush=True)


if __name__ == "__main__":
    main()
