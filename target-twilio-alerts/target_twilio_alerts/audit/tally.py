"""A run's counts held against each other: records, outcomes, alerts, messages, the provider's list.

What a run counted while it worked is in its last event; what it did is in its other events and in
the rows that it wrote. They are counted apart, so they must agree.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.audit.reading import SealedRow, events_of
from target_twilio_alerts.ledger.tables import (
    alerts,
    audit_events,
    digest_contents,
    digest_items,
    iso_utc,
    messages,
    rule_epochs,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

Body = dict[str, Any]

_HANDED_OVER = {
    "accepted": "message_accepted",
    "rejected": "message_rejected",
    "unknown": "message_unknown",
    "postponed": "message_postponed",
}
"""What a run counts of its hand-overs, and the events of them."""


@dataclass(frozen=True)
class Agreement:
    """Numbers that must be the same, by where they are from.

    Attributes:
        what: What was counted.
        numbers: How many, by who counted.
        listed: What differs, a line each.
    """

    what: str
    numbers: Mapping[str, int]
    listed: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether they agree."""
        return not self.listed and len(set(self.numbers.values())) <= 1


@dataclass
class _Seen:
    """What the events of a run are, counted."""

    kinds: Counter[str] = field(default_factory=Counter)
    by_record: Counter[str] = field(default_factory=Counter)
    raised_at: dict[str, str] = field(default_factory=dict)
    told_at_once: int = 0
    interrupted: int = 0
    started: Body = field(default_factory=dict)
    last_at: str = ""
    summary: Body | None = None


def agreements(connection: Connection, run_id: str) -> Iterator[Agreement]:
    """Everything that must agree in a run; of one that has not ended, its events and rows only."""
    seen = _look(connection, run_id)
    summary = seen.summary
    if summary is not None:
        yield from _records(connection, seen, summary)
    counts = None if summary is None else summary.get("counts")
    yield _with_count(
        Agreement(
            "alerts",
            {
                "in the trail": seen.kinds["alert_raised"],
                "in the ledger": _count(connection, alerts.c.run_id == run_id),
            },
        ),
        counts,
        "alerts",
    )
    if counts is not None:
        yield Agreement(
            "alerts told already (once_per)",
            {
                "counted": counts.get("alerts told already", 0),
                "in the trail": seen.kinds["alert_withheld"],
            },
        )
        yield Agreement(
            "messages of these alerts",
            {"counted": counts.get("messages", 0), "in the trail": seen.told_at_once},
        )
    yield Agreement(
        "messages, with escalations, digests and the like",
        {
            "in the trail": seen.kinds["message_created"],
            "in the ledger": _count(connection, messages.c.run_id == run_id),
        },
    )
    untold = _untold(connection, run_id, is_told="host" in seen.started)
    yield Agreement("alerts that tell nobody", {}, tuple(untold))
    if summary is not None and "delivery" in summary:
        yield from _handed_over(seen, summary["delivery"])


def _look(connection: Connection, run_id: str) -> _Seen:
    seen = _Seen()
    for part in events_of(connection, audit_events.c.run_id == run_id):
        for row in map(SealedRow._make, part):
            seen.kinds[row.kind] += 1
            seen.last_at = row.at
            if row.kind == "alert_raised":
                body = json.loads(row.body)
                seen.raised_at[row.alert_id] = row.at
                seen.by_record[body["rule"]] += bool(body.get("by_record"))
            elif row.kind == "message_created":
                # What follows later in the run is not of the moment at which the alert was raised.
                seen.told_at_once += seen.raised_at.get(row.alert_id) == row.at
            elif row.kind == "message_unknown":
                seen.interrupted += "late" not in json.loads(row.body)
            elif row.kind == "run_started":
                seen.started = json.loads(row.body)
            elif row.kind == "run_ended":
                seen.summary = json.loads(row.body)["summary"]
    return seen


def _records(connection: Connection, seen: _Seen, summary: Body) -> Iterator[Agreement]:
    """Each record is of one entity, and meets each rule of it in one outcome."""
    taken, rules = summary.get("taken"), summary.get("rules", {})
    if taken is None:
        return
    counts = summary["counts"]
    yield Agreement(
        "records",
        {"counted": counts.get("records", 0), "by entity": sum(taken.values())},
    )
    entities = _entities(connection, seen)
    for name in sorted(seen.started.get("rules") or rules):
        outcomes = rules.get(name, {})
        told = ", ".join(f"{number} {one.replace('_', ' ')}" for one, number in outcomes.items())
        yield Agreement(
            f"rule {name}: outcomes" + (f" ({told})" if told else ""),
            {"records": taken.get(entities.get(name, ""), 0), "outcomes": sum(outcomes.values())},
        )
    known = counts.get("alerts known already", 0)
    yield Agreement(
        "alerts that records raised",
        {
            "outcomes": sum(one.get("alert", 0) for one in rules.values()),
            "in the trail": sum(seen.by_record.values()) + known,
        },
    )


def _entities(connection: Connection, seen: _Seen) -> dict[str, str]:
    """The entity of each rule as the run knew it: its start tells the rules' fingerprints."""
    table = rule_epochs.c
    fingerprints = seen.started.get("rules", {})
    query = sa.select(table.rule, table.entity, table.fingerprint, table.started_at)
    entities = {}
    for row in connection.execute(query.order_by(table.epoch)):
        known = fingerprints.get(row.rule)
        if row.fingerprint == known or (known is None and iso_utc(row.started_at) <= seen.last_at):
            entities[row.rule] = row.entity
    return entities


def _with_count(one: Agreement, counts: Body | None, name: str) -> Agreement:
    if counts is None:
        return one
    return Agreement(one.what, {"counted": counts.get(name, 0), **one.numbers})


def _handed_over(seen: _Seen, counted: Body) -> Iterator[Agreement]:
    for name, kind in _HANDED_OVER.items():
        # What an earlier run left half done is told by this one, and was not counted by it.
        number = seen.kinds[kind] - (seen.interrupted if name == "unknown" else 0)
        yield Agreement(
            f"hand-overs: {name}",
            {"counted": counted.get(name, 0), "in the trail": number},
        )


def _untold(connection: Connection, run_id: str, *, is_told: bool) -> Iterator[str]:
    """Alerts of the run without a message, that wait for no digest, and that none has dropped.

    Args:
        connection: To the ledger.
        run_id: The run.
        is_told: Whether an event tells of each alert that a digest drops; first versions said
            nothing of those that were silenced.
    """
    table, item, event = alerts.c, digest_items.c, audit_events.c
    has_message = sa.exists().where(messages.c.alert_id == table.id)
    waits = sa.exists().where(
        item.alert_id == table.id, item.told_at.is_(None) if is_told else sa.true()
    )
    in_digest = sa.exists().where(digest_contents.c.alert_id == table.id)
    dropped = sa.exists().where(event.alert_id == table.id, event.kind == "digest_dropped")
    query = (
        sa.select(table.id, table.rule)
        .where(table.run_id == run_id, ~has_message, ~waits, ~in_digest, ~dropped)
        .order_by(table.raised_at, table.id)
    )
    for row in connection.execute(query):
        yield f"alert {row.id} of {row.rule} has no message"


def _count(connection: Connection, condition: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).where(condition)).scalar_one())
