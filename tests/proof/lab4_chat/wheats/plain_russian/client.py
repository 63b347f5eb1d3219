"""A chat client in plain style: two threads put what happens into one queue.

What it says to people is Russian.
"""

import argparse
import contextlib
import json
import os
import queue
import shutil
import signal
import socket
import sys
import threading
import time
import unicodedata
from typing import Any

try:
    import readline
    import termios
except ImportError:  # Windows
    readline = None
    termios = None

MAX_SENT = 65536  # bytes, with "\n"
MAX_RECEIVED = 1024 * 1024

HELP = (
    "Команды: /users - кто здесь, /private ИМЯ ТЕКСТ - лично, /session ИМЯ - позвать в личную"
    " беседу, y или n - ответить тому, кто зовёт, /exit - выйти из беседы, /quit - выйти совсем."
)

events: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=1000)
output_lock = threading.RLock()
is_terminal = False
terminal_settings: Any = None
prompt = ""
reading = False  # a prompt stands on the terminal, maybe with a part of a line
typed = ""  # that part, where there is no readline

my_name = ""
partner = ""
who_asked: list[str] = []
logged_in = False
login_sent = False


# the screen


def clean(value: Any) -> str:
    result = ""
    for letter in str(value):
        if unicodedata.category(letter) == "Cc":
            result += f"<{ord(letter):02X}>"
        elif unicodedata.category(letter) == "Cs":
            result += "?"
        else:
            result += letter
    return result


def typed_part() -> str:
    return readline.get_line_buffer() if readline else typed


def erase() -> None:
    """Remove the prompt and what is typed after it."""
    text = prompt + typed_part()
    width = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
    rows = width // shutil.get_terminal_size().columns
    print("\r" + "\033[A" * rows + "\033[J", end="")


def show(text: str) -> None:
    """Print a line, above the one that is being typed."""
    with output_lock:
        if reading:
            erase()
            print(text)
            print(prompt + typed_part(), end="", flush=True)
        else:
            print(text, flush=True)


def set_prompt(text: str) -> None:
    global prompt
    with output_lock:
        if reading:
            erase()
            print(text + typed_part(), end="", flush=True)
        prompt = text


def show_mode() -> None:
    mode = f"[@{clean(partner)}]" if partner else "[all]"
    if not is_terminal:
        show(mode)
    set_prompt(f"{mode} ")


def finish(code: int, error: str = "") -> None:
    """End the program at once, whatever the other threads wait for."""
    with output_lock:
        if reading:
            print(flush=True)
        if error:
            print(f"[ERROR] {error}", file=sys.stderr, flush=True)
        if terminal_settings:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(sys.stdin, termios.TCSANOW, terminal_settings)
        os._exit(code)


def interrupt(*_: object) -> None:
    if terminal_settings:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(sys.stdin, termios.TCSANOW, terminal_settings)
    os._exit(130)


# the threads


def readline_input() -> str:
    """Read a line; nothing is shown until the prompt stands there and the hook is called."""
    global reading
    output_lock.acquire()
    print("\r\033[J", end="", flush=True)
    if not hasattr(readline, "set_pre_input_hook"):
        prompt_is_there()
    try:
        return input(prompt)
    finally:
        if not reading:
            output_lock.release()
        reading = False


def prompt_is_there() -> None:
    global reading
    reading = True
    output_lock.release()


def windows_input() -> str:
    import msvcrt

    global typed, reading
    with output_lock:
        typed = ""
        reading = True
        print(prompt, end="", flush=True)
    while True:
        key = msvcrt.getwch()
        with output_lock:
            if key in "\r\n":
                print(flush=True)
                reading = False
                return typed
            if key == "\003":
                os._exit(130)
            if key == "\032":
                raise EOFError
            if key in "\0\xe0":
                msvcrt.getwch()
            elif key == "\b":
                erase()
                typed = typed[:-1]
                print(prompt + typed, end="", flush=True)
            elif key.isprintable():
                typed += key
                print(key, end="", flush=True)


def read_keyboard() -> None:
    try:
        while True:
            if is_terminal:
                line = readline_input() if readline else windows_input()
            else:
                line = sys.stdin.readline() if sys.stdin else ""
                if not line:
                    break
                line = line.rstrip("\n")
            done = threading.Event()
            events.put(("typed", (line, done)))
            if is_terminal:
                done.wait()  # the next prompt may be another one
    except EOFError:
        pass
    events.put(("end of input", None))


def read_socket(sock: socket.socket) -> None:
    buffer = b""
    reason = "сервер закрыл соединение"
    try:
        while data := sock.recv(65536):
            start = len(buffer)
            buffer += data
            if buffer.find(b"\n", start) >= 0:
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    events.put(("received", line))
            if len(buffer) >= MAX_RECEIVED:
                reason = "слишком длинная строка от сервера"
                break
    except OSError as error:
        reason = str(error)
    events.put(("lost", reason))


# what is typed


def send(sock: socket.socket, **message: Any) -> bool:
    line = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    if len(line) > MAX_SENT:
        show("Слишком длинно, не отправлено.")
        return False
    try:
        sock.sendall(line)
    except OSError as error:
        finish(1, f"Соединение потеряно: {error}")
    return True


def log_in(sock: socket.socket, name: str) -> None:
    global my_name, login_sent
    my_name = name
    set_prompt("... ")
    login_sent = send(sock, username=name)
    if not login_sent:
        ask_name()


def ask_name() -> None:
    if is_terminal:
        set_prompt("Ваше имя: ")
    else:
        show("Как вас зовут?")


