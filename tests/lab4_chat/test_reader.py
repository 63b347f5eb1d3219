"""Lab 4, who never reads: it delays nobody, and at last it is given up."""

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import ChatServer, User, started

BLOCK = "x" * 50_000  # a message
MANY = 400  # messages: 20 MB
KEPT = 900_000  # bytes that a server keeps for one who does not read: at least 1 MiB
ROOM = 4_096  # bytes: a small buffer for receiving
NOBODY_WAITS = "sendall() waits until the receiver reads: no other thread may wait with it"


def writes_20_mb(stage: Stage, server: ChatServer, reader: User) -> None:
    """Write 20 MB to all, which one user reads, step by step."""
    with server.user("alice") as alice, stage.story.sums_up("alice", "writes 20 MB to all"):
        for _ in range(MANY):
            alice.says(type="message", message=BLOCK)
            reader.hears("message", NOBODY_WAITS, silent=NOBODY_WAITS, message=BLOCK)


@check(points=2, long=True)
def test_who_never_reads_delays_nobody(stage: Stage) -> None:
    """Who never reads delays nobody while 20 MB go past it, and is dropped."""
    server = started(stage)
    with server.user("bob") as bob, server.user("mallory", room=ROOM):
        bob.is_told("mallory", online=2)
        writes_20_mb(stage, server, bob)

        bob.is_told("mallory", hint="what waits for one who never reads has a limit")
        with server.client("mallory") as again:
            again.logs_in(hint="who is dropped has left: the name is free")


@check(points=1)
def test_who_reads_late_gets_all(stage: Stage) -> None:
    """Who reads late gets all that was written meanwhile: 900 kB wait for it."""
    server = started(stage)
    with server.user("bob") as bob, server.user("late", room=ROOM) as late:
        texts = [f"{number} {BLOCK}" for number in range(KEPT // len(BLOCK))]
        with server.user("alice") as alice, stage.story.sums_up("alice", "writes 900 kB to all"):
            for text in texts:
                alice.says(type="message", message=text)
                bob.hears("message", message=text)

            for text in texts:
                late.hears("message", "keep what cannot be sent, and send it later", message=text)
            text = stage.word()
            alice.says(type="message", message=text)
            late.hears("message", "who has read all is like the others again", message=text)
