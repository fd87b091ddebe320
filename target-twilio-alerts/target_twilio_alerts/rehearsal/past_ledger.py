"""What a ledger has seen as a past: each version at the moment at which it came."""

from __future__ import annotations

import json
from heapq import merge
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from target_twilio_alerts.documents import Document, load_values
from target_twilio_alerts.intake import rate_records
from target_twilio_alerts.intake.arrivals import Arrival
from target_twilio_alerts.ledger import opt_outs, silences
from target_twilio_alerts.ledger import rates as ledger_rates
from target_twilio_alerts.ledger.tables import (
    audit_events,
    complete_reads,
    document_versions,
    documents,
    runs,
)
from target_twilio_alerts.rehearsal.past import Happening, KnownRuns, Past

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from target_twilio_alerts.documents import Entity
    from target_twilio_alerts.ledger import Ledger
    from target_twilio_alerts.ledger.opt_outs import OptOut
    from target_twilio_alerts.ledger.silences import Silence
    from target_twilio_alerts.rules import Alerts, Rate

_FETCHED = 1000
_DELETED = "document_deleted"
_READING, _DELIVERING = "target", "deliver"
_INTERRUPTED = "interrupted"

_ASSUMED = (
    (
        "each version came when the ledger saw it, and what was due was told by the next run that "
        "the ledger knows, until the last of them; the order within one moment is not known"
    ),
    (
        "silences were as they were; who has opted out by now had done so from the start, and "
        "currency rates were known from the start"
    ),
)


class SeenByLedger(Past):
    """The versions that a ledger has, and its runs.

    Args:
        ledger: The ledger; nothing is written to it.
        alerts: The alerts file that it is read for.
        since: From when on alerts are told.
    """

    is_over = True

    def __init__(self, ledger: Ledger, alerts: Alerts, since: datetime) -> None:
        self._ledger = ledger
        self._entities = {entity.name: entity for entity in alerts.entities.values()}
        self.begin = since
        self.unread = {}
        with ledger.read() as connection:
            self.runs = _runs(connection)
            self.end = connection.execute(sa.select(sa.func.max(runs.c.ended_at))).scalar() or since
            self._whole = _whole_reads(connection)
            self.silences: list[Silence] = silences.every(connection)
            self.opt_outs: list[OptOut] = opt_outs.every(connection)
            self.rates: list[Rate] = []
            if alerts.rates.type is not None:
                stored = ledger_rates.load(connection, alerts.rates.type)
                self.rates = [rate_records.from_ledger(one) for one in stored]
            streams = sa.select(documents.c.stream).distinct()
            self.streams = set(connection.execute(streams).scalars()) | set(self._whole)

    def happenings(self) -> Iterator[Happening]:
        """Versions, and what the tap said was deleted, in the order in which they came."""
        with self._ledger.read() as connection:
            yield from merge(
                self._versions(connection), self._deletions(connection), key=lambda one: one.at
            )

    def _versions(self, connection: Connection) -> Iterator[Happening]:
        streaming = connection.execution_options(yield_per=_FETCHED)
        for row in streaming.execute(_all_versions()):
            entity = self._entities.get(row.entity)
            if entity is None:
                self.unread[row.stream] = self.unread.get(row.stream, 0) + 1
                continue
            is_before = row.seen_at < self.begin or self._is_baseline(row)
            yield Happening(
                row.seen_at, Arrival(entity, _document(row, entity), row.key, is_before)
            )

    def _deletions(self, connection: Connection) -> Iterator[Happening]:
        """What is gone; not what came back unchanged, since a ledger keeps no moment of that."""
        told = connection.execute(
            sa.select(audit_events.c.at, audit_events.c.body)
            .where(audit_events.c.kind == _DELETED)
            .order_by(audit_events.c.seq)
        ).all()
        for at, body in told:
            gone = json.loads(body)
            row = connection.execute(
                sa.select(documents).where(documents.c.id == gone["document"])
            ).first()
            entity = None if row is None else self._entities.get(row.entity)
            if row is None or entity is None or (row.ordinal == gone["version"] and not row.final):
                continue
            arrival = Arrival(
                entity, _document(row, entity), row.key, at < self.begin, deleted=True
            )
            yield Happening(at, arrival)

    def _is_baseline(self, row: Any) -> bool:
        """Whether a version came before its stream had been read whole."""
        reads = self._whole.get(row.stream, ())
        fields = json.loads(row.key) if reads else {}
        return not any(
            completed_at < row.seen_at
            and all(fields.get(name) == value for name, value in context.items())
            for completed_at, context in reads
        )

    def assumed(self) -> list[str]:
        """What is known, and what is not."""
        return list(_ASSUMED)


def _document(row: Any, entity: Entity) -> Document:
    values = load_values(row.header, entity)
    final = entity.final_statuses
    return Document(
        entity=entity.name,
        stream=row.stream,
        key=row.key,
        id=row.id,
        values=values,
        stamp=row.stamp,
        row_version=row.row_version,
        content=row.content,
        problems=(),
        final=final is None or values.get("status") in final,
    )


def _runs(connection: Connection) -> KnownRuns:
    ended = connection.execute(
        sa.select(runs.c.command, runs.c.ended_at)
        .where(
            runs.c.command.in_([_READING, _DELIVERING]),
            runs.c.ended_at.is_not(None),
            runs.c.outcome != _INTERRUPTED,
        )
        .order_by(runs.c.ended_at)
    ).all()
    return KnownRuns(
        [row.ended_at for row in ended if row.command == _READING],
        [row.ended_at for row in ended if row.command == _DELIVERING],
    )


def _whole_reads(connection: Connection) -> dict[str, list[tuple[datetime, dict[str, Any]]]]:
    """Per stream, when a first read was whole, and of which of its records."""
    table = complete_reads.c
    found: dict[str, list[tuple[datetime, dict[str, Any]]]] = {}
    for row in connection.execute(sa.select(table.stream, table.context, table.completed_at)):
        found.setdefault(row.stream, []).append((row.completed_at, json.loads(row.context)))
    return found


def _all_versions() -> sa.CompoundSelect[tuple[object, ...]]:
    """Every version of every document, in the order in which they came."""
    newest, old = documents.c, document_versions.c
    same = (newest.id, newest.stream, newest.entity, newest.key)
    names = ("ordinal", "stamp", "row_version", "content", "header", "seen_at")
    return sa.union_all(
        sa.select(*same, *(newest[name] for name in names)),
        sa.select(*same, *(old[name] for name in names)).join(
            documents, newest.id == old.document_id
        ),
    ).order_by("seen_at", "id", "ordinal")
