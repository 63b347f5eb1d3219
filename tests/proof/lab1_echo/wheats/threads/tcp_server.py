"""A TCP echo server in plain style: a thread a client, short pieces, chatty in Russian."""

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
import time

stopped = False
clients: dict[socket.socket, threading.Thread] = {}


def stop(*_: object) -> None:
    global stopped
    stopped = True


def port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("порт бывает от 0 до 65535")
    return port


def serve(client: socket.socket, number: int) -> None:
    total = 0
    try:
        while True:
            data = client.recv(64)
            if not data:
                break
            client.sendall(data)
            total += len(data)
        print(f"Клиент {number} закончил, байт: {total}", flush=True)
    except OSError as error:
        print(f"Клиент {number} пропал: {error}", flush=True)
    finally:
        client.close()
        del clients[client]


def accept_clients(listener: socket.socket) -> None:
    number = 0
    while not stopped:
        try:
            client, address = listener.accept()
        except TimeoutError:
            continue
        except OSError as error:
            print(f"Не смог принять клиента: {error}", flush=True)
            time.sleep(0.1)
            continue
        number += 1
        print(f"Клиент {number} пришёл: {address[0]}:{address[1]}", flush=True)
        clients[client] = threading.Thread(target=serve, args=(client, number), daemon=True)
        try:
            clients[client].start()
        except RuntimeError as error:
            print(f"Нет больше потоков: {error}", flush=True)
            del clients[client]
            client.close()


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)

    parser = argparse.ArgumentParser(description="TCP-эхо")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=6789)
    args = parser.parse_args()

    print("Запускаю сервер...", flush=True)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((args.host, args.port))
        listener.listen()
    except (OSError, UnicodeError) as error:
        print(f"[ERROR] Не могу занять {args.host}:{args.port}: {error}", file=sys.stderr)
        listener.close()
        sys.exit(1)
    host, port = listener.getsockname()
    print(f"[INFO] Listening on {host}:{port}", flush=True)

    listener.settimeout(0.5)  # to look at `stopped` now and then
    accept_clients(listener)
    listener.close()
    left = list(clients.items())
    for client, _ in left:
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
    for _, thread in left:
        thread.join(1)
    print("Сервер остановлен.", flush=True)


if __name__ == "__main__":
    main()
