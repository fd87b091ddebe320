"""Messages of which nobody knows whether they were accepted, until evidence is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from target_twilio_alerts.ledger.events import Event
from target_twilio_alerts.ledger.tables import (
    MessageState,
    audit_events,
    message_contents,
    messages,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection

_SETTLED = "message_settled"
_GIVES_SID = ("message_accepted", _SETTLED)


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


def rivals(connection: Connection, message: Unsettled, *, within: timedelta) -> list[str | None]:
    """Texts of other messages that may be what a provider lists for this one's number.

    These are unknown ones of about the same time, and all that are being handed over: somebody
    may have been stopped on the way. An erased one can be to any number, and its text is None.

    Read the provider's list before, and `known_sids` after this: a message that is not handed over
    yet is not in the list, and one that has been answered meanwhile has its SID.
    """
    table, contents = messages.c, message_contents.c
    at = message.sending_at
    query = (
        sa.select(contents.text, contents.erased_at)
        .join(messages, contents.message_id == table.id)
        .where(
            sa.or_(
                table.state == MessageState.SENDING.value,
                sa.and_(
                    table.state == MessageState.UNKNOWN.value,
                    table.sending_at.between(at - within, at + within),
                ),
            ),
            table.id != message.id,
            table.channel == message.channel,
            sa.or_(contents.address == message.address, contents.erased_at.is_not(None)),
        )
    )
    return [row.text if row.erased_at is None else None for row in connection.execute(query)]


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


def put_back(connection: Connection, sid: str, *, holder: str, at: datetime) -> list[Event]:
    """Make messages unknown again that were taken for what another one turned out to be.

    Args:
        connection: In a transaction that writes.
        sid: What the provider's own word says is another message's.
        holder: That one.
        at: Now.

    Returns:
        The events that tell it: that the evidence did not hold, and what the message is again.
    """
    table, event = messages.c, audit_events.c
    reason = f"what it was taken for is message {holder}; whether it was sent is not known"
    query = sa.select(table.id, table.alert_id).where(table.sid == sid, table.id != holder)
    told: list[Event] = []
    for row in connection.execute(query).all():
        last = connection.execute(
            sa.select(event.kind)
            .where(event.message_id == row.id, event.kind.in_(_GIVES_SID))
            .order_by(event.seq.desc())
            .limit(1)
        ).scalar()
        if last != _SETTLED:
            continue  # it has the provider's own word too
        connection.execute(
            sa.update(messages)
            .where(table.id == row.id, table.sid == sid)
            .values(
                state=MessageState.UNKNOWN.value,
                reason=reason,
                sid=None,
                status=None,
                status_at=None,
                accepted_at=None,
                updated_at=at,
            ),
        )
        withdrawn = {
            "sid": None,
            "status": None,
            "accepted_at": None,
            "evidence": f"none: {reason}",
        }
        told += [
            Event(_SETTLED, withdrawn, alert_id=row.alert_id, message_id=row.id),
            Event("message_unknown", {"reason": reason}, alert_id=row.alert_id, message_id=row.id),
        ]
    return told


def looked_for(connection: Connection, message_id: str, *, at: datetime) -> None:
    """Look for this message after all others the next time."""
    connection.execute(
        sa.update(messages).where(messages.c.id == message_id).values(status_at=at),
    )
