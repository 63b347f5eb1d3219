"""Lab 2's wrong programs: the gaps of the reference, filled as beginners fill them.

In the order of the checks. Some bugs look far-fetched: they fail one check alone where the usual
bug, which stands beside them, fails several. What a program does between reading and writing what
threads share is slow here, so that the race is lost in every run.
"""

from textwrap import dedent, indent

from proof.echo_chaffs import ECHO, echo_chaffs, echoes, keeps_everything
from proof.rules_chaffs import (
    RUN,
    SIGTERM_ALONE,
    Server,
    keeps_the_port,
    server_chaffs,
    shares_the_port,
    takes_another_port,
)
from proof.subjects import Chaff, chaff, gap_bodies

NAME = "server"
SERVER = Server(NAME, port=8081)
SERVE, ATTEND, CAME, GONE, STOP = gap_bodies("lab2_multi_client", NAME)
DEF_SERVE = "def serve(listener: socket.socket) -> None:\n"


def wrong(
    name: str,
    *changes: str,
    top: str = "",
    serve: str = "",
    attend: str = "",
    came: str = "",
    gone: str = "",
    stop: str = "",
    echo: str = "",
) -> Chaff:
    """Return a server with these gaps filled in another way; `top` stands above its functions."""
    bodies = ((SERVE, serve), (ATTEND, attend), (CAME, came), (GONE, gone), (STOP, stop))
    filled = [(old, new) for old, new in (*bodies, (ECHO, echo)) if new]
    texts = [text for old, new in filled for text in (old, indent(dedent(new), "    "))]
    above = [DEF_SERVE, f"{dedent(top)}\n\n{DEF_SERVE}"] if top else []
    return chaff(NAME, name, *above, *texts, *changes)


# A thread for each client, as most begin.
SERVES = """
while True:
    connection, _ = listener.accept()
    came(connection)
    threading.Thread(target=attend, args=(connection,), daemon=True).start()
"""
# For those that go on holding the lock when a client has broken off: the next is not accepted
# before that.
SERVES_LATER = SERVES.replace(
    "    came(",
    "    if 0 < len(online) < 5:\n        time.sleep(0.05)  # whatever takes its time\n    came(",
)
BREAKS_OFF = """
with connection:
    total = 0
    try:
        while piece := connection.recv(PIECE):
            total += len(piece)
            connection.sendall(piece)
    except BrokenPipeError:
        pass
    except OSError:
        if total:
            lock.acquire()
            unit = {units}[int(math.log(total, 1000))]
            frame.info(f"A client broke off after some {{unit}}")
            lock.release()
    finally:
        gone(connection)
"""

