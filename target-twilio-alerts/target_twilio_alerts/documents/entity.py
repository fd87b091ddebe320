"""Turns a record into a document, by what its entity says of fields, statuses and stamps."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from target_twilio_alerts.documents.errors import UnreadableValue, UnusableRecord
from target_twilio_alerts.documents.exact import canonical
from target_twilio_alerts.documents.fields import Combine
from target_twilio_alerts.documents.raw_fields import PREFIX, raw_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from target_twilio_alerts.documents.fields import Field, Value

_encoder = msgspec.json.Encoder(order="sorted", decimal_format="number")


class Document(msgspec.Struct, frozen=True, gc=False):
    """One version of one document.

    Attributes:
        entity: In the singular, such as "supplier_invoice".
        stream: Where its record came from.
        key: A JSON array of its key values.
        id: 32 hexadecimal digits, made from stream and key.
        values: Its fields by their common names; an unknown one is None.
        stamp: When the system says it was modified: opaque text in that system's clock.
        row_version: The system's counter of its versions.
        content: Hash of everything but stamps and row versions, at every depth.
        problems: What could not be read, in words that show no value.
        final: Whether its status is one that it does not leave.
    """

    entity: str
    stream: str
    key: str
    id: str
    values: Mapping[str, Value]
    stamp: str | None
    row_version: str | None
    content: str
    problems: tuple[str, ...]
    final: bool


@dataclass(frozen=True)
class Entity:
    """What a stream's records are.

    Attributes:
        name: In the singular, such as "supplier_invoice".
        stream: The stream that brings it, such as "supplier_invoices".
        label: For titles, such as "Supplier invoice".
        fields: By name.
        final_statuses: Statuses that a document does not leave; None if it never changes at all.
        stamp_field: Root field with the modification stamp.
        row_version_field: Root field with the row version.
        volatile: Names of fields that are no content, at every depth.
        credit_types: Types whose amounts are negative, whatever sign the API gives them.
        signed: Fields that take that sign.
        grouped_by: Fields whose first known one tells to which group a document belongs: its
            supplier, its account.
        void_statuses: Statuses of documents that count for nothing.
        key: Root fields that tell which document a record is; empty: as the stream's SCHEMA says.
        ends_with_run: Whether the end of a run shows that the stream was read whole, because its
            tap keeps no bookmark.
        is_own: Whether the alerts file says what it is.
    """

    name: str
    stream: str
    label: str
    fields: Mapping[str, Field]
    final_statuses: frozenset[str] | None
    stamp_field: str = "lastModifiedDateTime"
    row_version_field: str = "timeStamp"
    volatile: frozenset[str] = frozenset({"lastModifiedDateTime", "timeStamp", "metadata"})
    credit_types: frozenset[str] = frozenset()
    signed: tuple[str, ...] = field(default=("amount", "base_amount", "balance"))
    grouped_by: tuple[str, ...] = ("counterparty_number", "counterparty")
    void_statuses: frozenset[str] = frozenset({"Voided", "Canceled", "Cancelled", "Rejected"})
    key: tuple[str, ...] = ()
    ends_with_run: bool = False
    is_own: bool = False

    @cached_property
    def _readers(self) -> list[tuple[str, Callable[[Mapping[str, Any]], Value]]]:
        return [(name, one.reader()) for name, one in self.fields.items()]

    @cached_property
    def has_groups(self) -> bool:
        """Whether its documents belong to groups, and have a date within them."""
        return "date" in self.fields and any(name in self.fields for name in self.grouped_by)

    @cached_property
    def has_accounts(self) -> bool:
        """Whether its documents say which bank accounts are paid to."""
        return any(one.combine is Combine.MASKED for one in self.fields.values())

    def group(self, values: Mapping[str, Value]) -> str | None:
        """To which group a document belongs: 16 hexadecimal digits; None if that is not known.

        A void document belongs to none.
        """
        if values.get("status") in self.void_statuses:
            return None
        for name in self.grouped_by:
            value = values.get(name)
            if value is not None:
                return _group_id(self.name, values.get("company"), str(value))
        return None

    @property
    def raw_fields(self) -> Mapping[str, Field]:
        """Fields of its records that rules may name beside `fields`, as `record....`."""
        return raw_fields(self.stream)

    @cached_property
    def added(self) -> frozenset[str]:
        """Fields that an alerts file adds: what was stored before it did is without them."""
        return frozenset(name for name in self.fields if self.is_own or name.startswith(PREFIX))

    def with_raw(self, names: Iterable[str]) -> Entity:
        """The same, with those of `raw_fields` that rules name among its fields."""
        raw = {
            name: self.raw_fields[name] for name in sorted(set(names)) if name in self.raw_fields
        }
        return replace(self, fields={**self.fields, **raw}) if raw else self

    def document(self, record: Mapping[str, Any], key_properties: Sequence[str]) -> Document:
        """Read a record.

        Raises:
            UnusableRecord: The record lacks a part of its key, or is nested too deeply.
        """
        key = key_of(key_properties, [record.get(name) for name in key_properties])
        values, problems = self.values_of(record, self._readers)
        return self.document_of(
            values,
            problems,
            key=key,
            stamp=record.get(self.stamp_field),
            row_version=record.get(self.row_version_field),
            content=self._content(record),
        )

    def values_of(
        self, record: Any, readers: Iterable[tuple[str, Callable[[Any], Value]]]
    ) -> tuple[dict[str, Value], tuple[str, ...]]:
        """Read the fields of a record, each by its reader: the values, and what is wrong."""
        problems: list[str] = []
        try:
            values = {name: read(record) for name, read in readers}
        except UnreadableValue:
            values = dict(_what_can_be_read(record, readers, problems))
        if self.credit_types and values.get("type") in self.credit_types:
            for name in self.signed:
                amount = values.get(name)
                if isinstance(amount, Decimal):
                    values[name] = amount.copy_abs().copy_negate() if amount else amount
        return values, tuple(problems)

    def document_of(
        self,
        values: Mapping[str, Value],
        problems: tuple[str, ...],
        *,
        key: str,
        stamp: Any,
        row_version: Any,
        content: bytes,
    ) -> Document:
        """Make a document.

        Args:
            values: Its fields.
            problems: What could not be read.
            key: A JSON array of its key values.
            stamp: What the record has as its stamp.
            row_version: What it has as its row version.
            content: Its content in one form.
        """
        return Document(
            entity=self.name,
            stream=self.stream,
            key=key,
            id=document_id(self.stream, key),
            values=values,
            stamp=_stamp(stamp),
            row_version=_stamp(row_version),
            content=hashlib.sha256(content).hexdigest()[:32],
            problems=problems,
            final=self.final_statuses is None or values.get("status") in self.final_statuses,
        )

    def _content(self, record: Mapping[str, Any]) -> bytes:
        try:
            kept = _canonical(record, self.volatile)
        except RecursionError:
            raise UnusableRecord("it is nested too deeply to be read") from None
        return _encoder.encode(kept)


def document_id(stream: str, key: str) -> str:
    """The id of the document with a key, as `key_of` writes it, in a stream."""
    return hashlib.sha256(f"{stream}\n{key}".encode()).hexdigest()[:32]


@lru_cache(1 << 12)
def _group_id(entity: str, company: Value, member: str) -> str:
    return hashlib.sha256(_encoder.encode([entity, company, member])).hexdigest()[:16]


def _what_can_be_read(
    record: Any, readers: Iterable[tuple[str, Callable[[Any], Value]]], problems: list[str]
) -> Iterator[tuple[str, Value]]:
    """Values by name; what cannot be read is unknown, and a problem."""
    for name, read in readers:
        try:
            yield name, read(record)
        except UnreadableValue as problem:
            problems.append(f"{name} {problem}")
            yield name, None


def key_of(names: Sequence[str], given: Sequence[Any]) -> str:
    """A JSON array of key values.

    Raises:
        UnusableRecord: There is no key, or a part of it is missing.
    """
    if not names:
        raise UnusableRecord("its stream has no key")
    values: list[str | int] = []
    for name, each in zip(names, given, strict=True):
        value = canonical(each) if isinstance(each, Decimal) else each
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise UnusableRecord(f"{name} is missing, which is part of its key")
        if isinstance(value, str) and not value.strip():
            raise UnusableRecord(f"{name} is blank, which is part of its key")
        values.append(value)
    return _encoder.encode(values).decode()


def _stamp(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _canonical(fields: Mapping[str, Any], left_out: frozenset[str]) -> dict[str, Any]:
    """The same fields with equal numbers written alike, and without volatile and empty ones."""
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        kind = type(value)
        if value is None or name in left_out:
            continue
        if kind is Decimal:
            kept[name] = canonical(value)
        elif kind is dict:
            kept[name] = _canonical(value, left_out)
        elif kind is list:
            kept[name] = [_canonical_item(one, left_out) for one in value]
        else:
            kept[name] = value
    return kept


def _canonical_item(value: Any, left_out: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_canonical_item(one, left_out) for one in value]
    if isinstance(value, dict):
        return _canonical(value, left_out)
    return canonical(value) if isinstance(value, Decimal) else value
