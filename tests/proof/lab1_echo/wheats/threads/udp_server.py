"""A UDP echo server in plain style: no frame, options and signals by hand, chatty in Russian."""

import argparse
import signal
import socket
import sys

stopped = False


def stop(*_: object) -> None:
    global stopped
    stopped = True


def port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("порт бывает от 0 до 65535")
    return port


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)

    parser = argparse.ArgumentParser(description="UDP-эхо")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=6789)
    args = parser.parse_args()

    print("Запускаю сервер...", flush=True)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131072)
    try:
        sock.bind((args.host, args.port))
    except (OSError, UnicodeError) as error:
        print(f"[ERROR] Не могу занять {args.host}:{args.port}: {error}", file=sys.stderr)
        sock.close()
        sys.exit(1)
    host, port = sock.getsockname()
    print(f"[INFO] Listening on {host}:{port}", flush=True)

    sock.settimeout(0.5)  # to look at `stopped` now and then
    while not stopped:
        try:
            data, address = sock.recvfrom(65535)
            sock.sendto(data, address)
            print(f"Вернул {len(data)} байт: {address[0]}:{address[1]}", flush=True)
        except TimeoutError:
            pass
        except OSError as error:
            print(f"Датаграмма пропала: {error}", flush=True)
    sock.close()
    print("Сервер остановлен.", flush=True)


if __name__ == "__main__":
    main()
