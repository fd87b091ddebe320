"""Messages of which nobody knows whether they were accepted, until evidence is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import MessageState, message_contents, messages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection


class Unsettled(NamedTuple):
    """A message of which nobody knows whether it was accepted."""

    id: str
    alert_id: str | None
    channel: str
    address: str
    text: str
    sending_at: datetime


def load(
    connection: Connection, *, channels: Sequence[str], since: datetime, limit: int
) -> list[Unsettled]:
    """Messages of these channels that are unknown, those looked for longest ago first."""
    table, contents = messages.c, message_contents.c
    query = (
        sa.select(
            table.id,
            table.alert_id,
            table.channel,
            contents.address,
            contents.text,
            table.sending_at,
        )
        .join(message_contents, contents.message_id == table.id)
        .where(
            table.state == MessageState.UNKNOWN.value,
            table.channel.in_(channels),
            table.sid.is_(None),
            table.sending_at >= since,
            contents.erased_at.is_(None),
        )
        .order_by(table.status_at.is_not(None), table.status_at, table.sending_at)
        .limit(limit)
    )
    return [Unsettled(*row) for row in connection.execute(query)]


def rivals(connection: Connection, message: Unsettled, *, within: timedelta) -> list[str]:
    """Texts of other unknown messages to the same number at about the same time."""
    table, contents = messages.c, message_contents.c
    at = message.sending_at
    query = (
        sa.select(contents.text)
        .join(messages, contents.message_id == table.id)
        .where(
            table.state == MessageState.UNKNOWN.value,
            table.id != message.id,
            table.channel == message.channel,
            contents.address == message.address,
            table.sending_at.between(at - within, at + within),
        )
    )
    return list(connection.execute(query).scalars())


def known_sids(connection: Connection, sids: Sequence[str]) -> set[str]:
    """Those that a message of ours has."""
    query = sa.select(messages.c.sid).where(messages.c.sid.in_(sids))
    return {sid for sid in connection.execute(query).scalars() if sid}


def settle(
    connection: Connection,
    message_id: str,
    *,
    sid: str,
    status: str | None,
    accepted_at: datetime,
    at: datetime,
    before: Sequence[MessageState] = (MessageState.UNKNOWN,),
) -> bool:
    """Move a message from one of the states ``before`` to accepted; False if it is in none."""
    settled = connection.execute(
        sa.update(messages)
        .where(messages.c.id == message_id, messages.c.state.in_([one.value for one in before]))
        .values(
            state=MessageState.ACCEPTED.value,
            reason=None,
            summary_id=None,
            sid=sid,
            status=status,
            status_at=None,
            accepted_at=accepted_at,
            updated_at=at,
        ),
    )
    return settled.rowcount == 1


def looked_for(connection: Connection, message_id: str, *, at: datetime) -> None:
    """Look for this message after all others the next time."""
    connection.execute(
        sa.update(messages).where(messages.c.id == message_id).values(status_at=at),
    )
