"""Check lab 1: echo over UDP and TCP."""
