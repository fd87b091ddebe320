"""Reads the ledger as it stands, some rows at a time: nothing of it is trusted.

Values come as the database gives them, not as the columns' types would have them; times come as the
text that events are sealed with.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from target_twilio_alerts.ledger.tables import UtcDateTime, audit_events, iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection

AT_A_TIME = 2000


class SealedRow(NamedTuple):
    """An event as it stands in the ledger."""

    seq: Any
    at: Any
    kind: Any
    run_id: Any
    alert_id: Any
    message_id: Any
    body: Any
    previous_hash: Any
    hash: Any


class ToldRow(NamedTuple):
    """What an event tells, in an order that a SealedRow has too."""

    seq: Any
    at: Any
    kind: Any
    run_id: Any
    alert_id: Any
    message_id: Any
    body: Any


_EVENT = [audit_events.c[name] for name in SealedRow._fields]
_TOLD = [audit_events.c[name] for name in ToldRow._fields]


def events_of(
    connection: Connection, *conditions: sa.ColumnElement[bool]
) -> Iterator[list[tuple[Any, ...]]]:
    """Events in their order, some at a time, each with what a SealedRow has."""
    query = sa.select(*_EVENT).where(*conditions).order_by(audit_events.c.seq)
    return _parts(connection, query, _EVENT)


def events_of_messages(
    connection: Connection, ids: Iterable[str]
) -> Iterator[list[tuple[Any, ...]]]:
    """Events of messages, those of each in their order; without their hashes."""
    event = audit_events.c
    query = sa.select(*_TOLD).where(event.message_id.in_(ids))
    return _parts(connection, query.order_by(event.message_id, event.seq), _TOLD)


def rows_of(
    connection: Connection,
    source: sa.FromClause,
    *conditions: sa.ColumnElement[bool],
    columns: Sequence[sa.Column[Any]] | None = None,
) -> Iterator[list[dict[str, Any]]]:
    """Rows in any order, some at a time, by the names of columns.

    Args:
        connection: To the ledger.
        source: A table, or tables that are joined.
        conditions: Which rows.
        columns: Which columns; all of the table if not given.
    """
    wanted: list[Any] = list(source.c if columns is None else columns)
    query = sa.select(*wanted).select_from(source).where(*conditions)
    names = [column.name for column in wanted]
    for part in _parts(connection, query, wanted):
        yield [dict(zip(names, row, strict=True)) for row in part]


def _parts(
    connection: Connection, query: sa.Select[Any], columns: Sequence[sa.Column[Any]]
) -> Iterator[list[tuple[Any, ...]]]:
    if connection.dialect.name == "sqlite":
        # Not by way of SQLAlchemy's rows, which take longer than all that is done with them.
        cursor = connection.execute(query).cursor
        while part := cursor.fetchmany(AT_A_TIME):
            yield list(part)
        return
    times = [at for at, column in enumerate(columns) if isinstance(column.type, UtcDateTime)]
    with connection.execute(query, execution_options={"yield_per": AT_A_TIME}) as result:
        for some in result.partitions():
            yield [_told(row, times) for row in some]


def _told(row: Sequence[Any], times: Sequence[int]) -> tuple[Any, ...]:
    """A row of a database that has moments, with them as text."""
    values = list(row)
    for at in times:
        if isinstance(values[at], datetime):
            values[at] = iso_utc(values[at])
    return tuple(values)
