"""Writes a decided group into the ledger: versions, alerts, their messages, and its events."""

from __future__ import annotations

import hashlib
import logging
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from target_twilio_alerts.intake.rate_records import to_ledger
from target_twilio_alerts.ledger import (
    Event,
    MessageState,
    answers,
    digests,
    escalations,
    locks,
    opt_outs,
    outbox,
    silences,
    versions,
)
from target_twilio_alerts.ledger import alerts as ledger_alerts
from target_twilio_alerts.ledger import rates as ledger_rates
from target_twilio_alerts.ledger.alerts import Alert
from target_twilio_alerts.ledger.events import canonical_json
from target_twilio_alerts.ledger.ids import short_id
from target_twilio_alerts.ledger.told import HELD
from target_twilio_alerts.messages import mask_contacts, mask_words
from target_twilio_alerts.notify.brake import Brake
from target_twilio_alerts.notify.compose import (
    SILENCED,
    Composer,
    Occasion,
    Quiet,
    created_event,
)
from target_twilio_alerts.rules import Outcome

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.intake.arrivals import Edge
    from target_twilio_alerts.intake.decisions import Group
    from target_twilio_alerts.intake.reads import Context
    from target_twilio_alerts.ledger.outbox import NewMessage
    from target_twilio_alerts.ledger.runs import Run
    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rules import Alerts, Rate, Rule

logger = logging.getLogger(__name__)

_digest_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="number")


@dataclass(frozen=True)
class MalformedRecord:
    """A record that breaks its schema or lacks its key."""

    stream: str
    digest: str
    document_id: str | None
    problem: str


def digest_of(record: dict[str, Any]) -> str:
    """SHA-256 of a record, by which a malformed one is known."""
    try:
        encoded = _digest_encoder.encode(record)
    except RecursionError:
        encoded = _digest_encoder.encode(sorted(record))  # of what is nested too deeply
    return hashlib.sha256(encoded).hexdigest()


