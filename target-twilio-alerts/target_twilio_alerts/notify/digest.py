"""Digests that are due: one message for each recipient and channel, of all rules that tell them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.ledger import Event, digests, events
from target_twilio_alerts.messages import DigestEntry
from target_twilio_alerts.notify.stored import load_occasion
from target_twilio_alerts.notify.together import tell_together

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.ledger.outbox import NewMessage
    from target_twilio_alerts.messages import Messages, Rendered
    from target_twilio_alerts.notify.compose import Occasion, Quiet
    from target_twilio_alerts.rules import Alerts
    from target_twilio_alerts.rules.routing import Reached


def due_digests(
    connection: Connection,
    alerts: Alerts,
    messages: Messages,
    *,
    at: datetime,
    quiet: Quiet,
    run_id: str,
) -> Iterator[tuple[NewMessage, list[str]]]:
    """Compose the digests that are due, each with the ids of its alerts, and mark them as told.

    To be used in the transaction that writes them: so each alert is told by one digest, whatever
    process dies when. An alert whose rule is gone is told by none, which an event says.
    """
    waiting = digests.due(connection, at=at)
    parts: dict[tuple[str, str], list[Occasion]] = {}
    lost = []
    for alert_id in waiting:
        occasion = load_occasion(connection, alerts, alert_id)
        if occasion is None:
            lost.append(alert_id)
            continue
        for name in occasion.rule.recipients:
            for channel in occasion.rule.via:
                parts.setdefault((name, channel), []).append(occasion)
    digests.mark_told(connection, waiting, at=at)
    gone = [
        Event("digest_dropped", {"reason": "the rule is no longer there"}, alert_id=alert_id)
        for alert_id in lost
    ]
    events.append(connection, gone, at=at, run_id=run_id)
    for (name, channel), occasions in parts.items():
        told = [one for one in occasions if not _is_silenced(one, name, quiet)]
        if not told:
            continue
        entries = [DigestEntry(one.rule.name, one.alert.entity, one.told) for one in told]

        def render(
            reached: Reached, over: str, reference: str, entries: list[DigestEntry] = entries
        ) -> Rendered:
            locale = reached.recipient.locale
            return messages.digest(entries, channel=over, locale=locale, reference=reference)

        severity = max((one.rule for one in told), key=lambda rule: rule.severity_rank).severity
        ids = [one.alert.id for one in told]
        for message in tell_together(
            alerts, [name], [channel], at=at, quiet=quiet, severity=severity, render=render
        ):
            yield message, ids


def _is_silenced(occasion: Occasion, recipient: str, quiet: Quiet) -> bool:
    return any(
        one.covers(
            rule=occasion.rule.name,
            entity=occasion.alert.entity,
            recipient=recipient,
            values=occasion.values,
        )
        for one in quiet.silences
    )
