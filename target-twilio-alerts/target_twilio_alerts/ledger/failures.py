"""Messages that did not get through, and which of them operators have been told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import (
    MessageState,
    alerts,
    failure_contents,
    messages,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

FAILED = (MessageState.REJECTED, MessageState.FAILED, MessageState.UNDELIVERED)
"""The provider's no, and the carrier's."""

LOGGED = "log"
"""Stands for the id of a summary where nobody is told, and the log alone has named them."""

_AT_A_TIME = 500


def untold(
    connection: Connection, *, since: datetime, apart_from: Sequence[str]
) -> list[sa.Row[Any]]:
    """Messages that did not get through, or nobody knows, and that no summary has named.

    Args:
        connection: To the ledger, in a transaction that will mark them.
        since: Those that came into their state later.
        apart_from: Templates of messages that are left out.
    """
    table = messages.c
    query = (
        sa.select(
            table.id,
            alerts.c.rule,
            table.recipient,
            table.channel,
            table.state,
            table.status,
            table.error_code,
            table.error_message,
            table.reason,
            table.template,
        )
        .join(alerts, alerts.c.id == table.alert_id, isouter=True)
        .where(
            table.state.in_([state.value for state in (*FAILED, MessageState.UNKNOWN)]),
            table.summary_id.is_(None),
            table.updated_at >= since,
            table.template.not_in(apart_from),
        )
        .order_by(table.created_at, table.id)
        # Who has one locked changes it: it is told as what it is then.
        .with_for_update(of=messages, skip_locked=True, key_share=True)
    )
    return list(connection.execute(query))


def mark(connection: Connection, ids: Sequence[str], summary_id: str) -> None:
    """Note which summary has named these messages."""
    if summary_id != LOGGED and ids:
        rows = [{"summary_id": summary_id, "message_id": message_id} for message_id in ids]
        connection.execute(sa.insert(failure_contents), rows)
    for start in range(0, len(ids), _AT_A_TIME):
        connection.execute(
            sa.update(messages)
            .where(messages.c.id.in_(ids[start : start + _AT_A_TIME]))
            .values(summary_id=summary_id),
        )
