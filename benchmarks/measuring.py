"""What a command costs: seconds on the wall, seconds of the processor, and memory at its peak."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".bench"
"""Environments and outputs; safe to remove."""

_LAUNCH = Path(__file__).with_name("launch.py")
_TOLD = 3000


@dataclass(frozen=True)
class Cost:
    """Seconds on the wall and of the processor, and the peak memory of one process in bytes.

    The processor's seconds count all processes; the peak is that of the largest one.
    """

    wall: float
    cpu: float
    peak: int


def measure(
    command: Sequence[str | Path],
    *,
    stdin: Path | None = None,
    stdout: Path | None = None,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> Cost:
    """Run a command to its end; a failure ends the benchmark.

    Args:
        command: What to run.
        stdin: A file to read; nothing if not given.
        stdout: A file to write; nowhere if not given.
        cwd: Where to run it.
        env: Its environment; this one's if not given.
    """
    with ExitStack() as files:
        result = files.enter_context(tempfile.NamedTemporaryFile("r", suffix=".json"))
        launcher = [sys.executable, "-I", "-S", str(_LAUNCH), result.name]
        ended = subprocess.run(
            [*launcher, *map(str, command)],
            stdin=files.enter_context(stdin.open("rb")) if stdin else subprocess.DEVNULL,
            stdout=files.enter_context(stdout.open("wb")) if stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=None if env is None else dict(env),
            check=False,
        )
        if ended.returncode:
            told = ended.stderr.decode(errors="replace")[-_TOLD:]
            sys.exit(f"{told}\n{' '.join(map(str, command))}: exit code {ended.returncode}")
        return Cost(**json.load(result))


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        int(statistics.median(cost.peak for cost in costs)),
    )


def in_turns(runs: Mapping[str, Callable[[], Cost]], rounds: int) -> dict[str, Cost]:
    """Run all, one after another, so many times, so that a slow minute strikes all; the medians."""
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    for number in range(1, rounds + 1):
        for name, run in runs.items():
            cost = run()
            costs[name].append(cost)
            told = f"{number}/{rounds} {name}: {cost.wall:.2f} s wall, {cost.cpu:.2f} s CPU"
            print(told, file=sys.stderr, flush=True)
    return {name: median(each) for name, each in costs.items()}
