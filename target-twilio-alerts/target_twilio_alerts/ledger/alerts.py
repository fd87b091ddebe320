"""Alerts and the epochs of the rules that raise them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger.events import Event, salted_hash
from target_twilio_alerts.ledger.tables import alerts, iso_utc, rule_epochs
from target_twilio_alerts.ledger.upserts import insert_new

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy.engine import Connection


_EDGE = ("rule", "epoch", "document_id", "version")
"""What tells one alert from every other."""


@dataclass(frozen=True)
class Epoch:
    """A rule's time under one condition. ``decided_on`` is the last day the clock was looked at."""

    rule: str
    epoch: int
    decided_on: date | None
    is_new: bool


@dataclass(frozen=True)
class Alert:
    """A rule's condition became true for a document, at one of its versions.

    ``once_key`` is the same for alerts of which the rule raises only the first; ``salt`` is that of
    the hashes in the trail; what is erased has none.
    """

    id: str
    rule: str
    epoch: int
    document_id: str
    version: str
    entity: str
    title: str
    severity: str
    reason: str
    decision: str
    raised_at: datetime
    run_id: str
    once_key: str | None = None
    salt: str | None = None
    erased_at: datetime | None = None


def raised_event(
    alert: Alert,
    *,
    is_counted: bool,
    digest_due_at: datetime | None = None,
    steps_due_at: Sequence[datetime] = (),
) -> Event:
    """The event of an alert written to the ledger; what its document says is there as hashes only.

    Args:
        alert: The alert.
        is_counted: Whether it is the outcome of a record of its run, not of time that passed.
        digest_due_at: When the digest is due that it waits for, if it does.
        steps_due_at: When each step of its escalation comes, the first one first.
    """
    salt = alert.salt or ""
    body = {
        "rule": alert.rule,
        "epoch": alert.epoch,
        "document": alert.document_id,
        "version": alert.version,
        "entity": alert.entity,
        "title": alert.title,
        "severity": alert.severity,
        "once_key": alert.once_key,
        "by_record": is_counted,
        "reason_hash": salted_hash(salt, alert.reason),
        "decision_hash": salted_hash(salt, alert.decision),
        "digest_due_at": None if digest_due_at is None else iso_utc(digest_due_at),
        "steps_due_at": [iso_utc(due_at) for due_at in steps_due_at] or None,
    }
    kept = {name: value for name, value in body.items() if value is not None}
    return Event("alert_raised", kept, alert_id=alert.id)


def current_epoch(
    connection: Connection,
    *,
    rule: str,
    fingerprint: str,
    entity: str,
    condition: str,
    at: datetime,
    run_id: str,
) -> Epoch:
    """The epoch of a rule as it stands in the alerts file: a changed condition starts a new one."""
    table = rule_epochs.c
    last = connection.execute(
        sa.select(table.epoch, table.fingerprint, table.decided_on)
        .where(table.rule == rule)
        .order_by(table.epoch.desc())
        .limit(1),
    ).first()
    if last is not None and last.fingerprint == fingerprint:
        return Epoch(rule, last.epoch, last.decided_on, is_new=False)
    number = 1 if last is None else last.epoch + 1
    connection.execute(
        sa.insert(rule_epochs).values(
            rule=rule,
            epoch=number,
            fingerprint=fingerprint,
            entity=entity,
            condition=condition,
            started_at=at,
            decided_on=None,
            run_id=run_id,
        ),
    )
    return Epoch(rule, number, None, is_new=True)


def decided_on(connection: Connection, *, rule: str, epoch: int) -> date | None:
    """The last day that `mark_decided` noted."""
    table = rule_epochs.c
    query = sa.select(table.decided_on).where(table.rule == rule, table.epoch == epoch)
    day: date | None = connection.execute(query).scalar()
    return day


def mark_decided(connection: Connection, *, rule: str, epoch: int, day: date) -> Event:
    """Note the day up to which a rule that mentions the clock has been decided everywhere.

    Returns:
        The event that tells it.
    """
    table = rule_epochs.c
    connection.execute(
        sa.update(rule_epochs)
        .where(table.rule == rule, table.epoch == epoch)
        .values(decided_on=day),
    )
    body = {"rule": rule, "epoch": epoch, "day": day.isoformat()}
    return Event("rule_decided", body)


def told_before(connection: Connection, alert: Alert) -> str | None:
    """The id of the alert after which the rule raises no more like this one."""
    if alert.once_key is None:
        return None
    table = alerts.c
    found: str | None = connection.execute(
        sa.select(table.id).where(
            table.rule == alert.rule,
            table.epoch == alert.epoch,
            table.once_key == alert.once_key,
        ),
    ).scalar()
    return found


def add(connection: Connection, alert: Alert) -> bool:
    """Raise an alert once: False when the same edge has been raised before."""
    return insert_new(connection, alerts, vars(alert), key=_EDGE)
