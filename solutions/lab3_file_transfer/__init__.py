"""Lab 3: file transfer over TCP, with a length in front of everything."""
