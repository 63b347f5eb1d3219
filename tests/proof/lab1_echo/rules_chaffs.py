"""Lab 1's wrong programs: what is wrong in them is a rule for every server, or every client."""

from proof.subjects import Chaff, chaff

RUN = "    frame.run(main)\n"
SIGTERM_ALONE = (
    "    import signal\n\n    signal.signal(signal.SIGTERM, lambda *_: exit())\n    main()\n"
)
SERVER_OPTIONS = "    options = frame.server_options(__doc__, port=6789).parse_args()\n"
CLIENT_PARSER = "    parser = frame.client_options(__doc__, port=6789)\n"
NO_ECHO = 'frame.error_line(f"no echo from {options.host}:{options.port}"),'
FRAME = "from .. import frame\n"

# What the servers call their socket, how they make it reachable, and how deep that stands.
SOCKETS = {"udp_server": "sock", "tcp_server": "listener"}
LISTENS = {"udp_server": "bind", "tcp_server": "create_server"}
INDENTS = {"udp_server": "        ", "tcp_server": "    "}


def hand_made(port: str) -> str:
    """Return lines that make a parser without the frame; `port` describes its --port."""
    return (
        "    import argparse\n"
        "    parser = argparse.ArgumentParser()\n"
        '    parser.add_argument("--host", default="127.0.0.1")\n'
        f'    parser.add_argument("--port", {port})\n'
    )


def shared_out(several: list[Chaff], program: str) -> list[Chaff]:
    """Return the half that is tried on this program: each fails several checks, once is enough."""
    return several[::2] if program.startswith("udp") else several[1::2]


def server_chaffs(program: str) -> list[Chaff]:
    """Return what any server may do wrong, first those that fail one check alone."""
    sock, indent = SOCKETS[program], INDENTS[program]
    ready = f"frame.ready({sock})"
    listens = f"{LISTENS[program]}((options.host, options.port))"
    guarded = (
        f'{indent}with frame.error_line(f"cannot listen on {{options.host}}:{{options.port}}"):\n'
    )

    def says(address: str, end: str = ", flush=True") -> str:
        return f'print("[INFO] Listening on %s:%d" % {address}{end})'

    def wrong(name: str, *changes: str) -> Chaff:
        return chaff(program, name, *changes)

    def on(name: str, host: str, port: str = "options.port") -> Chaff:
        return wrong(name, listens, f"{LISTENS[program]}(({host}, {port}))")

    def caught(name: str, handler: str) -> Chaff:
        handled = f"{listens}\n{indent}except OSError as error:\n{indent}    {handler}\n"
        return wrong(
            name,
            guarded,
            f"{indent}try:\n",
            f"{listens}\n",
            handled,
            FRAME,
            f"import sys\n\n{FRAME}",
        )

    alone = [
        wrong("the ready line is not flushed", ready, says(f"{sock}.getsockname()", end="")),
        wrong("its default port is 12345", "port=6789", "port=12345"),
        wrong(
            "it takes every loopback address for 127.0.0.1",
            guarded,
            f'{indent}if options.host.startswith("127."):\n'
            f'{indent}    options.host = "127.0.0.1"\n{guarded}',
        ),
        on("it ignores --host", '"127.0.0.1"'),
        wrong(
            "its default host is 0.0.0.0",
            SERVER_OPTIONS,
            "    parser = frame.server_options(__doc__, port=6789)\n"
            '    parser.set_defaults(host="0.0.0.0")\n'
            "    options = parser.parse_args()\n",
        ),
        wrong(
            "it takes any number for a port",
            SERVER_OPTIONS,
            hand_made("type=int, default=6789") + "    options = parser.parse_args()\n",
        ),
        wrong(
            "it resolves the host where nothing catches the failure",
            guarded,
            f"{indent}options.host = socket.gethostbyname(options.host)\n{guarded}",
        ),
        wrong(
            "it needs stdin",
            RUN,
            f'    import sys\n\n    sys.stdin.reconfigure(encoding="utf-8")\n{RUN}',
        ),
        wrong(
            "it does not know SIGTERM",
            RUN,
            "    try:\n        main()\n    except KeyboardInterrupt:\n        pass\n",
        ),
    ]
    several = [
        wrong("the ready line names port 0", ready, says("(options.host, options.port)")),
        wrong("it prints no ready line", ready, 'frame.info("the server is running")'),
        on("it listens where gethostname() says", "socket.gethostbyname(socket.gethostname())"),
        on("it ignores --port", "options.host", "0 if options.port == 0 else 6789"),
        on("it listens on every address", '""'),
        wrong(
            "it takes the port as text",
            SERVER_OPTIONS,
            hand_made("default=6789") + "    options = parser.parse_args()\n",
        ),
        caught(
            "it says why it cannot listen and ends with exit code 0",
            "sys.exit(print(f'[ERROR] {error}', file=sys.stderr))",
        ),
        caught(
            "it says on stdout why it cannot listen",
            "sys.exit(bool(print(f'[ERROR] {error}')) or 1)",
        ),
        wrong("it does not catch Ctrl+C", RUN, "    main()\n"),
        wrong(
            "it ends with exit code 130 at Ctrl+C",
            RUN,
            "    try:\n"
            "        main()\n"
            "    except KeyboardInterrupt:\n"
            "        raise SystemExit(130)\n",
        ),
        wrong("it shows a traceback when it cannot listen", guarded, f"{indent}if True:\n"),
    ]
    return alone + shared_out(several, program)


def client_chaffs(program: str) -> list[Chaff]:
    """Return what any client may do wrong, first those that fail one check alone."""
    resolved = "    server = socket.gethostbyname(options.host), options.port\n    with (\n"

    def wrong(name: str, *changes: str) -> Chaff:
        return chaff(program, name, *changes)

    alone = [
        wrong(
            "it takes any number for a port",
            CLIENT_PARSER,
            hand_made("type=int, default=6789"),
        ),
        wrong(
            "it resolves the host where nothing catches the failure",
            "    with (\n",
            resolved,
        ),
        wrong("its default port is 12345", "port=6789", "port=12345"),
        wrong("it does not catch Ctrl+C", RUN, "    main()\n"),
    ]
    several = [
        wrong(
            "it ends with exit code 0 after a failure",
            NO_ECHO,
            "complaining(),",
            FRAME,
            FRAME + COMPLAINING,
        ),
        wrong(
            "it goes on after Ctrl+C",
            RUN,
            "    while True:\n"
            "        try:\n"
            "            main()\n"
            "            break\n"
            "        except KeyboardInterrupt:\n"
            "            print('^C')\n",
        ),
        wrong(
            "it shows a traceback when the server does not answer",
            NO_ECHO,
            "contextlib.nullcontext(),",
            FRAME,
            f"import contextlib\n\n{FRAME}",
        ),
        wrong(
            "it says nothing of a failure",
            NO_ECHO,
            "contextlib.suppress(OSError),",
            FRAME,
            f"import contextlib\n\n{FRAME}",
        ),
    ]
    return alone + shared_out(several, program)


COMPLAINING = """import sys
import contextlib


@contextlib.contextmanager
def complaining():
    try:
        yield
    except OSError as error:
        print("[ERROR]", error, file=sys.stderr)
"""
