"""Measure the reference programs beside others that do the same, in one run, in turn.

Not a test: a slow machine misses goals, and the exit code is 0 all the same.
"""

import argparse
import importlib
import os
import pkgutil
import sys
import time
from pathlib import Path

from bench.figures import count
from bench.programs import Broken
from kit import system

FEWEST = 5  # runs that make a median
MOMENT = 0.3  # seconds in which the cores are watched: nothing is waited for
FREE = 0.25  # of the time; others that compute more than that disturb
LABS = sorted(
    module.name
    for module in pkgutil.iter_modules([os.fspath(Path(__file__).parent)])
    if module.name.startswith("lab")
)


def main() -> None:
    """Measure what the command line names: all labs, or some."""
    system.clear_up_when_told_to_stop()
    modules = {name: importlib.import_module(f"bench.{name}") for name in LABS}
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__)
    parser.add_argument("labs", nargs="*", metavar="LAB", help=f"{', '.join(LABS)}; all of them")
    parser.add_argument("--runs", type=count, default=FEWEST, help="of each side (default: 5)")
    for module in modules.values():
        if hasattr(module, "add_options"):
            module.add_options(parser)
    options = parser.parse_args()
    if unknown := [name for name in options.labs if name not in LABS]:
        parser.error(f"there is no {unknown[0]} to measure; there are {', '.join(LABS)}")
    if options.runs < FEWEST:
        parser.error(f"a median needs at least {FEWEST} runs")
    try:
        for name in options.labs or LABS:
            title = (modules[name].__doc__ or "").partition("\n")[0]
            print(f"{name}: {title} ({machine()})", flush=True)
            modules[name].measure(options)
            print(flush=True)
    except (Broken, OSError) as error:
        sys.exit(f"[ERROR] {error}")
    except KeyboardInterrupt:
        sys.exit("[ERROR] stopped")


def machine() -> str:
    """Say how many cores there are, and where the system tells it, whether they are free."""
    cores = os.cpu_count() or 1
    if not system.LINUX:
        return f"{cores} cores"
    verdict = ", too much to trust the figures" if (share := busy()) > FREE else ""
    return f"{cores} cores, {share:.0%} busy before{verdict}"


def busy() -> float:
    """Return the share of a short moment in which the cores do something (man 5 proc_stat).

    The load average would not do: for minutes it remembers what the bench itself did.
    """
    before = core_times()
    time.sleep(MOMENT)
    passed = [after - earlier for earlier, after in zip(before, core_times(), strict=True)]
    idle = passed[3] + passed[4]  # nothing to do, and nothing but waiting for a disk
    return 1 - idle / max(1, sum(passed))


def core_times() -> list[int]:
    """Return how long all cores have been in each of their states, "user" to "steal"."""
    with Path("/proc/stat").open(encoding="ascii") as stat:
        return [int(word) for word in stat.readline().split()[1:9]]


if __name__ == "__main__":
    main()
