"""A recording relay between any client and any server: `nox -s trace -- lab4`."""
