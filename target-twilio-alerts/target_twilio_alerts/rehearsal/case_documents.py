"""Reads the documents of tests: fields of the vocabulary, and what else tells of a record."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.documents import UnreadableValue
from target_twilio_alerts.documents.fields import CONVERTERS, Kind
from target_twilio_alerts.rehearsal.cases import Given
from target_twilio_alerts.rules.expressions import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from target_twilio_alerts.documents import Entity, Value
    from target_twilio_alerts.rules import Alerts
    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.yaml_file import Entry, Text, YamlFile

KEY, STAMP, DELETED = "key", "stamp", "deleted"
BESIDE_FIELDS = (KEY, STAMP, DELETED)
"""What a document may say beside its fields, unless a field has that name."""

_NUMBER = re.compile(r"[+-]?[0-9][0-9_]*(?:\.[0-9]+)?")
_YES = {"true": True, "yes": True, "false": False, "no": False}


class CaseDocuments:
    """Reads documents.

    Args:
        file: The file.
        mistakes: Takes the mistakes.
        alerts: Knows the entities.
        moment: Reads a time.
    """

    def __init__(
        self,
        file: YamlFile,
        mistakes: Mistakes,
        alerts: Alerts,
        moment: Callable[[Entry | None, str], datetime | None],
    ) -> None:
        self._file = file
        self._mistakes = mistakes
        self._entities = {entity.name: entity for entity in alerts.entities.values()}
        self._moment = moment

    def read(self, entry: Entry | None, where: str) -> tuple[Given, ...]:
        """Read a list of them."""
        return () if entry is None else tuple(self._read(entry, where))

    def _read(self, entry: Entry, where: str) -> Iterator[Given]:
        for item in self._file.items(entry, where, may_be_empty=True):
            for one in self._file.entries(item.node, item.line, where).values():
                entity = self._entities.get(one.key)
                if entity is None:
                    meant = suggestion(one.key, self._entities, "there are")
                    self._mistakes.add(one.line, f"{where}: there is no entity {one.key}; {meant}")
                else:
                    yield self._document(one, entity, f"{where}: {entity.name}")

    def _document(self, entry: Entry, entity: Entity, where: str) -> Given:
        beside = [name for name in BESIDE_FIELDS if name not in entity.fields]
        given = self._file.entries(entry.node, entry.line, where, [*entity.fields, *beside])
        values: dict[str, Value] = dict.fromkeys(entity.fields)
        for name in given.keys() & entity.fields.keys():
            values[name] = self._field(given[name], entity.fields[name].kind, where)
        about = {name: one for name, one in given.items() if name in beside}
        key = self._file.text(about.get(KEY), where)
        if values.get("number") is None and key is None:
            name = "number" if "number" in entity.fields else KEY
            self._mistakes.add(entry.line, f"{where}: {name} is missing; it tells which document")
        return Given(
            entity,
            values,
            key=None if key is None else key.value,
            stamp=self._moment(about.get(STAMP), where),
            deleted=DELETED in about and self.value(about[DELETED], Kind.BOOLEAN, where) is True,
        )

    def _field(self, entry: Entry, kind: Kind, where: str) -> Value:
        if kind is Kind.LIST:
            return tuple(text.value for text in self._file.texts(entry, where))
        return self.value(entry, kind, where)

    def value(self, entry: Entry, kind: Kind, where: str) -> Value:
        """Read one value."""
        text = self._file.text(entry, where)
        return None if text is None else self._value(text, kind, f"{where}: {entry.key}")

    def _value(self, text: Text, kind: Kind, where: str) -> Value:
        try:
            if kind is Kind.NUMBER and _NUMBER.fullmatch(text.value):
                return CONVERTERS[kind](Decimal(text.value.replace("_", "")))
            if kind is Kind.BOOLEAN and text.value in _YES:
                return _YES[text.value]
            if kind is Kind.DATE:
                return date.fromisoformat(text.value)
            if kind is Kind.TEXT:
                return text.value
        except (UnreadableValue, ValueError):
            pass  # told below, as what else cannot be read
        self._mistakes.add(text.line, f"{where}: {text.value} is no {kind.value}; correct it")
        return None
