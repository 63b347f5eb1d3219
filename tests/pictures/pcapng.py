"""A check's wire as a pcapng file, which Wireshark opens: what went over its links, as packets.

The format is draft-ietf-opsawg-pcapng's. Nothing was captured: the packets are made from the
story, with right checksums and numbers, so that "Follow stream" works, and each packet's comment
names its step. A handshake stands at the beginning of each TCP link, and acknowledgements travel
with what is sent back. All ends were on 127.0.0.1; here each has an address of its own, and the
file gives its name (in Wireshark: View, Name Resolution, Resolve Network Addresses).
"""

import base64
import struct
from collections.abc import Iterator
from typing import Any

from kit.story import printable

_SECTION, _INTERFACE, _NAMES, _PACKET = 0x0A0D0D0A, 1, 4, 6  # types of blocks
_COMMENT = 1  # code of an option
_BYTE_ORDER = 0x1A2B3C4D
_RAW_IPV4 = 228  # link type: a packet begins with its IPv4 header

MOST_UNSEEN = 100  # segments whose data was not kept; what follows them is as if not captured

_TCP, _UDP = 6, 17  # IPv4's protocol numbers
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10  # TCP's flags (RFC 9293, section 3.1)
_MAX_SEGMENT = 65_495  # bytes: 65,535 less the headers of IPv4 (20) and of TCP (20)
_MOST_COMMENT = 4_000  # characters; the format has room for 65,535 bytes
_LOOPBACK = 0x7F000000  # 127.0.0.0
_DO_NOT_CUT = 0x4000  # IPv4's flag

_WINDOW = 65_535  # times 2**14 (RFC 7323): nothing that we show was ever held back by it
_SYN_OPTIONS = struct.pack(">BBHBBBB", 2, 4, _MAX_SEGMENT, 3, 3, 14, 0)


def capture(check: dict[str, Any]) -> bytes:
    """Return what went over the links of a check of the result form, as a pcapng file.

    Of data that was not kept, the packets were captured without it: of a datagram's end, or the
    first `MOST_UNSEEN` segments of TCP. Times begin with the story's, at 0, which Wireshark takes
    for the year 1970.
    """
    hosts: dict[tuple[str, str], bytes] = {}
    links: dict[tuple[Any, ...], _Link] = {}
    packets = []
    for line in sorted(check["story"], key=lambda line: line["time"]):
        if "wire" not in line:
            continue
        key = tuple(line[name] for name in ("wire", "role", "port", "other", "other_port"))
        if key not in links:
            ends = ("peer", line["who"]), ("program", line["other"])
            links[key] = _Link(line, [hosts.setdefault(end, _host(len(hosts))) for end in ends])
        for comment, packet, missing in links[key].carries(line):
            packets.append(_packet(line["time"], comment, packet, missing))
    names = b"".join(_name(name, address) for (_, name), address in hosts.items())
    return b"".join(
        [
            _block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)),
            _block(_INTERFACE, struct.pack("<HHI", _RAW_IPV4, 0, 0)),
            _block(_NAMES, names + bytes(4)),
            *packets,
        ]
    )


