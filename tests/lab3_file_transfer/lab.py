"""Lab 3: its parts in the order of the work. 100 points: 53, 15 and 32."""

from kit.lab import Lab, Part

LAB = Lab(
    "lab3",
    "File transfer",
    (
        Part("test_server", "Server", "2-the-server", todos=(1, 2, 3, 4)),
        Part("test_names", "Names", "1-the-framing-and-the-names", todos=(1, 2, 3, 4)),
        Part("test_client", "Client", "3-the-client", todos=(1, 5)),
    ),
    away=True,
    port=8082,
)
