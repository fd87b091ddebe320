"""Messages that may be sent again, and what of them has been already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.ledger.failures import FAILED
from target_twilio_alerts.ledger.tables import MessageState, alerts, message_contents, messages

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

RESENDABLE = (*FAILED, MessageState.UNKNOWN, MessageState.SUPPRESSED)
"""What has come to an end without having told anybody, as far as we know."""

_TOLD_NOBODY = {state.value for state in (*FAILED, MessageState.SUPPRESSED)}


@dataclass(frozen=True)
class Selection:
    """Which messages; what fits all that is given.

    Attributes:
        ids: These.
        rule: Of this rule.
        recipient: To this recipient.
        code: With this error code; without one, that ended so.
        states: In one of these states; empty: in any.
        since: Written from then on.
        until: Written before.
    """

    ids: tuple[str, ...] = ()
    rule: str | None = None
    recipient: str | None = None
    code: str | None = None
    states: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What they must be."""
        table = messages.c
        given = {alerts.c.rule: self.rule, table.recipient: self.recipient}
        found = [column == value for column, value in given.items() if value is not None]
        if self.code is not None:
            found.append(sa.func.coalesce(table.error_code, table.status) == self.code)
        if self.ids:
            found.append(table.id.in_(self.ids))
        if self.states:
            found.append(table.state.in_(self.states))
        if self.since is not None:
            found.append(table.created_at >= self.since)
        if self.until is not None:
            found.append(table.created_at < self.until)
        return found


def find(connection: Connection, selection: Selection) -> list[sa.Row[Any]]:
    """The messages of a selection with their contents and rule, the oldest first."""
    contents = message_contents.c
    query = (
        sa.select(
            messages,
            alerts.c.rule,
            alerts.c.title,
            contents.address,
            contents.subject,
            contents.text,
            contents.html,
            contents.content_sid,
            contents.content_variables,
            contents.erased_at,
        )
        .join(message_contents, contents.message_id == messages.c.id)
        .join(alerts, alerts.c.id == messages.c.alert_id, isouter=True)
        .where(*selection.conditions)
        .order_by(messages.c.created_at, messages.c.id)
    )
    return list(connection.execute(query))


class Attempts:
    """All attempts that were linked to another one.

    Args:
        connection: To the ledger.
    """

    def __init__(self, connection: Connection) -> None:
        table = messages.c
        query = sa.select(
            table.id, table.resend_of, table.state, table.created_at, table.operator
        ).where(table.resend_of.is_not(None))
        self._linked = {row.id: row for row in connection.execute(query)}

    def first_of(self, message_id: str) -> str:
        """The message that all began with."""
        while message_id in self._linked:
            message_id = self._linked[message_id].resend_of
        return message_id

    def later_told(self, message_id: str, created_at: datetime) -> sa.Row[Any] | None:
        """An attempt that came after a message, and has not failed; None if there is none."""
        first = self.first_of(message_id)
        for row in self._linked.values():
            is_later = row.id != message_id and row.created_at >= created_at
            if is_later and row.state not in _TOLD_NOBODY and self.first_of(row.id) == first:
                return row
        return None


def next_attempt(connection: Connection, old: sa.Row[Any], recipient: str) -> int:
    """The number of an attempt to tell a recipient what a message was to tell."""
    table = messages.c
    last = connection.execute(
        sa.select(sa.func.max(table.attempt)).where(
            table.alert_id == old.alert_id,
            table.recipient == recipient,
            table.channel == old.channel,
            table.place == old.place,
            table.step == old.step,
        ),
    ).scalar()
    return (last or 0) + 1
