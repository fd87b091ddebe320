"""What somebody may have answered: the alerts that a telephone number was told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import (
    MessageState,
    UtcDateTime,
    acknowledgements,
    audit_events,
    message_contents,
    messages,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

_LEFT = [
    one.value
    for one in (
        MessageState.SENDING,
        MessageState.UNKNOWN,
        MessageState.ACCEPTED,
        MessageState.SENT,
        MessageState.DELIVERED,
        MessageState.READ,
        MessageState.UNDELIVERED,
        MessageState.FAILED,
    )
]
"""States of a message that its recipient may have got."""


class Told(NamedTuple):
    """A message to somebody, the alert that it is about, and whether somebody takes care."""

    message_id: str
    alert_id: str | None
    recipient: str
    told_at: datetime
    is_acknowledged: bool


def told(
    connection: Connection, channel: str, address: str, *, since: datetime | None
) -> list[Told]:
    """What an address was told over a channel since then (None: ever), the newest first."""
    table, contents = messages.c, message_contents.c
    told_at = sa.func.coalesce(table.sending_at, table.created_at, type_=UtcDateTime)
    query = (
        sa.select(
            table.id,
            table.alert_id,
            table.recipient,
            told_at,
            acknowledgements.c.alert_id.is_not(None),
        )
        .join(message_contents, contents.message_id == table.id)
        .outerjoin(acknowledgements, acknowledgements.c.alert_id == table.alert_id)
        .where(
            sa.true() if since is None else told_at >= since,
            table.channel == channel,
            table.state.in_(_LEFT),
            contents.address == address,
        )
        .order_by(told_at.desc(), table.id)
    )
    return [
        Told(message_id, alert_id, recipient, at, bool(is_acknowledged))
        for message_id, alert_id, recipient, at, is_acknowledged in connection.execute(query)
    ]


def is_known(connection: Connection, answer: str) -> bool:
    """Whether an answer has acknowledged an alert, or opted somebody out or in, before."""
    known = sa.select(acknowledgements.c.alert_id).where(acknowledgements.c.reason == answer)
    event = audit_events.c
    left = sa.select(event.seq).where(
        event.kind.in_(("opted_out", "opt_out_cleared")),
        event.body.contains(answer, autoescape=True),
    )
    return any(connection.execute(query.limit(1)).first() for query in (known, left))
