"""What a provider tells by itself of a message, written as if we had asked for it.

A callback that carries the id of our own message is evidence that it was accepted: it settles a
message whose answer was lost, and one whose answer is still on its way. What fits no message is an
event of its own, so that it is not lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from target_twilio_alerts.delivery.status import apply_in
from target_twilio_alerts.ledger import Event, MessageState, unsettled
from target_twilio_alerts.ledger.tables import iso_utc, messages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.delivery.channels import StatusReport

APPLIED, SETTLED, UNMATCHED = "applied", "settled", "unmatched"

BY_CALLBACK = "callback"

_ON_ITS_WAY = (MessageState.SENDING, MessageState.UNKNOWN)


@dataclass(frozen=True)
class Callback:
    """What a provider says of one message.

    Attributes:
        channels: Which the message can be of.
        sid: The provider's name of it.
        report: How far it has come.
        message_id: Our own, if the callback carries it.
    """

    channels: frozenset[str]
    sid: str
    report: StatusReport
    message_id: str | None = None

    def is_of(self, sid: str | None) -> bool:
        """Whether it is about the message with this SID; SendGrid's may go on behind a point."""
        return sid is not None and (sid == self.sid or sid.startswith(f"{self.sid}."))


class Taken(NamedTuple):
    """What became of a callback, and the events that tell of it."""

    result: str
    events: list[Event]


def ids_of(connection: Connection, callbacks: Sequence[Callback]) -> list[str | None]:
    """The message that each is about; None of what fits none."""
    wanted = {one.message_id for one in callbacks if one.message_id}
    by_id = _channels(connection, messages.c.id, wanted)
    by_sid = _channels(connection, messages.c.sid, {one.sid for one in callbacks})
    found: list[str | None] = []
    for one in callbacks:
        known = by_id.get(one.message_id or "") or by_sid.get(one.sid)
        found.append(known[0] if known is not None and known[1] in one.channels else None)
    return found


def _channels(
    connection: Connection, column: sa.Column[Any], values: set[str]
) -> dict[str, tuple[str, str]]:
    if not values:
        return {}
    query = sa.select(column, messages.c.id, messages.c.channel).where(column.in_(values))
    return {key: (message_id, channel) for key, message_id, channel in connection.execute(query)}


def take(
    connection: Connection, callback: Callback, message_id: str | None, *, at: datetime
) -> Taken:
    """Write what a callback says.

    Args:
        connection: A transaction that writes; whoever has it appends the events.
        callback: What was said.
        message_id: The message that it is about, by `ids_of`.
        at: When it came.
    """
    if message_id is None:
        return Taken(UNMATCHED, [_unmatched(callback)])
    row = _row(connection, message_id)
    settled: list[Event] = []
    if row.sid is None and callback.message_id == message_id:
        settled = _settled(connection, callback, row, at=at)
        row = _row(connection, message_id)
    if not callback.is_of(row.sid):
        return Taken(UNMATCHED, [_unmatched(callback)])
    told = apply_in(connection, row, callback.report, at=at)
    return Taken(SETTLED if settled else APPLIED, [*settled, *told])


def _row(connection: Connection, message_id: str) -> sa.Row[Any]:
    table = messages.c
    query = sa.select(table.id, table.alert_id, table.channel, table.sid)
    return connection.execute(query.where(table.id == message_id)).one()


def _settled(
    connection: Connection, callback: Callback, row: sa.Row[Any], *, at: datetime
) -> list[Event]:
    """Take a callback that carries a message's own id for the answer that nobody heard."""
    if not unsettled.settle(
        connection,
        row.id,
        sid=callback.sid,
        status=None,
        accepted_at=at,
        at=at,
        before=_ON_ITS_WAY,
    ):
        return []
    body = {
        "sid": callback.sid,
        "status": None,
        "accepted_at": iso_utc(at),
        "evidence": BY_CALLBACK,
    }
    return [
        Event("message_settled", body, alert_id=row.alert_id, message_id=row.id),
        *unsettled.put_back(connection, callback.sid, holder=row.id, at=at),
    ]


def _unmatched(callback: Callback) -> Event:
    code = callback.report.error_code
    body = {
        "sid": callback.sid,
        "status": callback.report.status,
        "error_code": None if code is None else str(code),
        "message": callback.message_id,
    }
    return Event("callback_unmatched", body)
