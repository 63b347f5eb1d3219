"""Lab 1: echo, over UDP and over TCP."""
