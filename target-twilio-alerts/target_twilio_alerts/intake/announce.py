"""From an alert to its messages: whom to tell, over which channel, in which words."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from target_twilio_alerts.ledger import Event, MessageState
from target_twilio_alerts.ledger.events import salted_hash
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.outbox import NewMessage
from target_twilio_alerts.messages import MessageContext, fill_variables
from target_twilio_alerts.rules.expressions import UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.ledger.alerts import Alert
    from target_twilio_alerts.ledger.silences import Silence
    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rules import Alerts, Rule
    from target_twilio_alerts.rules.model import Content

DUPLICATE_ADDRESS = "duplicate address"
SILENCED = "silence"


def compose(
    messages: Messages,
    alerts: Alerts,
    *,
    rule: Rule,
    alert: Alert,
    values: Mapping[str, Value],
    previous: Mapping[str, Value] | None,
    today: date | None,
    silences: Sequence[Silence] = (),
    is_undecided: bool = False,
) -> Iterator[tuple[NewMessage, Event]]:
    """Compose one message for each recipient and channel of a rule, with the event that tells it.

    A second recipient with the same address is told nothing, and nobody whom a silence covers: the
    message is kept as suppressed.
    """
    for channel in rule.via:
        told: set[str] = set()
        for name in rule.recipients:
            recipient = alerts.recipients[name]
            address = recipient.address(channel)
            if address is None:  # refused when the file is loaded
                continue
            reference = short_id()
            context = MessageContext(
                rule=rule.name,
                severity=rule.severity,
                entity=alert.entity,
                values=values,
                previous=previous,
                reference=reference,
                today=today,
                undecided=alert.reason.removeprefix(f"{UNDECIDED}: ") if is_undecided else None,
            )
            rendered = messages.render(
                context,
                channel=channel,
                locale=recipient.locale,
                template=rule.template,
                max_segments=rule.max_segments,
            )
            why = _why_not(rule, alert, name, values, silences)
            if why is None and address in told:
                why = DUPLICATE_ADDRESS
            if why is None:
                told.add(address)
            message = NewMessage(
                id=reference,
                alert_id=alert.id,
                recipient=name,
                channel=channel,
                address=address,
                subject=rendered.subject,
                text=rendered.text,
                html=rendered.html,
                salt=secrets.token_hex(16),
                template=rendered.template,
                locale=rendered.locale,
                encoding=rendered.encoding,
                segments=rendered.segments,
                severity_rank=rule.severity_rank,
                state=MessageState.PENDING if why is None else MessageState.SUPPRESSED,
                reason=why,
            )
            if channel == "whatsapp" and rule.content is not None:
                message = _by_content(message, rule.content, context)
            yield message, created_event(message, problem=rendered.problem)


def _why_not(
    rule: Rule,
    alert: Alert,
    recipient: str,
    values: Mapping[str, Value],
    silences: Sequence[Silence],
) -> str | None:
    """The silence that covers a message, and its reason; None if there is none."""
    for one in silences:
        if one.covers(rule=rule.name, entity=alert.entity, recipient=recipient, values=values):
            return f"{SILENCED} {one.id} of {one.author}: {one.reason}"
    return None


def _by_content(message: NewMessage, content: Content, context: MessageContext) -> NewMessage:
    """The same message by a content template; its text tells what filled the template."""
    filled = fill_variables(content.variables, context, message.locale)
    told = "; ".join(f"{name}: {value}" for name, value in filled.items())
    return replace(
        message,
        text=f"{content.sid} {told}".strip(),
        template=content.sid,
        content_sid=content.sid,
        content_variables=json.dumps(filled, ensure_ascii=False) if filled else None,
    )


def created_event(message: NewMessage, *, problem: str | None = None) -> Event:
    """The event of a message written to the ledger; its address and text only as hashes."""
    body = {
        "recipient": message.recipient,
        "channel": message.channel,
        "attempt": message.attempt,
        "state": message.state.value,
        "reason": message.reason,
        "template": message.template,
        "locale": message.locale,
        "address_hash": salted_hash(message.salt, message.address),
        "text_hash": salted_hash(message.salt, message.text),
        "template_problem": problem,
        "resend_of": message.resend_of,
        "resend_reason": message.resend_reason,
        "operator": message.operator,
    }
    body = {name: value for name, value in body.items() if value is not None}
    return Event("message_created", body, alert_id=message.alert_id, message_id=message.id)
