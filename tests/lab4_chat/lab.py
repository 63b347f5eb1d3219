"""Lab 4: its parts in the order of the work. 100 points: 8, 12, 8, 8, 5, 14, 19, 3 and 23."""

from kit.lab import Lab, Part

LAB = Lab(
    "lab4",
    "Chat",
    (
        Part("test_framing", "Framing", "1-framing", todos=(1, 2)),
        Part("test_login", "Login", "2-login", todos=(1, 2, 3)),
        Part("test_all", "To all", "3-to-all", todos=(1, 2, 3, 4)),
        Part("test_users", "Users and notices", "4-users-and-notices", todos=(1, 2, 3, 5, 6)),
        Part("test_private", "Private messages", "5-private-messages", todos=(1, 2, 3, 7)),
        Part("test_session", "Sessions", "6-private-sessions", todos=tuple(range(1, 11))),
        Part("test_server", "Server", "7-the-server-as-a-whole", todos=(1, 2, 3, 4, 5)),
        Part("test_reader", "Who never reads", "8-who-never-reads", todos=(1, 2, 3, 4, 5, 11, 12)),
        Part("test_client", "Client", "9-the-client", todos=(1, 2, 13, 14, 15, 16, 17)),
    ),
    port=8083,
)
