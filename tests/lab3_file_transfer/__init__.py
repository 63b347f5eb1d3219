"""Check lab 3: file transfer."""
