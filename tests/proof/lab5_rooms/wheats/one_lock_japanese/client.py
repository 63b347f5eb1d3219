"""部屋のクライアント。TCP は話している間も開けておき、出来事は一つの列に並べる。"""

import argparse
import contextlib
import os
import queue
import signal
import socket
import sys
import threading
import time
import unicodedata
from dataclasses import dataclass, field
from enum import Enum, auto

from .denbun import (
    HEADER,
    MAX_DATAGRAM,
    MAX_PAYLOAD,
    TOKEN_LENGTH,
    BadDatagram,
    Datagram,
    Kind,
    Message,
    Operation,
    State,
    valid_name,
)

FIRST_HELLOS = 3
HELLO_PAUSE = 1.0  # 秒
KEEP_ALIVE = 15.0  # 秒


class Event(Enum):
    """列に並ぶ出来事の種類。"""

    TYPED = auto()
    END_OF_INPUT = auto()
    HEARD = auto()


class Refused(Exception):
    """サーバに断られた。"""


class Fatal(Exception):
    """続けられない。"""


@dataclass
class Keyboard:
    """打たれた行。別のスレッドが読む。"""

    lines: "queue.Queue[bytes | None]" = field(default_factory=lambda: queue.Queue(maxsize=20))
    prompts: bool = False

    def start(self) -> None:
        streams = (sys.stdin, sys.stdout)
        self.prompts = all(stream is not None and stream.isatty() for stream in streams)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            for line in sys.stdin.buffer if sys.stdin else ():
                self.lines.put(line.removesuffix(b"\n").removesuffix(b"\r"))
        self.lines.put(None)

    def get(self, timeout: float) -> bytes | None:
        return self.lines.get(timeout=timeout)

    def ask(self, question: str) -> bytes:
        if self.prompts:
            print(f"{question} > ", end="", flush=True)
        while True:
            with contextlib.suppress(queue.Empty):
                line = self.get(timeout=0.4)
                if line is None or line == b"/quit":
                    raise EOFError
                return line


class Office:
    """受付。TCP の接続。"""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def request(self, operation: Operation, room: bytes = b"", user: bytes = b"") -> bytes:
        if len(room) > 255 or len(user) > 255:
            raise Refused("名前が長すぎて送れません")
        self.sock.sendall(Message(operation, State.REQUEST, room, user).encode())
        number, state, r, u, p = HEADER.unpack(self._receive(HEADER.size))
        if p > MAX_PAYLOAD:
            raise Fatal("サーバの返事が大きすぎます")
        reply = Message(number, state, self._receive(r), self._receive(u), self._receive(p))
        if (number, reply.room, reply.user) != (operation, room, user):
            raise Fatal("サーバの返事が依頼に合いません")
        if state == State.REFUSED:
            raise Refused(one_line(reply.payload.decode(errors="replace")))
        if state != State.DONE or (operation != Operation.LIST and p != TOKEN_LENGTH):
            raise Fatal("サーバの返事がおかしい")
        return reply.payload

    def rooms(self) -> list[str]:
        text = self.request(Operation.LIST).decode(errors="replace")
        return [name for name in text.split("\n") if name]

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                piece = self.sock.recv(size - len(data))
            except TimeoutError:  # Windows では、こうしないと Ctrl+C に気付かない
                continue
            if not piece:
                raise Fatal("サーバが接続を閉じました")
            data += piece
        return data


@dataclass
class Entrance:
    """部屋に入るまでの問答。"""

    office: Office
    keyboard: Keyboard
    user: bytes | None

    def by_option(self, operation: Operation, room: bytes) -> tuple[bytes, bytes, bytes]:
        if self.user is None:
            self.user = self.keyboard.ask("お名前")
        try:
            return room, self.user, self.office.request(operation, room, self.user)
        except Refused as refused:
            raise Fatal(f"断られました:{refused}") from None

    def by_questions(self) -> tuple[bytes, bytes, bytes]:
        while True:
            if self.user is None:
                self.user = self.keyboard.ask("お名前")
            answer = self.keyboard.ask("1=部屋を作る 2=部屋に入る")
            if answer not in (b"1", b"2"):
                print("1 か 2 を打ってください。", flush=True)
                continue
            operation = Operation.CREATE if answer == b"1" else Operation.JOIN
            try:
                rooms = self.office.rooms() if operation == Operation.JOIN else []
                if operation == Operation.JOIN:
                    print(f"部屋({len(rooms)}):{'、'.join(map(one_line, rooms))}", flush=True)
                room = self.keyboard.ask("部屋の名前")
                return room, self.user, self.office.request(operation, room, self.user)
            except Refused as refused:
                print(f"断られました:{refused}", flush=True)
            # 名前が悪いのか部屋が悪いのか。名前なら初めから、部屋なら 1 か 2 から。
            taken = operation == Operation.JOIN and room.decode(errors="replace") in rooms
            if taken or valid_name(self.user) is None:
                self.user = None


