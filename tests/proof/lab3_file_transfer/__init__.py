"""Lab 3's wheats and chaffs."""
