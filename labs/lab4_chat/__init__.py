"""Lab 4: a chat in lines of JSON over TCP."""