class Conversation:
    """UDP での会話。"""

    def __init__(
        self, server: tuple, family: int, room: bytes, user: bytes, token: bytes, keyboard: Keyboard
    ) -> None:
        self.server = server
        self.room = room.decode()
        self.user = user.decode()
        self.token = token
        self.keyboard = keyboard
        self.events: queue.Queue[tuple[Event, bytes]] = queue.Queue(maxsize=200)
        self.answered = False
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.bind(("", 0))

    def start(self) -> None:
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        while True:
            try:
                data, sender = self.sock.recvfrom(MAX_DATAGRAM + 1)
            except OSError:  # Windows:大きすぎる、または相手がいない
                continue
            if sender == self.server:
                self.events.put((Event.HEARD, data))

    def _type(self) -> None:
        """返事が来た後で始まる。"""
        while (line := self.keyboard.lines.get()) is not None:
            self.events.put((Event.TYPED, line))
        self.events.put((Event.END_OF_INPUT, b""))

    def send(self, kind: Kind, text: str = "") -> bool:
        data = Datagram(kind, self.room, self.user, self.token, text).encode()
        if len(data) > MAX_DATAGRAM:
            return False
        with contextlib.suppress(OSError):  # 失われたデータグラムと同じ
            self.sock.sendto(data, self.server)
        return True

    def greet(self) -> None:
        for _ in range(FIRST_HELLOS):
            self.send(Kind.HELLO)
            deadline = time.monotonic() + HELLO_PAUSE
            while not self.answered and (left := deadline - time.monotonic()) > 0:
                self.handle_next(left)
            if self.answered:
                return
        raise Fatal("hello に返事がありません")

    def talk(self) -> None:
        """最後の行か /quit まで。"""
        threading.Thread(target=self._type, daemon=True).start()
        next_hello = time.monotonic() + KEEP_ALIVE
        going_on = True
        while going_on:
            left = next_hello - time.monotonic()
            if left <= 0:
                self.send(Kind.HELLO)
                next_hello += KEEP_ALIVE
            else:
                going_on = self.handle_next(left)
        self.send(Kind.BYE)

    def handle_next(self, timeout: float) -> bool:
        """次の出来事を処理する。まだ続くなら True。"""
        try:
            event, data = self.events.get(timeout=min(timeout, 0.4))
        except queue.Empty:
            return True
        if event is Event.HEARD:
            with contextlib.suppress(BadDatagram):
                self.show(Datagram.decode(data))
            return True
        if event is Event.END_OF_INPUT or data == b"/quit":
            return False
        if data and not self.send(Kind.TEXT, data.decode(errors="replace")):
            print("長すぎるので送りませんでした。", flush=True)
        return True

    def show(self, datagram: Datagram) -> None:
        if datagram.token or datagram.room != self.room:
            return
        if datagram.kind == Kind.HELLO and datagram.user == self.user:
            self.answered = True
        elif datagram.kind == Kind.TEXT:
            print(f"{one_line(datagram.user)}「{one_line(datagram.text)}」", flush=True)
        elif datagram.kind == Kind.NOTICE:
            print(f"◆{one_line(datagram.user)}◆ {one_line(datagram.text)}", flush=True)


def one_line(text: str) -> str:
    return "".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text)


def port_number(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("ポートは1~65535")
    return port


def run(options: argparse.Namespace) -> None:
    keyboard = Keyboard()
    keyboard.start()
    user = None if options.username is None else os.fsencode(options.username)
    with socket.create_connection((options.host, options.port)) as tcp:
        tcp.settimeout(0.5)
        entrance = Entrance(Office(tcp), keyboard, user)
        if options.create is not None:
            found = entrance.by_option(Operation.CREATE, os.fsencode(options.create))
        elif options.join is not None:
            found = entrance.by_option(Operation.JOIN, os.fsencode(options.join))
        else:
            found = entrance.by_questions()
        conversation = Conversation(tcp.getpeername(), tcp.family, *found, keyboard)
        conversation.start()
        conversation.greet()
        conversation.talk()


def main() -> None:
    """部屋に入って話す。終わり方はここで決まる。"""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    parser = argparse.ArgumentParser(description="部屋のクライアント")
    parser.add_argument("--host", default="127.0.0.1", help="サーバの住所")
    parser.add_argument("--port", type=port_number, default=8084, help="サーバの番号")
    parser.add_argument("--username", metavar="名前")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--create", metavar="部屋")
    how.add_argument("--join", metavar="部屋")
    options = parser.parse_args()
    code = 0
    try:
        run(options)
    except EOFError:
        pass
    except KeyboardInterrupt:
        code = 130
    except Fatal as fatal:
        code = 1
        print(f"[ERROR] {fatal}", file=sys.stderr, flush=True)
    except (OSError, UnicodeError) as error:
        code = 1
        print(f"[ERROR] {options.host}:{options.port}:{error}", file=sys.stderr, flush=True)
    os._exit(code)  # キーボードを待つスレッドは、他では終わらない


if __name__ == "__main__":
    main()
