"""Check lab 0: is this machine ready, and do the hello programs still work."""
