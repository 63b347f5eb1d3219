"""Lab 5: its parts in the order of the work. 100 points: 17, 22, 10, 17 and 34."""

from kit.lab import Lab, Part

IN = (1, 2, 3, 4, 5, 6)
TALK = (*IN, 7, 8, 9, 10)

LAB = Lab(
    "lab5",
    "Rooms",
    (
        Part("test_getting_in", "Getting in", "1-getting-in", todos=IN),
        Part("test_talking", "Talking", "2-talking", todos=TALK),
        Part("test_leaving", "Leaving", "3-leaving", todos=(*TALK, 11)),
        Part("test_server", "Server", "4-the-server-as-a-whole", todos=(*TALK, 11)),
        Part("test_client", "Client", "5-the-client", todos=(1, 2, 7, 8, 12, 13, 14)),
    ),
    port=8084,
    wires=("tcp", "udp"),
)
