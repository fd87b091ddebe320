"""The moments at which a target is killed, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zygote import DIGEST, ESCALATED, MIGRATED, RAISED, Step

if TYPE_CHECKING:
    import random


BEFORE, ANSWER = "before", "answer"


@dataclass(frozen=True)
class Moment:
    """Where a target is killed.

    Attributes:
        name: What it is called in the report.
        event: At which kind of step of the process itself; empty: it is killed from outside.
        state: What the transaction of that step brings.
        most: One of the first so many such steps is chosen.
        fault: What the provider does meanwhile: it waits `before` it takes a message, or has taken
            it and stops in the middle of its `answer`.
    """

    name: str
    event: str = ""
    state: str | None = None
    most: int = 2
    fault: str = ""

    def step(self, chance: random.Random) -> Step | None:
        """One of its steps."""
        if not self.event:
            return None
        return Step(self.event, chance.randint(1, self.most), self.state)


MOMENTS = (
    Moment("before alerts are committed", "commit", RAISED, most=1),
    Moment("after alerts are committed", "checkin", RAISED, most=1),
    Moment("alerts are committed, STATE is not out", "before state", most=1),
    Moment("STATE is out", "after state", most=1),
    Moment("before a claim is committed", "commit", "claimed"),
    Moment("after a claim", "checkin", "claimed"),
    Moment("before `sending` is committed", "commit", "sending"),
    Moment("`sending` is committed, the request has not left", "checkin", "sending"),
    Moment("the request is out, the provider has not taken it", fault=BEFORE),
    Moment("the provider has taken it, the answer is not here", fault=ANSWER),
    Moment("the answer is here, its commit is not made", "commit", "accepted"),
    Moment("after the answer is committed", "checkin", "accepted"),
    Moment("before a digest is committed", "commit", DIGEST, most=1),
    Moment("after a digest is committed", "checkin", DIGEST, most=1),
    Moment("before an escalation is committed", "commit", ESCALATED, most=1),
    Moment("after an escalation is committed", "checkin", ESCALATED, most=1),
    Moment("at a random statement", "statement", most=90),
    Moment("at a random time"),
)

MIGRATING = (
    Moment("in a migration, at a random statement", "definition", most=60),
    Moment("before a migration is committed", "commit", MIGRATED, most=1),
    Moment("after a migration is committed", "checkin", MIGRATED, most=1),
)
