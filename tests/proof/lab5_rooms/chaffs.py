"""Lab 5's wrong programs: each is the reference with one bug that beginners write."""

from proof.lab5_rooms.client_chaffs import CLIENT
from proof.lab5_rooms.server_chaffs import SERVER

CHAFFS = [*SERVER, *CLIENT]
