"""部屋のサーバ。ロックは一つだけで、部屋にもソケットの読み書きにもそれを使う。"""

import argparse
import contextlib
import os
import select
import signal
import socket
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

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

LINGER = 2.0  # 秒。断った相手が返事を読むまで待つ時間
REAPER_PAUSE = 0.2  # 秒
AT_ONCE = 500  # 一度にロックを持ったまま読むデータグラムの数


@dataclass
class Member:
    """部屋にいる人。"""

    name: str
    token: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    address: Any = None
    last_seen: float = field(default_factory=time.monotonic)


@dataclass
class Room:
    """部屋。"""

    name: str
    members: dict[str, Member] = field(default_factory=dict)

    def others(self, member: Member) -> list[Member]:
        return [other for other in self.members.values() if other is not member]


class Refusal(Exception):
    """断る理由。"""

    def __init__(self, reason: str, closes: bool = False) -> None:
        super().__init__(reason)
        self.closes = closes


class Hall:
    """すべての部屋と UDP ソケット。メソッドはどれもロックを取る。"""

    def __init__(self, udp: socket.socket, idle_timeout: float) -> None:
        self.udp = udp
        self.udp.setblocking(False)
        self.idle_timeout = idle_timeout
        self.rooms: dict[str, Room] = {}
        self.lock = threading.RLock()

    # TCP から

    def create(self, room_name: str, user: str) -> bytes:
        with self.lock:
            if room_name in self.rooms:
                raise Refusal(f"部屋「{room_name}」はもうあります")
            room = self.rooms[room_name] = Room(room_name)
            return self._enter(room, user)

    def join(self, room_name: str, user: str) -> bytes:
        with self.lock:
            room = self.rooms.get(room_name)
            if room is None:
                raise Refusal(f"部屋「{room_name}」はありません")
            if user in room.members:
                raise Refusal(f"「{user}」という名前はこの部屋で使われています")
            return self._enter(room, user)

    def listing(self) -> bytes:
        with self.lock:
            names = sorted((name.encode() for name in self.rooms), key=len)
        result = b""
        for name in names:  # 短い順なら、一番多く入る
            if len(result) + len(name) + 1 > MAX_PAYLOAD:
                break
            result += name + b"\n"
        return result.removesuffix(b"\n")

    # UDP から

    def drain(self) -> bool:
        """届いているものを全部処理する。もう何も残っていなければ True。"""
        with self.lock:
            for _ in range(AT_ONCE):
                try:
                    data, address = self.udp.recvfrom(MAX_DATAGRAM + 1)
                except BlockingIOError:
                    return True
                except OSError:  # Windows:大きすぎる、または宛先がもういない
                    continue
                with contextlib.suppress(BadDatagram):
                    self._hear(Datagram.decode(data), address)
            return False

    def reap(self) -> None:
        """黙っている人を外す。その前に届いていたものは先に読む。"""
        with self.lock:
            now = time.monotonic()
            self.drain()
            for room in list(self.rooms.values()):
                for member in list(room.members.values()):
                    if now - member.last_seen >= self.idle_timeout:
                        log(f"{room.name}:{member.name} は時間切れ")
                        self._leave(room, member, f"{member.name}さんは時間切れで退室しました")

    # 内部。ロックは取ってある

    def _enter(self, room: Room, user: str) -> bytes:
        member = room.members[user] = Member(user)
        self._tell(room, member, Kind.NOTICE, f"{user}さんが入室しました")
        log(f"{room.name}:{user} が入室")
        return member.token

    def _leave(self, room: Room, member: Member, text: str) -> None:
        del room.members[member.name]
        self._tell(room, member, Kind.NOTICE, text)
        if not room.members:
            del self.rooms[room.name]

    def _hear(self, datagram: Datagram, address: Any) -> None:
        room = self.rooms.get(datagram.room)
        member = room.members.get(datagram.user) if room else None
        if room is None or member is None or datagram.kind == Kind.NOTICE:
            return
        if len(datagram.token) != TOKEN_LENGTH or datagram.token != member.token:
            return
        member.address = address
        member.last_seen = time.monotonic()
        if datagram.kind == Kind.HELLO:
            self._send(Datagram(Kind.HELLO, room.name, member.name), member)
        elif datagram.kind == Kind.TEXT:
            self._tell(room, member, Kind.TEXT, datagram.text)
        elif datagram.kind == Kind.BYE:
            log(f"{room.name}:{member.name} が退室")
            self._leave(room, member, f"{member.name}さんが退室しました")

    def _tell(self, room: Room, about: Member, kind: Kind, text: str) -> None:
        for member in room.others(about):
            self._send(Datagram(kind, room.name, about.name, text=text), member)

    def _send(self, datagram: Datagram, member: Member) -> None:
        if member.address is not None:
            with contextlib.suppress(OSError):  # 届かないデータグラムは、失われたのと同じ
                self.udp.sendto(datagram.encode(), member.address)


