"""The reference programs, one folder a lab. Read them after you have written your own."""