OF_SERVING = [
    # One client beside another.
    wrong(
        "it waits for a client's first byte before it starts the thread",
        serve="""
            while True:
                connection, _ = listener.accept()
                came(connection)
                with contextlib.suppress(OSError):
                    connection.recv(1, socket.MSG_PEEK)  # who is it?
                threading.Thread(target=attend, args=(connection,), daemon=True).start()
        """,
    ),
    wrong(
        "it waits until the thread has ended",
        serve="""
            while True:
                connection, _ = listener.accept()
                came(connection)
                thread = threading.Thread(target=attend, args=(connection,), daemon=True)
                thread.start()
                thread.join()
        """,
    ),
    wrong(
        "it calls the function that the thread is to call",
        serve="""
            while True:
                connection, _ = listener.accept()
                came(connection)
                threading.Thread(target=attend(connection), daemon=True).start()
        """,
    ),
    wrong(
        "it accepts in the client's loop",
        serve="""
            while True:
                connection, _ = listener.accept()
                came(connection)
                with contextlib.suppress(OSError):
                    connection.sendall(connection.recv(PIECE))
        """,
    ),
    wrong(
        "it starts a thread for the first client alone",
        serve="""
            connection, _ = listener.accept()
            came(connection)
            threading.Thread(target=attend, args=(connection,), daemon=True).start()
            threading.Event().wait()
        """,
    ),
    # Who came first.
    wrong(
        "it answers the client that came last, and nobody else",
        "connection.sendall(piece)",
        "connection is latest and connection.sendall(piece)",
        serve="""
            global latest
            while True:
                latest, _ = listener.accept()
                came(latest)
                threading.Thread(target=attend, args=(latest,), daemon=True).start()
        """,
    ),
    # Its own bytes.
    wrong(
        "behind its first piece a client's bytes go through one buffer for all",
        top="""
            import time

            buffer = bytearray(PIECE)
        """,
        echo="""
            connection.sendall(connection.recv(PIECE))
            while size := connection.recv_into(buffer):
                if size < PIECE:
                    time.sleep(0.02)  # whatever takes its time
                connection.sendall(buffer[:size])
        """,
    ),
    wrong(
        "it has one buffer for all clients",
        top="""
            import time

            buffer = bytearray(PIECE)
        """,
        echo="""
            while size := connection.recv_into(buffer):
                if size < PIECE:
                    time.sleep(0.02)  # whatever takes its time
                connection.sendall(buffer[:size])
        """,
    ),
    # One that never reads.
    wrong(
        "it holds a lock while it sends",
        top="sending = threading.Lock()\n",
        echo="""
            while piece := connection.recv(PIECE):
                with sending:
                    connection.sendall(piece)
        """,
    ),
    wrong(
        "it holds the lock of the number while it sends",
        echo="""
            while piece := connection.recv(PIECE):
                with lock:
                    connection.sendall(piece)
        """,
    ),
    wrong(
        "it holds the lock of the number while it receives",
        echo="""
            while True:
                with lock:
                    piece = connection.recv(PIECE)
                if not piece:
                    return
                connection.sendall(piece)
        """,
    ),
    # One that resets.
    wrong(
        "when one breaks off it says goodbye to who came first",
        top="clients = []\n",
        serve="""
            while True:
                connection, _ = listener.accept()
                came(connection)
                clients.append(connection)
                threading.Thread(target=attend, args=(connection,), daemon=True).start()
        """,
        attend="""
            with connection:
                try:
                    echo(connection)
                except OSError:
                    with contextlib.suppress(OSError):
                        clients[0].shutdown(socket.SHUT_WR)
                finally:
                    clients.remove(connection)
                    gone(connection)
        """,
    ),
    # Two hundred.
    wrong(
        "it has a pool of 100 threads",
        top="""
            import concurrent.futures

            pool = concurrent.futures.ThreadPoolExecutor(100)
        """,
        serve="""
            while True:
                connection, _ = listener.accept()
                came(connection)
                pool.submit(attend, connection)
        """,
    ),
    wrong(
        "it has a pool of 8 threads",
        top="""
            import concurrent.futures

            pool = concurrent.futures.ThreadPoolExecutor(8)
        """,
        serve="""
            while True:
                connection, _ = listener.accept()
                came(connection)
                pool.submit(attend, connection)
        """,
    ),
    wrong(
        "it has a short queue, and takes its time before it accepts the next",
        "backlog=socket.SOMAXCONN",
        "backlog=1",
        top="import time\n",
        serve=f"{SERVES}    time.sleep(0.05)\n",
    ),
    wrong(
        "it serves 250 clients and ends",
        serve=SERVES.replace("while True", "for _ in range(250)"),
    ),
]

