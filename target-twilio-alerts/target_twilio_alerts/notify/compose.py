"""Composes the messages of an alert: one for each recipient, channel and address."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from target_twilio_alerts.ledger import Event, MessageState
from target_twilio_alerts.ledger.events import salted_hash
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.opt_outs import OptOuts
from target_twilio_alerts.ledger.outbox import HASHED, NewMessage
from target_twilio_alerts.ledger.tables import iso_utc
from target_twilio_alerts.messages import (
    MessageContext,
    fill_variables,
    hide_numbers,
    hide_numbers_in,
)
from target_twilio_alerts.messages.links import acknowledge_url
from target_twilio_alerts.rules.expressions import UNDECIDED
from target_twilio_alerts.rules.model import SEVERITIES
from target_twilio_alerts.rules.routing import reach_themselves, route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.ledger.alerts import Alert
    from target_twilio_alerts.ledger.silences import Silence
    from target_twilio_alerts.messages import Messages, Rendered
    from target_twilio_alerts.rules import Alerts, Rule
    from target_twilio_alerts.rules.model import Content
    from target_twilio_alerts.rules.routing import Reached

Composed: TypeAlias = "tuple[NewMessage, str | None]"
"""A message, and what is wrong with the company's own template, if anything is."""

DUPLICATE_ADDRESS = "duplicate address"
SILENCED = "silence"
OPTED_OUT = "opted out"


