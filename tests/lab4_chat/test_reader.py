"""Lab 4, who never reads: it delays nobody, and at last it is given up."""

from kit.lab import check
from kit.stage import Stage
from lab4_chat.wire import ChatServer, User, line, started

BLOCK = "x" * 50_000  # a message
MANY = 400  # messages: 20 MB
# A server keeps at least 1 MiB for one who does not read: 600 kB in few lines, and 200 kB in many.
FEW, SMALL, AT_ONCE = 12, 1_500, 50
ROOM = 4_096  # bytes: a small buffer for receiving
QUESTIONS = 10_000  # lines, with 1 MB of answers
TURNS = 100  # messages that go through meanwhile
STUCK = 0.1  # seconds after which a peer that takes no more bytes is stuck
KEPT = "keep what cannot be sent, and send it later: at least 1 MiB, in however many lines"
ANSWERS = "who asks and never reads must not stop the others: no answer is sent with a lock held"
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

    server = started(stage)
    questions = (line(type="ping") + line(type="nonsense")) * (QUESTIONS // 2)
    with server.user("alice") as alice, server.user("bob") as bob:
        server.user("mallory", room=ROOM).pushes(questions, stuck_after=STUCK)
        for number in range(TURNS):
            alice.says(type="message", message=f"{number}")
            bob.hears("message", ANSWERS, silent=ANSWERS, message=f"{number}")


@check(points=1)
def test_who_reads_late_gets_all(stage: Stage) -> None:
    """Who reads late gets all that was written meanwhile: 800 kB wait for it."""
    server = started(stage)
    with server.user("bob") as bob, server.user("late", room=ROOM) as late:
        large = [f"{number} {BLOCK}" for number in range(FEW)]
        small = [f"{number} and no more" for number in range(SMALL)]
        with server.user("alice") as alice, stage.story.sums_up("alice", "writes 800 kB to all"):
            for text in large:
                alice.says(type="message", message=text)
                bob.hears("message", message=text)
            for at in range(0, SMALL, AT_ONCE):
                some = [line(type="message", message=text) for text in small[at : at + AT_ONCE]]
                alice.sends(b"".join(some))
                bob.hears_many("message", AT_ONCE)

            for text in (*large, *small):
                late.hears("message", KEPT, message=text)
            text = stage.word()
            alice.says(type="message", message=text)
            late.hears("message", "who has read all is like the others again", message=text)
