"""A document's values as text, as the ledger keeps them; numbers stay exact."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.documents.fields import CONVERTERS, Kind, UnreadableValue, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio_alerts.documents.entity import Entity


def dump_values(values: Mapping[str, Value]) -> str:
    """Values as a JSON object; unknown ones are left out."""
    kept = {name: _dumped(value) for name, value in values.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def _dumped(value: Value) -> Any:
    if isinstance(value, (bool, tuple, str)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def load_values(text: str, entity: Entity) -> dict[str, Value]:
    """Values from what `dump_values` gave; what a field cannot read any more is unknown."""
    kept = json.loads(text)
    return {name: _loaded(kept.get(name), field.kind) for name, field in entity.fields.items()}


def _loaded(value: Any, kind: Kind) -> Value:
    if value is None:
        return None
    try:
        return CONVERTERS[kind](Decimal(value) if kind is Kind.NUMBER else value)
    except (UnreadableValue, InvalidOperation, TypeError):
        return None
