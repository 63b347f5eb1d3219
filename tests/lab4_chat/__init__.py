"""Check lab 4: the chat."""
