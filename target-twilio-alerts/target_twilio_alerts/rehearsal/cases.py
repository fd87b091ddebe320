"""What a test of rules is: documents, a clock and rates, and what is expected of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from target_twilio_alerts.documents import Entity, Value
    from target_twilio_alerts.rules import Rate


@dataclass(frozen=True)
class Given:
    """A document of a test.

    Attributes:
        entity: What it is.
        values: Its values.
        key: What tells which document it is, where the entity has no number; else None.
        stamp: When it was changed; None: at the step.
        deleted: Whether the tap tells that it is gone.
    """

    entity: Entity
    values: Mapping[str, Value]
    key: str | None = None
    stamp: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Silenced:
    """What an operator silences at the beginning of a step.

    Attributes:
        matchers: What a silence must match.
        span: How long.
        reason: Why.
    """

    matchers: Mapping[str, str]
    span: timedelta
    reason: str


@dataclass(frozen=True)
class Expected:
    """A message that a step must bring.

    Attributes:
        line: Its line in the file.
        wanted: What must be so, by TOLD_KEYS; a text may have REF for the reference.
        contains: What the text must have in it.
    """

    line: int
    wanted: Mapping[str, str]
    contains: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decided:
    """What a rule must decide of the documents of a step, in any order."""

    line: int
    rule: str
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """A run.

    Attributes:
        line: Its line in the file.
        number: Which step of its test it is, from 1.
        at: When it is.
        documents: What comes in, in this order.
        told: The messages that it must bring, all of them; None: they are not looked at.
        outcomes: What rules must decide.
        acknowledged: Whether somebody takes care of all alerts just before.
        delivered: Whether all that may be sent has been delivered just before.
        opted_out: Recipients and channels of which the provider has told an opt-out just before.
        silenced: What an operator silences just before.
        rates: Currency rates that the tap brings before the documents.
    """

    line: int
    number: int
    at: datetime
    documents: tuple[Given, ...] = ()
    told: tuple[Expected, ...] | None = None
    outcomes: tuple[Decided, ...] = ()
    acknowledged: bool = False
    delivered: bool = False
    opted_out: tuple[tuple[str, str], ...] = ()
    silenced: tuple[Silenced, ...] = ()
    rates: tuple[Rate, ...] = ()


@dataclass(frozen=True)
class Case:
    """One test.

    Attributes:
        name: What it shows.
        file: Name of its file.
        line: Its line.
        rules: Names of the rules that it is about; empty: all.
        rates: The rates that it is decided with; None: those of the alerts file.
        given: What is there before the first step, and alerts nobody.
        steps: The runs, in the order of time.
    """

    name: str
    file: str
    line: int
    rules: tuple[str, ...]
    rates: tuple[Rate, ...] | None
    given: tuple[Given, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Problem:
    """What is not as expected, or a mistake in the file.

    Attributes:
        line: Where; None if there is no file.
        what: What it is, in one line.
        step: Which step it is about; None for a mistake.
        at: When that is.
    """

    line: int | None
    what: str
    step: int | None = None
    at: datetime | None = field(default=None)

    def shown(self, file: str) -> str:
        """The problem with its place."""
        place = file if self.line is None else f"{file}:{self.line}"
        if self.step is None or self.at is None:
            return f"{place}: {self.what}"
        return f"{place}: step {self.step} ({self.at:%Y-%m-%d %H:%M}): {self.what}"
