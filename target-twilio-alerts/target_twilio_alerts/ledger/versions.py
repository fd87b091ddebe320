"""Document versions: the last one of each document, those before it, and which reads were whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from target_twilio_alerts.ledger.bulk import Rows, fetch, parameters
from target_twilio_alerts.ledger.events import canonical_json
from target_twilio_alerts.ledger.tables import (
    complete_reads,
    document_versions,
    documents,
    malformed_records,
)
from target_twilio_alerts.ledger.upserts import insert_new

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.engine import Connection

_CHUNK = 400
"""Ids asked for in one statement: well below every database's limit of parameters."""


class StoredVersion(msgspec.Struct, frozen=True, gc=False):
    """The newest version of a document that the ledger has seen."""

    id: str
    stream: str
    entity: str
    key: str
    ordinal: int
    stamp: str | None
    row_version: str | None
    content: str
    header: str
    final: bool
    baseline: bool
    seen_at: datetime
    run_id: str
    grouping: str | None = None
    dated: date | None = None


_NAMES = StoredVersion.__struct_fields__
_COLUMNS = [documents.c[name] for name in _NAMES]
_KEPT = [column.name for column in document_versions.c if column.name != "document_id"]

_FIXED = ("id", "stream", "entity", "key")
_INDEXED = ("final", "grouping", "dated")


def _update(names: Iterable[str]) -> Rows:
    by_id = documents.c.id == parameters(documents, ["id"])["id"]
    values = parameters(documents, names)
    return Rows(sa.update(documents).where(by_id).values(values), documents)


_CHANGING = [name for name in _NAMES if name not in _FIXED]
_INSERT = Rows(sa.insert(documents).values(parameters(documents, _NAMES)), documents)
_UPDATE = _update(_CHANGING)
_UPDATE_IN_PLACE = _update(name for name in _CHANGING if name not in _INDEXED)
"""Leaves the indexes alone."""


def load(connection: Connection, ids: Sequence[str]) -> dict[str, StoredVersion]:
    """The newest stored version of each document that is known, by document id."""
    found: dict[str, StoredVersion] = {}
    for chunk in chunks(ids):
        query = sa.select(*_COLUMNS).where(documents.c.id.in_(chunk))
        versions = map(StoredVersion, *fetch(connection, query, _COLUMNS) or [()])
        found.update((version.id, version) for version in versions)
    return found


def of_group(
    connection: Connection,
    group: str,
    earliest: date,
    latest: date,
) -> list[StoredVersion]:
    """Documents of a group that are dated within these days, in key order."""
    table = documents.c
    query = (
        sa.select(*_COLUMNS)
        .where(table.grouping == group, table.dated.between(earliest, latest))
        .order_by(table.id)
    )
    return [StoredVersion(*row) for row in connection.execute(query)]


def header_before(connection: Connection, version: StoredVersion) -> str | None:
    """The header of the version before; None if there was none."""
    table = document_versions.c
    query = sa.select(table.header).where(table.document_id == version.id)
    found: str | None = connection.execute(
        query.where(table.ordinal == version.ordinal - 1),
    ).scalar()
    return found


def open_documents(connection: Connection, entity: str) -> Iterator[StoredVersion]:
    """Documents of an entity that are not in a final status, in key order."""
    query = (
        sa.select(*_COLUMNS)
        .where(documents.c.entity == entity, documents.c.final == sa.false())
        .order_by(documents.c.id)
        .execution_options(yield_per=_CHUNK)  # PostgreSQL would give all of them at once
    )
    for row in connection.execute(query):
        yield StoredVersion(*row)


def save(
    connection: Connection,
    *,
    new: Sequence[StoredVersion],
    changed: Sequence[StoredVersion],
    replaced: Sequence[str],
    superseded: Sequence[StoredVersion],
    before: Mapping[str, StoredVersion],
) -> None:
    """Write a group's versions.

    Args:
        connection: A transaction.
        new: First versions.
        changed: What documents that are stored have become.
        replaced: Documents whose stored version is one of those before now.
        superseded: More of those before, which came and went within the group.
        before: What is stored, by document id.
    """
    _INSERT.write(connection, new)
    for chunk in chunks(replaced):  # copied within the database
        stored = sa.select(documents.c.id, *(documents.c[name] for name in _KEPT))
        connection.execute(
            sa.insert(document_versions).from_select(
                ["document_id", *_KEPT], stored.where(documents.c.id.in_(chunk))
            ),
        )
    if superseded:
        connection.execute(
            sa.insert(document_versions),
            [
                {"document_id": one.id, **{name: getattr(one, name) for name in _KEPT}}
                for one in superseded
            ],
        )
    in_place: list[StoredVersion] = []
    moved: list[StoredVersion] = []
    for one in changed:
        was = before[one.id]
        stays = one.final == was.final and one.grouping == was.grouping and one.dated == was.dated
        (in_place if stays else moved).append(one)
    _UPDATE_IN_PLACE.write(connection, in_place)
    _UPDATE.write(connection, moved)


def is_empty(connection: Connection) -> bool:
    """Whether the ledger has seen no document and no complete read yet."""
    known = sa.select(sa.literal(1)).select_from(documents).limit(1)
    reads = sa.select(sa.literal(1)).select_from(complete_reads).limit(1)
    return connection.execute(known).first() is None and connection.execute(reads).first() is None


def load_complete_reads(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Per stream, the contexts (partitions) of which one whole read has been committed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(sa.select(complete_reads.c.stream, complete_reads.c.context)):
        found.setdefault(row.stream, []).append(json.loads(row.context))
    return found


def add_complete_read(
    connection: Connection,
    *,
    stream: str,
    context: Mapping[str, Any],
    at: datetime,
    run_id: str,
    reason: str,
) -> bool:
    """Note that a stream's partition has been read whole; False if another run did so before."""
    row = {
        "stream": stream,
        "context": canonical_json(context),
        "completed_at": at,
        "run_id": run_id,
        "reason": reason,
    }
    return insert_new(connection, complete_reads, row, key=("stream", "context"))


def record_malformed(
    connection: Connection,
    *,
    stream: str,
    digest: str,
    document_id: str | None,
    problem: str,
    at: datetime,
    run_id: str,
) -> bool:
    """Record a record that breaks its schema or lacks its key; True when it is new."""
    table = malformed_records.c
    known = connection.execute(
        sa.update(malformed_records)
        .where(table.stream == stream, table.digest == digest)
        .values(last_seen_at=at, times=table.times + 1, problem=problem),
    )
    if known.rowcount:
        return False
    connection.execute(
        sa.insert(malformed_records).values(
            stream=stream,
            digest=digest,
            document_id=document_id,
            problem=problem,
            first_seen_at=at,
            last_seen_at=at,
            times=1,
            run_id=run_id,
        ),
    )
    return True


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split ids into as many as one statement may ask for."""
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
