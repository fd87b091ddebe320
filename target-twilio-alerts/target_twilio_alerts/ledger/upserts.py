"""Rows that may be there already: written once, or renewed, whoever else writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import sqlite

from target_twilio_alerts.ledger.databases import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import sqlalchemy as sa
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.engine import Connection


def upsert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what happens if a row with its key is there already."""
    if connection.dialect.name == POSTGRESQL:
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - for those who have it

        return insert(table)
    return sqlite.insert(table)


def insert_new(
    connection: Connection, table: sa.Table, row: Mapping[str, Any], *, key: Sequence[str]
) -> bool:
    """Insert a row; False if there is one with this key already."""
    statement = upsert(connection, table).values(**row).on_conflict_do_nothing(index_elements=key)
    inserted = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return inserted.rowcount == 1
