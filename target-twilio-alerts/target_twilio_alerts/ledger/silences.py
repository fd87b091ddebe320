"""Silences: alerts that match one are raised and recorded, and tell nobody until it ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.ledger import locks
from target_twilio_alerts.ledger.tables import silences

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

MATCHERS = ("rule", "entity", "company", "counterparty", "recipient")
"""What a silence may name; it covers what matches all that it names."""


@dataclass(frozen=True)
class Silence:
    """What is not told, by whom and why, and how long.

    Attributes:
        id: Eight characters.
        author: Who wanted it.
        reason: Why.
        starts_at: From when.
        ends_at: Until when.
        rule: Name of a rule; None: any.
        entity: Name of an entity; None: any.
        company: Name of a company; None: any.
        counterparty: Name or number of a supplier or customer; None: any.
        recipient: Name of a recipient; None: any.
    """

    id: str
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    rule: str | None = None
    entity: str | None = None
    company: str | None = None
    counterparty: str | None = None
    recipient: str | None = None

    @property
    def matchers(self) -> dict[str, str]:
        """What it names, by MATCHERS."""
        return {name: value for name in MATCHERS if (value := getattr(self, name)) is not None}

    def covers(self, *, rule: str, entity: str, recipient: str, values: Mapping[str, Any]) -> bool:
        """Whether an alert on a document with these values is not to be told to a recipient."""
        parties = (values.get("counterparty"), values.get("counterparty_number"))
        return (
            self.rule in {None, rule}
            and self.entity in {None, entity}
            and self.recipient in {None, recipient}
            and self.company in {None, values.get("company")}
            and (self.counterparty is None or self.counterparty in parties)
        )


def add(connection: Connection, silence: Silence) -> None:
    """Write a silence."""
    locks.telling(connection)
    connection.execute(sa.insert(silences).values(**vars(silence)))


def active(connection: Connection, *, at: datetime) -> list[Silence]:
    """The silences of a moment, the oldest first."""
    return _found(connection, silences.c.starts_at <= at, silences.c.ends_at > at)


def every(connection: Connection) -> list[Silence]:
    """All silences there have been, the oldest first."""
    return _found(connection)


def end(connection: Connection, silence: Silence, *, at: datetime) -> Silence:
    """End a silence before its time."""
    locks.telling(connection)
    connection.execute(sa.update(silences).where(silences.c.id == silence.id).values(ends_at=at))
    return replace(silence, ends_at=at)


def _found(connection: Connection, *conditions: sa.ColumnElement[bool]) -> list[Silence]:
    query = sa.select(silences).where(*conditions).order_by(silences.c.starts_at, silences.c.id)
    return [Silence(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - its public name
