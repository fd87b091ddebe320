"""Singer lines for the tests of the target: supplier invoices as tap-visma sends them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

TENANT = "11111111-1111-4111-8111-111111111111"
COMPANY = "Testbolaget AB"
CONTEXT = {"tenant_id": TENANT, "company": COMPANY}
KEY = ["tenant_id", "company", "documentType", "referenceNumber"]

SCHEMA = {
    "type": "object",
    "properties": {
        "tenant_id": {"type": "string"},
        "company": {"type": "string"},
        "documentType": {"type": "string"},
        "referenceNumber": {"type": "string"},
        "status": {"type": ["string", "null"]},
        "amount": {"type": ["number", "null"]},
        "currencyId": {"type": ["string", "null"]},
        "date": {"type": ["string", "null"], "format": "date-time"},
        "dueDate": {"type": ["string", "null"], "format": "date-time"},
        "hold": {"type": ["boolean", "null"]},
        "supplier": {
            "type": ["object", "null"],
            "properties": {"name": {"type": ["string", "null"]}},
        },
        "lastModifiedDateTime": {"type": ["string", "null"]},
        "timeStamp": {"type": ["string", "null"]},
    },
}


def schema(stream: str = "supplier_invoices") -> str:
    return line({"type": "SCHEMA", "stream": stream, "schema": SCHEMA, "key_properties": KEY})


def invoice(number: str, amount: Any, *, stamp: str = "2026-11-20T10:00:00", **fields: Any) -> dict:
    return {
        **CONTEXT,
        "documentType": "Invoice",
        "referenceNumber": number,
        "status": "Open",
        "amount": amount,
        "currencyId": "SEK",
        "date": "2026-11-20T00:00:00",
        "dueDate": "2026-12-20T00:00:00",
        "hold": False,
        "supplier": {"name": "Kontorsbolaget AB"},
        "lastModifiedDateTime": stamp,
        **fields,
    }


def record(row: dict[str, Any], stream: str = "supplier_invoices") -> str:
    return line({"type": "RECORD", "stream": stream, "record": row})


def state(
    stamp: str | None = "2026-11-20T10:00:00",
    *,
    markers: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    stream: str = "supplier_invoices",
) -> str:
    entry: dict[str, Any] = {"context": context or CONTEXT}
    if stamp is not None:
        entry |= {"replication_key": "lastModifiedDateTime", "replication_key_value": stamp}
    if markers:
        entry["progress_markers"] = markers
    return line({"type": "STATE", "value": {"bookmarks": {stream: {"partitions": [entry]}}}})


def baseline(*rows: dict[str, Any]) -> str:
    """A first complete read."""
    return "".join([schema(), *map(record, rows), state()])


class _Number(float):
    """A number that json writes exactly as it was given."""

    text: str

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __repr__(self) -> str:
        return self.text


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _Number(str(value))
    if isinstance(value, dict):
        return {name: _exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_exact(one) for one in value]
    return value


def line(message: dict[str, Any]) -> str:
    """A message as a tap writes it."""
    return json.dumps(_exact(message), ensure_ascii=False) + "\n"
