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
from target_twilio_alerts.intake.arrivals import Arrival
from target_twilio_alerts.ledger import Ledger, escalations, versions
from target_twilio_alerts.ledger.escalations import Acknowledgement
from target_twilio_alerts.ledger.events import canonical_json
from target_twilio_alerts.ledger.ids import long_id
from target_twilio_alerts.ledger.runs import Run
from target_twilio_alerts.ledger.tables import alerts as alerts_table
from target_twilio_alerts.ledger.tables import digest_contents, message_contents, messages
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules import Rates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from target_twilio_alerts.messages import Messages
    from target_twilio_alerts.rehearsal.cases import Case, Expected, Given, Step
    from target_twilio_alerts.rules import Alerts

REFERENCE = "REF"
"""Stands for a message's reference in an expected text."""

_IDENTITY = ("company", "type", "number", "line_number")
_BEFORE = timedelta(days=1)


class Stage:
    """Where tests are played.

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

    def play(self, case: Case) -> list[str]:
        """Play one test; gives what was not as expected, each in one line with its place."""
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
        if case.rates is None:
            return self._alerts.rates
        rates = Rates(max_age=self._alerts.rates.max_age)
        rates.add(case.rates)
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
                    run_id="test",
                    reason="test",
                )

    def _play(self, ledger: Ledger, alerts: Alerts, case: Case) -> Iterator[str]:
        if case.given:
            self._run(ledger, alerts, case.steps[0].at - _BEFORE, case.given, baseline=True)
        for number, step in enumerate(case.steps, 1):
            if step.acknowledged:
                self._acknowledge(ledger, step)
            run_id, outcomes = self._run(ledger, alerts, step.at, step.documents, baseline=False)
            place = f"{case.file}:{step.line}: step {number}"
            if step.told is not None:
                told = self._told(ledger, run_id)
                only = case.rules[0] if len(case.rules) == 1 else None
                yield from (f"{case.file}:{one}" for one in differences(step, told, only))
            for rule, wanted in step.outcomes.items():
                found = tuple(sorted(outcomes.get(rule, [])))
                if found != wanted:
                    yield (
                        f"{place}: rule {rule} should decide {', '.join(wanted)}, "
                        f"but decided {', '.join(found) or 'nothing'}"
                    )

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
        run = Run(id=long_id(), command="test", started_at=moment)
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

    @staticmethod
    def _acknowledge(ledger: Ledger, step: Step) -> None:
        at = step.at.astimezone(timezone.utc)
        with ledger.write() as connection:
            for alert_id in connection.execute(sa.select(alerts_table.c.id)).scalars().all():
                made = Acknowledgement(alert_id, at, "test", "test", None)
                escalations.acknowledge(connection, made)

    @staticmethod
    def _told(ledger: Ledger, run_id: str) -> list[dict[str, Any]]:
        query = (
            sa.select(messages, alerts_table.c.rule, message_contents.c.text)
            .join(digest_contents, digest_contents.c.message_id == messages.c.id, isouter=True)
            .join(
                alerts_table,
                alerts_table.c.id.in_([messages.c.alert_id, digest_contents.c.alert_id]),
            )
            .join(message_contents, message_contents.c.message_id == messages.c.id)
            .where(messages.c.run_id == run_id)
            .order_by(alerts_table.c.rule, messages.c.recipient, messages.c.channel)
            .distinct()
        )
        with ledger.read() as connection:
            rows = connection.execute(query).all()
        return [
            {
                "rule": row.rule,
                "recipient": row.recipient,
                "via": row.channel,
                "text": " ".join(row.text.replace(row.id, REFERENCE).split()),
                "segments": None if row.segments is None else str(row.segments),
                "state": row.state,
                "reason": row.reason,
                "not_before": row.not_before,
                "because": row.because,
            }
            for row in rows
        ]


def differences(step: Step, told: list[dict[str, Any]], rule: str | None) -> Iterator[str]:
    """What a step was to tell and did not, and what it told though it was not to."""
    left = list(told)
    for expected in step.told or ():
        wanted = dict(expected.wanted)
        if rule is not None:
            wanted.setdefault("rule", rule)
        found = next((one for one in left if not _misses(one, wanted, expected)), None)
        if found is not None:
            left.remove(found)
            continue
        nearest = min(left, key=lambda one: len(_misses(one, wanted, expected)), default=None)
        if nearest is None:
            yield f"{expected.line}: expected {_shown(wanted)}, but nobody else was told"
        else:
            left.remove(nearest)
            yield f"{expected.line}: {'; '.join(_misses(nearest, wanted, expected))}"
    for one in left:
        yield (
            f"{step.line}: not expected: rule {one['rule']} told {one['recipient']} by "
            f"{one['via']} ({one['state']}): {one['text']}"
        )


def _misses(one: Mapping[str, Any], wanted: Mapping[str, str], expected: Expected) -> list[str]:
    """How a message is not as expected."""
    misses = []
    for name, value in wanted.items():
        found, same = one[name], False
        if name == "not_before":
            found = None if found is None else found.isoformat()
            same = found is not None and _moment(found) == _moment(value)
        elif name in {"reason", "because"}:
            same = found is not None and found.startswith(value)
        else:
            same = found == (" ".join(value.split()) if name == "text" else value)
        if not same:
            misses.append(f"expected {name} {value!r}, but it was {found!r}")
    absent = [part for part in expected.contains if part not in one["text"]]
    return misses + [
        f"expected {part!r} in the text, but it was {one['text']!r}" for part in absent
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _shown(wanted: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in wanted.items())


def _arrival(given: Given, at: datetime, *, baseline: bool) -> Arrival:
    """A document of a test, as if its record had come."""
    entity, values = given.entity, given.values
    named = {name: values[name] for name in _IDENTITY if values.get(name) is not None}
    identity = canonical_json({name: str(value) for name, value in named.items()})
    key = json.dumps(list(json.loads(identity).values()))
    content = dump_values(values)
    document = Document(
        entity=entity.name,
        stream=entity.stream,
        key=key,
        id=hashlib.sha256(f"{entity.stream}\n{key}".encode()).hexdigest()[:32],
        values=values,
        stamp=at.isoformat(),
        row_version=None,
        content=hashlib.sha256(content.encode()).hexdigest()[:32],
        problems=(),
        final=entity.final_statuses is None or values.get("status") in entity.final_statuses,
    )
    return Arrival(entity, document, identity, baseline)
