"""The streams: each begins behind the number of the last event that it has told.

An event's number is given within the transaction that writes it, one after another, so nothing with
a smaller number ever comes later.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, cast

import sqlalchemy as sa
from singer_sdk import Stream
from typing_extensions import override

from target_twilio_alerts.audit_tap import schemas
from target_twilio_alerts.ledger.tables import (
    acknowledgements,
    alerts,
    audit_events,
    documents,
    iso_utc,
    message_contents,
    messages,
    rule_epochs,
    runs,
)
from target_twilio_alerts.messages.masking import mask_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from target_twilio_alerts.audit_tap.tap import TapTwilioAlertsAudit

_AT_A_TIME = 500
_MICRO = Decimal(1_000_000)
_SHOWN = ("company", "type", "number", "status", "counterparty", "currency")


class LedgerStream(Stream):
    """Rows of the ledger, in the order of the events that told of them last."""

    is_sorted = True
    primary_keys: ClassVar[tuple[str, ...]] = ("id",)
    replication_key = "event"

    @abstractmethod
    def query(self) -> sa.Select[Any]:
        """The rows; their column with the name of the replication key is the event's number."""

    @abstractmethod
    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row as the stream tells it."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        tap = cast("TapTwilioAlertsAudit", self._tap)
        known = self.get_starting_replication_key_value(context) or 0
        with tap.opened_ledger() as ledger, ledger.read() as connection:
            found = connection.execute(
                self.query().where(audit_events.c.seq > known).order_by(audit_events.c.seq),
                execution_options={"yield_per": _AT_A_TIME},
            )
            for row in found.mappings():
                yield self.record(cast("Mapping[str, Any]", row))


class AuditEvents(LedgerStream):
    """The trail itself."""

    name = "audit_events"
    schema = schemas.AUDIT_EVENTS
    primary_keys = ("seq",)
    replication_key = "seq"

    @override
    def query(self) -> sa.Select[Any]:
        return sa.select(audit_events)

    @override
    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, "at": iso_utc(row["at"])}


class Alerts(LedgerStream):
    """Alerts with the document that they are about."""

    name = "alerts"
    schema = schemas.ALERTS

    @override
    def query(self) -> sa.Select[Any]:
        newer = audit_events.alias()
        is_newest = ~sa.exists().where(
            newer.c.alert_id == audit_events.c.alert_id,
            newer.c.message_id.is_(None),
            newer.c.seq > audit_events.c.seq,
        )
        of_epoch = sa.and_(
            rule_epochs.c.rule == alerts.c.rule, rule_epochs.c.epoch == alerts.c.epoch
        )
        return (
            sa.select(
                alerts,
                rule_epochs.c.condition,
                rule_epochs.c.fingerprint,
                documents.c.stream,
                documents.c.key,
                acknowledgements.c.at.label("acknowledged_at"),
                acknowledgements.c.by.label("acknowledged_by"),
                audit_events.c.seq.label("event"),
            )
            .select_from(audit_events)
            .join(alerts, alerts.c.id == audit_events.c.alert_id)
            .join(rule_epochs, of_epoch, isouter=True)
            .join(documents, documents.c.id == alerts.c.document_id, isouter=True)
            .join(acknowledgements, acknowledgements.c.alert_id == alerts.c.id, isouter=True)
            .where(audit_events.c.message_id.is_(None), is_newest)
        )

    @override
    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        is_erased = row["erased_at"] is not None
        decision = {} if is_erased else json.loads(row["decision"])
        values, previous = (_values(decision.get(name)) for name in ("current", "previous"))
        amount = None if values is None else values.get("amount")
        told = {name: row[name] for name in self.schema["properties"] if name in row}
        return {
            **_with_times_as_text(told),
            "reason": None if is_erased else row["reason"],
            "key": None if row["key"] is None else json.loads(row["key"]),
            **{name: None if values is None else values.get(name) for name in _SHOWN},
            "amount": None if amount is None else Decimal(str(amount)),
            "document_values": values,
            "previous_values": previous,
        }


class Messages(LedgerStream):
    """Messages as they stand; told anew with each event about them."""

    name = "messages"
    schema = schemas.MESSAGES

    @override
    def query(self) -> sa.Select[Any]:
        newer = audit_events.alias()
        is_newest = ~sa.exists().where(
            newer.c.message_id == audit_events.c.message_id,
            newer.c.seq > audit_events.c.seq,
        )
        return (
            sa.select(
                messages,
                message_contents.c.address,
                message_contents.c.erased_at,
                audit_events.c.seq.label("event"),
            )
            .select_from(audit_events)
            .join(messages, messages.c.id == audit_events.c.message_id)
            .join(message_contents, message_contents.c.message_id == messages.c.id)
            .where(is_newest)
        )

    @override
    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: row[name] for name in self.schema["properties"] if name in row}
        cost = row["cost_micros"]
        return {
            **_with_times_as_text(told),
            "address": None if row["erased_at"] is not None else mask_address(row["address"]),
            "cost": None if cost is None else Decimal(cost) / _MICRO,
        }


class Runs(LedgerStream):
    """Runs of the target and of commands; told when they begin, and when they end."""

    name = "runs"
    schema = schemas.RUNS

    @override
    def query(self) -> sa.Select[Any]:
        event = audit_events.c
        is_newest = sa.or_(
            event.kind == "run_ended",
            sa.and_(event.kind == "run_started", runs.c.ended_at.is_(None)),
        )
        return (
            sa.select(runs, event.seq.label("event"))
            .select_from(audit_events)
            .join(runs, runs.c.id == event.run_id)
            .where(is_newest)
        )

    @override
    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        summary = row["summary"]
        return {
            **_with_times_as_text(dict(row)),
            "summary": None if summary is None else json.loads(summary),
        }


def _values(text: str | None) -> dict[str, Any] | None:
    return None if text is None else cast("dict[str, Any]", json.loads(text))


def _with_times_as_text(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: iso_utc(cast("datetime", value)) if hasattr(value, "tzinfo") else value
        for name, value in row.items()
    }
