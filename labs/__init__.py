"""The programs of Socket Labs, one folder a lab."""
