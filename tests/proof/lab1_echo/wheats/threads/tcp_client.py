"""A TCP echo client in plain style: reads through makefile(), and talks Russian in between."""

import argparse
import signal
import socket
import sys
from collections.abc import Iterable, Iterator


def port_number(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("порт бывает от 1 до 65535")
    return port


def typed_lines() -> Iterator[str]:
    while sys.stdin is not None:
        line = sys.stdin.readline()
        if line == "":
            return
        line = line.removesuffix("\n")
        if line != "":
            yield line


def talk(sock: socket.socket, texts: Iterable[str]) -> None:
    with sock.makefile("rb") as incoming:
        for text in texts:
            message = text.encode("utf-8")
            sock.sendall(message)
            echo = incoming.read(len(message))
            if len(echo) < len(message):
                raise ConnectionError("сервер закрыл соединение")
            print(f"Эхо, байт: {len(echo)}")
            print(echo.decode("utf-8"), flush=True)


def main() -> None:
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)  # ends the program on the spot

    parser = argparse.ArgumentParser(description="клиент для TCP-эха")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=6789)
    parser.add_argument("messages", nargs="*")
    args = parser.parse_args()

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.connect((args.host, args.port))
        print(f"Соединение есть: {args.host}:{args.port}", flush=True)
        talk(sock, args.messages or typed_lines())
    except (OSError, UnicodeError) as error:
        print(f"[ERROR] {args.host}:{args.port}: {error}", file=sys.stderr)
        sys.exit(1)
    finally:
        sock.close()
    print("До свидания!", flush=True)


if __name__ == "__main__":
    main()
