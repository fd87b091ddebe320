"""What the records of each stream are."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

_TEXT, _WHOLE, _NUMBER = th.StringType, th.IntegerType, th.NumberType
_TIME, _ANY = th.DateTimeType, th.ObjectType(additional_properties=True)

_EVENT = {"event": (_WHOLE, "Number of the newest audit event about it; what is read anew by.")}


def _schema(fields: dict[str, Any], *, key: str) -> dict[str, Any]:
    properties = []
    for name, kind in fields.items():
        told, description = kind if isinstance(kind, tuple) else (kind, None)
        properties.append(th.Property(name, told, required=name == key, description=description))
    schema: dict[str, Any] = th.PropertiesList(*properties).to_dict()
    return schema


AUDIT_EVENTS = _schema(
    {
        "seq": (_WHOLE, "Number of the event, from 1, without gaps."),
        "at": _TIME,
        "kind": (_TEXT, "What happened, such as message_accepted."),
        "run_id": _TEXT,
        "alert_id": _TEXT,
        "message_id": _TEXT,
        "body": (_TEXT, "What the event tells, as JSON: the exact text that its hash seals."),
        "previous_hash": (_TEXT, "Hash of the event before."),
        "hash": (_TEXT, "Seals this event and, by the one before, all earlier ones."),
    },
    key="seq",
)

ALERTS = _schema(
    {
        "id": _TEXT,
        "rule": _TEXT,
        "epoch": (_WHOLE, "Which condition of the rule, counted from 1."),
        "condition": (_TEXT, "The rule's text."),
        "fingerprint": (_TEXT, "SHA-256 of what the rule decides by."),
        "severity": _TEXT,
        "reason": (_TEXT, "Why the condition became true; null if it was erased."),
        "raised_at": _TIME,
        "run_id": _TEXT,
        "stream": (_TEXT, "Stream of the document, such as supplier_invoices."),
        "entity": _TEXT,
        "document_id": _TEXT,
        "key": (_ANY, "The document's key, by the names of its fields in the stream."),
        "version": (_TEXT, "Number, stamp and content hash of the version that alerted."),
        "title": _TEXT,
        "company": _TEXT,
        "type": _TEXT,
        "number": _TEXT,
        "status": _TEXT,
        "counterparty": _TEXT,
        "amount": _NUMBER,
        "currency": _TEXT,
        "document_values": (_ANY, "All that the document said; null if it was erased."),
        "previous_values": (_ANY, "What its version before said; null if there was none."),
        "acknowledged_at": _TIME,
        "acknowledged_by": _TEXT,
        "erased_at": _TIME,
        **_EVENT,
    },
    key="id",
)

MESSAGES = _schema(
    {
        "id": _TEXT,
        "alert_id": (_TEXT, "The alert that it tells; null for digests, tests and anchors."),
        "recipient": _TEXT,
        "because": (_TEXT, "Why it is this recipient or channel, where the rule does not say."),
        "channel": _TEXT,
        "address": (_TEXT, "Masked; null if it was erased."),
        "state": (_TEXT, "Where it stands, such as delivered."),
        "reason": _TEXT,
        "step": (_WHOLE, "Step of the escalation; 0: the first telling."),
        "attempt": _WHOLE,
        "created_at": _TIME,
        "not_before": _TIME,
        "sending_at": (_TIME, "When the hand-over began."),
        "accepted_at": _TIME,
        "tries": _WHOLE,
        "sid": _TEXT,
        "request_id": _TEXT,
        "status": (_TEXT, "In the provider's words."),
        "status_at": _TIME,
        "error_code": _TEXT,
        "error_message": _TEXT,
        "template": _TEXT,
        "locale": _TEXT,
        "encoding": _TEXT,
        "segments": _WHOLE,
        "cost": (_NUMBER, "Predicted, in the currency of the prices."),
        "resend_of": _TEXT,
        "resend_reason": _TEXT,
        "operator": _TEXT,
        "run_id": _TEXT,
        "erased_at": _TIME,
        **_EVENT,
    },
    key="id",
)

RUNS = _schema(
    {
        "id": _TEXT,
        "command": _TEXT,
        "version": _TEXT,
        "host": _TEXT,
        "pid": _WHOLE,
        "started_at": _TIME,
        "ended_at": _TIME,
        "outcome": _TEXT,
        "summary": (_ANY, "What it counted."),
        **_EVENT,
    },
    key="id",
)
