"""A chat client on asyncio: a task for the keyboard, one for the server, one for the pings."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import unicodedata
from typing import Any

from .. import frame
from .typing_line import Console, console

LONGEST_SENT = 65_536  # bytes, with the line end
LONGEST_RECEIVED = 2**20
GOOD_BYE = 1.0  # seconds that the server has to close, at the end
TICK = 0.3  # seconds; Windows looks for Ctrl+C only when something happens

COMMANDS = {
    "/users": "shows who is online",
    "/private NAME TEXT": "sends a text to one",
    "/session NAME": "asks for a private session",
    "y or n": "answers the one who asked first",
    "/exit": "leaves the session",
    "/help": "shows this",
    "/quit": "ends the program",
}


class Session:
    """What a person does and sees in the chat."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, screen: Console
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.screen = screen
        self.me = ""
        self.partner: str | None = None
        self.asking: list[str] = []
        self.welcome = False
        self.reply = asyncio.Event()  # to a login

    async def type(self, name: str | None) -> None:
        """Do what is typed until the end; then see that it gets to the server."""
        if await self.enter(name):
            while (line := await self.screen.lines.get()) is not None:
                if line.strip() == "/quit":
                    break
                await self.do(line)
        with contextlib.suppress(OSError):
            await self.all_sent()
            self.writer.write_eof()

    async def enter(self, name: str | None) -> bool:
        while not self.welcome:
            if not name:
                self.screen.mode("")
                name = await self.screen.lines.get()
                if name is None or name == "/quit":
                    return False
                if not name:
                    continue
            self.reply.clear()
            self.me = name
            if await self.send({"username": name}):
                await self.reply.wait()
            name = None
        return True

    async def do(self, line: str) -> None:
        words = line.split(maxsplit=2)
        match words:
            case []:
                pass
            case ["/users"]:
                await self.send({"type": "users"})
            case ["/help"]:
                for command, what in COMMANDS.items():
                    self.screen.show(f"  {command:20}{what}")
            case ["/exit"] if self.partner is None:
                self.screen.show("  there is no session that you could leave")
            case ["/exit"]:
                await self.send({"type": "session_end"})
            case ["/session", name]:
                await self.send({"type": "session_request", "target_username": name})
            case ["/private", name, _]:
                text = line.split(name, 1)[1].strip()
                await self.send({"type": "private", "target_username": name, "message": text})
            case [word, *_] if word.startswith("/"):
                self.screen.show(f"  {tame(line)} is nothing that /help knows, or lacks something")
            case ["y" | "n" as letter] if self.asking:
                name = self.asking.pop(0)
                answer = {"type": "session_response", "target_username": name}
                await self.send({**answer, "accepted": letter == "y"})
            case _ if self.partner is not None:
                fields = {"target_username": self.partner, "message": line}
                await self.send({"type": "private", **fields})
            case _:
                await self.send({"type": "message", "message": line})

    async def send(self, message: dict[str, object]) -> bool:
        """Send a line; return whether it is one that may be sent."""
        line = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        if len(line) > LONGEST_SENT:
            self.screen.show(f"  not sent, as it is longer than {LONGEST_SENT} bytes")
            return False
        self.writer.write(line)
        with contextlib.suppress(OSError):  # the task that receives knows more
            await self.writer.drain()
        return True

    async def all_sent(self) -> None:
        while self.writer.transport.get_write_buffer_size():
            await asyncio.sleep(0.02)

    async def ping(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            if self.welcome:
                await self.send({"type": "ping"})

    async def receive(self) -> str:
        """Show what the server sends; return why it does not any more."""
        try:
            while True:
                self.take(await self.reader.readuntil(b"\n"))
        except asyncio.IncompleteReadError:
            return "end of stream"
        except asyncio.LimitOverrunError:
            return "a line without an end"
        except OSError as error:
            return error.strerror or str(error)

    def take(self, line: bytes) -> None:
        try:
            message = json.loads(line.decode(errors="replace"))
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        told, mode = self.understand(message)
        if told:
            self.screen.show(tame(told))
        if mode:
            self.screen.mode(tame(mode))

    def understand(self, message: dict[str, Any]) -> tuple[str, str]:
        """Return what to show for a message, and the mode, if it is another one now."""
        text = message.get("message")
        match message:
            case {"type": "message", "from_username": who}:
                return f"{who} says: {text}", ""
            case {"type": "private", "from_username": who}:
                return f"{who} says in private: {text}", ""
            case {"type": "system", "online_users": count}:
                begins, self.welcome = not self.welcome, True
                self.reply.set()
                return f"({text}; {count} online)", "[all]" if begins else ""
            case {"type": "users_list", "users": [*names]}:
                return f"(online are {', '.join(map(str, names))})", ""
            case {"type": "error"}:
                self.reply.set()
                return f"(the server refuses: {text}, {message.get('code')})", ""
            case {"type": "session_request", "from_username": str(who)}:
                if who not in self.asking:
                    self.asking.append(who)
                return f"({who} asks for a private session: {text}; type y or n)", ""
            case {"type": "session_rejected", "to_username": who}:
                return f"({who} does not want a private session: {text})", ""
            case {
                "type": "session_accepted",
                "from_username": str(asker),
                "to_username": str(asked),
            }:
                self.partner = asked if asker == self.me else asker
                self.asking.clear()
                return f"(you are alone with {self.partner}: {text})", f"[@{self.partner}]"
            case {"type": "session_ended", "from_username": who}:
                self.partner = None
                return f"({who} has ended the private session: {text})", "[all]"
        return "", ""


def tame(text: str) -> str:
    """Replace control characters, and halves of surrogate pairs, which cannot be printed."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)


async def chat(options: argparse.Namespace) -> str:
    """Chat until it ends; return why, or an empty text when it was meant to end."""
    reader, writer = await asyncio.open_connection(
        options.host, options.port, limit=LONGEST_RECEIVED, family=socket.AF_INET
    )
    screen = console()
    session = Session(reader, writer, screen)
    handle_signals(screen)
    receiving = asyncio.create_task(session.receive())
    typing = asyncio.create_task(session.type(options.username))
    pinging = asyncio.create_task(session.ping(options.ping_interval))
    while not (receiving.done() or typing.done()):
        await asyncio.wait((receiving, typing), return_when=asyncio.FIRST_COMPLETED, timeout=TICK)
    pinging.cancel()
    if not typing.done():
        typing.cancel()
        reason = receiving.result()
    else:
        typing.result()  # raises what was our mistake
        await asyncio.wait((receiving,), timeout=GOOD_BYE)
        receiving.cancel()
        reason = ""
    writer.transport.abort()
    screen.restore()
    return reason


def handle_signals(screen: Console) -> None:
    """Let Ctrl+C end the program on the spot: an exception would come up in any of the tasks."""

    def end(number: int, _: object) -> None:
        screen.restore()
        os._exit(128 + number)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)


def main() -> None:
    """Run the loop that works on every system."""
    parser = frame.client_options(__doc__, port=8083)
    parser.add_argument("--username")
    parser.add_argument("--ping-interval", type=frame.seconds, default=30)
    options = parser.parse_args()
    trouble = f"no connection to {options.host}:{options.port}"
    with frame.error_line(trouble), contextlib.closing(asyncio.SelectorEventLoop()) as loop:
        reason = loop.run_until_complete(chat(options))
    if reason:
        sys.exit(f"[ERROR] the connection is lost: {reason}")


if __name__ == "__main__":
    frame.run(main)
