"""What was measured, as text for the terminal and as docs/benchmarks.md with its plot."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import plot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_PLOT = "benchmarks.svg"

_HEAD = """# Benchmarks

Written by `make bench`; do not edit. Only the ratios mean anything on another machine. All clients
of a comparison read the same pages from the same local server in the same run, one after another
in turns; a figure is the median of its rounds. Each client has an environment of its own, starts
from nothing, and writes what it reads to a file; each file was checked to hold every invoice.
"""


@dataclass(frozen=True)
class Budget:
    """A promise, and what came of it.

    Attributes:
        what: What was promised.
        measured: The figure, with its unit.
        allowed: The most (or least) it may be.
        met: Whether it is.
    """

    what: str
    measured: str
    allowed: str
    met: bool

    @property
    def verdict(self) -> str:
        """In a word."""
        return "met" if self.met else "MISSED"


@dataclass(frozen=True)
class Section:
    """One part of the benchmark.

    Attributes:
        title: Its heading.
        text: What was done, in a few sentences.
        columns: Heads of the table; the first column is text, the others are figures.
        rows: The table.
        budgets: What was promised of it.
        bars: What the plot shows of it: seconds by name.
    """

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    budgets: Sequence[Budget] = ()
    bars: Mapping[str, float] = field(default_factory=dict)


def ratio_budget(what: str, ratio: float, allowed: float) -> Budget:
    """A ratio that must not be larger than allowed."""
    return Budget(what, f"{ratio:.2f}", f"at most {allowed}", met=ratio <= allowed)


def as_text(section: Section) -> str:
    """For the terminal."""
    table = [list(section.columns), *map(list, section.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [section.title]
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  " + "  ".join(cells).rstrip())
    lines += [
        f"  {one.verdict:6}  {one.what}: {one.measured}, {one.allowed}" for one in section.budgets
    ]
    return "\n".join(lines) + "\n"


def write(sections: Sequence[Section], facts: Mapping[str, str], folder: Path) -> None:
    """Write benchmarks.md and its plot into a folder.

    Args:
        sections: What was measured.
        facts: Of the machine and the versions.
        folder: Where to; made if it is not there.
    """
    folder.mkdir(exist_ok=True)
    text = "\n".join(_parts(sections, facts))
    (folder / "benchmarks.md").write_text(text, encoding="utf-8")
    drawn = plot.bars({one.title: one.bars for one in sections if one.bars}, first="tap-visma")
    (folder / _PLOT).write_text(drawn, encoding="utf-8")


def _parts(sections: Sequence[Section], facts: Mapping[str, str]) -> Iterable[str]:
    yield _HEAD
    budgets = [one for section in sections for one in section.budgets]
    met = sum(one.met for one in budgets)
    yield f"## Budgets: {met} of {len(budgets)} met\n"
    rows = [(one.what, one.measured, one.allowed, one.verdict) for one in budgets]
    yield _table(("budget", "measured", "allowed", "verdict"), rows)
    yield f"![Seconds of each client]({_PLOT})\n"
    for section in sections:
        yield f"## {section.title}\n"
        yield section.text + "\n"
        yield _table(section.columns, section.rows)
    yield "## Machine and versions\n"
    yield _table(("", ""), facts.items(), figures=False).rstrip("\n")
    yield ""


def _table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    figures: bool = True,
) -> str:
    right = "---:" if figures else "---"
    lines = [columns, ["---", *[right] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def machine(load_before: float) -> dict[str, str]:
    """What this was measured on, and how busy it was before."""
    return {
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "other work": f"load {load_before:.1f} in the minute before",
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{size / 2**30:.0f} GiB"


def say(section: Section) -> None:
    """Print a section as soon as it is measured."""
    print(as_text(section))
    sys.stdout.flush()
