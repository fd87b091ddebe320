"""The long kill test: `make torture`; writes docs/torture.md if it killed a thousand times.

Life number n of a torture has its seed plus n, so that each can be seen again by itself.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledgers import Databases
from postgresql import running_postgres
from torture.lives import BrokenPromiseError, Life
from torture.report import FILE, Outcome, write
from zygote import Zygote

from target_twilio_alerts.ledger.store import HEAD_REVISION
from visma_twilio_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

KILLS_OF_A_LIFE = 25
WORTH_A_REPORT = 1000


def main() -> int:
    """Live until targets have been killed so often; gives 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=WORTH_A_REPORT, help="how many at least")
    parser.add_argument("--seed", type=int, default=1, help="decides what chance decides")
    given = parser.parse_args()
    outcome, say = Outcome(given.seed), partial(print, flush=True)
    began = time.monotonic()
    with ExitStack() as stack:
        zygote = stack.enter_context(Zygote())
        server: list[Any] = []

        def postgres() -> Any:
            if not server:
                server.append(stack.enter_context(running_postgres()))
            return server[0]

        databases = Databases(postgres)
        while outcome.kills < given.kills and len(outcome.broken) < 3:
            live(outcome, zygote, databases, say=say)
    outcome.seconds = time.monotonic() - began
    say(f"{outcome.kills} kills, {len(outcome.broken)} broken promises, {outcome.seconds:.0f} s")
    if outcome.kills >= WORTH_A_REPORT:
        write(outcome)
        say(f"written: {FILE}")
    return int(bool(outcome.broken))


def live(
    outcome: Outcome, zygote: Zygote, databases: Databases, *, say: Callable[[str], None]
) -> None:
    """Live one more life, and add what came of it."""
    seed = outcome.next_seed
    kind = random.Random(f"kind of {seed}")
    is_postgresql, is_old = kind.random() < 1 / 5, kind.random() < 1 / 2
    revision = f"{kind.randrange(1, int(HEAD_REVISION)):04}"
    database = databases.new() if is_postgresql else None
    with tempfile.TemporaryDirectory() as folder, Sandbox(seed) as sandbox:
        place = Path(folder)
        life = Life(seed, place, sandbox, zygote, database)
        try:
            if is_old:
                life.begin_with_an_old_ledger(place, databases, revision)
            else:
                life.begin()
            life.live(KILLS_OF_A_LIFE)
        except BrokenPromiseError as broken:
            outcome.broken.append(broken)
            say(str(broken))
    where = "PostgreSQL" if is_postgresql else "SQLite"
    outcome.add(life.tally, where, revision if is_old else None)
    say(f"seed {seed}, {where}: {outcome.kills} kills, {outcome.total.accepted} accepted")


if __name__ == "__main__":
    sys.exit(main())
