"""Lab 0: its parts in the order of the work. 100 points: 16, 42 and 42."""

from kit.lab import Lab, Part

LAB = Lab(
    "lab0",
    "Hello",
    (
        Part("test_machine", "This machine", "1-this-machine"),
        Part("test_udp_pair", "UDP pair", "2-the-udp-pair"),
        Part("test_tcp_pair", "TCP pair", "3-the-tcp-pair"),
    ),
    port=6789,
    wires=("tcp", "udp"),
)
