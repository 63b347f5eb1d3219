"""Lab 3's wrong programs: each is the reference with one bug that beginners write.

A file a part of the suite. Some bugs look far-fetched: they fail one check alone where the usual
bug fails several.
"""

from proof.lab3_file_transfer.client_chaffs import CLIENT
from proof.lab3_file_transfer.names_chaffs import NAMES
from proof.lab3_file_transfer.server_chaffs import SERVER

CHAFFS = [*SERVER, *NAMES, *CLIENT]
