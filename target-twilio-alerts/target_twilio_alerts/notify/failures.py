"""Tells the operators which messages did not get through, once of each."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.delivery.channels.codes import explain
from target_twilio_alerts.ledger import MessageState, failures
from target_twilio_alerts.messages import Failure
from target_twilio_alerts.messages.kinds import FAILURES, KINDS, TEST
from target_twilio_alerts.notify.together import tell_together
from target_twilio_alerts.rules.routing import route

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import sqlalchemy as sa
    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger.outbox import NewMessage
    from target_twilio_alerts.messages import Messages, Rendered
    from target_twilio_alerts.notify.compose import Quiet
    from target_twilio_alerts.rules import Alerts
    from target_twilio_alerts.rules.routing import Reached

logger = logging.getLogger(__name__)

_NOT_TOLD = (FAILURES, TEST)
"""A summary that failed would be told by the next one for ever; who tests is at the keyboard."""


def failure_summary(
    connection: Connection,
    alerts: Alerts,
    texts: Messages,
    *,
    at: datetime,
    since: datetime,
    quiet: Quiet,
) -> list[NewMessage]:
    """The summary of what failed since then and no summary has named; they are named by it.

    Without operators the log alone names them, and they count as named as well.
    """
    rows = failures.untold(connection, since=since, apart_from=_NOT_TOLD)
    if not rows:
        return []
    found = [_failure(row, alerts) for row in rows]
    written: list[NewMessage] = []
    if alerts.operators is not None:

        def render(reached: Reached, channel: str, reference: str) -> Rendered:
            locale = reached.recipient.locale
            return texts.failures(found, channel=channel, locale=locale, reference=reference)

        written = list(
            tell_together(
                route(alerts, alerts.operators.recipients, at=at, is_critical=False),
                alerts.operators.via,
                quiet=quiet,
                severity="high",
                render=render,
                told=set(),
            ),
        )
    causes = Counter(one.code or one.meaning or MessageState.UNKNOWN.value for one in found)
    logger.warning(
        "%d message(s) did not get through (%s); %s",
        len(found),
        ", ".join(f"{cause}: {number}" for cause, number in causes.most_common()),
        _who_hears(written),
    )
    summary_id = written[0].id if written else failures.LOGGED
    failures.mark(connection, [row.id for row in rows], summary_id)
    return [replace(message, summary_id=summary_id) for message in written]


def warn_of_unheard(connection: Connection, alerts: Alerts, *, since: datetime) -> None:
    """Say in the log which summaries, written since then, reached nobody, and what to do."""
    if alerts.operators is None:
        return
    rows = failures.unheard(connection, since=since, template=FAILURES)
    if rows:
        logger.warning(
            "%d summary message(s) of what did not get through reached nobody (%s): correct the "
            "address, or `operators` in alerts.yml, then `twilio-alerts resend %s`",
            len(rows),
            "; ".join(dict.fromkeys(_why_unheard(row, alerts) for row in rows)),
            " ".join(row.id for row in rows),
        )


def _why_unheard(row: sa.Row[Any], alerts: Alerts) -> str:
    why = _failure(row, alerts).meaning or "the answer was lost, nobody knows whether it was sent"
    return f"{row.recipient} by {row.channel}: {why}"


def _who_hears(written: Sequence[NewMessage]) -> str:
    if any(message.state is MessageState.PENDING for message in written):
        return "the operators are told"
    why = "they opted out" if written else "alerts.yml has no `operators`"
    return f"nobody is told, for {why}: see `twilio-alerts audit`"


def _failure(row: sa.Row[Any], alerts: Alerts) -> Failure:
    person = alerts.recipients.get(row.recipient)
    is_known = row.state != MessageState.UNKNOWN.value
    code = row.error_code or row.status
    known = explain(code) if is_known else None
    words = row.error_message or row.reason or row.status or row.state
    return Failure(
        reference=row.id,
        about=row.rule or KINDS.get(row.template, row.template),
        recipient=row.recipient if person is None else person.display_name,
        channel=row.channel,
        code=row.error_code if is_known else None,
        meaning=(known.meaning if known else words) if is_known else None,
        mend=known.mend if known else None,
    )
