"""Lab 4's server of the test's own, as a client under test meets it, and what its user is shown."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from kit.endings import SLACK, ends_with_error_line
from kit.failure import Seen
from kit.program import PATIENCE, STOP_LIMIT, Program, Stdin
from kit.stage import QUIET, Stage
from kit.tcp import Listener
from kit.terminal import shown
from lab4_chat.wire import ChatPeer, Message, line

OFTEN = 0.05  # seconds between two messages of somebody who never stops talking
CHANGES = "the mode is shown whenever it changes: on a pipe as a line of its own, not as a prompt"
TAIL = 6  # characters at the end of a half-typed line: what a shorter line over it leaves

_HOW = re.compile(r"\by\b.*\bn\b", re.IGNORECASE)


def stamped(**message: Any) -> bytes:
    """Return a message from the server as it goes over the wire, with the present time in it."""
    return line(**message, timestamp=datetime.now(timezone.utc).isoformat(timespec="seconds"))


class Hall(ChatPeer):
    """The server's end of the connection. Pings may come at any time, and get their pongs."""

    def __init__(self, stage: Stage, program: Program, sock: socket.socket) -> None:
        super().__init__(stage, "server", program, sock, "server")
        self._open = False  # nobody gets a pong before the login
        self._pings = 0

    def says(self, **message: Any) -> None:
        """Send a message with the present time in it."""
        self.sends(stamped(**message))

    def next_message(
        self, waited: str, expected: str, hint: str = "", patience: float = PATIENCE
    ) -> Message:
        """Wait for the next message that is no ping, and return it."""
        while (message := super().next_message(waited, expected, hint, patience)).get(
            "type"
        ) == "ping":
            self._answers_ping()
        return message

    def hears_nothing_yet(self, hint: str = "") -> None:
        """See that nothing but pings comes for a moment."""
        deadline = time.monotonic() + QUIET
        while self.waits(deadline) and not self.over():
            piece = self._read(65_536, deadline, lenient=True)
            if not piece:
                break  # the next wait sees how it ended
            self._take(piece)
        messages = [self._parsed(self._came.pop(0)) for _ in range(len(self._came))]
        for message in messages:
            self.stage.requires(
                message.get("type") == "ping",
                f"{self.name} was sent what should have waited",
                expected="nothing",
                received=str(message),
                hint=hint,
            )

    # The login.

    def hears_login(self, name: str, hint: str = "") -> None:
        """Wait for a login under this name."""
        waited, expected = f"{self.name} waited for a login", f'{{"username": "{name}"}}'
        message = self.next_message(waited, expected, hint)
        if message.get("username") != name:
            raise self.fails(waited, Seen("other", expected, str(message)), hint)

    def refuses(self, reason: str) -> None:
        """Answer a login: somebody else has this name."""
        self.says(type="error", code="username_taken", message=reason)

    def lets_in(self, name: str = "bob") -> None:
        """Answer a login: welcome."""
        self._open = True
        self.says(type="system", message=f"Welcome, {name}!", online_users=3)

    # What others do.

    def brings(self, sender: str, text: str) -> None:
        """Send what somebody wrote to all."""
        self.says(type="message", from_username=sender, message=text)

    def asks_for(self, sender: str) -> None:
        """Send somebody's request for a private session."""
        text = f"{sender} asks for a private session"
        self.says(type="session_request", from_username=sender, message=text)

    def opens_session(self, asker: str, asked: str) -> None:
        """Say that two are in a private session now."""
        self._of_session("session_accepted", asker, asked, "have a private session")

    def ends_session(self, first: str, other: str) -> None:
        """Say that the first has left the private session with the other."""
        self._of_session("session_ended", first, other, "have no private session any more")

    def rejects_session(self, asker: str, asked: str) -> None:
        """Say that the one who was asked wants no session."""
        self._of_session("session_rejected", asker, asked, "will have no private session")

    def _of_session(self, kind: str, first: str, other: str, text: str) -> None:
        message = f"{first} and {other} {text}"
        self.says(type=kind, from_username=first, to_username=other, message=message)

    # Pings.

    def is_pinged(self, hint: str = "") -> None:
        """Wait for a ping."""
        message = super().next_message(*self._PING, hint)
        if message.get("type") != "ping":
            waited, expected = self._PING
            raise self.fails(waited, Seen("other", expected, str(message)), hint)
        self._answers_ping()

    def pings_up_to_now(self) -> int:
        """Return how many pings have come; no other message may be among them."""
        if self.can_read():
            self._take(self._read(65_536, time.monotonic(), lenient=True) or b"")
        while self._came:
            self.is_pinged()
        return self._pings

    def is_pinged_while_it_talks(self, hint: str = "") -> None:
        """Wait for a ping while messages keep arriving at the client."""
        deadline = time.monotonic() + PATIENCE
        piece: bytes | None = None
        with self.stage.story.sums_up(self.name, f"sends a message each {OFTEN:g} s"):
            while not self._came and piece != b"" and time.monotonic() < deadline:
                self.brings("alice", "and another thing")
                if self.waits(time.monotonic() + OFTEN):
                    piece = self._read(65_536, time.monotonic(), lenient=True)
                    self._take(piece or b"")
        if not self._came:
            waited, expected = self._PING
            seen = Seen("closed" if piece == b"" else "silence", expected)
            raise self.fails(f"{waited} while it sent messages", seen, hint)
        self.is_pinged(hint)

    _PING = ('server waited for "ping"', '{"type": "ping"}')

    def _answers_ping(self) -> None:
        self._pings += 1
        if self._open:
            self.says(type="pong")


