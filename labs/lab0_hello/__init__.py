"""Lab 0: one hello over UDP and one over TCP."""
