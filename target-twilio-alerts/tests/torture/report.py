"""What came of the long kill test, as docs/torture.md."""

from __future__ import annotations

import os
import platform
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from torture.lives import Tally
from torture.moments import MIGRATING, MOMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torture.lives import BrokenPromiseError

FILE = Path(__file__).parents[3] / "docs" / "torture.md"

_HEAD = """# The kill test

Written by `make torture`; do not edit. Real targets run against the sandbox over HTTP, are killed
with SIGKILL at the moments below, and are run again until all is done, while documents come and
change. A life is a company with a ledger and a sandbox of its own, killed 25 times or more. Who
must be told what is worked out from the documents alone; what was sent is what the sandbox itself
says that it accepted.

After each round: nothing was accepted twice; each message that must be there was accepted, or is
listed as `unknown` with its reason; nothing else was sent; no STATE that came out of a run, killed
or not, covers a document that the ledger does not have; and `audit verify` finds the trail, its
rows and the anchors of all runs as they were sealed. At the end of a life nothing is `unknown` that
Twilio's list has.

`make torture SEED=7 KILLS=1` lives the life of seed 7 again; life n of a test has its seed plus n,
from 0. What is killed at a random time meets what the machine is at.
"""


@dataclass
class Outcome:
    """What came of all lives so far."""

    seed: int
    total: Tally = field(default_factory=Tally)
    lives: Counter[str] = field(default_factory=Counter)
    revisions: set[str] = field(default_factory=set)
    broken: list[BrokenPromiseError] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def next_seed(self) -> int:
        """The seed of the next life."""
        return self.seed + sum(self.lives.values())

    @property
    def kills(self) -> int:
        """How often a target was killed."""
        return self.total.number

    def add(self, tally: Tally, where: str, revision: str | None) -> None:
        """Add a life.

        Args:
            tally: What came of it.
            where: The database of its ledger.
            revision: Of its ledger at first, if that was of an earlier version.
        """
        self.lives[where] += 1
        self.revisions |= {revision} if revision else set()
        for name in ("kills", "listed"):
            getattr(self.total, name).update(getattr(tally, name))
        for name in ("runs", "rounds", "accepted", "settled"):
            setattr(self.total, name, getattr(self.total, name) + getattr(tally, name))


def write(outcome: Outcome) -> None:
    """Write the report."""
    FILE.write_text("\n".join(_lines(outcome)) + "\n", encoding="utf-8")


def _lines(outcome: Outcome) -> Iterator[str]:
    total, broken = outcome.total, [one.verdict for one in outcome.broken]
    today = datetime.now(timezone.utc).date()
    yield _HEAD
    yield from _table(
        ("what", "number"),
        [
            ("day", today),
            ("seed", outcome.seed),
            ("kills", outcome.kills),
            ("runs of a target", total.runs),
            ("rounds that were judged", total.rounds),
            *((f"lives in {where}", number) for where, number in sorted(outcome.lives.items())),
            ("revisions of ledgers to begin with", ", ".join(sorted(outcome.revisions)) or "-"),
            ("messages that the providers accepted", total.accepted),
            ("accepted twice", sum(len(one.twice) for one in broken)),
            ("lost", sum(len(one.lost) for one in broken)),
            ("STATE ahead of the ledger", sum(len(one.ahead) for one in broken)),
            ("other broken promises", sum(len(one.wrong) + len(one.unasked) for one in broken)),
            ("`unknown`, settled by evidence", total.settled),
            ("`unknown`, listed with the reason", sum(total.listed.values())),
            ("seconds", f"{outcome.seconds:.0f}"),
        ],
    )
    yield "\n## Where they were killed\n"
    names = [moment.name for moment in (*MOMENTS, *MIGRATING)]
    yield from _table(("moment", "kills"), [(name, total.kills[name]) for name in names])
    yield "\n## What is listed as `unknown`\n"
    yield "Of emails no list can be asked. Of the others Twilio's list has none: their target was"
    yield "killed before the request left, or Twilio did not take it.\n"
    reasons = sorted(total.listed.items())
    yield from _table(("channel and reason", "messages"), reasons)
    for one in outcome.broken:
        yield f"\n## Broken\n\n```text\n{one}\n```"
    yield f"\nPython {platform.python_version()}, {os.cpu_count()} cores."


def _table(head: tuple[str, str], rows: Iterable[tuple[str, object]]) -> Iterator[str]:
    yield f"| {head[0]} | {head[1]} |"
    yield "| --- | ---: |"
    for name, value in rows:
        yield f"| {name} | {value} |"
