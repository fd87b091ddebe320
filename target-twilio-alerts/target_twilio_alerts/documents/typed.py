"""Documents straight from the lines of a stream, where its schema is one of plain types."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from target_twilio_alerts.documents.entity import Document, key_of
from target_twilio_alerts.documents.errors import UnusableRecord
from target_twilio_alerts.documents.exact import UnusualNumber
from target_twilio_alerts.documents.shapes import NotTypedError, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from target_twilio_alerts.documents.entity import Document, Entity

# A null is left out, as the one form of a record's content wants it.
_encoder = msgspec.json.Encoder(decimal_format="number")


DELETED_AT = "_sdc_deleted_at"
"""A record with this Singer field tells that its document is gone."""


class TypedRecord(NamedTuple):
    """A record that has become a document.

    Attributes:
        document: The document.
        get: Gives the record's root fields, by name.
    """

    document: Document
    get: Callable[[str], Any]


class TypedStream:
    """Reads the RECORD messages of one stream.

    Args:
        entity: What its records are.
        schema: Of its SCHEMA message.
        key_properties: What SCHEMA says its key is; the entity's own key comes before it.

    Raises:
        NotTypedError: Its records must be read the slow way.
    """

    def __init__(
        self, entity: Entity, schema: Mapping[str, Any], key_properties: Sequence[str]
    ) -> None:
        self.entity = entity
        self.keys = entity.key or tuple(key_properties)
        if not self.keys:
            raise NotTypedError
        shape = Shape(schema, entity.volatile)
        self._shape = shape
        self._get_key = [shape.find(name) for name in self.keys]
        self._get_stamp = shape.find(entity.stamp_field)
        self._get_row_version = shape.find(entity.row_version_field)
        self._get_deleted = shape.find(DELETED_AT)
        self._readers = [(name, one.reader(shape)) for name, one in entity.fields.items()]
        self._decode = shape.decoder(entity.stream).decode
        self._roots: dict[str, Callable[[Any], Any]] = {}

    @classmethod
    def of(
        cls, entity: Entity, schema: Mapping[str, Any], key_properties: Sequence[str]
    ) -> TypedStream | None:
        """The same, or None if its records must be read the slow way."""
        try:
            return cls(entity, schema, key_properties)
        except NotTypedError:
            return None

    def read(self, line: bytes) -> TypedRecord | None:
        """Read a line; None if it must be read the slow way.

        That is a message of another kind or stream, a record that breaks its schema or has more
        than it says, a value that is not what its field holds, a missing key, a deleted document.
        """
        try:
            record = self._decode(line).record
            key = key_of(self.keys, [get(record) for get in self._get_key])
        except (msgspec.DecodeError, UnicodeDecodeError, UnusualNumber, UnusableRecord):
            return None
        values, problems = self.entity.values_of(record, self._readers)
        stamp, row_version = self._get_stamp(record), self._get_row_version(record)
        if problems or self._get_deleted(record) is not None or not self._shape.settle(record):
            return None
        document = self.entity.document_of(
            values,
            problems,
            key=key,
            stamp=stamp,
            row_version=row_version,
            content=_encoder.encode(record),
        )
        return TypedRecord(document, partial(self._root, record))

    def _root(self, record: Any, name: str) -> Any:
        find = self._roots.get(name)
        if find is None:
            find = self._roots[name] = self._shape.find(name)
        return find(record)
