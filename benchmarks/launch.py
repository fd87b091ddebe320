"""Runs one command and notes what it cost, from a process too small to be seen in the figures.

A process is born with the peak memory of the one that started it, so the benchmark itself, which is
larger than some of what it measures, must not start it.

Usage: python -I -S launch.py RESULT COMMAND...
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    result, *command = sys.argv[1:]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    cost = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024}
    with open(result, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is not small
        json.dump(cost, file)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
