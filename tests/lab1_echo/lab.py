"""Lab 1: its parts in the order of the work. 100 points: 24, 21, 31 and 24."""

from kit.lab import Lab, Part

LAB = Lab(
    "lab1",
    "Echo",
    (
        Part("test_udp_server", "UDP server", "1-the-udp-server", todos=(1,)),
        Part("test_udp_client", "UDP client", "2-the-udp-client", todos=(2,)),
        Part("test_tcp_server", "TCP server", "3-the-tcp-server", todos=(3, 4)),
        Part("test_tcp_client", "TCP client", "4-the-tcp-client", todos=(5,)),
    ),
    port=6789,
    wires=("tcp", "udp"),
)
