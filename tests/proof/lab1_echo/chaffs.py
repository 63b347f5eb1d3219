"""Lab 1's wrong programs: each is the reference with one bug that beginners write.

A file a program, in the order of its checks; what labs share is in `proof.rules_chaffs` and
`proof.echo_chaffs`. Some bugs
look far-fetched: they fail one check alone where the usual bug fails several.
"""

from proof.lab1_echo.tcp_client_chaffs import TCP_CLIENT
from proof.lab1_echo.tcp_server_chaffs import TCP_SERVER
from proof.lab1_echo.udp_client_chaffs import UDP_CLIENT
from proof.lab1_echo.udp_server_chaffs import UDP_SERVER

CHAFFS = [*UDP_SERVER, *UDP_CLIENT, *TCP_SERVER, *TCP_CLIENT]
