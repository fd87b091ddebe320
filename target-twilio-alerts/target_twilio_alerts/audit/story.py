"""One alert's whole story, with what anybody needs to check it by hand, offline."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import permutations
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.audit.chain import Faults
from target_twilio_alerts.audit.messages import Messages
from target_twilio_alerts.audit.reading import SealedRow, events_of, rows_of
from target_twilio_alerts.audit.rows import Rows
from target_twilio_alerts.documents import UnusableRecord
from target_twilio_alerts.documents.entity import document_id, key_of
from target_twilio_alerts.ledger import events
from target_twilio_alerts.ledger.events import Sealed, canonical_form
from target_twilio_alerts.ledger.outbox import HASHED
from target_twilio_alerts.ledger.tables import (
    alerts,
    audit_events,
    digest_contents,
    document_versions,
    documents,
    message_contents,
    messages,
    runs,
)
from target_twilio_alerts.messages.masking import mask_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

Story = dict[str, Any]

_OF_ITS_ROWS = ("alert_", "digest_", "escalation_", "message_released", "run_")
"""How events are called that tell of an alert's rows, of what waits with it, or of its runs."""

_MOST_PARTS = 5
"""Of a key, whose order is looked for."""

_CONTENT = re.compile(r"[0-9a-f]{32}")
_OF_A_MESSAGE = (
    *("id", "recipient", "because", "channel", "step", "attempt", "state", "reason"),
    *("created_at", "not_before", "tries", "sending_at", "accepted_at", "sid", "request_id"),
    *("status", "status_at", "error_code", "error_message", "template", "locale", "resend_of"),
    *("resend_reason", "operator"),
)


def tell(connection: Connection, alert_id: str) -> Story | None:
    """All that the ledger has of an alert; None if there is no such alert."""
    alert = next(_rows(connection, alerts, alerts.c.id == alert_id), None)
    if alert is None:
        return None
    ids = _messages_of(connection, alert_id)
    event = audit_events.c
    of_alert = sa.or_(event.alert_id == alert_id, event.message_id.in_(ids))
    rows = [SealedRow._make(row) for part in events_of(connection, of_alert) for row in part]
    told = [_event(row) for row in rows]
    number, head = events.head(connection)
    rule, decision = _rule(connection, alert), _decision(alert)
    of_runs = _events_of_runs(connection, {row.run_id for row in rows})
    runs_told = _runs(connection, of_runs)
    record = _record(connection, alert, decision)
    return {
        "alert": alert_id,
        "title": alert["title"],
        "severity": alert["severity"],
        "raised_at": alert["raised_at"],
        "run": alert["run_id"],
        "record": record,
        "rule": rule,
        "decision": decision,
        "messages": _messages(connection, ids, told, runs_told),
        "events": told,
        "runs": runs_told,
        "head": {"event": number, "hash": head},
        "faults": [
            *_faults(connection, [*of_runs, *rows], ids, told),
            *_rule_faults(rule, decision),
            *_record_faults(record),
        ],
    }


def _rows(
    connection: Connection, table: sa.Table, *conditions: sa.ColumnElement[bool]
) -> Iterator[Story]:
    return (row for part in rows_of(connection, table, *conditions) for row in part)


def _messages_of(connection: Connection, alert_id: str) -> list[str]:
    """Its messages, and the digests that tell it, in the order in which they were written."""
    in_digests = sa.select(digest_contents.c.message_id).where(
        digest_contents.c.alert_id == alert_id
    )
    query = (
        sa.select(messages.c.id)
        .where(sa.or_(messages.c.alert_id == alert_id, messages.c.id.in_(in_digests)))
        .order_by(messages.c.created_at, messages.c.id)
    )
    return list(connection.execute(query).scalars())


