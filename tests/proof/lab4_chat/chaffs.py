"""Lab 4's wrong programs: each is the reference with one bug that beginners write."""

from proof.lab4_chat.client_chaffs import CLIENT
from proof.lab4_chat.rules_of_the_chat import RULES
from proof.lab4_chat.server_chaffs import WHOLE

CHAFFS = [*RULES, *WHOLE, *CLIENT]
