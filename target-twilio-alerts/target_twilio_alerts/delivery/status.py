"""Delivery statuses: asked for by polling, applied by rank, whatever order they come in."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.delivery.channels import NoStatus
from target_twilio_alerts.delivery.opting_out import remember_opt_out
from target_twilio_alerts.ledger import Event, MessageState, events, outbox
from target_twilio_alerts.ledger.runs import utc_now
from target_twilio_alerts.ledger.tables import message_contents, messages
from target_twilio_alerts.messages.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.delivery.channels import Channel, StatusReport
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.runs import Run

logger = logging.getLogger(__name__)

POLLED_PER_RUN = 50
POLLED_CHANNELS = ("sms", "whatsapp", "voice")
"""Channels whose provider tells how far a message has come."""

FOLLOWED_FOR = timedelta(days=3)
"""How long a status is asked for: some carriers never give a receipt, and `sent` is the end."""

_ASKED_ONCE_MORE = timedelta(days=30)
_LEFT_PER_RUN = 10
"""How long after it was accepted a message is asked for once, if no run did when that was over, and
how many of those at least: after a pause of some days nobody would hear that it failed."""

_LONGEST_WORDS = 1000
"""Characters that are kept of what a provider says of a failure."""

_STATES = {
    "accepted": MessageState.ACCEPTED,
    "scheduled": MessageState.ACCEPTED,
    "queued": MessageState.ACCEPTED,
    "sending": MessageState.ACCEPTED,
    "processed": MessageState.ACCEPTED,
    "deferred": MessageState.ACCEPTED,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "partially_delivered": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.FAILED,
    "read": MessageState.READ,
    "ringing": MessageState.SENT,
    "in-progress": MessageState.SENT,
    "completed": MessageState.DELIVERED,
    "busy": MessageState.UNDELIVERED,
    "no-answer": MessageState.UNDELIVERED,
    "dropped": MessageState.FAILED,
    "bounce": MessageState.UNDELIVERED,
}
"""Twilio's statuses, and SendGrid's events, as our states.

Source: twilio-messages-calls.openapi.json, message_enum_status and call_enum_status. A call that
was answered is delivered, be it by a machine. Those that are one state of ours are in the order in
which they come.
"""

_PLACES = {status: place for place, status in enumerate(_STATES)}

_TAKES_BACK = {"bounce": MessageState.DELIVERED}
"""What was said too early: a mail server may take an email and return it later."""

_RANK = {
    MessageState.ACCEPTED: 1,
    MessageState.SENT: 2,
    MessageState.DELIVERED: 3,
    MessageState.UNDELIVERED: 3,
    MessageState.FAILED: 3,
    MessageState.READ: 4,
}

_FAILED = {MessageState.UNDELIVERED, MessageState.FAILED}


def next_state(current: MessageState, status: str) -> MessageState | None:
    """The state that a reported status moves a message to, or None when it moves nothing.

    A status only moves up in rank, and a status that we do not know moves nothing.
    """
    reported = _STATES.get(status)
    if _TAKES_BACK.get(status) is current:
        return reported
    if reported is None or _RANK[reported] <= _RANK.get(current, 0):
        return None
    return reported


def poll(ledger: Ledger, channels: Mapping[str, Channel], *, run: Run) -> int:
    """Ask for the statuses of messages that are not at their end; gives how many were asked for.

    Bounded per run. Channels that cannot be asked (email) are left as they are.
    """
    asked = [name for name in POLLED_CHANNELS if name in channels]
    if not asked:
        return 0
    now = utc_now()
    since = now - FOLLOWED_FOR
    with ledger.read() as connection:
        rows = outbox.unfinished(connection, channels=asked, since=since, limit=POLLED_PER_RUN)
        rows += outbox.left_unasked(
            connection,
            channels=asked,
            since=now - _ASKED_ONCE_MORE,
            before=since,
            followed_for=FOLLOWED_FOR,
            limit=max(POLLED_PER_RUN - len(rows), _LEFT_PER_RUN),
        )
    for row in rows:
        report = channels[row.channel].fetch_status(row.sid)
        if isinstance(report, NoStatus):
            logger.warning("Message %s: its status was not read: %s", row.id, report.reason)
            if not report.is_final:
                break  # the next run asks again; a failing provider must not cost fifty timeouts
            _put_last(ledger, row)
            continue
        apply_report(ledger, row, report, run=run)
    return len(rows)


def _put_last(ledger: Ledger, row: sa.Row[Any]) -> None:
    """Ask for this message's status after all others the next time."""
    with ledger.write() as connection:
        connection.execute(
            sa.update(messages).where(messages.c.id == row.id).values(status_at=utc_now()),
        )


