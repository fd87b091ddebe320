"""Documents straight from the lines of a stream, where its schema is one of plain types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from target_twilio_alerts.documents.entity import key_of
from target_twilio_alerts.documents.errors import UnusableRecord
from target_twilio_alerts.documents.exact import UnusualNumber
from target_twilio_alerts.documents.shapes import NotTypedError, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_twilio_alerts.documents.entity import Document, Entity

# A null is left out, as the one form of a record's content wants it.
_encoder = msgspec.json.Encoder(decimal_format="number")


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
        shape = Shape(schema, entity.volatile)
        self._entity = entity
        self._keys = entity.key or tuple(key_properties)
        if not self._keys:
            raise NotTypedError
        self._get_key = [shape.find(name) for name in self._keys]
        self._get_stamp = shape.find(entity.stamp_field)
        self._get_row_version = shape.find(entity.row_version_field)
        self._readers = [(name, one.reader(shape)) for name, one in entity.fields.items()]
        self._settle = shape.settle
        self._decode = shape.decoder(entity.stream).decode

    def read(self, line: bytes) -> tuple[Document, Any] | None:
        """Read a line: the document, and the record for `root_fields`.

        None if it must be read the slow way: a message of another kind or stream, a record that
        breaks its schema or has more than it says, a number that is no amount, a missing key.
        """
        try:
            record = self._decode(line).record
            stamp, row_version = self._get_stamp(record), self._get_row_version(record)
            key = key_of(self._keys, [get(record) for get in self._get_key])
        except (msgspec.DecodeError, UnicodeDecodeError, UnusualNumber, UnusableRecord):
            return None
        values, problems = self._entity.values_of(record, self._readers)
        if not self._settle(record):
            return None
        document = self._entity.document_of(
            values,
            problems,
            key=key,
            stamp=stamp,
            row_version=row_version,
            content=_encoder.encode(record),
        )
        return document, record
