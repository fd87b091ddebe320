"""Messages on their way out: claimed, handed over at most once, and followed to their end.

A claim is compare-and-set with a token and may expire until the call starts; from ``sending`` on it
never does: only the claimer's own answer, evidence, or an operator moves the message further.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.ledger.ids import long_id
from target_twilio_alerts.ledger.runs import is_dead
from target_twilio_alerts.ledger.tables import (
    MessageState,
    UtcDateTime,
    message_contents,
    messages,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

CLAIM_SECONDS = 60
"""How long a claim holds before its call must have started."""

ABANDONED_SECONDS = 300
"""A ``sending`` older than this has outlived every timeout of its call: its answer is lost."""


INTERRUPTED = "the process ended during the hand-over; the answer is lost"

EXPIRED = "validity period passed"

NAMED_FOR_WHAT_IT_IS = sa.case(
    (messages.c.state == MessageState.UNKNOWN.value, sa.null()), else_=messages.c.summary_id
)
"""The summary that has named a message; none any more, if it was named as unknown."""


_CONTENTS = (
    "address",
    "subject",
    "text",
    "html",
    "salt",
    "content_sid",
    "content_variables",
)
"""What is erasable, apart from the message."""

HASHED = ("address", "subject", "text", "html", "content_sid", "content_variables")
"""What of it the trail has salted hashes of."""


@dataclass(frozen=True)
class NewMessage:
    """A message to be sent to one recipient over one channel, or recorded as suppressed.

    Attributes:
        place: Which of the recipient's addresses for the channel it goes to, from 1.
        step: Which step of the alert's escalation it belongs to; 0: the first telling.
        because: Why it is this recipient or channel, where the rule does not name it.
        not_before: Until when it waits.
        cost_micros: What it will cost, predicted, in millionths of the currency of the prices.
        validity_seconds: How long it is of use, from when it may be sent; None: always.
        summary_id: Of a summary, the first one's id: those it names have it too.
    """

    id: str
    alert_id: str | None
    recipient: str
    channel: str
    address: str
    subject: str | None
    text: str
    html: str | None
    salt: str
    template: str
    locale: str
    encoding: str | None
    segments: int | None
    severity_rank: int
    attempt: int = 1
    state: MessageState = MessageState.PENDING
    reason: str | None = None
    resend_of: str | None = None
    resend_reason: str | None = None
    operator: str | None = None
    content_sid: str | None = None
    content_variables: str | None = None
    place: int = 1
    step: int = 0
    because: str | None = None
    not_before: datetime | None = None
    cost_micros: int | None = None
    validity_seconds: int | None = None
    summary_id: str | None = None


@dataclass(frozen=True)
class ClaimedMessage:
    """A message in our hands, with its contents."""

    id: str
    alert_id: str | None
    recipient: str
    channel: str
    tries: int
    token: str
    address: str
    subject: str | None
    text: str
    html: str | None
    content_sid: str | None = None
    content_variables: str | None = None
    locale: str = "en"
    valid_until: datetime | None = None
    segments: int | None = None


def add(connection: Connection, message: NewMessage, *, at: datetime, run_id: str) -> None:
    """Write a message and, apart from it, its erasable contents."""
    row = dict(vars(message))
    contents = {name: row.pop(name) for name in _CONTENTS}
    row["state"] = message.state.value
    if message.validity_seconds is not None:
        validity = timedelta(seconds=message.validity_seconds)
        row["valid_until"] = (message.not_before or at) + validity
    row |= {"created_at": at, "updated_at": at, "tries": 0, "run_id": run_id}
    connection.execute(sa.insert(messages), row)
    connection.execute(sa.insert(message_contents), {"message_id": message.id, **contents})


_NOW = sa.bindparam("now", type_=UtcDateTime())
_IDS: sa.BindParameter[str] = sa.bindparam("ids", expanding=True)
_DUE = sa.or_(
    sa.and_(
        messages.c.state == MessageState.PENDING.value,
        sa.or_(messages.c.not_before.is_(None), messages.c.not_before <= _NOW),
    ),
    sa.and_(
        messages.c.state == MessageState.CLAIMED.value,
        messages.c.claim_expires_at < _NOW,
    ),
)
_MOST_SEVERE_FIRST = (messages.c.severity_rank.desc(), messages.c.created_at, messages.c.id)

# Built once: building them takes longer than what the database does for one message.
_CLAIMABLE = (
    sa.select(messages.c.id)
    .where(_DUE, messages.c.channel.in_(sa.bindparam("channels", expanding=True)))
    .order_by(*_MOST_SEVERE_FIRST)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True, key_share=True)
)
_CLAIM = (
    sa.update(messages)
    .where(messages.c.id.in_(_IDS), _DUE)
    .values(
        state=MessageState.CLAIMED.value,
        claim_token=sa.bindparam("token"),
        claim_expires_at=sa.bindparam("expires_at"),
        claim_run_id=sa.bindparam("claimed_by"),
        updated_at=_NOW,
    )
)
_CLAIMED = (
    sa.select(
        messages.c.id,
        messages.c.alert_id,
        messages.c.recipient,
        messages.c.channel,
        messages.c.tries,
        messages.c.claim_token,
        message_contents.c.address,
        message_contents.c.subject,
        message_contents.c.text,
        message_contents.c.html,
        message_contents.c.content_sid,
        message_contents.c.content_variables,
        messages.c.locale,
        messages.c.valid_until,
        messages.c.segments,
    )
    .join(message_contents, message_contents.c.message_id == messages.c.id)
    .where(messages.c.id.in_(_IDS), messages.c.claim_token == sa.bindparam("token"))
    .order_by(*_MOST_SEVERE_FIRST)
)


def claim(
    connection: Connection,
    *,
    at: datetime,
    run_id: str,
    limit: int,
    channels: Sequence[str],
) -> list[ClaimedMessage]:
    """Take up to ``limit`` messages that are due, the most severe first, then the oldest."""
    due = {"now": at, "channels": channels, "most": limit}
    ids = connection.execute(_CLAIMABLE, due).scalars().all()
    if not ids:
        return []
    token = long_id()
    expires_at = at + timedelta(seconds=CLAIM_SECONDS)
    theirs = {"ids": ids, "token": token}
    connection.execute(
        _CLAIM, {**theirs, "now": at, "expires_at": expires_at, "claimed_by": run_id}
    )
    return [ClaimedMessage(*row) for row in connection.execute(_CLAIMED, theirs)]


def move(
    connection: Connection,
    message: ClaimedMessage,
    *,
    before: Sequence[MessageState],
    at: datetime,
    **values: Any,
) -> bool:
    """Move a message that we hold from one of the states ``before``; False if we lost it."""
    if isinstance(values.get("state"), MessageState):
        values["state"] = values["state"].value
    table = messages.c
    moved = connection.execute(
        sa.update(messages)
        .where(
            table.id == message.id,
            table.claim_token == message.token,
            table.state.in_([state.value for state in before]),
        )
        .values(**values, updated_at=at),
    )
    return moved.rowcount == 1


def is_being_sent(connection: Connection, message: ClaimedMessage) -> bool:
    """Whether a message that we hold is ``sending``."""
    table = messages.c
    query = sa.select(table.id).where(
        table.id == message.id,
        table.claim_token == message.token,
        table.state == MessageState.SENDING.value,
    )
    return connection.execute(query).first() is not None


def recover(connection: Connection, *, at: datetime) -> list[str]:
    """Settle what ended processes held: free their claims, show their hand-overs as unknown.

    Returns:
        The messages that were being handed over: nobody will hear the answer any more.
    """
    table = messages.c
    held = connection.execute(
        sa.select(table.id, table.state, table.sending_at, runs.c.host, runs.c.pid, runs.c.ended_at)
        .join(runs, runs.c.id == table.claim_run_id)
        .where(table.state.in_([MessageState.CLAIMED.value, MessageState.SENDING.value]))
        # Who has one locked is alive, or settles it already.
        .with_for_update(of=messages, skip_locked=True, key_share=True),
    ).all()
    outlived = at - timedelta(seconds=ABANDONED_SECONDS)
    claimed, sending = [], []
    for row in held:
        gone = row.ended_at is not None or is_dead(host=row.host, pid=row.pid)
        if row.state == MessageState.CLAIMED.value and gone:
            claimed.append(row.id)
        elif row.state == MessageState.SENDING.value and (gone or row.sending_at < outlived):
            sending.append(row.id)
    _set_state(connection, claimed, before=MessageState.CLAIMED, after=MessageState.PENDING, at=at)
    _set_state(
        connection,
        sending,
        before=MessageState.SENDING,
        after=MessageState.UNKNOWN,
        at=at,
        reason=INTERRUPTED,
    )
    return sending


def _set_state(
    connection: Connection,
    ids: Sequence[str],
    *,
    before: MessageState,
    after: MessageState,
    at: datetime,
    **values: Any,
) -> None:
    if ids:
        connection.execute(
            sa.update(messages)
            .where(messages.c.id.in_(ids), messages.c.state == before.value)
            .values(state=after.value, updated_at=at, **values),
        )


def next_due(connection: Connection, *, channels: Sequence[str]) -> datetime | None:
    """When the next message of these channels may be taken; None when none waits."""
    table = messages.c
    moment: datetime | None = connection.execute(
        sa.select(sa.func.coalesce(table.not_before, table.created_at, type_=UtcDateTime))
        .where(table.state == MessageState.PENDING.value, table.channel.in_(channels))
        .order_by(sa.func.coalesce(table.not_before, table.created_at))
        .limit(1),
    ).scalar()
    return moment


def unfinished(
    connection: Connection, *, channels: Sequence[str], since: datetime, limit: int
) -> list[sa.Row[Any]]:
    """Messages of these channels, accepted since then, whose end is not known yet.

    Each has `id`, `alert_id`, `channel`, `sid`, `state` and `status`.
    """
    return _unfinished(connection, channels, messages.c.accepted_at >= since, limit=limit)


def left_unasked(
    connection: Connection,
    *,
    channels: Sequence[str],
    since: datetime,
    before: datetime,
    followed_for: timedelta,
    limit: int,
) -> list[sa.Row[Any]]:
    """Such messages, accepted before, that were not asked for since they had been out so long."""
    table = messages.c
    asked_after = sa.extract("epoch", table.status_at) - sa.extract("epoch", table.accepted_at)
    condition = sa.and_(
        table.accepted_at >= since,
        table.accepted_at < before,
        sa.or_(table.status_at.is_(None), asked_after < followed_for.total_seconds()),
    )
    return _unfinished(connection, channels, condition, limit=limit)


def _unfinished(
    connection: Connection,
    channels: Sequence[str],
    condition: sa.ColumnElement[bool],
    *,
    limit: int,
) -> list[sa.Row[Any]]:
    table = messages.c
    return list(
        connection.execute(
            sa.select(table.id, table.alert_id, table.channel, table.sid, table.state, table.status)
            .where(
                table.state.in_([MessageState.ACCEPTED.value, MessageState.SENT.value]),
                table.channel.in_(channels),
                table.sid.is_not(None),
                condition,
            )
            .order_by(table.status_at.is_not(None), table.status_at, table.accepted_at)
            .limit(limit),
        ),
    )


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many messages stand in each state."""
    table = messages.c
    query = sa.select(table.state, sa.func.count().label("number")).group_by(table.state)
    return {row.state: row.number for row in connection.execute(query)}