class Welcoming(Listener):
    """A server that lets bob in and then says no more, for the rules that all clients share."""

    def is_called(self, hint: str = "") -> Hall:
        """Wait until a client has logged in."""
        hall = Hall(self.stage, self.program, super().is_called(hint).sock)
        hall.hears_login("bob")
        hall.lets_in()
        return hall


@contextmanager
def called(
    stage: Stage,
    *arguments: str,
    typed: str = "",
    stdin: Stdin = "open",
    buffered: bool = False,
) -> Iterator[tuple[Program, Hall]]:
    """Start a client, type into it at once, and yield it with the hall that it called."""
    with Listener(stage, "server") as listener:
        client = listener.starts_client("client", *arguments, stdin=stdin, buffered=buffered)
        if typed:
            client.types(typed)
        with Hall(stage, client, listener.is_called().sock) as hall:
            yield client, hall


@contextmanager
def entered(
    stage: Stage, *arguments: str, stdin: Stdin = "open", buffered: bool = False
) -> Iterator[tuple[Program, Hall]]:
    """Start a client whose user is bob, and let it in."""
    named = ("--username", "bob", *arguments)
    with called(stage, *named, stdin=stdin, buffered=buffered) as (client, hall):
        hall.hears_login("bob")
        known = len(client.stdout.lines)
        hall.lets_in()
        # A client for which two lines in one piece are too much shows that in one check alone.
        client.waits_until(lambda: len(client.stdout.lines) > known or client.over, QUIET)
        yield client, hall


def has_taken_all(stage: Stage, client: Program, hall: Hall) -> None:
    """Wait until the client has taken in all that it was sent: what comes last is shown."""
    last = stage.word()
    hall.brings("zoe", last)
    client.shows(last)


def shows_request(client: Program, asker: str) -> None:
    """Wait for what shows a request, who asks and how to answer."""
    how = f"{asker} asks, y and n answer"
    if not _HOW.search(client.shows(asker)):
        client.comes_to(lambda line: bool(_HOW.search(line)), how, "say how to answer: y or n")


def comes_to_mode(client: Program, mode: str, hint: str = CHANGES) -> None:
    """Wait for the line that shows this mode, as it stands where there is no terminal."""
    alone = "on a pipe the mode is a line of its own, and there is no prompt before it"
    client.comes_to(lambda line: line.strip() == mode, mode, hint, alone)


def explains(
    stage: Stage, client: Program, hall: Hall, typed: str, hint: str, *, in_session: bool = False
) -> None:
    """See that what is typed is not sent: something is said about it instead."""
    text = stage.word()
    known = len(client.stdout.lines), len(client.stderr.lines)
    client.types(f"{typed}\n{'/private zoe ' * in_session}{text}\n")
    hall.hears("private" if in_session else "message", hint, message=text)

    def explained() -> bool:
        lines = [*client.stdout.lines[known[0] :], *client.stderr.lines[known[1] :]]
        return any(line.strip() not in ("", "[all]") and text not in line for line in lines)

    client.waits_until(lambda: explained() or client.over, PATIENCE)
    stage.requires(
        explained(),
        f"{client.name} says nothing about what it does not send",
        expected=f"a line about {typed[:40]!r}",
        received="nothing",
        hint=hint,
    )


def says_that_the_server_has_gone(stage: Stage, client: Program, how: str) -> None:
    """See that the client ends by itself, with an error line."""
    stage.requires(
        client.has_ended(within=STOP_LIMIT + SLACK),
        f"{how}, and {client.name} did not end",
        expected=f"it says so, and ends within {STOP_LIMIT:g} s",
        received="it runs on",
        hint="it waits for a key: the activity that receives must be able to end the other one",
    )
    ends_with_error_line(client, stage, how)


def stands(stage: Stage, client: Program, *texts: str, above: tuple[str, ...] = ()) -> None:
    """Wait until these texts stand in the terminal's row with the cursor, one behind the other,
    and `above` in another row, with nothing in it of what was being typed.
    """

    def whole() -> bool:
        screen = shown(client.stdout.text)
        rest = screen.current
        for text in texts:
            _, found, rest = rest.partition(text)
            if not found:
                return False
        return not above or any(
            all(text in row for text in above) and texts[-1][-TAIL:] not in row
            for row in screen.rows
        )

    client.waits_until(lambda: whole() or client.over, PATIENCE)
    rows = [row for row in shown(client.stdout.text).rows if row]
    lines = [" … ".join(above)] * bool(above) + [" ".join(texts)]
    stage.requires(
        whole(),
        f"{client.name} shows something else on the terminal",
        expected="\n".join(lines),
        received="\n".join(rows) or "nothing",
        hint="when a line arrives: wipe out the row, show the line, and draw prompt and text anew"
        if above
        else "",
    )
