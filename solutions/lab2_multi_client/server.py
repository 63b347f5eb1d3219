"""Lab 2: a TCP echo server for any number of clients at once, with a thread for each.

    main thread             alice's thread            bob's thread
        | accept() ---------> | (1 online)
        | accept() -----------|---------------------> | (2 online)
        | accept()            | recv() ... sendall()  | recv(): bob is silent,
        :                     | recv() ... sendall()  :         and delays nobody
                              | alice ends (1 online)
                              '

What comes in and goes out: as in lab 1, for each client alone.
What is logged: each time that a client comes or goes, how many are online after that.

By hand:  python -m labs.lab2_multi_client.server
          python -m labs.lab1_echo.tcp_client --port 8081
"""

import contextlib
import queue
import socket
import threading

from .. import frame

PIECE = 65_536  # bytes: the most that one recv() fetches
PATIENCE = 1.5  # seconds in which a thread is done when its connection has been ended

online: set[socket.socket] = set()  # the connections of those who are online
lock = threading.Condition()  # held by whoever reads or changes `online`


def serve(listener: socket.socket) -> None:
    """Accept one client after another, for ever; a thread attends to each."""
    # gap 1: Accept a client, start a thread that attends to it, and accept the next one: nobody
    #   waits until the thread has ended. A daemon thread does not keep the program alive.
    waiting: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()

    def attend_to_one_after_another() -> None:
        while True:
            attend(waiting.get())

    while True:
        connection, _ = listener.accept()
        came(connection)
        if threading.active_count() <= len(online):  # no thread is free: starting one takes time
            threading.Thread(target=attend_to_one_after_another, daemon=True).start()
        waiting.put(connection)
    # end gap


def attend(connection: socket.socket) -> None:
    """Serve one client until it ends or breaks off, and close its connection in either case."""
    # gap 2: echo() to this client. However that ends, an OSError included, its connection is
    #   closed, no traceback is shown, and the other clients do not notice.
    with connection:
        try:
            echo(connection)
        except OSError as error:
            frame.info(f"A client broke off: {error}")
        finally:
            gone(connection)
    # end gap


def came(connection: socket.socket) -> None:
    """Note that a client has come, and log how many are online now."""
    # gap 3: Add the connection to `online`, and log a line with "(N online)" in it, with nobody
    #   coming or going between the two. Call this for each client, before its first byte.
    with lock:
        online.add(connection)
        frame.info(f"A client has come ({len(online)} online)")
    # end gap


def gone(connection: socket.socket) -> None:
    """Note that a client has gone, and log how many are online now."""
    # gap 4: The same for who goes. Call this once for each client, however its visit ends, and
    #   notify_all(): stop() waits for it.
    with lock:
        online.remove(connection)
        frame.info(f"A client has gone ({len(online)} online)")
        lock.notify_all()
    # end gap


def stop() -> None:
    """End the connection of everyone who is online, and wait until all have gone."""
    # gap 5: shutdown() each connection in `online`: whatever waits for it in another thread, in
    #   recv() or sendall(), then returns. wait_for() nobody to be online, at most PATIENCE.
    with lock:
        for connection in online:
            with contextlib.suppress(OSError):  # its client has just ended it
                connection.shutdown(socket.SHUT_RDWR)
        lock.wait_for(lambda: not online, PATIENCE)
    # end gap


def echo(connection: socket.socket) -> None:
    """Send every byte back as it comes, until the client ends its sending side (as in lab 1)."""
    while piece := connection.recv(PIECE):
        connection.sendall(piece)


def main() -> None:
    """Listen where the options say, serve, and at Ctrl+C end every connection."""
    options = frame.server_options(__doc__, port=8081).parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        # Many may connect in the same moment: the queue of those not yet accepted is a long one.
        listener = socket.create_server((options.host, options.port), backlog=socket.SOMAXCONN)
    with listener:
        frame.ready(listener)
        try:
            serve(listener)
        except KeyboardInterrupt:
            stop()


if __name__ == "__main__":
    frame.run(main)
