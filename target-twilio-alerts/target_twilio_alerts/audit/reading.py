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
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

AT_A_TIME = 500


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

KEYS = 400
"""Keys asked for in one statement: well below every database's limit of parameters."""

_WANTED = "keys"


def events_of(
    connection: Connection, *conditions: sa.ColumnElement[bool]
) -> Iterator[list[tuple[Any, ...]]]:
    """Events in their order, some at a time, each with what a SealedRow has."""
    query = sa.select(*_EVENT).where(*conditions).order_by(audit_events.c.seq)
    return _parts(connection, query)


class Keyed:
    """Reads rows by keys, KEYS of them in a statement, which is compiled once only.

    Args:
        query: What is read of them.
        key: The column whose values keys are; with several, SQLite would look at the whole table.
    """

    def __init__(self, query: sa.Select[Any], key: sa.ColumnElement[Any]) -> None:
        wanted: sa.BindParameter[Any] = sa.bindparam(_WANTED, expanding=True)
        self._query = query.where(key.in_(wanted))

    def read(self, connection: Connection, keys: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Rows with any of these keys."""
        for start in range(0, len(keys), KEYS):
            some = {_WANTED: keys[start : start + KEYS]}
            for part in _parts(connection, self._query, some):
                yield from part


EVENTS_OF_MESSAGES = Keyed(
    sa.select(*_TOLD).order_by(audit_events.c.message_id, audit_events.c.seq),
    audit_events.c.message_id,
)
"""Events by the ids of their messages, those of each in their order, each with what a ToldRow has;
as they are, since making one takes longer than what is done with it."""


def rows_of(
    connection: Connection,
    source: sa.FromClause,
    *conditions: sa.ColumnElement[bool],
) -> Iterator[list[dict[str, Any]]]:
    """Rows in any order, some at a time, by the names of columns.

    Args:
        connection: To the ledger.
        source: A table, or tables that are joined.
        conditions: Which rows.
    """
    names = list(source.c.keys())
    for part in _parts(connection, sa.select(source).where(*conditions)):
        yield [dict(zip(names, row, strict=True)) for row in part]


def _parts(
    connection: Connection, query: sa.Select[Any], parameters: Mapping[str, Any] | None = None
) -> Iterator[list[tuple[Any, ...]]]:
    if connection.dialect.name == "sqlite":
        # Not by way of SQLAlchemy's rows, which take longer than all that is done with them.
        cursor = connection.execute(query, parameters).cursor
        while part := cursor.fetchmany(AT_A_TIME):
            yield list(part)
        return
    columns = enumerate(query.selected_columns)
    times = [at for at, column in columns if isinstance(column.type, UtcDateTime)]
    with connection.execute(
        query, parameters, execution_options={"yield_per": AT_A_TIME}
    ) as result:
        for some in result.partitions():
            yield [_told(row, times) for row in some]


def _told(row: Sequence[Any], times: Sequence[int]) -> tuple[Any, ...]:
    """A row of a database that has moments, with them as text."""
    values = list(row)
    for at in times:
        if isinstance(values[at], datetime):
            values[at] = iso_utc(values[at])
    return tuple(values)
