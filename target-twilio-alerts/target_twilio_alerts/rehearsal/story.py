"""What each rule says of a document, and what became of its alerts: read from the ledger."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.documents import is_older, load_values
from target_twilio_alerts.intake import rate_records
from target_twilio_alerts.intake.arrivals import UNDECIDED
from target_twilio_alerts.intake.neighbours import Neighbours
from target_twilio_alerts.intake.reads import CompleteReads
from target_twilio_alerts.ledger import escalations, versions
from target_twilio_alerts.ledger import rates as ledger_rates
from target_twilio_alerts.ledger.tables import alerts as alerts_table
from target_twilio_alerts.ledger.tables import (
    audit_events,
    digest_contents,
    digest_items,
    iso_utc,
    messages,
    rule_epochs,
    undecided_documents,
)
from target_twilio_alerts.ledger.tables import escalations as escalations_table
from target_twilio_alerts.rehearsal.stages import Stage, stage_of
from target_twilio_alerts.rules import Outcome, Surroundings, decide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.documents import Value
    from target_twilio_alerts.intake.arrivals import Arrival
    from target_twilio_alerts.ledger.versions import StoredVersion
    from target_twilio_alerts.rules import Alerts, Decision, Rule

_ANSWERS = {True: "yes", False: "no", None: "unknown"}
_MESSAGE = ("recipient", "channel", "state", "reason", "step", "because")


@dataclass(frozen=True)
class Told:
    """An alert and what became of it.

    Attributes:
        alert: Its id.
        kind: "alert", or "undecided" if it tells that the rule could not decide.
        version: Which version of the document raised it.
        raised_at: When.
        reason: The condition's values, in words.
        stage: Where its messages are.
        said: More of that, in words; may be empty.
        messages: Each with its stage.
        steps: Steps of its escalation.
        acknowledged: Who takes care of it; None if nobody said so.
    """

    alert: str
    kind: str
    version: int
    raised_at: str
    reason: str
    stage: Stage
    said: str
    messages: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    acknowledged: str | None


@dataclass(frozen=True)
class Story:
    """One rule's story of a document.

    Attributes:
        rule: Its name.
        stage: What came of it, or what stopped it.
        said: More of that, in words; may be empty.
        terms: Each part of the condition: itself, its answer, and its values.
        alerts: Alerts of the document that the rule raised, the oldest first.
    """

    rule: str
    stage: Stage
    said: str
    terms: list[dict[str, str]]
    alerts: list[Told] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return asdict(self)


class Stories:
    """Tells stories by what a ledger knows now.

    Args:
        connection: The ledger.
        alerts: The rules; the ledger's rates are added to theirs.
        now: What time it is.
    """

    def __init__(self, connection: Connection, alerts: Alerts, now: datetime) -> None:
        self._connection = connection
        self._alerts = alerts
        self._gone: dict[str, bool] = {}
        self._today = None if alerts.timezone is None else now.astimezone(alerts.timezone).date()
        if alerts.rates.type is not None:
            stored = ledger_rates.load(connection, alerts.rates.type)
            alerts.rates.add(rate_records.from_ledger(one) for one in stored)

    def of_version(self, version: StoredVersion, rules: Iterable[Rule]) -> list[Story]:
        """What rules say of a document's newest version."""
        return [self._of_version(version, rule) for rule in rules]

    def _of_version(self, version: StoredVersion, rule: Rule) -> Story:
        values = load_values(version.header, rule.entity)
        before = versions.header_before(self._connection, version)
        previous = None if before is None else load_values(before, rule.entity)
        around = self._around(rule, version.id, values)
        decision = decide(rule, values, previous, around=around, before_on=around.today)
        told = self._told(rule, version.id)
        stage, said = self._stage(rule, version, values, decision, told)
        return Story(rule.name, stage, said, _terms(rule, values, previous, around), told)

    def holds(self, version: StoredVersion, rule: Rule) -> bool | None:
        """Whether a rule's condition holds for a version now; None if that cannot be decided."""
        values = load_values(version.header, rule.entity)
        before = versions.header_before(self._connection, version)
        previous = None if before is None else load_values(before, rule.entity)
        answer: bool | None = rule.condition.answer(
            values, previous, self._around(rule, version.id, values)
        )
        return answer

    def of_record(self, arrival: Arrival, rules: Iterable[Rule]) -> list[Story]:
        """What rules would say of a record, if it came now."""
        document = arrival.document
        known = versions.load(self._connection, [document.id]).get(document.id)
        reads = CompleteReads(versions.load_complete_reads(self._connection))
        is_baseline = not reads.covers(document.stream, json.loads(arrival.identity).get)
        return [self._of_record(arrival, rule, known, is_baseline=is_baseline) for rule in rules]

    def _of_record(
        self, arrival: Arrival, rule: Rule, known: StoredVersion | None, *, is_baseline: bool
    ) -> Story:
        document = arrival.document
        previous = None if known is None else load_values(known.header, rule.entity)
        around = self._around(rule, document.id, document.values)
        decision = decide(rule, document.values, previous, around=around, before_on=around.today)
        stage, said = _BY_OUTCOME.get(decision.outcome, Stage.TOLD), ""
        if decision.outcome is Outcome.ALERT:
            stage, said = Stage.NEXT_RUN, "it would alert"
        applies = self._does_not_apply(rule, document.values)
        if applies is not None:
            stage, said = applies, ""
        elif arrival.deleted:
            stage = Stage.DELETED
        elif known is not None and is_older(document, known):
            stage, said = Stage.STALE, f"it is of {document.stamp}, and {known.stamp} is known"
        elif is_baseline and decision.answer:
            stage, said = Stage.BASELINE, "its stream has not been read whole yet"
        elif known is not None and known.content == document.content:
            stage = Stage.NO_MATCH if rule.condition.uses_previous else stage
            said = "it says what is known already"
        return Story(rule.name, stage, said, _terms(rule, document.values, previous, around))

    def _around(self, rule: Rule, document_id: str, values: Mapping[str, Value]) -> Surroundings:
        days = rule.condition.recent_days
        if not days:
            return Surroundings(self._today, self._alerts.rates)
        near = Neighbours(partial(versions.of_group, self._connection), {rule.entity.name: days})
        return Surroundings(
            self._today, self._alerts.rates, near.of(rule.entity, document_id, values)
        )

    def _does_not_apply(self, rule: Rule, values: Mapping[str, Value]) -> Stage | None:
        if rule in self._alerts.disabled:
            return Stage.DISABLED
        if rule.companies and values.get("company") not in rule.companies:
            return Stage.OTHER_COMPANY
        return None

    def _stage(
        self,
        rule: Rule,
        version: StoredVersion,
        values: Mapping[str, Value],
        decision: Decision,
        told: list[Told],
    ) -> tuple[Stage, str]:
        """What came of the newest version, or what stopped it, and more of that in words."""
        stopped = self._does_not_apply(rule, values)
        if stopped is not None:
            return stopped, f"for {' and '.join(rule.companies)}" if rule.enabled else ""
        raised = [one for one in told if one.version == version.ordinal and one.kind == "alert"]
        if raised:
            return raised[-1].stage, raised[-1].said
        if version.final and self._is_deleted(version):
            return Stage.DELETED, "the tap has told that it is gone"
        if version.baseline and decision.outcome in {Outcome.ALERT, Outcome.ALREADY_TRUE}:
            return Stage.BASELINE, "it was there when the stream was first read"
        if decision.outcome is Outcome.ALERT:
            return self._true_without_alert(rule, version)
        earlier = [one.alert for one in told if one.kind == "alert"]
        said = ""
        if decision.outcome is Outcome.ALREADY_TRUE:
            said = f"alert {earlier[-1]} told of it" if earlier else "it held before"
        elif decision.outcome in {Outcome.UNDECIDED, Outcome.TOO_OLD}:
            said = decision.reason
        elif decision.answer is None:
            said = decision.reason  # a rule about a change, of a document that has not changed
        return _BY_OUTCOME[decision.outcome], said

    def _true_without_alert(self, rule: Rule, version: StoredVersion) -> tuple[Stage, str]:
        """Why a document that the rule holds for by now has raised no alert."""
        told_by = self._withheld(rule, version)
        if told_by is not None:
            return Stage.ALREADY_TOLD, f"alert {told_by} stands for it (once_per)"
        table = rule_epochs.c
        epoch = self._connection.execute(
            sa.select(rule_epochs).where(table.rule == rule.name).order_by(table.epoch.desc())
        ).first()
        if epoch is None or epoch.fingerprint != rule.fingerprint:
            return (
                Stage.NEXT_RUN,
                "no run has used the rule as it is now; what is true is true then",
            )
        if epoch.started_at > version.seen_at:
            began = iso_utc(epoch.started_at)
            return Stage.ALREADY_TRUE, f"it was true already when the rule began, {began}"
        if rule.condition.uses_clock and epoch.decided_on != self._today:
            return Stage.NEXT_RUN, "time has made it true since the last run"
        undecided = undecided_documents.c
        waits = self._connection.execute(
            sa.select(undecided.rule).where(
                undecided.rule == rule.name, undecided.document_id == version.id
            )
        ).first()
        if waits is not None:
            return Stage.NEXT_RUN, "what was missing is known now"
        return Stage.ALREADY_TRUE, "it holds by what is known now, and did not alert when it came"

    def _withheld(self, rule: Rule, version: StoredVersion) -> str | None:
        body = audit_events.c.body
        found: str | None = self._connection.execute(
            sa.select(audit_events.c.alert_id).where(
                audit_events.c.kind == "alert_withheld",
                body.contains(f'"document":"{version.id}"', autoescape=True),
                body.contains(f'"rule":{json.dumps(rule.name)}', autoescape=True),
            ),
        ).scalar()
        return found

    def _is_deleted(self, version: StoredVersion) -> bool:
        if version.id not in self._gone:
            told = self._connection.execute(
                sa.select(audit_events.c.seq).where(
                    audit_events.c.kind == "document_deleted",
                    audit_events.c.body.contains(f'"document":"{version.id}"', autoescape=True),
                )
            ).first()
            self._gone[version.id] = told is not None
        return self._gone[version.id]

    def _told(self, rule: Rule, document_id: str) -> list[Told]:
        table = alerts_table.c
        rows = self._connection.execute(
            sa.select(alerts_table)
            .where(table.rule == rule.name, table.document_id == document_id)
            .order_by(table.raised_at, table.id),
        ).all()
        return [self._one_told(row) for row in rows]

    def _one_told(self, row: Any) -> Told:
        sent = self._messages(row.id)
        stage, said = self._stage_of_alert(row.id, sent)
        is_undecided = row.version.startswith(f"{UNDECIDED}|")
        acknowledged = escalations.acknowledgement(self._connection, row.id)
        return Told(
            alert=row.id,
            kind=UNDECIDED if is_undecided else "alert",
            version=int(row.version.removeprefix(f"{UNDECIDED}|").partition("|")[0]),
            raised_at=iso_utc(row.raised_at),
            reason=row.reason,
            stage=stage,
            said=said,
            messages=sent,
            steps=self._steps(row.id),
            acknowledged=None if acknowledged is None else acknowledged.by,
        )

    def _messages(self, alert_id: str) -> list[dict[str, Any]]:
        """Its own messages, and the digests that told it."""
        table = messages.c
        in_digests = sa.select(digest_contents.c.message_id).where(
            digest_contents.c.alert_id == alert_id
        )
        rows = self._connection.execute(
            sa.select(table.id.label("message"), *(table[name] for name in _MESSAGE))
            .where(sa.or_(table.alert_id == alert_id, table.id.in_(in_digests)))
            .order_by(table.created_at, table.recipient, table.channel, table.id),
        ).all()
        return [
            {**row._mapping, "stage": stage_of(row.state, row.reason)}  # noqa: SLF001 - its public name
            for row in rows
        ]

    def _stage_of_alert(self, alert_id: str, sent: list[dict[str, Any]]) -> tuple[Stage, str]:
        """Where an alert is: at the stage of the message that has come furthest."""
        table = digest_items.c
        waiting = self._connection.execute(
            sa.select(table.due_at, table.told_at).where(table.alert_id == alert_id)
        ).first()
        if waiting is not None and waiting.told_at is None:
            return Stage.DIGEST, f"it waits for the digest of {iso_utc(waiting.due_at)}"
        if not sent:
            return Stage.SILENCE, "it was silenced when its digest was due"
        furthest = max(sent, key=lambda one: _FURTHER.index(one["stage"]))
        reasons = {one["reason"] for one in sent if one["stage"] is furthest["stage"]}
        said = furthest["reason"] if len(reasons) == 1 and furthest["reason"] else ""
        return furthest["stage"], said

    def _steps(self, alert_id: str) -> list[dict[str, Any]]:
        table = escalations_table.c
        rows = self._connection.execute(
            sa.select(table.step, table.due_at, table.state, table.reason)
            .where(table.alert_id == alert_id)
            .order_by(table.step)
        )
        return [
            {"step": step, "due_at": iso_utc(due_at), "state": state, "reason": reason}
            for step, due_at, state, reason in rows
        ]


_FURTHER = (
    Stage.DUPLICATE_ADDRESS,
    Stage.AWAY,
    Stage.SILENCE,
    Stage.OPTED_OUT,
    Stage.FLOOD_BRAKE,
    Stage.CANCELLED,
    Stage.EXPIRED,
    Stage.QUIET_HOURS,
    Stage.NOT_TAKEN,
    Stage.ON_ITS_WAY,
    Stage.TOLD,
)
"""Stages of messages, the later the nearer to a person."""

_BY_OUTCOME = {
    Outcome.NO_MATCH: Stage.NO_MATCH,
    Outcome.ALREADY_TRUE: Stage.ALREADY_TRUE,
    Outcome.UNDECIDED: Stage.UNDECIDED,
    Outcome.TOO_OLD: Stage.TOO_OLD,
}


def _terms(
    rule: Rule,
    values: Mapping[str, Value],
    previous: Mapping[str, Value] | None,
    around: Surroundings,
) -> list[dict[str, str]]:
    return [
        {"part": part, "answer": _ANSWERS[answer], "values": shown}
        for part, answer, shown in rule.condition.terms(values, previous, around)
    ]
