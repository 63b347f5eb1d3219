"""Wrong programs for any lab: what is wrong in them is a rule for every server, or every client.

A lab says what of its program's text these need to know, and takes them in:

    SERVER = Server("tcp_server", port=6789, listens=...)
    CHAFFS = [..., *one_check(SERVER), ...]
"""

from dataclasses import dataclass

from proof.subjects import Chaff, chaff

RUN = "    frame.run(main)\n"
SIGTERM_ALONE = (
    "    import signal\n\n    signal.signal(signal.SIGTERM, lambda *_: exit())\n    main()\n"
)
FRAME = "from .. import frame\n"
MAIN = "def main() -> None:\n"


@dataclass(frozen=True)
class Server:
    """What the text of a server's main() says: its default port, what it calls its socket, the
    call that makes it reachable, and how deep that stands.
    """

    program: str
    port: int
    sock: str = "listener"
    listens: str = "socket.create_server((options.host, options.port), backlog=socket.SOMAXCONN)"
    indent: str = "    "

    @property
    def options(self) -> str:
        """The call that makes its parser."""
        return f"frame.server_options(__doc__, port={self.port})"

    @property
    def guarded(self) -> str:
        """The line above the call that makes it reachable."""
        trouble = 'frame.error_line(f"cannot listen on {options.host}:{options.port}")'
        return f"{self.indent}with {trouble}:\n"

    def wrong(self, name: str, *changes: str) -> Chaff:
        """Return this server with these changes."""
        return chaff(self.program, name, *changes)


@dataclass(frozen=True)
class Client:
    """What the text of a client's main() says: the default port, and what a failure is called."""

    program: str
    port: int
    trouble: str

    @property
    def options(self) -> str:
        """The call that makes its parser."""
        return f"frame.client_options(__doc__, port={self.port})"

    @property
    def guard(self) -> str:
        """What catches a failure, in a `with` of several lines."""
        return f'frame.error_line(f"{self.trouble} {{options.host}}:{{options.port}}"),'

    def wrong(self, name: str, *changes: str) -> Chaff:
        """Return this client with these changes."""
        return chaff(self.program, name, *changes)


def own_options(program: Server | Client, *lines: str) -> tuple[str, ...]:
    """Return changes: the program's parser comes from a function with these lines."""
    body = "".join(f"    {line}\n" for line in lines)
    return program.options, "own_options()", MAIN, f"def own_options():\n{body}\n\n{MAIN}"


def without_frame(program: Server | Client, port: str) -> tuple[str, ...]:
    """Return changes: the parser is made without the frame; `port` describes its --port."""
    return own_options(
        program,
        "import argparse",
        "parser = argparse.ArgumentParser()",
        'parser.add_argument("--host", default="127.0.0.1")',
        f'parser.add_argument("--port", {port})',
        "return parser",
    )


def any_number(program: Server | Client) -> Chaff:
    """Return a program that takes any number for a port."""
    as_int = without_frame(program, f"type=int, default={program.port}")
    return program.wrong("it takes any number for a port", *as_int)


def other_port(program: Server | Client) -> Chaff:
    """Return a program with another default port."""
    return program.wrong("its default port is 12345", f"port={program.port}", "port=12345")


def server_chaffs(server: Server) -> list[Chaff]:
    """Return what any server may do wrong, and what fails one check alone."""
    ready = f"frame.ready({server.sock})"
    return [
        server.wrong(
            "the ready line is not flushed", ready, says(f"{server.sock}.getsockname()", end="")
        ),
        other_port(server),
        server.wrong(
            "it takes every loopback address for 127.0.0.1",
            server.guarded,
            f'{server.indent}if options.host.startswith("127."):\n'
            f'{server.indent}    options.host = "127.0.0.1"\n{server.guarded}',
        ),
        elsewhere(server, "it ignores --host", '"127.0.0.1"'),
        server.wrong(
            "its default host is 0.0.0.0",
            *own_options(
                server,
                f"parser = {server.options}",
                'parser.set_defaults(host="0.0.0.0")',
                "return parser",
            ),
        ),
        any_number(server),
        server.wrong(
            "it resolves the host where nothing catches the failure",
            server.guarded,
            f"{server.indent}options.host = socket.gethostbyname(options.host)\n{server.guarded}",
        ),
        server.wrong(
            "it needs stdin",
            RUN,
            f'    import sys\n\n    sys.stdin.reconfigure(encoding="utf-8")\n{RUN}',
        ),
        server.wrong(
            "it does not know SIGTERM",
            RUN,
            "    try:\n        main()\n    except KeyboardInterrupt:\n        pass\n",
        ),
    ]


