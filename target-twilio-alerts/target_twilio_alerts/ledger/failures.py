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

_NAMED = sa.select(
    messages.c.id,
    alerts.c.rule,
    messages.c.recipient,
    messages.c.channel,
    messages.c.state,
    messages.c.status,
    messages.c.error_code,
    messages.c.error_message,
    messages.c.reason,
    messages.c.template,
).join(alerts, alerts.c.id == messages.c.alert_id, isouter=True)


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
        _NAMED.where(
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


def unheard(connection: Connection, *, since: datetime, template: str) -> list[sa.Row[Any]]:
    """Summaries that reached nobody, or nobody knows; none, once a later one is on its way.

    Args:
        connection: To the ledger.
        since: Those that were written later.
        template: Of summaries.
    """
    table = messages.c
    told_nobody = [
        state.value for state in (*FAILED, MessageState.UNKNOWN, MessageState.SUPPRESSED)
    ]
    is_summary = sa.and_(table.template == template, table.created_at >= since)
    heard = sa.select(sa.func.max(table.created_at)).where(
        is_summary, table.state.not_in(told_nobody)
    )
    last = connection.execute(heard).scalar()
    query = _NAMED.where(is_summary, sa.true() if last is None else table.created_at > last)
    return list(connection.execute(query.order_by(table.created_at, table.id)))


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
