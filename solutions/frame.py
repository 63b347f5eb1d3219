"""The frame of every program in the labs: its options, its log lines, and how it ends.

Given to you complete: nothing here is to be filled in, and all of it may be read.
"""

import argparse
import contextlib
import math
import select
import signal
import socket
import sys
from collections.abc import Callable, Iterator

MAX_SECONDS = 1_000_000  # select() cannot wait much longer than this everywhere


def server_options(description: str | None, port: int) -> argparse.ArgumentParser:
    """Return a parser for a server: where it listens; `port` is the default one."""
    return _options(description, port, lowest=0, port_help="where to listen; 0 takes any free port")


def client_options(description: str | None, port: int) -> argparse.ArgumentParser:
    """Return a parser for a client: where its server listens; `port` is the default one."""
    return _options(description, port, lowest=1, port_help="where the server listens")


def seconds(text: str) -> float:
    """Return the time that an option names: a positive number of seconds, fractions allowed."""
    value = float(text)
    if not 0 < value <= MAX_SECONDS:  # also refuses nan, which compares with nothing
        raise argparse.ArgumentTypeError(f"not a time of up to {MAX_SECONDS:,} seconds: {text}")
    return value


def count(text: str, lowest: float = 1, highest: float = math.inf) -> int:
    """Return the whole number that an option names, `lowest` to `highest`."""
    value = int(text)
    if not lowest <= value <= highest:
        raise argparse.ArgumentTypeError(f"out of range: {text}")
    return value


def info(text: str) -> None:
    """Log what happens: one line on stdout, at once, also when stdout is a pipe."""
    print(f"[INFO] {text}", flush=True)


def ready(sock: socket.socket) -> None:
    """Say that the server can be reached now, and where: `sock` knows its real port."""
    host, port = sock.getsockname()
    info(f"Listening on {host}:{port}")


@contextlib.contextmanager
def error_line(trouble: str) -> Iterator[None]:
    """Turn a failure inside this block into one `[ERROR]` line on stderr and exit code 1.

    A failure is what the network or its text can do to us (OSError, UnicodeError). Any other
    exception is a bug in the program, and its traceback is what you want to see.
    """
    try:
        yield
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.exit(f"[ERROR] {trouble}: {reason}")


def run(main: Callable[[], None]) -> None:
    """Run a program: text is UTF-8 on every system, and Ctrl+C ends it with exit code 0."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if stream is not None:  # None is a stream that was closed before the program began
            stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):  # Windows alone has SIGBREAK: Ctrl+Break
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    if sys.platform == "win32":
        wait_in_slices()
    with contextlib.suppress(KeyboardInterrupt):
        main()


def wait_in_slices(seconds: float = 0.5) -> None:
    """Let Ctrl+C interrupt a socket that waits: Windows does not, so look up between slices."""

    def sliced(method: Callable[..., object]) -> Callable[..., object]:
        def wait_then_call(sock: socket.socket, *arguments: object) -> object:
            while sock.gettimeout() is None and not select.select([sock], [], [], seconds)[0]:
                pass
            return method(sock, *arguments)

        return wait_then_call

    for name in ("accept", "recv", "recv_into", "recvfrom"):
        setattr(socket.socket, name, sliced(getattr(socket.socket, name)))


def _options(
    description: str | None, port: int, lowest: int, port_help: str
) -> argparse.ArgumentParser:
    def port_number(text: str) -> int:
        try:
            return count(text, lowest, 65_535)
        except (ValueError, argparse.ArgumentTypeError):
            raise argparse.ArgumentTypeError(f"{lowest} to 65535, not {text}") from None

    first_line = (description or "").partition("\n")[0]
    parser = argparse.ArgumentParser(
        description=first_line, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="an address or a name")
    parser.add_argument("--port", type=port_number, default=port, help=port_help)
    return parser