def apply_report(ledger: Ledger, row: sa.Row[Any], report: StatusReport, *, run: Run) -> None:
    """Write what a provider says of a message: its state if it moves up, and the event."""
    now = utc_now()
    with ledger.write() as connection:
        told = apply_in(connection, row, report, at=now)
        events.append(connection, told, at=now, run_id=run.id)


def apply_in(
    connection: Connection, row: sa.Row[Any], report: StatusReport, *, at: datetime
) -> list[Event]:
    """Write what a provider says of a message; gives the events that tell of it.

    Args:
        connection: A transaction that writes; whoever has it appends the events.
        row: The message's `id`, `alert_id`, `channel` and `sid`.
        report: What the provider says.
        at: When it was said.
    """
    # Since the row was read, another process may have been told more.
    known = connection.execute(
        sa.select(messages.c.state, messages.c.status, messages.c.error_code)
        .where(messages.c.id == row.id)
        .with_for_update(key_share=True),
    ).one()
    # Of what moves nothing the trail must not tell.
    values = _news(known, report, is_sms=row.channel == "sms", at=at)
    connection.execute(sa.update(messages).where(messages.c.id == row.id).values(**values))
    if not values.keys() & {"status", "error_code"}:
        return []
    code = values.get("error_code")
    body = {"sid": row.sid, "status": values.get("status", known.status), "error_code": code}
    words = values.get("error_message")
    event = Event(
        "message_status",
        body if code is None else {**body, "error_message": words},
        alert_id=row.alert_id,
        message_id=row.id,
    )
    address = connection.execute(
        sa.select(message_contents.c.address).where(message_contents.c.message_id == row.id),
    ).scalar_one()
    return [event, *remember_opt_out(connection, row.id, row.channel, address, code, at=at)]


def _news(
    known: sa.Row[Any], report: StatusReport, *, is_sms: bool, at: datetime
) -> dict[str, Any]:
    """What a report changes of a message; only the time, if it is behind what is known."""
    values: dict[str, Any] = {"status_at": at}
    if _is_code_of_failure(known, report):
        # Its status may have come without it; the fallback of who opted out counts from now.
        values |= {"updated_at": at, **_code(report)}
    if _is_behind(known, report.status):
        return values
    if report.segments and is_sms:
        values["segments"] = report.segments
    current = MessageState(known.state)
    moved = next_state(current, report.status)
    if moved is not None:
        values |= {"state": moved.value, "updated_at": at}
        if current is MessageState.UNKNOWN:
            values["summary_id"] = None  # one has named it for what it was
    # A settled message has the status of the list, and has not moved by it yet.
    if report.status == known.status and moved is None:
        return values
    return {**values, "status": report.status, **_code(report)}


def _is_code_of_failure(known: sa.Row[Any], report: StatusReport) -> bool:
    """Whether a report says why a message failed of which only that it did is known."""
    is_new = known.error_code is None and report.error_code is not None
    return is_new and {MessageState(known.state), _STATES.get(report.status)} <= _FAILED


def _code(report: StatusReport) -> dict[str, Any]:
    """The error code of a report with its words, if it has one."""
    if report.error_code is None:
        return {}
    words = None if report.error_message is None else _masked(report.error_message)
    return {"error_code": str(report.error_code), "error_message": words}


def _masked(words: str) -> str:
    """What a provider, or a stranger's mail server, says: its beginning, without addresses."""
    # No database keeps half of a surrogate pair, and PostgreSQL no NUL.
    words = words.replace("\0", "").encode(errors="replace").decode()
    kept = words[:_LONGEST_WORDS]
    if len(words) > _LONGEST_WORDS:
        # Half an address at the end would not be known for one.
        kept = kept.rpartition(" ")[0] or kept
    return mask_text(kept)


def _is_behind(known: sa.Row[Any], status: str) -> bool:
    """Whether a message is known to have come further than a status says."""
    current, reported = MessageState(known.state), _STATES.get(status)
    if reported is current:
        # Several statuses are one state of ours; they come in this order too.
        return _PLACES[status] < _PLACES.get(known.status, 0)
    return reported is not None and next_state(current, status) is None