def server_chaffs_of_many_checks(server: Server) -> list[Chaff]:
    """Return what any server may do wrong, and what fails several checks, or all of them."""
    ready = f"frame.ready({server.sock})"
    return [
        server.wrong("the ready line names port 0", ready, says("(options.host, options.port)")),
        server.wrong("it prints no ready line", ready, 'frame.info("the server is running")'),
        elsewhere(
            server,
            "it listens where gethostname() says",
            "socket.gethostbyname(socket.gethostname())",
        ),
        elsewhere(
            server,
            "it ignores --port",
            "options.host",
            f"0 if options.port == 0 else {server.port}",
        ),
        elsewhere(server, "it listens on every address", '""'),
        server.wrong("it takes the port as text", *without_frame(server, f"default={server.port}")),
        handled(
            server,
            "it says why it cannot listen and ends with exit code 0",
            "sys.exit(print(f'[ERROR] {error}', file=sys.stderr))",
        ),
        handled(
            server,
            "it says on stdout why it cannot listen",
            "sys.exit(bool(print(f'[ERROR] {error}')) or 1)",
        ),
        server.wrong("it does not catch Ctrl+C", RUN, "    main()\n"),
        server.wrong(
            "it ends with exit code 130 at Ctrl+C",
            RUN,
            "    try:\n"
            "        main()\n"
            "    except KeyboardInterrupt:\n"
            "        raise SystemExit(130)\n",
        ),
        server.wrong(
            "it shows a traceback when it cannot listen",
            server.guarded,
            f"{server.indent}if True:\n",
        ),
    ]


def says(address: str, end: str = ", flush=True") -> str:
    """Return a ready line with this address."""
    return f'print("[INFO] Listening on %s:%d" % {address}{end})'


def elsewhere(server: Server, name: str, host: str, port: str = "options.port") -> Chaff:
    """Return a server that listens on this host and port, whatever the options say."""
    there = server.listens.replace("(options.host, options.port)", f"({host}, {port})")
    return server.wrong(name, server.listens, there)


def handled(server: Server, name: str, handler: str) -> Chaff:
    """Return a server that does this when it cannot listen; the failure is `error`."""
    return server.wrong(
        name,
        server.guarded,
        f"{server.indent}try:\n",
        f"{server.listens}\n",
        f"{server.listens}\n{server.indent}except OSError as error:\n"
        f"{server.indent}    {handler}\n",
        FRAME,
        f"import sys\n\n{FRAME}",
    )


def takes_another_port(server: Server) -> Chaff:
    """Return a TCP server that listens somewhere else than the options say."""
    return server.wrong(
        "it only tries the port, and takes another",
        "    with listener:\n",
        f"    if options.port not in (0, {server.port}):\n"
        "        listener.close()\n"
        "        listener = socket.create_server((options.host, 0))\n"
        "    with listener:\n",
    )


def shares_the_port(server: Server) -> Chaff:
    """Return a TCP server of which two copies listen on one port."""
    shared = server.listens.removesuffix(")") + ", reuse_port=True)"
    return server.wrong("it sets SO_REUSEPORT", server.listens, shared)


def keeps_the_port(server: Server) -> Chaff:
    """Return a TCP server that cannot be started again at once."""
    return server.wrong(
        "it is bound without SO_REUSEADDR",
        f"        listener = {server.listens}\n",
        "        listener = socket.socket()\n"
        "        listener.bind((options.host, options.port))\n"
        "        listener.listen(socket.SOMAXCONN)\n",
    )


def client_chaffs(client: Client) -> list[Chaff]:
    """Return what any client may do wrong, and what fails one check alone."""
    return [
        any_number(client),
        client.wrong(
            "it resolves the host where nothing catches the failure",
            "    with (\n",
            "    options.host = socket.gethostbyname(options.host)\n    with (\n",
        ),
        other_port(client),
        client.wrong("it does not catch Ctrl+C", RUN, "    main()\n"),
    ]


def client_chaffs_of_many_checks(client: Client) -> list[Chaff]:
    """Return what any client may do wrong, and what fails several checks."""
    contextlib = f"import contextlib\n\n{FRAME}"
    return [
        client.wrong(
            "it ends with exit code 0 after a failure",
            client.guard,
            "complaining(),",
            FRAME,
            FRAME + COMPLAINING,
        ),
        client.wrong(
            "it goes on after Ctrl+C",
            RUN,
            "    while True:\n"
            "        try:\n"
            "            main()\n"
            "            break\n"
            "        except KeyboardInterrupt:\n"
            "            print('^C')\n",
        ),
        client.wrong(
            "it shows a traceback when the server does not answer",
            client.guard,
            "contextlib.nullcontext(),",
            FRAME,
            contextlib,
        ),
        client.wrong(
            "it says nothing of a failure",
            client.guard,
            "contextlib.suppress(OSError),",
            FRAME,
            contextlib,
        ),
    ]


COMPLAINING = """import sys
import contextlib


@contextlib.contextmanager
def complaining():
    try:
        yield
    except OSError as error:
        print("[ERROR]", error, file=sys.stderr)
"""