def _record(connection: Connection, alert: Story, decision: Story) -> Story:
    """The version of the document that the alert is about, and what the ledger has of it.

    No event tells what is named in `not_sealed`; all else is what the alert's event tells, or has
    a hash of.
    """
    parts = alert["version"].removeprefix("undecided|").split("|")
    document = next(_rows(connection, documents, documents.c.id == alert["document_id"]), None)
    told: Story = {"document": alert["document_id"], "entity": alert["entity"], "not_sealed": []}
    content = next((part for part in parts[1:] if _CONTENT.fullmatch(part)), None)
    if content is not None:
        told |= {"version": int(parts[0]), "content": content}
    if "text" in decision:
        told["stamp"] = json.loads(decision["text"]).get("stamp")
    if document is None:
        return told
    told |= {"stream": document["stream"], "key": _parsed(document["key"])}
    if _is_its_key(told) is None:
        told["not_sealed"] += ["stream", "key"]
    ordinal = told.get("version")
    table = document_versions.c
    of_it = sa.and_(table.document_id == alert["document_id"], table.ordinal == ordinal)
    if document["ordinal"] == ordinal:
        kept: Story | None = document
    else:
        kept = next(_rows(connection, document_versions, of_it), None)
    if kept is not None:
        told |= {"seen_at": kept["seen_at"], "seen_in_run": kept["run_id"]}
        told["not_sealed"] += ["seen_at", "seen_in_run"]
    return told


def _is_its_key(record: Story) -> bool | None:
    """Whether a document's id, which is a hash of its stream and key, is that of these.

    The ledger has the parts of a key by their names, the hash has them in the tap's order. None:
    there are too many orders.
    """
    key = record["key"]
    if isinstance(key, dict) and len(key) > _MOST_PARTS:
        return None
    try:
        return isinstance(key, dict) and any(
            document_id(record["stream"], key_of(list(key), order)) == record["document"]
            for order in permutations(key.values())
        )
    except UnusableRecord:
        return False


