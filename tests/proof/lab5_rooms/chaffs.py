"""Lab 5's wrong programs: each is the reference with one bug that beginners write."""

from proof.lab5_rooms.client_chaffs import CLIENT
from proof.lab5_rooms.getting_in_chaffs import GETTING_IN
from proof.lab5_rooms.server_chaffs import WHOLE
from proof.lab5_rooms.talking_chaffs import LEAVING, TALKING

CHAFFS = [*GETTING_IN, *TALKING, *LEAVING, *WHOLE, *CLIENT]
