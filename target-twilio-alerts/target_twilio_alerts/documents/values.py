"""A document's values as text, as the ledger keeps them; numbers stay exact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from target_twilio_alerts.documents.errors import UnreadableValue
from target_twilio_alerts.documents.fields import CONVERTERS, Kind, Value

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from target_twilio_alerts.documents.entity import Entity

# Decimals as text, dates as 2026-01-31.
_encoder = msgspec.json.Encoder()


def dump_values(values: Mapping[str, Value], named: Container[str] = ()) -> str:
    """Values as a JSON object; unknown ones are left out.

    Args:
        values: The values.
        named: Fields that are never left out, so that it can be told whether one was unknown or was
            not kept.
    """
    kept = {name: value for name, value in values.items() if value is not None or name in named}
    return _encoder.encode(kept).decode()


def load_values(text: str, entity: Entity) -> dict[str, Value]:
    """Values from what `dump_values` gave; what a field cannot read any more is unknown."""
    return dict(StoredValues(text, entity))


class StoredValues(Mapping[str, Value]):
    """The same, each read when it is asked for: most rules ask for few, if any.

    Args:
        text: What `dump_values` gave.
        entity: What the document is.
        unkept: Gives fields that were not kept then, because the alerts file has added them since.
    """

    def __init__(
        self, text: str, entity: Entity, unkept: Mapping[str, Value] | None = None
    ) -> None:
        self._text = text
        self._fields = entity.fields
        self._added = entity.added
        self._unkept = unkept
        self._kept: dict[str, Any] | None = None
        self._read: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name in self._read:
            return self._read[name]
        field = self._fields[name]
        if self._kept is None:
            self._kept = msgspec.json.decode(self._text)
        if self._unkept is not None and name not in self._kept and name in self._added:
            value = self._unkept.get(name)
        else:
            value = _loaded(self._kept.get(name), field.kind)
        self._read[name] = value
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field; `default` if there is no such field."""
        return self[name] if name in self._fields else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def _loaded(value: Any, kind: Kind) -> Value:
    if value is None:
        return None
    try:
        return CONVERTERS[kind](Decimal(value) if kind is Kind.NUMBER else value)
    except (UnreadableValue, InvalidOperation, TypeError):
        return None