def _parsed(text: str) -> Any:
    """What JSON says; a text that is none, as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _record_faults(record: Story) -> list[str]:
    if "key" in record and _is_its_key(record) is False:
        return [f"document {record['document']}: its stream or its key was changed"]
    return []


def _rule(connection: Connection, alert: Story) -> Story:
    """The rule as it was decided by, from the event that began its epoch."""
    told: Story = {"name": alert["rule"], "epoch": alert["epoch"]}
    of_epochs = audit_events.c.kind == "rule_epoch_started"
    for part in events_of(connection, of_epochs):
        for row in map(SealedRow._make, part):
            body = json.loads(row.body)
            if (body["rule"], body["epoch"]) == (alert["rule"], alert["epoch"]):
                told |= {
                    "event": row.seq,
                    "when": body["when"],
                    "fingerprint": body["fingerprint"],
                    "decided_by": body.get("decided_by"),
                }
    return told


def _decision(alert: Story) -> Story:
    if alert["erased_at"] is not None:
        return {"erased_at": alert["erased_at"]}
    decision = json.loads(alert["decision"])
    previous = decision["previous"]
    return {
        "reason": alert["reason"],
        "when": decision["when"],
        "fingerprint": decision["fingerprint"],
        "values": json.loads(decision["current"]),
        "previous": None if previous is None else json.loads(previous),
        "today": decision["today"],
        "rates": decision.get("rates", []),
        "others": decision.get("others", {}),
        "salt": alert["salt"],
        "text": alert["decision"],
    }


def _messages(
    connection: Connection, ids: list[str], events: list[Story], runs: list[Story]
) -> list[Story]:
    """Messages, each with the runs that claimed it and handed it over; see `_record`."""
    rows = {row["id"]: row for row in _rows(connection, messages, messages.c.id.in_(ids))}
    of_these = message_contents.c.message_id.in_(ids)
    contents = {row["message_id"]: row for row in _rows(connection, message_contents, of_these)}
    told = []
    for name in ids:
        one = {column: rows[name][column] for column in _OF_A_MESSAGE}
        one["not_sealed"] = ["status_at"]
        one["claims"] = [
            _claim(event, runs)
            for event in events
            if event["message"] == name and event["kind"] == "message_sending"
        ]
        kept = contents.get(name, {"erased_at": None, "salt": None})
        if kept["erased_at"] is not None:
            one["erased_at"] = kept["erased_at"]
        else:
            one |= {column: kept.get(column) for column in (*HASHED, "salt")}
            one["address"] = mask_address(str(one["address"]))
        told.append(one)
    return told


def _claim(event: Story, runs: list[Story]) -> Story:
    """Who had claimed a message when it was handed over, and the number of the attempt."""
    told = {"run": event["run"], "try": event["body"]["try"], "event": event["event"]}
    worker: Story = next((run for run in runs if run["run"] == event["run"]), {})
    return told | {name: worker.get(name) for name in ("command", "host", "pid")}


def _event(row: SealedRow) -> Story:
    sealed = Sealed(
        row.alert_id,
        row.at,
        row.body,
        row.kind,
        row.message_id,
        row.previous_hash,
        row.run_id,
        row.seq,
    )
    form = canonical_form(sealed)
    return {
        "event": row.seq,
        "at": row.at,
        "kind": row.kind,
        "run": row.run_id,
        "message": row.message_id,
        "body": json.loads(row.body),
        "previous_hash": row.previous_hash,
        "hash": row.hash,
        "sealed": form.decode(),
        "agrees": hashlib.sha256(form).hexdigest() == row.hash,
    }


def _events_of_runs(connection: Connection, ids: set[str | None]) -> list[SealedRow]:
    """The events that begin and end runs."""
    event, known = audit_events.c, [one for one in ids if one is not None]
    of_runs = sa.and_(event.kind.in_(("run_started", "run_ended")), event.run_id.in_(known))
    return [SealedRow._make(row) for part in events_of(connection, of_runs) for row in part]


def _runs(connection: Connection, events: list[SealedRow]) -> list[Story]:
    """The runs that worked on it, each with its anchor: a log or file of anchors has it too."""
    rows = _rows(connection, runs, runs.c.id.in_({row.run_id for row in events}))
    anchors = {
        row.run_id: {"event": row.seq, "hash": row.hash}
        for row in events
        if row.kind == "run_ended"
    }
    told = [
        {
            "run": row["id"],
            "command": row["command"],
            "version": row["version"],
            "host": row["host"],
            "pid": row["pid"],
            "started_at": row["started_at"],
            "ended_at": row["ended_at"],
            "outcome": row["outcome"],
            "anchor": anchors.get(row["id"]),
        }
        for row in rows
    ]
    return sorted(told, key=lambda one: str(one["started_at"]))


def _faults(
    connection: Connection, rows: list[SealedRow], ids: list[str], told: list[Story]
) -> list[str]:
    """What does not agree, a line each; of the rows, the first thing."""
    faults = Faults()
    of_rows = Rows(connection, faults)
    of_rows.take([row for row in rows if str(row.kind).startswith(_OF_ITS_ROWS)])
    of_rows.settle()
    Messages(connection, faults).look_at(ids)
    lines = [
        f"event {one['event']} ({one['kind']}): edited: its hash seals something else"
        for one in told
        if not one["agrees"]
    ]
    return lines if faults.first is None else [*lines, faults.first.what]


def _rule_faults(rule: Story, decision: Story) -> list[str]:
    """Whether the rule that decided is the one that the trail knows."""
    faults = []
    fingerprint, decided_by = rule.get("fingerprint"), rule.get("decided_by")
    if decided_by is not None and hashlib.sha256(decided_by.encode()).hexdigest() != fingerprint:
        faults.append(f"event {rule['event']}: the rule has not the fingerprint that it tells")
    if "fingerprint" in decision and decision["fingerprint"] != fingerprint:
        faults.append(f"rule {rule['name']}: epoch {rule['epoch']} has another fingerprint")
    return faults