@dataclass(frozen=True)
class Occasion:
    """An alert, and what its messages say.

    Attributes:
        rule: The rule that raised it.
        alert: The alert.
        values: The document's values.
        previous: Those before; None for a new document.
        today: The day in the company's zone.
        is_undecided: Whether it tells that the rule could not decide.
    """

    rule: Rule
    alert: Alert
    values: Mapping[str, Value]
    previous: Mapping[str, Value] | None
    today: date | None
    is_undecided: bool = False

    @property
    def told(self) -> Mapping[str, Value]:
        """Its values as they may be told."""
        return self._told(self.values)

    @property
    def told_previous(self) -> Mapping[str, Value] | None:
        """Those before, as they may be told."""
        return None if self.previous is None else self._told(self.previous)

    @property
    def undecided(self) -> str | None:
        """Why the rule could not decide, if it tells that."""
        if not self.is_undecided:
            return None
        reason = self.alert.reason.removeprefix(f"{UNDECIDED}: ")
        return hide_numbers_in(reason) if self.rule.entity.has_accounts else reason

    def _told(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        return hide_numbers(values) if self.rule.entity.has_accounts else values


@dataclass(frozen=True)
class Quiet:
    """Who is not to be told: what operators silenced, and who opted out."""

    silences: Sequence[Silence] = ()
    opt_outs: OptOuts = field(default_factory=lambda: OptOuts([]))


class Composer:
    """Writes messages.

    Args:
        messages: Writes their texts.
        alerts: The people.
    """

    def __init__(self, messages: Messages, alerts: Alerts) -> None:
        self._messages = messages
        self._alerts = alerts

    def compose(
        self,
        occasion: Occasion,
        *,
        at: datetime,
        quiet: Quiet,
        recipients: Iterable[str] | None = None,
        via: Sequence[str] | None = None,
        step: int = 0,
        because: str | None = None,
    ) -> Iterator[Composed]:
        """Compose the messages, one for each recipient, channel and address.

        A second recipient with the same address is told nothing, and nobody whom a silence covers,
        who opted out or is in quiet hours that drop: the message is kept as suppressed.

        Args:
            occasion: What is told.
            at: When.
            quiet: Who is not to be told.
            recipients: Names of recipients and rotations; None: those of the rule.
            via: Channels; None: those of the rule.
            step: Which step of an escalation; 0: the first telling.
            because: Why they are told, where the rule does not name them.
        """
        rule = occasion.rule
        reached = route(
            self._alerts,
            rule.recipients if recipients is None else recipients,
            at=at,
            is_critical=rule.severity == "critical",
        )
        if because is not None:
            reached = [
                replace(one, because="; ".join(filter(None, (because, one.because))))
                for one in reached
            ]
        channels = rule.via if via is None else via
        for channel in channels:
            told: set[str] = set()
            for one in reached:
                yield from self._by(occasion, one, channel, quiet, told=told, step=step)
        yield from self._fall_back(occasion, reached, channels, quiet, step=step)

    def compose_fallback(
        self, occasion: Occasion, recipient: str, *, at: datetime, quiet: Quiet, step: int
    ) -> Iterator[Composed]:
        """Compose the message over the rule's `fallback`, for somebody who opted out of others.

        Args:
            occasion: What is told.
            recipient: Their name.
            at: When.
            quiet: Who is not to be told.
            step: Which step of an escalation was to tell them; 0: the first telling.
        """
        rule = occasion.rule
        steps = rule.escalation
        via = steps[step - 1].via if 0 < step <= len(steps) else rule.via
        reached = reach_themselves(
            self._alerts,
            self._alerts.recipients[recipient],
            at=at,
            is_critical=rule.severity == "critical",
        )
        yield from self._fall_back(occasion, [reached], via, quiet, step=step)

    def _fall_back(
        self,
        occasion: Occasion,
        reached: Iterable[Reached],
        channels: Sequence[str],
        quiet: Quiet,
        *,
        step: int,
    ) -> Iterator[Composed]:
        told: dict[str, set[str]] = {}
        for one in reached:
            left = _left_channel(one, channels, quiet)
            channel = _fallback(occasion.rule, one, channels, quiet)
            if left is not None and channel is not None:
                why = f"fallback: {OPTED_OUT} of {left}"
                instead = replace(one, because="; ".join(filter(None, (one.because, why))))
                already = told.setdefault(channel, set())
                yield from self._by(occasion, instead, channel, quiet, told=already, step=step)

    def _by(
        self,
        occasion: Occasion,
        reached: Reached,
        channel: str,
        quiet: Quiet,
        *,
        told: set[str],
        step: int,
    ) -> Iterator[Composed]:
        """The messages to one recipient over one channel: one for each address."""
        for place, address in enumerate(reached.recipient.addresses(channel), 1):
            message, problem = self._message(occasion, reached, channel, address, step)
            why = _why_not(occasion, reached, channel, address, quiet)
            if why is None and address in told:
                why = DUPLICATE_ADDRESS
            message = replace(message, place=place)
            if why is None:
                told.add(address)
                if reached.not_before is not None:
                    until = iso_utc(reached.not_before)
                    message = replace(
                        message,
                        not_before=reached.not_before,
                        reason=f"quiet hours until {until}",
                    )
            else:
                message = replace(message, state=MessageState.SUPPRESSED, reason=why)
            yield message, problem

    def _message(
        self, occasion: Occasion, reached: Reached, channel: str, address: str, step: int
    ) -> tuple[NewMessage, str | None]:
        """One message, and what is wrong with the company's own template, if anything is."""
        rule, alert, recipient = occasion.rule, occasion.alert, reached.recipient
        reference = short_id()
        context = MessageContext(
            rule=rule.name,
            severity=rule.severity,
            entity=alert.entity,
            values=occasion.told,
            previous=occasion.told_previous,
            reference=reference,
            today=occasion.today,
            undecided=occasion.undecided,
            step=step,
            acknowledge_url=acknowledge_url(self._messages.public_url, reference)
            if channel == "email"
            else None,
        )
        rendered = self._messages.render(
            context,
            channel=channel,
            locale=recipient.locale,
            template=rule.template,
            max_segments=rule.max_segments,
        )
        message = write_message(
            rendered,
            reached,
            reference=reference,
            channel=channel,
            address=address,
            severity=rule.severity,
        )
        validity = None if rule.validity is None else int(rule.validity.total_seconds())
        message = replace(message, alert_id=alert.id, step=step, validity_seconds=validity)
        if channel == "whatsapp" and rule.content is not None:
            message = _by_content(message, rule.content, context)
        return message, rendered.problem


def write_message(
    rendered: Rendered,
    reached: Reached,
    *,
    reference: str,
    channel: str,
    address: str,
    severity: str,
) -> NewMessage:
    """A message to somebody's address, about no alert yet."""
    return NewMessage(
        id=reference,
        alert_id=None,
        recipient=reached.recipient.name,
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
        severity_rank=SEVERITIES.index(severity),
        because=reached.because,
    )


def _why_not(
    occasion: Occasion, reached: Reached, channel: str, address: str, quiet: Quiet
) -> str | None:
    """Why a message is not sent; None if it is."""
    if reached.withheld is not None:
        return reached.withheld
    alert, rule = occasion.alert, occasion.rule
    name = reached.recipient.name
    for one in quiet.silences:
        if one.covers(rule=rule.name, entity=alert.entity, recipient=name, values=occasion.values):
            return f"{SILENCED} {one.id} of {one.author}: {one.reason}"
    opt_out = quiet.opt_outs.of(channel, address)
    if opt_out is not None:
        return f"{OPTED_OUT} since {iso_utc(opt_out.since)} ({opt_out.source})"
    return None


def _left_channel(reached: Reached, channels: Iterable[str], quiet: Quiet) -> str | None:
    """A channel on which no address of a recipient is left; None if each has one."""
    for channel in channels:
        addresses = reached.recipient.addresses(channel)
        if addresses and all(quiet.opt_outs.of(channel, one) for one in addresses):
            return channel
    return None


def _fallback(rule: Rule, reached: Reached, channels: Iterable[str], quiet: Quiet) -> str | None:
    """The first channel of the rule's `fallback` that still reaches a recipient."""
    for channel in rule.fallback:
        addresses = reached.recipient.addresses(channel)
        if channel not in channels and any(
            quiet.opt_outs.of(channel, one) is None for one in addresses
        ):
            return channel
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


def created_event(
    message: NewMessage,
    *,
    problem: str | None = None,
    alerts: Sequence[str] | None = None,
) -> Event:
    """The event of a message written to the ledger; its address and text only as hashes.

    Args:
        message: The message.
        problem: What is wrong with the company's own template.
        alerts: Ids of the alerts that a digest tells.
    """
    not_before = None if message.not_before is None else iso_utc(message.not_before)
    body = {
        "recipient": message.recipient,
        "channel": message.channel,
        "place": message.place,
        "attempt": message.attempt,
        "step": message.step or None,
        "because": message.because,
        "state": message.state.value,
        "reason": message.reason,
        "not_before": not_before,
        "severity_rank": message.severity_rank,
        "validity_seconds": message.validity_seconds,
        "cost_micros": message.cost_micros,
        "template": message.template,
        "locale": message.locale,
        "encoding": message.encoding,
        "template_problem": problem,
        "resend_of": message.resend_of,
        "resend_reason": message.resend_reason,
        "operator": message.operator,
        "alerts": alerts,
    }
    for name in HASHED:
        value = getattr(message, name)
        body[f"{name}_hash"] = None if value is None else salted_hash(message.salt, value)
    body = {name: value for name, value in body.items() if value is not None}
    return Event("message_created", body, alert_id=message.alert_id, message_id=message.id)
