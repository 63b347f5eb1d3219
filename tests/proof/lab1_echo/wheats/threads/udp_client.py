"""A UDP echo client in plain style: a connected socket, so a dead port may be noticed early."""

import argparse
import signal
import socket
import sys
import time


def port_number(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("порт бывает от 1 до 65535")
    return port


def duration(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError("нужно положительное число секунд")
    return value


def attempts_number(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("нужна хотя бы одна попытка")
    return value


def wait_for_echo(sock: socket.socket, message: bytes, timeout: float) -> bool:
    end = time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return False
        sock.settimeout(left)
        try:
            data = sock.recv(65535)
        except TimeoutError:
            return False
        if data == message:
            return True
        print(f"Пришло не то, байт: {len(data)}", flush=True)


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)  # ends the program on the spot

    parser = argparse.ArgumentParser(description="клиент для UDP-эха")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=6789)
    parser.add_argument("--timeout", type=duration, default=1.0)
    parser.add_argument("--attempts", type=attempts_number, default=3)
    parser.add_argument("message")
    args = parser.parse_args()

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131072)
    try:
        message = args.message.encode("utf-8")
        sock.connect((args.host, args.port))
        for attempt in range(1, args.attempts + 1):
            print(f"Попытка {attempt} из {args.attempts}", flush=True)
            sock.settimeout(None)
            sock.send(message)
            if wait_for_echo(sock, message, args.timeout):
                print(args.message, flush=True)
                return
        print("[ERROR] Сервер не ответил", file=sys.stderr)
    except (OSError, UnicodeError) as error:
        print(f"[ERROR] {args.host}:{args.port}: {error}", file=sys.stderr)
    finally:
        sock.close()
    sys.exit(1)


if __name__ == "__main__":
    main()
