"""How much has been told lately, and what the flood brake has held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger import locks
from target_twilio_alerts.ledger.tables import (
    MessageState,
    StepState,
    alerts,
    escalations,
    messages,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

HELD = "flood brake"
"""Begins the reason of what the flood brake holds."""

_TOLD = messages.c.state != MessageState.SUPPRESSED.value
IS_HELD = sa.and_(
    messages.c.state == MessageState.SUPPRESSED.value,
    messages.c.reason.startswith(f"{HELD}: ", autoescape=True),
)


def count_since(connection: Connection, *, since: datetime) -> dict[tuple[str, str], int]:
    """How many messages were written since then that are told, by rule and recipient."""
    query = (
        sa.select(alerts.c.rule, messages.c.recipient, sa.func.count())
        .join(alerts, alerts.c.id == messages.c.alert_id)
        .where(messages.c.created_at > since, _TOLD)
        .group_by(alerts.c.rule, messages.c.recipient)
    )
    return {(rule, recipient): number for rule, recipient, number in connection.execute(query)}


def count_of_run(connection: Connection, run_id: str) -> int:
    """How many messages of a run's alerts are told."""
    query = sa.select(sa.func.count()).where(
        messages.c.run_id == run_id, messages.c.alert_id.is_not(None), _TOLD
    )
    return int(connection.execute(query).scalar_one())


def cost_since(connection: Connection, *, since: datetime) -> int:
    """What the messages told since then will cost, in millionths."""
    query = sa.select(sa.func.coalesce(sa.func.sum(messages.c.cost_micros), 0))
    return int(connection.execute(query.where(messages.c.created_at > since, _TOLD)).scalar_one())


def held(connection: Connection, *, rule: str | None, ids: Sequence[str] | None) -> list[str]:
    """Messages that are held, the oldest first; of a rule, or some of them, if that is given."""
    query = (
        sa.select(messages.c.id)
        .join(alerts, alerts.c.id == messages.c.alert_id)
        .where(IS_HELD)
        .order_by(messages.c.created_at, messages.c.id)
    )
    if rule is not None:
        query = query.where(alerts.c.rule == rule)
    if ids is not None:
        query = query.where(messages.c.id.in_(ids))
    return list(connection.execute(query).scalars())


@dataclass(frozen=True)
class Released:
    """A message that was held, and goes now.

    Attributes:
        id: The message.
        alert_id: Its alert.
        steps_due_at: When the steps come that it has put off, by their numbers.
    """

    id: str
    alert_id: str
    steps_due_at: Mapping[int, datetime]


def release(connection: Connection, message_id: str, *, at: datetime) -> Released | None:
    """Let a message go that is held; None if it is not.

    Quiet hours that it met go on; steps that follow count from now.
    """
    locks.telling(connection)
    held_one = connection.execute(
        sa.select(messages).where(messages.c.id == message_id, IS_HELD),
    ).first()
    if held_one is None:
        return None
    seconds, begins = held_one.validity_seconds, max(at, held_one.not_before or at)
    waited = begins - (held_one.not_before or held_one.created_at)
    steps: dict[int, datetime] = {}
    if _wholly_held(connection, held_one.alert_id):
        steps = _put_off(connection, held_one.alert_id, by=waited, at=at)
    connection.execute(
        sa.update(messages)
        .where(messages.c.id == message_id)
        .values(
            state=MessageState.PENDING.value,
            reason=None,
            summary_id=None,
            updated_at=at,
            valid_until=None if seconds is None else begins + timedelta(seconds=seconds),
        ),
    )
    return Released(message_id, held_one.alert_id, steps)


def _put_off(
    connection: Connection, alert_id: str, *, by: timedelta, at: datetime
) -> dict[int, datetime]:
    """Let the steps of an alert that wait come later; gives when, by their numbers."""
    table = escalations.c
    waiting = sa.and_(table.alert_id == alert_id, table.state == StepState.WAITING.value)
    rows = connection.execute(sa.select(table.step, table.due_at).where(waiting)).all()
    later = {row.step: row.due_at + by for row in rows}
    for step, due_at in later.items():
        connection.execute(
            sa.update(escalations)
            .where(waiting, table.step == step)
            .values(due_at=due_at, updated_at=at)
        )
    return later


WHOLLY_HELD = sa.and_(
    sa.exists().where(messages.c.alert_id == escalations.c.alert_id, IS_HELD),
    ~sa.exists().where(messages.c.alert_id == escalations.c.alert_id, _TOLD),
)
"""Of a step: nobody has been told of its alert, because the flood brake holds it."""


def _wholly_held(connection: Connection, alert_id: str) -> bool:
    query = sa.select(escalations.c.step).where(escalations.c.alert_id == alert_id, WHOLLY_HELD)
    return connection.execute(query.limit(1)).first() is not None


def unsummarised(connection: Connection) -> Mapping[str, int]:
    """How many messages are held that no summary has named, by rule."""
    query = (
        sa.select(alerts.c.rule, sa.func.count().label("number"))
        .join(alerts, alerts.c.id == messages.c.alert_id)
        .where(IS_HELD, messages.c.summary_id.is_(None))
        .group_by(alerts.c.rule)
        .order_by(alerts.c.rule)
    )
    return {row.rule: row.number for row in connection.execute(query)}


def mark_summarised(connection: Connection, summary_id: str) -> None:
    """Note that a summary has named all that is held."""
    connection.execute(
        sa.update(messages)
        .where(IS_HELD, messages.c.summary_id.is_(None))
        .values(summary_id=summary_id),
    )


def has_summary_since(connection: Connection, template: str, *, since: datetime) -> bool:
    """Whether a summary of a kind has been written since then."""
    query = sa.select(messages.c.id).where(
        messages.c.template == template, messages.c.created_at > since
    )
    return connection.execute(query.limit(1)).first() is not None
