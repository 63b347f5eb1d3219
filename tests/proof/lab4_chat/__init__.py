"""Lab 4's wheats and chaffs."""
