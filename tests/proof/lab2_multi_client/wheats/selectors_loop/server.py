"""An echo server of one thread: a client is read from only when it has got all its echo."""

import selectors
import socket
import time

from .. import frame

PIECE = 65_536  # bytes that one recv() fetches, and the most that is kept for a client

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class EchoServer:
    """The selector knows who is connected, and holds for each the bytes that are to be sent."""

    def __init__(self, listener: socket.socket) -> None:
        listener.setblocking(False)
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, READ)

    def report(self, event: str) -> None:
        """Log who comes and goes: the listener is in the map, too, but is nobody."""
        frame.info(f"{event} ({len(self.selector.get_map()) - 1} online)")

    def accept(self) -> None:
        """Take one more client, if it has not left again."""
        try:
            client, (host, port) = self.listener.accept()
        except OSError as error:
            frame.info(f"Nobody was accepted: {error}")
            time.sleep(0.01)  # without file descriptors, this would be tried again at once
            return
        client.setblocking(False)
        self.selector.register(client, READ, b"")
        self.report(f"{host}:{port} is here")

    def dismiss(self, client: socket.socket, why: str) -> None:
        """Close one client's connection."""
        self.selector.unregister(client)
        client.close()
        self.report(why)

    def work(self, client: socket.socket, unsent: bytes) -> None:
        """Receive if nothing waits to be sent, then send as much as goes."""
        try:
            if not unsent:
                unsent = client.recv(PIECE)
                if not unsent:
                    return self.dismiss(client, "One has finished")
            unsent = unsent[client.send(unsent) :]
        except BlockingIOError:
            pass
        except OSError as error:
            return self.dismiss(client, f"One is lost: {error}")
        self.selector.modify(client, WRITE if unsent else READ, unsent)
        return None

    def serve(self) -> None:
        """Serve everybody until Ctrl+C, for which it looks up twice a second."""
        while True:
            for key, _ in self.selector.select(0.5):
                if key.fileobj is self.listener:
                    self.accept()
                else:
                    self.work(key.fileobj, key.data)

    def close(self) -> None:
        """Close the listener and all connections."""
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


def main() -> None:
    """Listen where the options say, and serve."""
    options = frame.server_options(__doc__, port=8081).parse_args()
    with frame.error_line(f"cannot listen on {options.host}:{options.port}"):
        listener = socket.create_server((options.host, options.port), backlog=256)
    server = EchoServer(listener)
    try:
        frame.ready(listener)
        server.serve()
    finally:
        server.close()


if __name__ == "__main__":
    frame.run(main)
