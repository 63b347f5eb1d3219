"""The proof of the suites."""