class Visitor(threading.Thread):
    """TCP の客一人を受け持つスレッド。"""

    def __init__(self, sock: socket.socket, hall: Hall) -> None:
        super().__init__(daemon=True)
        self.sock = sock
        self.hall = hall

    def run(self) -> None:
        with self.sock, contextlib.suppress(OSError, EOFError):
            while True:
                request, payload_size = self.receive_request()
                try:
                    payload = self.obey(request, payload_size)
                except Refusal as refusal:
                    self.reply(request, State.REFUSED, str(refusal).encode())
                    if refusal.closes:
                        self.part(payload_size)
                        return
                else:
                    self.reply(request, State.DONE, payload)

    def receive(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def receive_request(self) -> tuple[Message, int]:
        """電文の先頭から名前まで。荷物は読まない。"""
        operation, state, r, u, p = HEADER.unpack(self.receive(HEADER.size))
        return Message(operation, state, self.receive(r), self.receive(u)), p

    def obey(self, request: Message, payload_size: int) -> bytes:
        if request.state != State.REQUEST:
            raise Refusal(f"状態 {request.state} は依頼ではありません", closes=True)
        if payload_size:
            raise Refusal("依頼に荷物は付けられません", closes=True)
        if request.operation == Operation.LIST:
            return self.hall.listing()
        if request.operation not in (Operation.CREATE, Operation.JOIN):
            raise Refusal(f"操作 {request.operation} は知りません", closes=True)
        room, user = valid_name(request.room), valid_name(request.user)
        if room is None:
            raise Refusal("部屋の名前は1~32文字の文字・数字・_ - . です")
        if user is None:
            raise Refusal("ユーザ名は1~32文字の文字・数字・_ - . です")
        enter = self.hall.create if request.operation == Operation.CREATE else self.hall.join
        return enter(room, user)

    def reply(self, request: Message, state: State, payload: bytes) -> None:
        reply = Message(request.operation, state, request.room, request.user, payload)
        self.sock.sendall(reply.encode())

    def part(self, announced: int) -> None:
        """読み残しがあると close() が RST になり、返事が消える。だから少し読んでから閉じる。"""
        self.sock.shutdown(socket.SHUT_WR)
        self.sock.settimeout(LINGER)
        limit = time.monotonic() + LINGER
        while time.monotonic() < limit and self.sock.recv(65536):
            pass
        log(f"荷物 {announced} バイトの客と別れた")


log_lock = threading.Lock()


def log(text: str) -> None:
    with log_lock:
        print(f"[INFO] {text}", flush=True)


def hear_for_ever(hall: Hall) -> None:
    while True:
        select.select([hall.udp], [], [])
        hall.drain()


def reap_for_ever(hall: Hall) -> None:
    while True:
        time.sleep(REAPER_PAUSE)
        hall.reap()


def listen(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """同じ番号の TCP と UDP。番号が 0 なら、両方で空いているものを探す。"""
    address = socket.gethostbyname(host)
    for attempt in range(1, 41):
        with contextlib.ExitStack() as stack:
            udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            try:
                udp.bind((address, port))
                tcp = socket.create_server(udp.getsockname(), backlog=100)
            except OSError:
                if port or attempt == 40:
                    raise
            else:
                stack.pop_all()
                return tcp, udp
    raise AssertionError("ここには来ない")


def port_number(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("ポートは0~65535")
    return port


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError("時間は正の秒数")
    return value


def main() -> None:
    """聞き始めて、信号が来るまで客を迎える。"""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    stopping = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stopping.set())
    parser = argparse.ArgumentParser(description="部屋のサーバ")
    parser.add_argument("--host", default="127.0.0.1", help="聞く住所")
    parser.add_argument("--port", type=port_number, default=8084, help="TCP と UDP の番号")
    parser.add_argument("--idle-timeout", type=seconds, default=60.0, help="黙っていられる秒数")
    options = parser.parse_args()
    try:
        tcp, udp = listen(options.host, options.port)
    except (OSError, UnicodeError) as error:
        sys.exit(f"[ERROR] {options.host}:{options.port} で待てません:{error}")

    hall = Hall(udp, options.idle_timeout)
    for work in (hear_for_ever, reap_for_ever):
        threading.Thread(target=work, args=(hall,), daemon=True).start()
    host, port = tcp.getsockname()
    log(f"Listening on {host}:{port}")
    while not stopping.is_set():
        if not select.select([tcp], [], [], 0.3)[0]:
            continue
        try:
            sock, _ = tcp.accept()
            Visitor(sock, hall).start()
        except (OSError, RuntimeError) as error:  # ファイルかスレッドが足りない
            log(f"客を迎えられません:{error}")
            stopping.wait(0.2)
    log_lock.acquire(timeout=0.5)  # 書きかけの行を残さない
    os._exit(0)


if __name__ == "__main__":
    main()
