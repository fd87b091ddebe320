"""Messages that an operator wants nobody to get, while they wait or are held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.ledger import locks
from target_twilio_alerts.ledger.tables import MessageState, alerts, messages
from target_twilio_alerts.ledger.told import IS_HELD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

CANCELLED = "cancelled"
"""Begins the reason of what was cancelled."""

_WAITS = sa.or_(messages.c.state == MessageState.PENDING.value, IS_HELD)


def reason_of(by: str, reason: str) -> str:
    """What is kept with a message that somebody cancelled."""
    return f"{CANCELLED} by {by}: {reason}"


def find(
    connection: Connection,
    *,
    ids: Sequence[str] | None = None,
    rule: str | None = None,
    recipient: str | None = None,
) -> list[sa.Row[Any]]:
    """Messages that wait or are held, the oldest first: ``id`` and ``alert_id``."""
    query = (
        sa.select(messages.c.id, messages.c.alert_id)
        .join(alerts, alerts.c.id == messages.c.alert_id, isouter=True)
        .where(_WAITS)
        .order_by(messages.c.created_at, messages.c.id)
    )
    if ids is not None:
        query = query.where(messages.c.id.in_(ids))
    if rule is not None:
        query = query.where(alerts.c.rule == rule)
    if recipient is not None:
        query = query.where(messages.c.recipient == recipient)
    return list(connection.execute(query))


def states_of(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """In which state each of these messages is."""
    query = sa.select(messages.c.id, messages.c.state).where(messages.c.id.in_(ids))
    return {row.id: row.state for row in connection.execute(query)}


def cancel(connection: Connection, message_id: str, *, by: str, reason: str, at: datetime) -> bool:
    """Suppress a message that waits or is held; False if a process has claimed it meanwhile."""
    locks.telling(connection)
    cancelled = connection.execute(
        sa.update(messages)
        .where(messages.c.id == message_id, _WAITS)
        .values(
            state=MessageState.SUPPRESSED.value,
            reason=reason_of(by, reason),
            updated_at=at,
        ),
    )
    return cancelled.rowcount == 1
