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
    from sqlalchemy.engine import Connection


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
    inserted = connection.execute(_insert_new(connection.dialect.name, table, key), row)
    return inserted.rowcount == 1


@lru_cache
def _insert_new(
    dialect: str, table: sa.Table, key: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    statement = upsert(dialect, table).on_conflict_do_nothing(index_elements=key)
    return statement.execution_options(preserve_rowcount=True)
