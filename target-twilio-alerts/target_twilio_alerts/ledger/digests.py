"""Digests: alerts that wait to be told together, and which message told them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import alerts, digest_contents, digest_items

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection


def add(connection: Connection, alert_id: str, *, due_at: datetime) -> None:
    """Let an alert wait for its digest."""
    connection.execute(sa.insert(digest_items).values(alert_id=alert_id, due_at=due_at))


def due(connection: Connection, *, at: datetime) -> list[str]:
    """Alerts whose digest is due and has not been told, the oldest first."""
    table = digest_items.c
    query = (
        sa.select(table.alert_id)
        .join(alerts, alerts.c.id == table.alert_id)
        .where(table.told_at.is_(None), table.due_at <= at)
        .order_by(alerts.c.raised_at, alerts.c.title, table.alert_id)
    )
    return list(connection.execute(query).scalars())


def mark_told(connection: Connection, alert_ids: Sequence[str], *, at: datetime) -> None:
    """Note that a digest has told alerts: no other one will."""
    for alert_id in alert_ids:
        connection.execute(
            sa.update(digest_items).where(digest_items.c.alert_id == alert_id).values(told_at=at),
        )


def add_contents(connection: Connection, message_id: str, alert_ids: Sequence[str]) -> None:
    """Note which alerts a message tells."""
    rows = [{"message_id": message_id, "alert_id": alert_id} for alert_id in alert_ids]
    connection.execute(sa.insert(digest_contents), rows)
