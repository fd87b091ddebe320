"""Plays a test: each step is a run over a ledger of its own, decided by the code of every run."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.documents import Document, dump_values
from target_twilio_alerts.intake import Intake
from target_twilio_alerts.intake.arrivals import UNDECIDED, Arrival
from target_twilio_alerts.ledger import Ledger, escalations, opt_outs, silences, versions
from target_twilio_alerts.ledger.escalations import Acknowledgement
from target_twilio_alerts.ledger.events import canonical_json
from target_twilio_alerts.ledger.ids import long_id, short_id
from target_twilio_alerts.ledger.opt_outs import OPTED_OUT_CODES, OptOut, hash_of
from target_twilio_alerts.ledger.runs import Run
from target_twilio_alerts.ledger.silences import Silence
from target_twilio_alerts.ledger.tables import (
    MessageState,
    digest_contents,
    message_contents,
    messages,
)
from target_twilio_alerts.ledger.tables import alerts as alerts_table
from target_twilio_alerts.messages.kinds import BRAKE_SUMMARY
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rehearsal.expectations import Message, decisions, differences
from target_twilio_alerts.rehearsal.tally import ALERT, BRAKE, DIGEST, ESCALATION, micros_as_text
from target_twilio_alerts.rules import Rates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rehearsal.cases import Case, Given, Problem, Step
    from target_twilio_alerts.rules import Alerts

REFERENCE = "REF"
"""Stands for a message's reference in an expected text."""

WHO = "test"
"""Who acknowledges and silences."""

_IDENTITY = ("company", "type", "number", "line_number")
_BEFORE = timedelta(days=1)
_HEARD = ("sms", "whatsapp")
"""Channels whose provider tells that a message was delivered."""


class Player:
    """Plays tests.

    Args:
        alerts: The alerts file.
        messages: Writes the texts.
        folder: Takes the ledgers; they are of no use afterwards.
    """

    def __init__(self, alerts: Alerts, messages: Messages, folder: Path) -> None:
        self._alerts = alerts
        self._messages = messages
        self._folder = folder
        self._empty: Path | None = None

    def play(self, case: Case) -> list[Problem]:
        """Play one test; gives what was not as expected."""
        every = {rule.name: rule for rule in (*self._alerts.rules, *self._alerts.disabled)}
        rules = [every[name] for name in case.rules] or list(self._alerts.rules)
        alerts = replace(self._alerts, rules=tuple(rules), rates=self._rates(case))
        ledger = Ledger(self._new_ledger(), is_scratch=True)
        try:
            self._read_whole(ledger, alerts, case)
            return list(self._play(ledger, alerts, case))
        finally:
            ledger.close()

    def _rates(self, case: Case) -> Rates:
        """The rates of this test alone: a step may add to them."""
        rates = Rates(max_age=self._alerts.rates.max_age)
        rates.add(self._alerts.rates.every() if case.rates is None else case.rates)
        return rates

    def _new_ledger(self) -> str:
        """A ledger's URL; only the first one is made step by step."""
        if self._empty is None:
            made = self._folder / "first.db"
            Ledger(f"sqlite:///{made}", is_scratch=True).close()
            self._empty = self._folder / "empty.db"
            shutil.copy(made, self._empty)
        return f"sqlite:///{shutil.copy(self._empty, self._folder / f'{long_id()}.db')}"

    @staticmethod
    def _read_whole(ledger: Ledger, alerts: Alerts, case: Case) -> None:
        """Note that the baseline of every stream is over."""
        with ledger.write() as connection:
            for stream in alerts.entities:
                versions.add_complete_read(
                    connection,
                    stream=stream,
                    context={},
                    at=case.steps[0].at.astimezone(timezone.utc),
                    run_id=WHO,
                    reason=WHO,
                )

    def _play(self, ledger: Ledger, alerts: Alerts, case: Case) -> Iterator[Problem]:
        if case.given:
            self._run(ledger, alerts, case.steps[0].at - _BEFORE, case.given, baseline=True)
        only = case.rules[0] if len(case.rules) == 1 else None
        for step in case.steps:
            with ledger.write() as connection:
                _prepare(connection, alerts, step)
            alerts.rates.add(step.rates)
            run_id, outcomes = self._run(ledger, alerts, step.at, step.documents, baseline=False)
            if step.told is not None:
                with ledger.read() as connection:
                    told = list(_told(connection, run_id))
                yield from differences(step, told, outcomes, rule=only)
            yield from decisions(step, outcomes)

    def _run(
        self,
        ledger: Ledger,
        alerts: Alerts,
        at: datetime,
        documents: Iterable[Given],
        *,
        baseline: bool,
    ) -> tuple[str, dict[str, list[str]]]:
        moment = at.astimezone(timezone.utc)
        run = Run(id=long_id(), command=WHO, started_at=moment)
        intake = Intake(
            ledger,
            alerts,
            self._messages,
            run=run,
            on_messages=lambda: None,
            clock=lambda: moment,
        )
        try:
            for one in documents:
                intake.take(_arrival(one, moment, baseline=baseline))
                intake.commit()
            intake.finish()
        finally:
            intake.close()
        FollowUp(ledger, alerts, self._messages, run=run, clock=lambda: moment).take()
        outcomes: dict[str, list[str]] = {}
        for (rule, outcome), number in intake.outcomes.items():
            outcomes.setdefault(rule, []).extend([outcome] * number)
        return run.id, outcomes


