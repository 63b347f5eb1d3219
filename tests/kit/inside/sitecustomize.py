"""The one file of the kit that runs inside the student's program: it lets the kit ask where it is.

Python imports a module of this name at its start. It decides nothing: a program that tampers
with it spoils only its own failure messages.
"""

import faulthandler
import os
import signal

if "SOCKET_LABS_WHEREABOUTS" in os.environ:
    # Kept open for ever: faulthandler writes into it from a signal handler or from its own thread.
    whereabouts = open(os.environ["SOCKET_LABS_WHEREABOUTS"], "a")  # noqa: SIM115, PTH123 - imports little
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, file=whereabouts, all_threads=True)
        whereabouts.write("asks are heard\n")
        whereabouts.flush()
    else:  # Windows
        faulthandler.dump_traceback_later(0.5, repeat=True, file=whereabouts)
        # The harness can send Ctrl+Break alone to one program: here it does what Ctrl+C does.
        signal.signal(getattr(signal, "SIGBREAK"), lambda *_: signal.raise_signal(signal.SIGINT))  # noqa: B009
