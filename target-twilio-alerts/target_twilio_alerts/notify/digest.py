"""Digests that are due: one message for each recipient and channel, of all rules that tell them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from target_twilio_alerts.ledger import Event, digests
from target_twilio_alerts.messages import DigestEntry
from target_twilio_alerts.notify.stored import load_occasion
from target_twilio_alerts.notify.together import tell_together
from target_twilio_alerts.rules.routing import reach_both_ways, route

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
    dropped: list[Event],
) -> Iterator[tuple[NewMessage, list[str]]]:
    """Compose the digests that are due, each with the ids of its alerts, and mark them as told.

    To be used in the transaction that writes them: so each alert is told by one digest, whatever
    process dies when. An alert that is told by none has an event that says why.

    Args:
        connection: The transaction.
        alerts: Rules and people.
        messages: Writes the texts.
        at: Now.
        quiet: Who is not to be told.
        dropped: Takes the events of what is told by none.
    """
    waiting = digests.due(connection, at=at)
    untold = dict.fromkeys(waiting, "it reaches nobody")
    parts = _parts(connection, alerts, untold, at=at, quiet=quiet)
    digests.mark_told(connection, waiting, at=at)
    told: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for (_, channel), part in parts.items():
        if not part.occasions:
            continue
        ids = [one.alert.id for one in part.occasions]
        for message in tell_together(
            [part.reached],
            [channel],
            quiet=quiet,
            severity=part.severity,
            render=partial(_render, messages, part),
            told=told.setdefault(tuple(ids), set()),
        ):
            yield message, ids
            for alert_id in ids:
                untold.pop(alert_id, None)
    dropped += [
        Event("digest_dropped", {"reason": reason}, alert_id=alert_id)
        for alert_id, reason in untold.items()
    ]


def _parts(
    connection: Connection, alerts: Alerts, untold: dict[str, str], *, at: datetime, quiet: Quiet
) -> dict[tuple[str, str], _Part]:
    """What each recipient is told over each channel.

    Args:
        connection: The transaction.
        alerts: Rules and people.
        untold: The alerts, each with why it is told to nobody if it is to nobody; takes better
            reasons.
        at: Now.
        quiet: Who is not to be told.
    """
    parts: dict[tuple[str, str], _Part] = {}
    routes: dict[str, list[Reached]] = {}
    for alert_id in untold:
        occasion = load_occasion(connection, alerts, alert_id)
        if occasion is None:
            untold[alert_id] = "the rule is no longer there"
            continue
        rule = occasion.rule
        if rule.name not in routes:
            is_critical = rule.severity == "critical"
            routes[rule.name] = route(alerts, rule.recipients, at=at, is_critical=is_critical)
        for one in routes[rule.name]:
            for channel in rule.via:
                part = parts.setdefault((one.recipient.name, channel), _Part(one))
                if not part.take(one, occasion, quiet):
                    untold[alert_id] = "silenced"
    return parts


@dataclass
class _Part:
    """What one recipient is told over one channel."""

    reached: Reached
    occasions: list[Occasion] = field(default_factory=list)

    def take(self, reached: Reached, occasion: Occasion, quiet: Quiet) -> bool:
        """Take an alert in, unless it is silenced; gives whether it is in."""
        if _is_silenced(occasion, reached.recipient.name, quiet):
            return False
        self.reached = reach_both_ways(self.reached, reached)
        self.occasions.append(occasion)
        return True

    @property
    def severity(self) -> str:
        """The highest one."""
        rules = [one.rule for one in self.occasions]
        return max(rules, key=lambda rule: rule.severity_rank).severity


def _render(
    messages: Messages, part: _Part, reached: Reached, channel: str, reference: str
) -> Rendered:
    entries = [DigestEntry(one.rule.name, one.alert.entity, one.told) for one in part.occasions]
    locale = reached.recipient.locale
    return messages.digest(entries, channel=channel, locale=locale, reference=reference)


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
