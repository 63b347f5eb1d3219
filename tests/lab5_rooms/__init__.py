"""Check lab 5: the rooms."""
