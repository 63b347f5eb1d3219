"""The proof of lab 2."""
