"""An echo server in plain style: a thread a client, a global counter, chatty in Russian."""

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
import time

stopped = False
online = 0
clients: dict[socket.socket, threading.Thread] = {}
lock = threading.Lock()  # for all three: the counter, the dictionary, the order of the lines


def stop(*_: object) -> None:
    global stopped
    stopped = True


def port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("порт бывает от 0 до 65535")
    return port


def say_hello(client: socket.socket, address: tuple[str, int]) -> None:
    global online
    with lock:
        online += 1
        print(f"[INFO] Пришёл {address[0]}:{address[1]} ({online} online)", flush=True)
        clients[client] = threading.Thread(target=serve, args=(client, address))


def say_goodbye(client: socket.socket, address: tuple[str, int]) -> None:
    global online
    with lock:
        online -= 1
        print(f"[INFO] Ушёл {address[0]}:{address[1]} ({online} online)", flush=True)
        del clients[client]


def serve(client: socket.socket, address: tuple[str, int]) -> None:
    try:
        while True:
            data = client.recv(4096)
            if not data:
                break
            client.sendall(data)
    except OSError as error:
        print(f"[INFO] Связь прервалась: {error}", flush=True)
    finally:
        say_goodbye(client, address)
        client.close()


def accept_clients(listener: socket.socket) -> None:
    while not stopped:
        try:
            client, address = listener.accept()
        except TimeoutError:
            continue
        except OSError as error:
            print(f"[INFO] Не смог принять клиента: {error}", flush=True)
            time.sleep(0.1)
            continue
        say_hello(client, address)
        try:
            clients[client].start()
        except RuntimeError as error:
            print(f"[INFO] Нет больше потоков: {error}", flush=True)
            say_goodbye(client, address)
            client.close()


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)

    parser = argparse.ArgumentParser(description="TCP-эхо для многих клиентов")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8081)
    args = parser.parse_args()

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((args.host, args.port))
        listener.listen(250)
    except (OSError, UnicodeError) as error:
        print(f"[ERROR] Не могу занять {args.host}:{args.port}: {error}", file=sys.stderr)
        listener.close()
        sys.exit(1)
    host, port = listener.getsockname()
    print(f"[INFO] Listening on {host}:{port}", flush=True)

    listener.settimeout(0.5)  # to look at `stopped` now and then
    accept_clients(listener)
    listener.close()
    with lock:
        left = list(clients.items())
    for client, _ in left:
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
    for _, thread in left:
        thread.join()
    print("[INFO] Сервер остановлен.", flush=True)


if __name__ == "__main__":
    main()
