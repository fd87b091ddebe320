"""Sends the controller the anchor of the trail, as a message that is in the ledger itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.audit.anchors import told_in_a_log
from target_twilio_alerts.ledger import events
from target_twilio_alerts.ledger.tables import audit_events, messages
from target_twilio_alerts.messages.kinds import ANCHOR, FAILURES
from target_twilio_alerts.notify.together import tell_together
from target_twilio_alerts.rules.routing import route

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger.outbox import NewMessage
    from target_twilio_alerts.messages import Messages, Rendered
    from target_twilio_alerts.notify.compose import Quiet
    from target_twilio_alerts.rules import Alerts
    from target_twilio_alerts.rules.routing import Reached

_RUNS = ("run_started", "run_ended")


def anchor_messages(
    connection: Connection,
    alerts: Alerts,
    texts: Messages,
    recipient: str,
    *,
    at: datetime,
    quiet: Quiet,
) -> Iterator[NewMessage]:
    """The email with the trail's head as it is now, if there is news since the last one.

    That runs began and ended, how the last such email went, and that operators were told of it, is
    no news: it would never end.
    """
    if not _is_news(connection):
        return
    number, head = events.head(connection)

    def render(reached: Reached, _channel: str, reference: str) -> Rendered:
        return texts.anchor(
            told_in_a_log(number, head),
            number=number,
            locale=reached.recipient.locale,
            reference=reference,
        )

    yield from tell_together(
        route(alerts, [recipient], at=at, is_critical=False),
        ["email"],
        quiet=quiet,
        severity="low",
        render=render,
        told=set(),
    )


def _is_news(connection: Connection) -> bool:
    event = audit_events.c
    no_news = sa.select(messages.c.id).where(messages.c.template.in_([ANCHOR, FAILURES]))
    # Events of other messages, or of no message at all.
    of_others = sa.or_(event.message_id.is_(None), event.message_id.not_in(no_news))
    last = connection.execute(
        sa.select(messages.c.id)
        .where(messages.c.template == ANCHOR)
        .order_by(messages.c.created_at.desc(), messages.c.id)
        .limit(1)
    ).scalar()
    since = connection.execute(
        sa.select(sa.func.min(event.seq)).where(event.message_id == last)
    ).scalar()
    news = connection.execute(
        sa.select(event.seq)
        .where(event.seq > (since or 0), event.kind.not_in(_RUNS), of_others)
        .limit(1)
    ).first()
    return news is not None
