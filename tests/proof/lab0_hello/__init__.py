"""The proof of lab 0."""
