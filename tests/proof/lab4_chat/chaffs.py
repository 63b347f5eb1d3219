"""Lab 4's wrong programs: each is the reference with one bug that beginners write."""

from proof.lab4_chat.client_chaffs import WHOLE_CLIENT
from proof.lab4_chat.getting_in_chaffs import GETTING_IN
from proof.lab4_chat.server_chaffs import WHOLE
from proof.lab4_chat.talking_chaffs import TALKING
from proof.lab4_chat.typing_chaffs import TYPING

CHAFFS = [*GETTING_IN, *TALKING, *WHOLE, *TYPING, *WHOLE_CLIENT]
