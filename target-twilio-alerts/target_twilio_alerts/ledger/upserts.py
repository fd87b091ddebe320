"""Rows that may be there already: written once, or renewed, whoever else writes them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import sqlite

from target_twilio_alerts.ledger.databases import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.engine import Connection, Dialect
    from sqlalchemy.engine.interfaces import Compiled


def upsert(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what happens if a row with its key is there already.

    Args:
        dialect: Name of the database's dialect.
        table: Where to.
    """
    if dialect == POSTGRESQL:
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - for those who have it

        return insert(table)
    return sqlite.insert(table)


def insert_new(
    connection: Connection, table: sa.Table, row: Mapping[str, Any], *, key: tuple[str, ...]
) -> bool:
    """Insert a row; False if there is one with this key already."""
    statement: Any = _insert_new(connection.dialect, table, key, tuple(row))
    inserted = connection.execute(statement, row)
    return inserted.rowcount == 1


@lru_cache
def _insert_new(
    dialect: Dialect, table: sa.Table, key: tuple[str, ...], columns: tuple[str, ...]
) -> Compiled:
    """The statement; compiled here, for SQLAlchemy keeps no statement of this kind."""
    statement = upsert(dialect.name, table).on_conflict_do_nothing(index_elements=key)
    counted = statement.execution_options(preserve_rowcount=True)
    return counted.compile(dialect=dialect, column_keys=columns)
