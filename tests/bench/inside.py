"""Run a module as `python -m` does, and write what that took.

`python -m bench.inside FILE MODULE …`: FILE gets two numbers: seconds of processor time, and the
peak of memory in bytes, 0 if the system does not tell it. Only the process itself can say so at
its very end.
"""

import runpy
import sys
import time


def main() -> None:
    """Run the module with the arguments behind its name."""
    file, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        seconds = time.process_time()
        with open(file, "w", encoding="ascii") as report:  # noqa: PTH123  import nothing more
            report.write(f"{seconds} {peak_memory()}")


def peak_memory() -> int:
    """Return the most bytes of memory that this process has used at once, 0 if that is unknown."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123
            line = next(line for line in status if line.startswith("VmHWM:"))
    except OSError:
        return 0
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
