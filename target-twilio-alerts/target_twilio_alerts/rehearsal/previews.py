"""The messages of a rule as its recipients would get them: the first, and those that may follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.intake.arrivals import UNDECIDED
from target_twilio_alerts.ledger.alerts import Alert
from target_twilio_alerts.ledger.tables import iso_utc
from target_twilio_alerts.messages import DigestEntry, mask_address
from target_twilio_alerts.notify.brake import priced
from target_twilio_alerts.notify.compose import Composer, Occasion
from target_twilio_alerts.notify.together import tell_together
from target_twilio_alerts.rehearsal.tally import ALERT, DIGEST, ESCALATION, micros_as_text
from target_twilio_alerts.rules.expressions import UNDECIDED as CANNOT
from target_twilio_alerts.rules.routing import route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.ledger.outbox import NewMessage
    from target_twilio_alerts.messages import Messages, Rendered
    from target_twilio_alerts.notify.compose import Quiet
    from target_twilio_alerts.rules import Alerts, Rule
    from target_twilio_alerts.rules.routing import Reached


@dataclass(frozen=True)
class Preview:
    """One message.

    Attributes:
        kind: ALERT, DIGEST, ESCALATION, or UNDECIDED if it tells that the rule cannot decide.
        due_at: When it is written; quiet hours, duty and deputies are of then.
        message: The message.
        problem: What is wrong with the company's own template, if anything is.
    """

    kind: str
    due_at: datetime
    message: NewMessage
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The same for a program, with the address masked."""
        one = self.message
        return {
            "kind": self.kind,
            "step": one.step,
            "due_at": iso_utc(self.due_at),
            "recipient": one.recipient,
            "because": one.because,
            "channel": one.channel,
            "address": mask_address(one.address),
            "state": one.state.value,
            "reason": one.reason,
            "not_before": None if one.not_before is None else iso_utc(one.not_before),
            "locale": one.locale,
            "template": one.template,
            "template_problem": self.problem,
            "encoding": one.encoding,
            "segments": one.segments,
            "cost": micros_as_text(one.cost_micros),
            "subject": one.subject,
            "text": one.text,
        }


class Previews:
    """Writes previews.

    Args:
        alerts: The people and the prices.
        writer: Writes the texts.
        quiet: Who is not to be told.
        now: What time it is.
    """

    def __init__(self, alerts: Alerts, writer: Messages, quiet: Quiet, now: datetime) -> None:
        self._alerts = alerts
        self._writer = writer
        self._composer = Composer(writer, alerts)
        self._quiet = quiet
        self._now = now

    def of(
        self, rule: Rule, values: Mapping[str, Value], previous: Mapping[str, Value] | None
    ) -> Iterator[Preview]:
        """The messages about a document, in the order in which they are due."""
        for one in self._of(rule, values, previous):
            yield replace(one, message=priced(one.message, self._alerts.limits))

    def _of(
        self, rule: Rule, values: Mapping[str, Value], previous: Mapping[str, Value] | None
    ) -> Iterator[Preview]:
        occasion = self._occasion(rule, values, previous)
        if rule.digest is not None:
            yield from self._digest(rule, values)
        else:
            for message, problem in self._composer.compose(
                occasion, at=self._now, quiet=self._quiet
            ):
                yield Preview(ALERT, self._now, message, problem)
        for number, step in enumerate(rule.escalation, 1):
            due_at = self._now + step.after
            for message, problem in self._composer.compose(
                occasion,
                at=due_at,
                quiet=self._quiet,
                recipients=step.recipients,
                via=step.via,
                step=number,
                because=f"not {step.unless} (step {number})",
            ):
                yield Preview(ESCALATION, due_at, message, problem)
        if rule.undecided is not None:
            owner = replace(rule, recipients=rule.undecided.recipients, via=rule.undecided.via)
            told = self._occasion(owner, values, previous, is_undecided=True)
            for message, problem in self._composer.compose(told, at=self._now, quiet=self._quiet):
                yield Preview(UNDECIDED, self._now, message, problem)

    def _digest(self, rule: Rule, values: Mapping[str, Value]) -> Iterator[Preview]:
        """The digest, as if no other alert were in it."""
        assert rule.digest is not None  # noqa: S101 - asked before
        due_at = rule.digest.next_after(self._now)
        told = self._occasion(rule, values, None).told
        entries = [DigestEntry(rule.name, rule.entity.name, told)]

        def render(reached: Reached, channel: str, reference: str) -> Rendered:
            locale = reached.recipient.locale
            return self._writer.digest(entries, channel=channel, locale=locale, reference=reference)

        for message in tell_together(
            route(
                self._alerts, rule.recipients, at=due_at, is_critical=rule.severity == "critical"
            ),
            rule.via,
            quiet=self._quiet,
            severity=rule.severity,
            render=render,
            told=set(),
        ):
            yield Preview(DIGEST, due_at, message)

    def _occasion(
        self,
        rule: Rule,
        values: Mapping[str, Value],
        previous: Mapping[str, Value] | None,
        *,
        is_undecided: bool = False,
    ) -> Occasion:
        zone = self._alerts.timezone
        missing = rule.condition.fields[0] if rule.condition.fields else "a value"
        return Occasion(
            rule=rule,
            alert=Alert(
                id="PREVIEW",
                rule=rule.name,
                epoch=0,
                document_id="",
                version="",
                entity=rule.entity.name,
                title=rule.entity.label,
                severity=rule.severity,
                reason=f"{CANNOT}: {missing} is null" if is_undecided else "preview",
                decision="{}",
                raised_at=self._now,
                run_id="",
            ),
            values=values,
            previous=previous,
            today=None if zone is None else self._now.astimezone(zone).date(),
            is_undecided=is_undecided,
        )
