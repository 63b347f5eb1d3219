"""A client that uploads files, in plain style; it talks Russian in between."""

import argparse
import os
import signal
import socket
import sys
from pathlib import Path

bar_is_open = False


def port_number(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("порт бывает от 1 до 65535")
    return port


def receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(min(size - len(data), 65536))
        if not piece:
            raise ConnectionError("сервер закрыл соединение")
        data += piece
    return data


def read_reply(sock: socket.socket) -> tuple[int, str]:
    code = receive(sock, 1)[0]
    length = int.from_bytes(receive(sock, 4), "big")
    text = receive(sock, length).decode("utf-8", errors="replace")
    return code, " ".join(text.splitlines())


def print_error(text: str) -> None:
    if bar_is_open:
        print(file=sys.stderr)  # a line of its own
    print(f"[ERROR] {text}", file=sys.stderr, flush=True)


def show_progress(done: int, size: int) -> None:
    global bar_is_open
    if sys.stderr is None or not sys.stderr.isatty():
        return
    bar_is_open = done < size
    percent = 100 * done // size if size else 100
    end = "" if bar_is_open else "\n"
    print(f"\r[{'#' * (percent // 4):25}] {percent:3}%", end=end, file=sys.stderr, flush=True)


def send_file(sock: socket.socket, path: Path) -> bool:
    """Upload one file; return whether the server has stored it."""
    try:
        name = path.name.encode("utf-8")
        file = path.open("rb")
    except (OSError, ValueError) as error:
        print_error(f"{path.name!r}: не могу прочитать: {error}")
        return False
    if len(name) > 200:
        print_error(f"{path.name!r}: имя длиннее 200 байт")
        file.close()
        return False

    with file:
        size = os.fstat(file.fileno()).st_size
        sock.sendall(len(name).to_bytes(4, "big") + name + size.to_bytes(8, "big"))
        code, text = read_reply(sock)
        if code != 0:
            print_error(f"{path.name!r}: сервер отказал: {text}")
            return False
        print(f"Отправляю {path.name}, байт: {size}", flush=True)
        done = 0
        show_progress(done, size)
        while done < size:
            piece = file.read(min(65536, size - done))
            if not piece:
                raise ConnectionError(f"{path.name!r} стал короче, пока я его отправлял")
            sock.sendall(piece)
            done += len(piece)
            show_progress(done, size)

    code, text = read_reply(sock)
    if code != 0:
        print_error(f"{path.name!r}: сервер не сохранил файл: {text}")
        return False
    print(f"Готово: stored as {text}", flush=True)
    return True


def main() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)  # ends the program on the spot

    parser = argparse.ArgumentParser(description="отправляет файлы")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8082)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    args = parser.parse_args()

    failed = False
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.connect((args.host, args.port))
        for path in args.files:
            if not send_file(sock, path):
                failed = True
    except (OSError, UnicodeError) as error:
        print_error(f"{args.host}:{args.port}: {error}")
        failed = True
    finally:
        sock.close()
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