class _Link:
    """A link on its way through the story. Its ends: 0 is the peer, 1 the program."""

    def __init__(self, line: dict[str, Any], hosts: list[bytes]) -> None:
        self.names = line["who"], line["other"]
        self.ports = line["port"], line["other_port"]
        self.hosts = hosts
        self.client = 0 if line["role"] == "client" else 1
        self.open = False
        self.sent = [0, 0]  # TCP's sequence numbers: how much each end has sent
        self.ended = [False, False]

    def carries(self, line: dict[str, Any]) -> Iterator[tuple[str, bytes, int]]:
        """Yield what a line of the story sends: comment, packet, missing bytes at its end."""
        to = f" {line['other']}:" if line["mark"] in ("->", "<-") else ""
        comment = printable(f"{line['who']} {line['mark']}{to} {line['what']}")
        end = 1 if line["mark"] == "<-" else 0
        data, size = base64.b64decode(line["data"]), line["size"]
        if line["wire"] == "udp":
            if to:
                yield comment, self._datagram(end, data, size), size - len(data)
            return
        if not self.open:
            yield from self._opens()
        after = self.sent[end] + size
        for kept, missing in _segments(data, size):
            yield comment, self._segment(end, _ACK, kept, missing), missing
        self.sent[end] = after
        flag = {"FIN": _FIN, "RST": _RST}.get(line["flag"])
        if flag and not self.ended[end]:
            yield comment, self._segment(end, flag | _ACK), 0
            self.ended[end] = True
            self.ended[1 - end] |= flag == _RST

    def _opens(self) -> Iterator[tuple[str, bytes, int]]:
        """Yield the handshake (RFC 9293, section 3.5)."""
        client, server = self.client, 1 - self.client
        comment = printable(f"{self.names[client]} connects to {self.names[server]}")
        for end, flags in ((client, _SYN), (server, _SYN | _ACK), (client, _ACK)):
            yield comment, self._segment(end, flags), 0
        self.open = True

    def _segment(self, end: int, flags: int, data: bytes = b"", missing: int = 0) -> bytes:
        options = _SYN_OPTIONS if flags & _SYN else b""
        header = struct.pack(
            ">HHIIBBHHH",
            *(self.ports[end], self.ports[1 - end]),
            *(number % 2**32 for number in (self.sent[end], self.sent[1 - end])),
            *((20 + len(options)) // 4 << 4, flags, _WINDOW, 0, 0),
        )
        self.sent[end] += len(data) + missing + bool(flags & (_SYN | _FIN))
        return self._ipv4(end, _TCP, header + options + data, missing, checksum_at=16)

    def _datagram(self, end: int, data: bytes, size: int) -> bytes:
        header = struct.pack(">HHHH", self.ports[end], self.ports[1 - end], 8 + size, 0)
        return self._ipv4(end, _UDP, header + data, size - len(data), checksum_at=6)

    def _ipv4(self, end: int, protocol: int, body: bytes, missing: int, checksum_at: int) -> bytes:
        """Return a packet (RFC 791) with the checksum of what is in it.

        Of a body that lacks bytes nobody knows it: UDP has the value 0 for that (RFC 768), and
        TCP's is then the one of a body with zeros in their place.
        """
        route = self.hosts[end] + self.hosts[1 - end]
        size = len(body) + missing
        told = _checksum(route + struct.pack(">HH", protocol, size) + body)
        if protocol == _UDP:
            told = 0 if missing else told or 0xFFFF
        body = body[:checksum_at] + struct.pack(">H", told) + body[checksum_at + 2 :]
        header = struct.pack(">BBHHHBB", 0x45, 0, 20 + size, 0, _DO_NOT_CUT, 64, protocol)
        return header + struct.pack(">H", _checksum(header + route)) + route + body


def _segments(data: bytes, size: int) -> Iterator[tuple[bytes, int]]:
    """Cut a piece of a stream into segments: what was kept of it, then what is missing."""
    for at in range(0, len(data), _MAX_SEGMENT):
        yield data[at : at + _MAX_SEGMENT], 0
    for at in range(len(data), size, _MAX_SEGMENT)[:MOST_UNSEEN]:
        yield b"", min(_MAX_SEGMENT, size - at)


def _checksum(data: bytes) -> int:
    """Return the checksum of the internet protocols (RFC 1071)."""
    even = data + bytes(len(data) % 2)
    total: int = sum(struct.unpack(f">{len(even) // 2}H", even))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF - total


def _host(number: int) -> bytes:
    return struct.pack(">I", _LOOPBACK + 1 + number)


def _packet(time: float, comment: str, data: bytes, missing: int) -> bytes:
    """Return an enhanced packet block; `time` is in seconds, and in the file in microseconds."""
    high, low = divmod(round(time * 1e6), 2**32)
    text = comment[:_MOST_COMMENT].encode(errors="replace")
    head = struct.pack("<IIIII", 0, high, low, len(data), len(data) + missing)
    options = struct.pack("<HH", _COMMENT, len(text)) + _padded(text) + bytes(4)
    return _block(_PACKET, head + _padded(data) + options)


def _name(name: str, address: bytes) -> bytes:
    """Return the record that gives an IPv4 address its name."""
    value = address + printable(name).encode(errors="replace") + b"\0"
    return struct.pack("<HH", 1, len(value)) + _padded(value)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