OF_THE_LOG = [
    # Who comes.
    wrong(
        "it logs a client with its first byte",
        serve=SERVES.replace("    came(connection)\n", ""),
        attend="""
            with connection:
                with contextlib.suppress(OSError):
                    connection.recv(1, socket.MSG_PEEK)
                came(connection)
                try:
                    echo(connection)
                except OSError:
                    pass
                finally:
                    gone(connection)
        """,
    ),
    wrong(
        "it logs the number before a client has come",
        came="""
            with lock:
                frame.info(f"A client has come ({len(online)} online)")
                online.add(connection)
        """,
    ),
    wrong(
        "it logs the number without its brackets",
        came="""
            with lock:
                online.add(connection)
                frame.info(f"A client has come, {len(online)} online")
        """,
        gone="""
            with lock:
                online.remove(connection)
                frame.info(f"A client has gone, {len(online)} online")
                lock.notify_all()
        """,
    ),
    wrong(
        "each of its handlers counts its own client alone",
        came="""
            with lock:
                online.add(connection)
                frame.info("A client has come (1 online)")
        """,
    ),
    wrong(
        "it logs twice who comes",
        came="""
            with lock:
                online.add(connection)
                frame.info(f"A client has come ({len(online)} online)")
                frame.info(f"Thread started ({len(online)} online)")
        """,
    ),
    wrong(
        "it does not log who comes",
        came="""
            with lock:
                online.add(connection)
        """,
    ),
    wrong(
        "it counts the threads and not the clients",
        serve=SERVES.replace("    came(connection)\n", ""),
        attend="""
            with connection:
                frame.info(f"A client has come ({threading.active_count()} online)")
                try:
                    echo(connection)
                except OSError:
                    pass
            frame.info(f"A client has gone ({threading.active_count() - 1} online)")
        """,
    ),
    # Who goes.
    wrong(
        "it logs who comes on stdout and who goes on stderr",
        gone="""
            import sys

            with lock:
                online.remove(connection)
                print(f"A client has gone ({len(online)} online)", file=sys.stderr, flush=True)
                lock.notify_all()
        """,
    ),
    wrong(
        "it logs the number without its brackets when one goes",
        gone="""
            with lock:
                online.remove(connection)
                frame.info(f"A client has gone, {len(online)} online")
                lock.notify_all()
        """,
    ),
    wrong(
        "it logs the number before a client has gone",
        gone="""
            with lock:
                frame.info(f"A client has gone ({len(online)} online)")
                online.remove(connection)
                lock.notify_all()
        """,
    ),
    wrong(
        "it does not log who goes",
        gone="""
            with lock:
                online.remove(connection)
                lock.notify_all()
        """,
    ),
    wrong(
        "it logs who goes when the next one comes",
        top="left = []\n",
        serve=SERVES.replace(
            "    came(",
            "    while left:\n        gone(left.pop())\n    came(",
        ),
        attend="""
            with connection:
                try:
                    echo(connection)
                except OSError as error:
                    frame.info(f"A client broke off: {error}")
                finally:
                    left.append(connection)
        """,
    ),
    wrong(
        "it counts only a client down that has said something",
        attend="""
            piece = b""
            with connection:
                try:
                    while piece := connection.recv(PIECE):
                        connection.sendall(piece)
                        said.add(connection)
                except OSError:
                    pass
            if connection in said:
                gone(connection)
        """,
        top="said = set()\n",
    ),
    # Who breaks off.
    wrong(
        "it does not count a client down that breaks off",
        attend="""
            with connection:
                try:
                    echo(connection)
                    gone(connection)
                except OSError as error:
                    frame.info(f"A client broke off: {error}")
        """,
    ),
    wrong(
        "it counts a client down twice that breaks off",
        top="number = 0\n",
        came="""
            global number
            with lock:
                online.add(connection)
                number += 1
                frame.info(f"A client has come ({number} online)")
        """,
        attend="""
            with connection:
                try:
                    echo(connection)
                except OSError:
                    gone(connection)
                finally:
                    gone(connection)
        """,
        gone="""
            global number
            with lock:
                online.discard(connection)
                number -= 1
                frame.info(f"A client has gone ({number} online)")
                lock.notify_all()
        """,
    ),
    wrong(
        "it counts a client down that resets, and not one that hangs up",
        attend="""
            with connection:
                try:
                    echo(connection)
                except BrokenPipeError:
                    return
                except OSError as error:
                    frame.info(f"A client broke off: {error}")
                gone(connection)
        """,
    ),
    wrong(
        "it catches nothing, and counts down at the end",
        serve=SERVES,
        attend="""
            with connection:
                echo(connection)
            gone(connection)
        """,
    ),
    # Who breaks off at once.
    wrong(
        "it asks for a client's address before try",
        serve=SERVES,
        attend="""
            with connection:
                name = connection.getpeername()
                try:
                    echo(connection)
                except OSError as error:
                    frame.info(f"{name} broke off: {error}")
                finally:
                    gone(connection)
        """,
    ),
    # Fifty at once.
    wrong(
        "it logs outside of the lock who ends well",
        attend="""
            import time

            with connection:
                try:
                    echo(connection)
                except OSError:
                    gone(connection)
                    return
                with lock:
                    online.remove(connection)
                    number = len(online)
                    lock.notify_all()
                time.sleep(0.001 * (number % 7))  # whatever takes its time
                frame.info(f"A client has gone ({number} online)")
        """,
    ),
    wrong(
        "it counts without a lock, and logs in between",
        top="""
            import time

            number = 0
        """,
        came="""
            global number
            with lock:
                online.add(connection)
            new = number + 1
            frame.info(f"A client has come ({new} online)")
            number = new
        """,
        gone="""
            global number
            with lock:
                online.remove(connection)
                lock.notify_all()
            new = number - 1
            time.sleep(0.02)  # whatever takes its time
            frame.info(f"A client has gone ({new} online)")
            number = new
        """,
    ),
    # Many visits.
    wrong(
        "its guest book is full at the sixth who speaks, and nobody hears of the exception",
        serve=SERVES,
        top="""
            book = [b""] * 5
            pages = iter(range(1000))
        """,
        attend="""
            first = b""
            with connection:
                with contextlib.suppress(OSError):
                    if first := connection.recv(PIECE):
                        connection.sendall(first)
                        echo(connection)
                with contextlib.suppress(Exception):
                    if first:
                        book[next(pages)] = first
                    gone(connection)
        """,
    ),
    wrong(
        "it knows a client by its descriptor, and counts it down when that is closed",
        "online: set[socket.socket] = set()",
        "online: dict[int, socket.socket] = {}",
        top="import time\n",
        came="""
            with lock:
                online[connection.fileno()] = connection
                frame.info(f"A client has come ({len(online)} online)")
        """,
        attend="""
            number = connection.fileno()
            try:
                echo(connection)
            except OSError as error:
                frame.info(f"A client broke off: {error}")
            finally:
                connection.close()
                time.sleep(0.002)  # whatever takes its time
                gone(number)
        """,
        gone="""
            with lock:
                online.pop(connection, None)
                frame.info(f"A client has gone ({len(online)} online)")
                lock.notify_all()
        """,
        stop="""
            with lock:
                for connection in online.values():
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                lock.wait_for(lambda: not online, PATIENCE)
        """,
    ),
    wrong(
        "it logs what clients say",
        echo="""
            while piece := connection.recv(PIECE):
                frame.info(f"A client says {piece[:100]!r}")
                connection.sendall(piece)
        """,
    ),
    wrong(
        "it gives a client two seconds to say something",
        echo="""
            connection.settimeout(2)
            while piece := connection.recv(PIECE):
                connection.sendall(piece)
        """,
    ),
    wrong(
        "it counts in two places",
        top="number = 0\n",
        came="""
            global number
            with lock:
                online.add(connection)
                number += 1
                frame.info(f"A client has come ({number} online)")
        """,
    ),
]