def handle_command(sock: socket.socket, line: str) -> None:
    words = line.split(maxsplit=2)
    if words[0] == "/users" and len(words) == 1:
        send(sock, type="users")
    elif words[0] == "/session" and len(words) == 2:
        send(sock, type="session_request", target_username=words[1])
    elif words[0] == "/private" and len(words) == 3:
        send(sock, type="private", target_username=words[1], message=words[2])
    elif words[0] == "/exit" and len(words) == 1:
        send(sock, type="session_end")
    elif words[0] == "/help" and len(words) == 1:
        show(HELP)
    else:
        show(f"Не понял: {clean(line)} (не отправлено). {HELP}")


def handle_text(sock: socket.socket, line: str) -> None:
    if line in ("y", "n") and who_asked:
        name = who_asked.pop(0)
        send(sock, type="session_response", target_username=name, accepted=line == "y")
    elif partner:
        send(sock, type="private", target_username=partner, message=line)
    else:
        send(sock, type="message", message=line)


# what is received


def handle_message(line: bytes) -> None:
    global logged_in, login_sent, partner
    try:
        message = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return
    if not isinstance(message, dict):
        return
    message_type = message.get("type")
    who = clean(message.get("from_username"))
    whom = clean(message.get("to_username"))
    text = clean(message.get("message"))
    if message_type == "message":
        show(f"{who} пишет всем: {text}")
    elif message_type == "private":
        show(f"{who} пишет лично вам (private): {text}")
    elif message_type == "system":
        show(f"*** {text} (в сети: {clean(message.get('online_users'))})")
        if not logged_in:
            logged_in = True
            login_sent = False
            set_prompt("[all] ")
    elif message_type == "error":
        show(f"*** Ошибка: {text} ({clean(message.get('code'))})")
        if not logged_in:
            login_sent = False
            ask_name()
    elif message_type == "session_request":
        if message.get("from_username") not in who_asked:
            who_asked.append(str(message.get("from_username")))
        show(f"*** {who} зовёт вас в личную беседу: {text} Ответьте y (да) или n (нет).")
    elif message_type == "session_accepted":
        show(f"*** Личная беседа, {who} и {whom}: {text}")
        who_asked.clear()
        first, second = message.get("from_username"), message.get("to_username")
        partner = str(second if first == my_name else first)
        show_mode()
    elif message_type == "session_rejected":
        show(f"*** {whom} не хочет беседовать: {text}")
    elif message_type == "session_ended":
        show(f"*** Конец личной беседы, {who} и {whom}: {text}")
        partner = ""
        show_mode()
    elif message_type == "users_list" and isinstance(message.get("users"), list):
        show(f"*** В сети: {', '.join(clean(name) for name in message['users'])}")


# the main thread


def chat(sock: socket.socket, ping_interval: float) -> None:
    """Deal with one event after another; what is typed waits while a login is not answered."""
    next_ping = time.monotonic() + ping_interval
    later: list[tuple[str, Any]] = []  # what was typed meanwhile
    while True:
        if later and not login_sent:
            kind, value = later.pop(0)
        else:
            timeout = max(0.0, min(next_ping - time.monotonic(), 0.5))
            try:
                kind, value = events.get(timeout=timeout)
            except queue.Empty:
                kind, value = "nothing", None
            if kind in ("typed", "end of input") and (login_sent or later):
                later.append((kind, value))
                continue
        if time.monotonic() >= next_ping:
            next_ping = time.monotonic() + ping_interval
            if logged_in:
                send(sock, type="ping")
        if kind == "received":
            handle_message(value)
        elif kind == "lost":
            finish(1, f"Сервер недоступен: {value}")
        elif kind == "end of input":
            return
        elif kind == "typed":
            line, done = value
            line = line.strip()
            if line == "/quit":
                return
            if line == "":
                pass
            elif not logged_in:
                log_in(sock, line)
            elif line.startswith("/"):
                handle_command(sock, line)
            else:
                handle_text(sock, line)
            done.set()


def leave(sock: socket.socket) -> None:
    """Close the connection; all that was sent is to arrive, so the server may close it first."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        with contextlib.suppress(queue.Empty):
            kind, _ = events.get(timeout=0.1)
            if kind == "lost":
                return


def port_number(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("порт бывает от 1 до 65535")
    return port


def duration(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1000000:
        raise argparse.ArgumentTypeError("время должно быть положительным")
    return value


def main() -> None:
    global is_terminal, terminal_settings
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), interrupt)

    parser = argparse.ArgumentParser(description="клиент чата")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8083)
    parser.add_argument("--username")
    parser.add_argument("--ping-interval", type=duration, default=30.0)
    args = parser.parse_args()

    try:
        sock = socket.create_connection((args.host, args.port))
    except (OSError, UnicodeError) as error:
        print(f"[ERROR] Нет связи с {args.host}:{args.port}: {error}", file=sys.stderr)
        sys.exit(1)

    is_terminal = all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout))
    if is_terminal and readline:
        terminal_settings = termios.tcgetattr(sys.stdin)
        readline.parse_and_bind("set enable-bracketed-paste off")
        if hasattr(readline, "set_pre_input_hook"):
            readline.set_pre_input_hook(prompt_is_there)
    elif os.name == "nt":
        os.system("")  # noqa: S605, S607 - switches the console's escape sequences on
    if args.username is None:
        ask_name()
    else:
        log_in(sock, args.username)

    threading.Thread(target=read_socket, args=(sock,), daemon=True).start()
    threading.Thread(target=read_keyboard, daemon=True).start()
    chat(sock, args.ping_interval)
    leave(sock)
    finish(0)


if __name__ == "__main__":
    main()
