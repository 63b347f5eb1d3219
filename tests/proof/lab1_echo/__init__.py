"""The proof of lab 1."""