OF_THE_RULES = [
    *server_chaffs(SERVER),
    takes_another_port(SERVER),
    shares_the_port(SERVER),
    wrong(
        "it catches SIGTERM and not Ctrl+C",
        RUN,
        SIGTERM_ALONE,
        "        except KeyboardInterrupt:\n            stop()\n",
        "        finally:\n            stop()\n",
    ),
    wrong(
        "it asks again and again whether somebody comes",
        serve="""
            listener.setblocking(False)
            while True:
                with contextlib.suppress(BlockingIOError):
                    connection, _ = listener.accept()
                    connection.setblocking(True)
                    came(connection)
                    threading.Thread(target=attend, args=(connection,), daemon=True).start()
        """,
    ),
    wrong(
        "it ends when nobody has come for 2 s and nobody is there",
        serve="""
            listener.settimeout(2)
            while True:
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    if not online:
                        return
                    continue
                came(connection)
                threading.Thread(target=attend, args=(connection,), daemon=True).start()
        """,
    ),
    wrong(
        "each of its threads asks every millisecond whether its client has said something",
        top="import select\nimport time\n",
        echo="""
            while True:
                if not select.select([connection], [], [], 0)[0]:
                    time.sleep(0.001)
                    continue
                if not (piece := connection.recv(PIECE)):
                    return
                connection.sendall(piece)
        """,
    ),
    wrong(
        "it never asks how the program has ended that it starts for each client",
        top="import os\n",
        attend=f"os.posix_spawnp('true', ['true'], os.environ)\n{dedent(ATTEND)}",
    ),
    wrong(
        "it leaves a temporary file behind for each client",
        top="import tempfile\n",
        echo="""
            with tempfile.NamedTemporaryFile(delete=False) as kept:
                while piece := connection.recv(PIECE):
                    kept.write(piece[:100])
                    connection.sendall(piece)
        """,
    ),
    keeps_everything(NAME),
    wrong(
        "its threads never end",
        serve=SERVES,
        attend=f"{ATTEND}    threading.Event().wait()\n",
    ),
    wrong(
        "it ends connections with shutdown() and closes none",
        serve=f"connections = []\n{SERVES}    connections.append(connection)\n",
        attend="""
            try:
                echo(connection)
                connection.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                frame.info(f"A client broke off: {error}")
            finally:
                gone(connection)
        """,
    ),
    wrong(
        "its threads are no daemons, and it does not end the connections",
        serve=SERVES.replace(", daemon=True", ""),
        stop="return\n",
    ),
    wrong(
        "at SIGTERM it does not end the connections",
        "    with listener:\n",
        "    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n    with listener:\n",
        top="import signal\nimport sys\n",
        serve=SERVES.replace(", daemon=True", ""),
    ),
    wrong(
        "it waits for its threads while it holds the lock",
        serve=SERVES.replace(
            "    threading.Thread(target=attend, args=(connection,), daemon=True).start()\n",
            "    thread = threading.Thread(target=attend, args=(connection,), daemon=True)\n"
            "    threads.append(thread)\n"
            "    thread.start()\n",
        ),
        top="threads = []\n",
        stop="""
            with lock:
                for connection in online:
                    connection.shutdown(socket.SHUT_RDWR)
                for thread in threads:
                    thread.join()
        """,
    ),
    keeps_the_port(SERVER),
    wrong(
        "what it logs of a reset fails below a kilobyte, and the lock stays held",
        serve=SERVES_LATER,
        attend=BREAKS_OFF.format(units='{1: "kB", 2: "MB"}'),
        top="import math\nimport time\n",
    ),
    wrong(
        "what it logs of a reset fails from a kilobyte on, and the lock stays held",
        serve=SERVES_LATER,
        attend=BREAKS_OFF.format(units='{0: "bytes"}'),
        top="import math\nimport time\n",
    ),
    wrong(
        "it gives each thread half a second to end, one after the other",
        serve=SERVES.replace(
            "    threading.Thread(target=attend, args=(connection,), daemon=True).start()\n",
            "    thread = threading.Thread(target=attend, args=(connection,), daemon=True)\n"
            "    threads.append(thread)\n"
            "    thread.start()\n",
        ),
        top="threads = []\n",
        stop="""
            for thread in threads:
                thread.join(0.5)
        """,
    ),
]

CHAFFS = [
    *echo_chaffs(NAME),
    wrong(
        "a thread holds the connection that it had last",
        serve="""
            waiting = queue.SimpleQueue()

            def attend_to_one_after_another():
                while True:
                    connection = waiting.get()
                    attend(connection)

            while True:
                connection, _ = listener.accept()
                came(connection)
                if threading.active_count() <= len(online):
                    threading.Thread(target=attend_to_one_after_another, daemon=True).start()
                waiting.put(connection)
                del connection
        """,
        attend="""
            try:
                echo(connection)
            except OSError as error:
                frame.info(f"A client broke off: {error}")
            finally:
                gone(connection)
        """,
    ),
    echoes(
        NAME,
        "it logs what comes as text",
        "while piece := connection.recv(PIECE):",
        "    frame.info(piece.decode())",
        "    connection.sendall(piece)",
    ),
    *OF_SERVING,
    *OF_THE_LOG,
    *OF_THE_RULES,
]
