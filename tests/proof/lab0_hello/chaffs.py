"""Lab 0's wrong programs. The lab is given complete; students break it while they try things."""

from proof.lab1_echo import tcp_server_chaffs, udp_server_chaffs
from proof.rules_chaffs import RUN, Client, Server, any_number, other_port, server_chaffs
from proof.subjects import Chaff, chaff

OPTIONS = "    options = frame.client_options(__doc__, port=6789).parse_args()\n"
ANSWER, HELLO = 'ANSWER = b"Are you talking to me?"', 'HELLO = b"HEY!"'


def of_a_server(server: Server, answering: str) -> list[Chaff]:
    """Return what one of the servers does wrong; `answering` is the line that answers."""
    program = server.program
    return [
        chaff(program, "it answers with another text", ANSWER, 'ANSWER = b"Who is there?"'),
        chaff(
            program,
            "it does not stop after its answer",
            answering,
            f"{answering}        import time\n\n        time.sleep(60)\n",
        ),
        chaff(
            program, "it does not say what it heard", "said {hello!r}", "said {len(hello)} bytes"
        ),
        *server_chaffs(server),
        chaff(
            program,
            "it goes on after Ctrl+C",
            RUN,
            "    while True:\n"
            "        try:\n"
            "            main()\n"
            "            break\n"
            "        except KeyboardInterrupt:\n"
            "            print('^C')\n",
        ),
        chaff(program, "it ends with exit code 1 at Ctrl+C", RUN, AT_CTRL_C),
        chaff(
            program,
            "its ready line names the default port unless --port is 0",
            "        frame.ready(",
            "        if options.port:\n"
            '            print("Listening on 127.0.0.1:6789", flush=True)\n'
            "        frame.ready(",
        ),
        chaff(
            program,
            "it sets SO_REUSEPORT",
            "def main() -> None:\n",
            "class Shared(socket.socket):\n"
            "    def bind(self, address):\n"
            "        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)\n"
            "        super().bind(address)\n\n\n"
            "socket.socket = Shared\n\n\n"
            "def main() -> None:\n",
        ),
    ]


def of_a_client(program: str) -> list[Chaff]:
    """Return what one of the clients does wrong."""
    client = Client(program, port=6789, trouble="no answer from")
    resolved = f"{OPTIONS}    options.host = socket.gethostbyname(options.host)\n"
    return [
        chaff(program, "it says something else", HELLO, 'HELLO = b"HELLO!"'),
        chaff(program, "it does not show the answer", "said {answer!r}", "said something"),
        any_number(client),
        chaff(program, "it resolves the host where nothing catches it", OPTIONS, resolved),
        other_port(client),
        chaff(program, "it shows a traceback at Ctrl+C", RUN, "    main()\n"),
    ]


AT_CTRL_C = """\
    import signal

    def stop(*_):
        raise SystemExit(1 if _[0] == signal.SIGINT else 0)

    run_signal = signal.signal
    signal.signal = lambda number, handler: run_signal(number, stop)
    frame.run(main)
"""

CHAFFS = [
    *of_a_server(udp_server_chaffs.SERVER, "        sock.sendto(ANSWER, client)\n"),
    *of_a_client("udp_client"),
    chaff("udp_client", "it waits for ever", "        sock.settimeout(PATIENCE)\n", ""),
    chaff(
        "udp_client",
        "it asks again and again",
        "        sock.settimeout(PATIENCE)\n        answer, server = sock.recvfrom(MAX_ANSWER)\n",
        "        import time\n\n"
        "        sock.setblocking(False)\n"
        "        answer, deadline = b'', time.monotonic() + PATIENCE\n"
        "        while not answer:\n"
        "            if time.monotonic() > deadline:\n"
        "                raise TimeoutError('no answer')\n"
        "            try:\n"
        "                answer, server = sock.recvfrom(MAX_ANSWER)\n"
        "            except BlockingIOError:\n"
        "                pass\n",
    ),
    *of_a_server(tcp_server_chaffs.SERVER, "            connection.sendall(ANSWER)\n"),
    *of_a_client("tcp_client"),
    chaff(
        "tcp_client",
        "it tries for ever to connect",
        "        socket.create_connection(server, timeout=PATIENCE) as sock,\n",
        "        connected(server) as sock,\n",
        "def main() -> None:\n",
        "def connected(server):\n"
        "    while True:\n"
        "        try:\n"
        "            return socket.create_connection(server, timeout=PATIENCE)\n"
        "        except ConnectionRefusedError:\n"
        "            pass\n\n\n"
        "def main() -> None:\n",
    ),
    chaff(
        "tcp_client",
        "it asks again and again",
        "        answer = sock.recv(MAX_ANSWER)\n",
        "        sock.setblocking(False)\n"
        "        answer = None\n"
        "        while answer is None:\n"
        "            try:\n"
        "                answer = sock.recv(MAX_ANSWER)\n"
        "            except BlockingIOError:\n"
        "                pass\n",
    ),
]
