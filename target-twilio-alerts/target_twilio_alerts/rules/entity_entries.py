"""Entities of the alerts file: what the records of other taps' streams are, field by field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from target_twilio_alerts.documents import ENTITIES, PRESETS, Combine, Entity, Field, Kind
from target_twilio_alerts.rules.expressions import RESERVED, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio_alerts.rules.mistakes import Mistakes
    from target_twilio_alerts.rules.yaml_file import Entry, Text, YamlFile

ENTITY_KEYS = ("stream", "key", "stamp", "final", "read_whole", "fields")
FIELD_KEYS = ("from", "type", "decimals")
READ_WHOLE = ("bookmark", "run")
"""What shows that a stream has been read whole: its bookmark in STATE, or the end of a run."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
PATH = re.compile(r"[^\s.\[\]]+(?:\.[^\s.\[\]]+)*(?:\[\](?:\.[^\s.\[\]]+)*)?")
_MAX_DECIMALS = 6


class EntityEntries:
    """Reads `entities`.

    Args:
        file: The alerts file.
        mistakes: Takes the mistakes.

    Attributes:
        broken: Names of entities with mistakes: what rules say of them cannot be checked.
    """

    def __init__(self, file: YamlFile, mistakes: Mistakes) -> None:
        self._file = file
        self._mistakes = mistakes
        self.broken: set[str] = set()

    def entities(self, entry: Entry | None) -> dict[str, Entity]:
        """Read the company's own entities, by name."""
        if entry is None:
            return {}
        own: dict[str, Entity] = {}
        streams = {stream: entity.name for stream, entity in PRESETS.items()}
        found = self._file.entries(entry.node, entry.line, "entities")
        for one in found.values():
            known = len(self._mistakes.found)
            entity = self._entity(one, streams)
            if len(self._mistakes.found) > known:
                self.broken.add(one.key)
            if entity is not None:
                own[one.key] = entity
                streams[entity.stream] = one.key
        return own

    def _entity(self, entry: Entry, streams: Mapping[str, str]) -> Entity | None:
        where = f"entity {entry.key!r}"
        self._check_name(entry, where)
        if entry.key in ENTITIES:
            self._mistakes.add(
                entry.line,
                f"{where}: there is one already, of Visma.net; give yours another name",
            )
        given = self._file.entries(entry.node, entry.line, where, ENTITY_KEYS)
        self._file.need(given, ("stream", "fields"), entry.line, where)
        stream = self._file.text(given.get("stream"), where)
        if stream is not None and stream.value in streams:
            self._mistakes.add(
                stream.line,
                f"{where}: stream {stream.value} is entity {streams[stream.value]} already; use "
                "that one",
            )
        known = len(self._mistakes.found)
        fields = self._fields(given.get("fields"), where)
        final = self._file.texts(given.get("final"), where)
        if final and "status" not in fields and len(self._mistakes.found) == known:
            self._mistakes.add(
                final[0].line,
                f"{where}: final names statuses, but there is no field status; add one",
            )
        stamp = self._file.text(given.get("stamp"), where)
        read_whole = self._read_whole(given.get("read_whole"), where)
        if stream is None or not fields:
            return None
        stamps = {"lastModifiedDateTime"} if stamp is None else {stamp.value}
        return Entity(
            name=entry.key,
            stream=stream.value,
            label=entry.key.replace("_", " ").capitalize(),
            fields=fields,
            final_statuses=frozenset(one.value for one in final),
            stamp_field=next(iter(stamps)),
            volatile=frozenset(stamps),
            key=tuple(one.value for one in self._file.texts(given.get("key"), where)),
            ends_with_run=read_whole == "run",
            is_own=True,
        )

    def _read_whole(self, entry: Entry | None, where: str) -> str | None:
        text = self._file.text(entry, where)
        if text is not None and text.value not in READ_WHOLE:
            meant = suggestion(text.value, READ_WHOLE, "it is one of")
            self._mistakes.add(text.line, f"{where}: read_whole cannot be {text.value}; {meant}")
        return None if text is None else text.value

    def _fields(self, entry: Entry | None, where: str) -> dict[str, Field]:
        if entry is None:
            return {}
        found = self._file.entries(entry.node, entry.line, f"{where}: fields")
        read = [self._field(one, where) for one in found.values()]
        return {field.name: field for field in read if field is not None}

    def _field(self, entry: Entry, entity: str) -> Field | None:
        where = f"{entity}: field {entry.key!r}"
        self._check_name(entry, where)
        if entry.key in RESERVED:
            self._mistakes.add(
                entry.line,
                f"{where}: conditions have another meaning for {entry.key}; give it another name",
            )
        given = self._file.entries(entry.node, entry.line, where, FIELD_KEYS)
        if given and "from" not in given:
            self._mistakes.add(
                entry.line,
                f"{where}: from is missing; add where the record has it, as in from: company.name",
            )
        source = self._file.text(given.get("from"), where)
        kind = self._kind(given.get("type"), where)
        decimals = self._decimals(given.get("decimals"), kind, where)
        if source is None or not self._is_path(source, kind, where):
            return None
        return Field(
            name=entry.key,
            kind=kind,
            sources=(source.value,),
            description="",
            combine=Combine.EACH if "[]." in source.value else Combine.FIRST,
            is_lenient=True,
            decimals=decimals,
        )

    def _is_path(self, text: Text, kind: Kind, where: str) -> bool:
        if not PATH.fullmatch(text.value):
            self._mistakes.add(
                text.line,
                f"{where}: from is no path; write names with dots between them, as in "
                "company.name, and lines[].account for each item of a list",
            )
            return False
        if ("[]" in text.value) != (kind is Kind.LIST) and "[]" in text.value:
            self._mistakes.add(
                text.line,
                f"{where}: from leads to each item of a list; add type: list",
            )
            return False
        return True

    def _kind(self, entry: Entry | None, where: str) -> Kind:
        text = self._file.text(entry, where)
        if text is None:
            return Kind.TEXT
        try:
            return Kind(text.value)
        except ValueError:
            meant = suggestion(text.value, [kind.value for kind in Kind], "it is one of")
            self._mistakes.add(text.line, f"{where}: there is no type {text.value}; {meant}")
            return Kind.TEXT

    def _decimals(self, entry: Entry | None, kind: Kind, where: str) -> int:
        text = self._file.text(entry, where)
        if text is None:
            return 0
        if kind is not Kind.NUMBER:
            self._mistakes.add(
                text.line,
                f"{where}: only a number has decimals; add type: number, or remove decimals",
            )
        if not re.fullmatch(f"[0-{_MAX_DECIMALS}]", text.value):
            self._mistakes.add(
                text.line,
                f"{where}: decimals is a number from 0 to {_MAX_DECIMALS}: how many of the "
                "number's last digits are behind the point",
            )
            return 0
        return int(text.value)

    def _check_name(self, entry: Entry, where: str) -> None:
        if not _NAME.fullmatch(entry.key):
            self._mistakes.add(
                entry.line,
                f"{where}: its name may have small letters a to z, digits and _, and begins with "
                "a letter",
            )
