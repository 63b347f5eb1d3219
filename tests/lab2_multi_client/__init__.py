"""Check lab 2: many clients at once."""
