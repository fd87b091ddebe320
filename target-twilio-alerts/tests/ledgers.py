"""Ledgers for tests, in each database that a ledger can be in."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa
from postgresql import execute

from target_twilio_alerts.ledger import Ledger, events
from target_twilio_alerts.ledger.tables import iso_utc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DATABASES = ["sqlite", "postgresql"]

ON_BOTH = pytest.mark.parametrize("database", DATABASES, indirect=True)
"""Tests with this mark have their ledger once in each database."""

ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


class Databases:
    """Databases of one PostgreSQL server, each made from an empty ledger.

    Args:
        server: Gives the server, when the first database is wanted.
    """

    def __init__(self, server: Callable[[], Any]) -> None:
        self._server = server
        self._names = (f"t{os.getpid()}_{number}" for number in itertools.count())
        self._empty: str | None = None

    def new(self) -> str:
        """The URL of a ledger of its own."""
        if self._empty is None:
            self._empty = self.bare()
            Ledger(self._empty).close()
        return self.copy(self._empty)

    def bare(self) -> str:
        """The URL of a database without a ledger."""
        return self._create("")

    def copy(self, url: str) -> str:
        """The URL of a copy of a ledger that nobody uses."""
        return self._create(f"TEMPLATE {sa.make_url(url).database} STRATEGY FILE_COPY")

    def drop(self, url: str) -> None:
        """Let a ledger go, whoever uses it."""
        execute(self._server(), f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")

    def _create(self, how: str) -> str:
        name = next(self._names)
        execute(self._server(), f"CREATE DATABASE {name} {how}")
        url: str = self._server().get_uri(database=name, driver="psycopg")
        return url


def copied(url: str, folder: Path, databases: Databases) -> str:
    """The URL of a copy of a ledger that nobody uses."""
    if is_postgresql(url):
        return databases.copy(url)
    shutil.copy(str(sa.make_url(url).database), folder / "ledger.db")
    return f"sqlite:///{folder / 'ledger.db'}"


def is_postgresql(url: str) -> bool:
    return url.startswith("postgresql")


def query(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Look into a ledger, or change it, behind the back of whoever works with it.

    Values stand where the statement has a question mark; moments are the same texts everywhere.
    """
    if not is_postgresql(url):
        with closing(sqlite3.connect(str(sa.make_url(url).database))) as connection, connection:
            return connection.execute(statement, values).fetchall()
    place = sa.make_url(url)
    with psycopg.connect(dbname=place.database, user=place.username, **place.query) as connection:
        cursor = connection.execute(statement.replace("?", "%s"), values)
        rows = cursor.fetchall() if cursor.description else []
    return [
        tuple(iso_utc(one) if isinstance(one, datetime) else one for one in row) for row in rows
    ]


def check_chain(url: str) -> int:
    """Assert that each event is sealed with the one before; gives how many there are."""
    columns = ("seq", "at", "kind", "run_id", "alert_id", "message_id", "body", "previous_hash")
    rows = query(url, f"SELECT {', '.join(columns)}, hash FROM audit_events ORDER BY seq")
    before = events.GENESIS
    for number, row in enumerate(rows, 1):
        event = dict(zip(columns, row, strict=False))
        at = datetime.fromisoformat(str(event["at"]).replace("Z", "+00:00"))
        assert (event["seq"], event["previous_hash"]) == (number, before)
        assert events.event_hash({**event, "at": at}) == row[-1]
        before = row[-1]
    assert query(url, "SELECT seq, hash FROM chain_head") == [(len(rows), before)]
    return len(rows)


def deadlocks(url: str) -> int:
    """How often the server had to end a transaction that waited in a circle."""
    if not is_postgresql(url):
        return 0
    counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return int(query(url, counted)[0][0])
