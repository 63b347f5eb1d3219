"""Lab 2: an echo over TCP for many clients at once."""
