"""Lab 5's wheats and chaffs."""
