"""Lets time pass in a ledger: what waits is due, as if it had been from the start."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.ledger import Ledger, events
from target_twilio_alerts.ledger.events import canonical_json
from target_twilio_alerts.ledger.tables import (
    audit_events,
    chain_head,
    digest_items,
    escalations,
    iso_utc,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection


LONG_AGO = datetime(2026, 1, 1, tzinfo=timezone.utc)


def make_due(workplace: Any, moment: datetime = LONG_AGO) -> None:
    """Let digests and steps have been due since a moment: in rows, events and anchors."""
    ledger = Ledger(workplace.config["ledger_url"])
    with ledger.write() as connection:
        for table in (digest_items, escalations):
            connection.execute(sa.update(table).values(due_at=moment))
        with _writable(connection):
            hashes = _seal_anew(connection, iso_utc(moment))
    ledger.close()
    anchors = workplace.root / "anchors.txt"
    if anchors.exists():
        lines = [line.split() for line in anchors.read_text("utf-8").splitlines()]
        told = [f"{run_id} {at} {seq} {hashes[int(seq)]}\n" for run_id, at, seq, _ in lines]
        anchors.write_text("".join(told), "utf-8")


@contextmanager
def _writable(connection: Connection) -> Iterator[None]:
    """Let events be changed, which the database refuses otherwise."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE audit_events DISABLE TRIGGER USER")
        yield
        connection.exec_driver_sql("ALTER TABLE audit_events ENABLE TRIGGER USER")
        return
    triggers = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'"
    ).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, definition in triggers:
        connection.exec_driver_sql(definition)


def _seal_anew(connection: Connection, moment: str) -> dict[int, str]:
    """Write the moment into the events that tell when something is due; gives all hashes."""
    hashes = {0: events.GENESIS}
    rows = connection.execute(sa.select(audit_events).order_by(audit_events.c.seq)).mappings()
    for row in map(dict, rows.all()):
        body = json.loads(row["body"])
        for name in {"digest_due_at", "due_at"} & body.keys():
            body[name] = moment
        steps = body.get("steps_due_at", {})
        if steps:
            is_list = isinstance(steps, list)
            body["steps_due_at"] = (
                [moment] * len(steps) if is_list else dict.fromkeys(steps, moment)
            )
        row |= {"body": canonical_json(body), "previous_hash": hashes[row["seq"] - 1]}
        hashes[row["seq"]] = row["hash"] = events.event_hash(row)
        connection.execute(
            sa.update(audit_events).where(audit_events.c.seq == row["seq"]).values(row)
        )
    connection.execute(sa.update(chain_head).values(hash=hashes[len(hashes) - 1]))
    return hashes