def _prepare(connection: Connection, alerts: Alerts, step: Step) -> None:
    """Let happen what people and providers do just before a step."""
    at = step.at.astimezone(timezone.utc)
    if step.acknowledged:
        for alert_id in connection.execute(sa.select(alerts_table.c.id)).scalars().all():
            made = Acknowledgement(alert_id, at, WHO, WHO, None)
            escalations.acknowledge(connection, made)
    for recipient, channel in step.opted_out:
        for address in alerts.recipients[recipient].addresses(channel):
            opt_out = OptOut(channel, hash_of(channel, address), at, WHO, WHO)
            opt_outs.add(connection, opt_out)
        refused = {"state": MessageState.REJECTED.value, "error_code": min(OPTED_OUT_CODES)}
        table = messages.c
        _settle(connection, at, refused, table.recipient == recipient, table.channel == channel)
    if step.delivered:
        delivered = {"state": MessageState.DELIVERED.value}
        _settle(connection, at, delivered, messages.c.channel.in_(_HEARD))
    for one in step.silenced:
        silence = Silence(
            id=short_id(),
            author=WHO,
            reason=one.reason,
            starts_at=at,
            ends_at=at + one.span,
            **one.matchers,
        )
        silences.add(connection, silence)


def _settle(
    connection: Connection,
    at: datetime,
    values: dict[str, Any],
    *conditions: sa.ColumnElement[bool],
) -> None:
    """Let messages that may be sent by now come to their end."""
    table = messages.c
    connection.execute(
        sa.update(messages)
        .where(
            table.state == MessageState.PENDING.value,
            sa.or_(table.not_before.is_(None), table.not_before <= at),
            *conditions,
        )
        .values(**values, updated_at=at)
    )


def _told(connection: Connection, run_id: str) -> Iterator[Message]:
    """The messages of a run, each with the rules that it tells of."""
    query = (
        sa.select(
            messages,
            message_contents.c.text,
            message_contents.c.subject,
            alerts_table.c.rule,
            alerts_table.c.version,
        )
        .join(message_contents, message_contents.c.message_id == messages.c.id)
        .join(alerts_table, alerts_table.c.id == messages.c.alert_id, isouter=True)
        .where(messages.c.run_id == run_id)
        .order_by(alerts_table.c.rule, messages.c.recipient, messages.c.channel, messages.c.place)
    )
    in_digests: dict[str, dict[str, None]] = {}
    for message_id, rule in connection.execute(
        sa.select(digest_contents.c.message_id, alerts_table.c.rule)
        .join(alerts_table, alerts_table.c.id == digest_contents.c.alert_id)
        .order_by(alerts_table.c.rule)
    ):
        in_digests.setdefault(message_id, {})[rule] = None
    for row in connection.execute(query).all():
        rules = (row.rule,) if row.rule else tuple(in_digests.get(row.id, ()))
        yield Message(rules, _values(row))


def _values(row: Any) -> dict[str, str | None]:
    if row.alert_id is None:
        kind = BRAKE if row.template == BRAKE_SUMMARY else DIGEST
    else:
        first = UNDECIDED if row.version.startswith(f"{UNDECIDED}|") else ALERT
        kind = ESCALATION if row.step else first
    return {
        "kind": kind,
        "step": str(row.step),
        "recipient": row.recipient,
        "via": row.channel,
        "text": _without_reference(row.text, row.id),
        "subject": None if row.subject is None else _without_reference(row.subject, row.id),
        "locale": row.locale,
        "segments": None if row.segments is None else str(row.segments),
        "encoding": row.encoding,
        "cost": micros_as_text(row.cost_micros),
        "state": row.state,
        "reason": row.reason,
        "not_before": None if row.not_before is None else row.not_before.isoformat(),
        "because": row.because,
    }


def _without_reference(text: str, reference: str) -> str:
    return " ".join(text.replace(reference, REFERENCE).split())


def _arrival(given: Given, at: datetime, *, baseline: bool) -> Arrival:
    """A document of a test, as if its record had come."""
    entity, values = given.entity, given.values
    named: dict[str, Any] = {
        name: values[name] for name in _IDENTITY if values.get(name) is not None
    }
    if given.key is not None:
        named["key"] = given.key
    identity = canonical_json({name: str(value) for name, value in named.items()})
    key = json.dumps(list(json.loads(identity).values()))
    content = dump_values(values)
    document = Document(
        entity=entity.name,
        stream=entity.stream,
        key=key,
        id=hashlib.sha256(f"{entity.stream}\n{key}".encode()).hexdigest()[:32],
        values=values,
        stamp=(given.stamp or at).astimezone(timezone.utc).isoformat(),
        row_version=None,
        content=hashlib.sha256(content.encode()).hexdigest()[:32],
        problems=(),
        final=entity.final_statuses is None or values.get("status") in entity.final_statuses,
    )
    return Arrival(entity, document, identity, baseline, given.deleted)