class Recorder:
    """Writes what a group amounts to; gives back the events, for the chain to take last.

    Args:
        alerts: Recipients of the rules.
        messages: Writes the texts.
        run: The run at work.
        counts: Where alerts and messages are counted.
        dry_run: Show each message in the log.
    """

    def __init__(
        self,
        alerts: Alerts,
        messages: Messages,
        *,
        run: Run,
        counts: Counter[str],
        dry_run: bool,
    ) -> None:
        self._alerts = alerts
        self._composer = Composer(messages, alerts)
        self._brake = Brake(alerts.limits, run_id=run.id)
        self._run_id = run.id
        self._counts = counts
        self._dry_run = dry_run

    def write(self, connection: Connection, group: Group) -> list[Event]:
        """Write versions, kept answers, alerts and messages."""
        versions.save(
            connection,
            new=list(group.new.values()),
            changed=list(group.changed.values()),
            replaced=group.replaced,
            superseded=group.superseded,
            before=group.loaded,
        )
        answers.save_remembered(connection, group.answers)
        answers.save_undecided(
            connection,
            group.undecided,
            known=group.known_undecided,
            at=group.at,
            run_id=self._run_id,
        )
        quiet = Quiet()
        if group.edges:
            locks.telling(connection)
            quiet = Quiet(silences.active(connection, at=group.at), opt_outs.load(connection))
            self._brake.look(connection, at=group.at)
        told = [
            event for edge in group.edges for event in self._raise(connection, group, edge, quiet)
        ]
        for gone in group.deleted:
            body = {"stream": gone.stream, "document": gone.id, "version": gone.ordinal}
            told.append(Event("document_deleted", body))
        return told

    def _raise(
        self,
        connection: Connection,
        group: Group,
        edge: Edge,
        quiet: Quiet,
    ) -> list[Event]:
        rule = _told_as_undecided(edge) if edge.is_undecided else edge.watch.rule
        alert = Alert(
            id=short_id(),
            rule=rule.name,
            epoch=edge.watch.epoch.epoch,
            document_id=edge.document_id,
            version=edge.version,
            entity=rule.entity.name,
            title=_title(edge, rule.entity.label),
            severity=rule.severity,
            reason=edge.reason,
            decision=edge.decision,
            raised_at=group.at,
            run_id=self._run_id,
            once_key=None if edge.is_undecided else _once_key(edge, group),
            salt=secrets.token_hex(16),
        )
        told_by = ledger_alerts.told_before(connection, alert)
        if told_by is not None:
            return [self._withhold(group, edge, told_by)]
        if not ledger_alerts.add(connection, alert):
            self._counts["alerts known already"] += 1
            return []
        self._counts["alerts"] += 1
        occasion = Occasion(
            rule=rule,
            alert=alert,
            values=edge.values,
            previous=edge.previous,
            today=group.around.today,
            is_undecided=edge.is_undecided,
        )
        if rule.digest is not None and not edge.is_undecided:
            due_at = rule.digest.next_after(group.at)
            digests.add(connection, alert.id, due_at=due_at)
            self._counts["alerts that wait for a digest"] += 1
            return [
                ledger_alerts.raised_event(alert, is_counted=edge.is_counted, digest_due_at=due_at)
            ]
        told, steps = self._tell(connection, occasion, group, quiet)
        raised = ledger_alerts.raised_event(alert, is_counted=edge.is_counted, steps_due_at=steps)
        return [raised, *told]

    def _tell(
        self, connection: Connection, occasion: Occasion, group: Group, quiet: Quiet
    ) -> tuple[list[Event], list[datetime]]:
        """Write the messages of an alert, and the steps that follow if nobody acts.

        Returns:
            The events of the messages, and when each step comes.
        """
        told: list[Event] = []
        told_at: list[datetime] = []
        for composed, problem in self._composer.compose(occasion, at=group.at, quiet=quiet):
            message = self._brake.apply(composed, occasion.rule.name)
            told_at.append(message.not_before or group.at)
            outbox.add(connection, message, at=group.at, run_id=self._run_id)
            told.append(created_event(message, problem=problem))
            self._count(message, occasion.rule)
        steps: list[datetime] = []
        if not occasion.is_undecided:
            # Who is told in the morning has had no time to act before.
            begins = min(told_at, default=group.at)
            steps = [begins + step.after for step in occasion.rule.escalation]
        for number, due_at in enumerate(steps, 1):
            escalations.add(connection, occasion.alert.id, number, due_at, at=group.at)
        return told, steps

    def _count(self, message: NewMessage, rule: Rule) -> None:
        self._counts["messages"] += 1
        reason = message.reason or ""
        if reason.startswith(f"{HELD}: "):
            self._counts["messages held by the flood brake"] += 1
        if reason.startswith(f"{SILENCED} "):
            self._counts["messages silenced"] += 1
        if message.not_before is not None and message.state is MessageState.PENDING:
            self._counts["messages held"] += 1
        if self._dry_run:
            logger.info(
                "dry run: %s would tell %s by %s: %s",
                rule.name,
                message.recipient,
                message.channel,
                mask_words(message.text),
            )

    def _withhold(self, group: Group, edge: Edge, told_by: str) -> Event:
        """Tell the trail of an alert that its rule's `once_per` keeps back."""
        rule = edge.watch.rule
        self._counts["alerts told already"] += 1
        if edge.is_counted:
            group.outcomes[rule.name, Outcome.ALERT.value] -= 1
            group.outcomes[rule.name, Outcome.ALREADY_TOLD.value] += 1
        body = {
            "rule": rule.name,
            "epoch": edge.watch.epoch.epoch,
            "document": edge.document_id,
            "version": edge.version,
            "once_per": list(rule.once_per),
            "told_by": told_by,
        }
        return Event("alert_withheld", body, alert_id=told_by)

    def rates(self, connection: Connection, rates: Iterable[Rate], *, at: datetime) -> None:
        """Keep currency rates for the runs to come."""
        stored = [to_ledger(rate, str(self._alerts.rates.type)) for rate in rates]
        ledger_rates.save(connection, stored, at=at, run_id=self._run_id)

    def malformed(
        self,
        connection: Connection,
        records: Iterable[MalformedRecord],
        *,
        at: datetime,
    ) -> list[Event]:
        """Record malformed records; one that was recorded before is counted, and told no more."""
        told = []
        for record in records:
            is_new = versions.record_malformed(
                connection,
                **vars(record),
                at=at,
                run_id=self._run_id,
            )
            if is_new:
                body = {
                    "stream": record.stream,
                    "document": record.document_id,
                    "problem": record.problem,
                }
                told.append(Event("record_malformed", body))
                logger.warning("%s: a record is malformed: %s", record.stream, record.problem)
        return told

    def complete(
        self,
        connection: Connection,
        partitions: Iterable[tuple[str, Context]],
        *,
        at: datetime,
        reason: str,
    ) -> list[Event]:
        """Note partitions that have been read whole: their baseline is over."""
        told = []
        for stream, context in partitions:
            is_new = versions.add_complete_read(
                connection,
                stream=stream,
                context=context,
                at=at,
                run_id=self._run_id,
                reason=reason,
            )
            if is_new:
                body = {"stream": stream, "context": context, "reason": reason}
                told.append(Event("baseline_completed", body))
        return told


def _told_as_undecided(edge: Edge) -> Rule:
    """The rule, as it tells its owner that it cannot decide: in built-in words."""
    rule = edge.watch.rule
    if rule.undecided is None:
        return rule
    return replace(rule, recipients=rule.undecided.recipients, via=rule.undecided.via)


def _once_key(edge: Edge, group: Group) -> str | None:
    """The same for what the rule alerts of once; None for a document of no known counterparty."""
    once_per = edge.watch.rule.once_per
    if not once_per:
        return None
    parts: dict[str, Any] = {"company": edge.values.get("company")}
    if "document" in once_per:
        parts["document"] = edge.document_id
    if "counterparty" in once_per:
        names = ("counterparty_number", "counterparty")
        known = [edge.values[name] for name in names if edge.values.get(name) is not None]
        if not known:
            return None
        parts["counterparty"] = known[0]
    if "day" in once_per:
        parts["day"] = str(group.around.today)
    return hashlib.sha256(canonical_json(parts).encode()).hexdigest()[:32]


def _title(edge: Edge, label: str) -> str:
    parts = [edge.values.get("type"), edge.values.get("number")]
    named = " ".join(str(part) for part in parts if part is not None)
    return mask_contacts(f"{label} {named}".strip())[:255]
