"""Escalations: who is told next if nobody acknowledges an alert, and who did acknowledge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger import locks
from target_twilio_alerts.ledger.cancelling import CANCELLED
from target_twilio_alerts.ledger.tables import (
    MessageState,
    StepState,
    acknowledgements,
    escalations,
    messages,
)
from target_twilio_alerts.ledger.told import WHOLLY_HELD
from target_twilio_alerts.ledger.upserts import insert_new

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class DueStep:
    """A step whose time has come; ``step`` counts from 1."""

    alert_id: str
    step: int
    due_at: datetime


@dataclass(frozen=True)
class Acknowledgement:
    """Somebody takes care of an alert.

    Attributes:
        alert_id: The alert.
        at: When they said so.
        by: Who.
        how: Over what, such as "command line".
        reason: What they said.
    """

    alert_id: str
    at: datetime
    by: str
    how: str
    reason: str | None


_COMING = sa.and_(escalations.c.state == StepState.WAITING.value, ~WHOLLY_HELD)


def add(
    connection: Connection, alert_id: str, step: int, due_at: datetime, *, at: datetime
) -> None:
    """Write a step that waits for its time."""
    connection.execute(
        sa.insert(escalations).values(
            alert_id=alert_id,
            step=step,
            due_at=due_at,
            state=StepState.WAITING.value,
            updated_at=at,
        ),
    )


def due(connection: Connection, *, at: datetime) -> list[DueStep]:
    """Steps whose time has come, the oldest first; of what the flood brake holds, none has."""
    table = escalations.c
    query = (
        sa.select(table.alert_id, table.step, table.due_at)
        .where(_COMING, table.due_at <= at)
        .order_by(table.due_at, table.alert_id, table.step)
    )
    return [DueStep(*row) for row in connection.execute(query)]


def next_due(connection: Connection) -> datetime | None:
    """When the next step comes; None if none is coming, as of what the flood brake holds."""
    query = sa.select(sa.func.min(escalations.c.due_at)).where(_COMING)
    return connection.execute(query).scalar()


def settle(
    connection: Connection,
    one: DueStep,
    state: StepState,
    *,
    at: datetime,
    reason: str | None = None,
) -> None:
    """Say what became of a step."""
    table = escalations.c
    connection.execute(
        sa.update(escalations)
        .where(table.alert_id == one.alert_id, table.step == one.step)
        .values(state=state.value, reason=reason, updated_at=at),
    )


def acknowledge(connection: Connection, one: Acknowledgement) -> bool:
    """Write that somebody takes care, and end the steps that wait; False if somebody did before."""
    locks.telling(connection)
    if not insert_new(connection, acknowledgements, vars(one), key=("alert_id",)):
        return False
    table = escalations.c
    connection.execute(
        sa.update(escalations)
        .where(table.alert_id == one.alert_id, table.state == StepState.WAITING.value)
        .values(
            state=StepState.ENDED.value,
            reason=f"acknowledged by {one.by}",
            updated_at=one.at,
        ),
    )
    return True


def acknowledgement(connection: Connection, alert_id: str) -> Acknowledgement | None:
    """Who takes care of an alert; None if nobody has said so."""
    row = connection.execute(
        sa.select(acknowledgements).where(acknowledgements.c.alert_id == alert_id),
    ).first()
    return None if row is None else Acknowledgement(**row._mapping)  # noqa: SLF001 - its public name


def is_delivered(connection: Connection, alert_id: str, *, before_step: int) -> bool:
    """Whether an earlier message of an alert reached somebody.

    A taken call is no proof of that, nor is an email that a mail server took.
    """
    return _has_message(
        connection,
        alert_id,
        messages.c.step < before_step,
        messages.c.channel.not_in(("voice", "email")),
        messages.c.state.in_([MessageState.DELIVERED.value, MessageState.READ.value]),
    )


def is_silenced(connection: Connection, alert_id: str) -> bool:
    """Whether nobody was told because an operator wanted it so."""
    silenced = messages.c.reason.startswith("silence ", autoescape=True)
    return _has_message(connection, alert_id, silenced) and not _has_message(
        connection,
        alert_id,
        messages.c.state != MessageState.SUPPRESSED.value,
    )


def is_cancelled(connection: Connection, alert_id: str) -> bool:
    """Whether nobody was told because an operator cancelled it."""
    cancelled = messages.c.reason.startswith(f"{CANCELLED} by ", autoescape=True)
    return _has_message(connection, alert_id, cancelled) and not _has_message(
        connection,
        alert_id,
        messages.c.state != MessageState.SUPPRESSED.value,
    )


def _has_message(
    connection: Connection, alert_id: str, *conditions: sa.ColumnElement[bool]
) -> bool:
    query = sa.select(messages.c.id).where(messages.c.alert_id == alert_id, *conditions).limit(1)
    return connection.execute(query).first() is not None
