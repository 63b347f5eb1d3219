"""Lab 1's wrong programs: the UDP server, in the order of its checks."""

from proof.rules_chaffs import (
    RUN,
    SIGTERM_ALONE,
    Server,
    server_chaffs,
    server_chaffs_of_many_checks,
)
from proof.subjects import Chaff, chaff

NAME = "udp_server"
SERVER = Server(
    NAME,
    port=6789,
    sock="sock",
    listens="sock.bind((options.host, options.port))",
    indent="        ",
)
SERVE = "    while True:\n        try:\n"
RECEIVE = "            datagram, address = sock.recvfrom(MAX_DATAGRAM)\n"
SEND = "            sock.sendto(datagram, address)\n"
CAUGHT = "except ConnectionError as error:  # Windows tells us here that an earlier peer is gone\n"
UDP_SOCKET = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
BIND = "        with frame.error_line("
READY = "        frame.ready(sock)\n"


def wrong(name: str, *changes: str) -> Chaff:
    """Return a wrong UDP server."""
    return chaff(NAME, name, *changes)


def sends(name: str, what: str) -> Chaff:
    """Return one that sends back something else than `datagram`."""
    return wrong(name, "sock.sendto(datagram, address)", f"sock.sendto({what}, address)")


def before_sending(name: str, *lines: str) -> Chaff:
    """Return one that does something more between receiving and sending."""
    more = "".join(f"            {line}\n" for line in lines)
    return wrong(name, SEND, more + SEND)


def option(name: str, what: str) -> Chaff:
    """Return one that sets a socket option before bind()."""
    return wrong(name, BIND, f"        sock.setsockopt({what})\n{BIND}")


UDP_SERVER = [
    # A datagram comes back to its sender.
    wrong(
        "it speaks TCP",
        UDP_SOCKET,
        "socket.socket()",
        READY,
        f"        sock.listen()\n{READY}",
        RECEIVE,
        "            connection, address = sock.accept()\n"
        "            datagram = connection.recv(1024)\n",
        SEND,
        "            connection.sendall(datagram)\n",
    ),
    wrong(
        "it gives SOCK_DGRAM in the place of the family",
        UDP_SOCKET,
        "socket.socket(socket.SOCK_DGRAM)",
    ),
    before_sending(
        "it answers one expected text alone", 'if datagram != b"hello":', "    continue"
    ),
    sends("it says who speaks", 'b"Echo: " + datagram'),
    sends("it sends the repr of the bytes", "str(datagram).encode()"),
    sends("it sends a newline after the datagram", 'datagram + b"\\n"'),
    sends("it sends text in capitals", "datagram.upper()"),
    wrong("it never answers", SEND, '            frame.info(f"{address} said {datagram}")\n'),
    # One datagram after another.
    wrong("it serves one datagram and ends", SEND, f"{SEND}            return\n"),
    wrong("it sends everything twice", SEND, SEND + SEND),
    wrong(
        "it answers from another port",
        "            sock.sendto",
        "            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto",
    ),
    wrong(
        "it takes nine short datagrams for a flood",
        SERVE,
        "    short = 0\n" + SERVE,
        SEND,
        "            short += len(datagram) < 100\n"
        "            if short > 8:\n"
        "                continue\n" + SEND,
    ),
    wrong(
        "it answers no datagram that is like the one before",
        SERVE,
        "    before = None\n" + SERVE,
        SEND,
        "            if (datagram, address) != before:\n"
        "                sock.sendto(datagram, address)\n"
        "            before = datagram, address\n",
    ),
    # Any bytes.
    sends("it decodes what comes", "datagram.decode().encode()"),
    sends("it drops what is not UTF-8", 'datagram.decode(errors="ignore").encode()'),
    sends("it strips", "datagram.strip()"),
    sends("it drops a byte order mark", 'datagram.removeprefix(b"\\xff\\xfe")'),
    before_sending("it takes exit for its own end", 'if datagram == b"exit":', "    break"),
    # An empty datagram.
    before_sending("it stops at an empty datagram", "if not datagram:", "    break"),
    before_sending("it does not answer an empty datagram", "if not datagram:", "    continue"),
    # Every size.
    wrong("it reads 1024 bytes", "sock.recvfrom(MAX_DATAGRAM)", "sock.recvfrom(1024)"),
    wrong("it reads 32768 bytes", "sock.recvfrom(MAX_DATAGRAM)", "sock.recvfrom(32768)"),
    # Several clients.
    wrong(
        "it answers the first client always",
        SERVE,
        "    first = None\n" + SERVE,
        SEND,
        "            first = first or address\n            sock.sendto(datagram, first)\n",
    ),
    wrong(
        "with two clients it answers the one that came last",
        SERVE,
        "    clients = []\n" + SERVE,
        SEND,
        "            if address not in clients:\n"
        "                clients.append(address)\n"
        "            sock.sendto(datagram, clients[-1] if len(clients) == 2 else address)\n",
    ),
    # A client that is gone: Linux tells of it only those who ask (man 7 ip, IP_RECVERR).
    wrong(
        "it asks for errors, and one ends it",
        "except ConnectionError as error:",
        "except BlockingIOError as error:",
        READY,
        "        sock.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR\n" + READY,
        SERVE,
        "    import time\n\n    first = True\n" + SERVE,
        SEND,
        "            if first:\n"
        "                time.sleep(0.2)  # whatever takes its time once\n"
        "                first = False\n" + SEND,
    ),
    # A time in which nothing comes.
    wrong(
        "it waits no longer than 2 s for the next datagram",
        SERVE,
        "    sock.settimeout(2)\n" + SERVE,
    ),
    *server_chaffs(SERVER),
    *server_chaffs_of_many_checks(SERVER)[::2],
    # What these rules look like in this program alone.
    wrong(
        "its ready line names the default port unless --port is 0",
        READY,
        "        port = sock.getsockname()[1] if options.port == 0 else 6789\n"
        '        frame.info(f"Listening on {options.host}:{port}")\n',
    ),
    option("it sets SO_REUSEADDR", "socket.SOL_SOCKET, socket.SO_REUSEADDR, 1"),
    option("it sets SO_REUSEPORT", "socket.SOL_SOCKET, socket.SO_REUSEPORT, 1"),
    wrong("it catches SIGTERM and not Ctrl+C", RUN, SIGTERM_ALONE),
    wrong(
        "a bare except takes Ctrl+C for an error",
        CAUGHT,
        "except:\n",
        'frame.info(f"A datagram was not delivered: {error}")',
        'frame.info("A datagram was not delivered")',
    ),
    wrong(
        "it polls",
        READY,
        f"        sock.setblocking(False)\n{READY}",
        "        except ConnectionError",
        "        except BlockingIOError:\n            continue\n        except ConnectionError",
    ),
    wrong(
        "it keeps all datagrams",
        SERVE,
        f"    log = []\n{SERVE}",
        SEND,
        f"            log.append(datagram)\n{SEND}",
    ),
]
