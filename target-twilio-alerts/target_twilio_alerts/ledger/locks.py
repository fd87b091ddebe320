"""Who waits for whom where several processes share one PostgreSQL ledger.

SQLite has one writer at a time. PostgreSQL has many, so whoever decides something by what others
may be writing takes a lock first, which the end of its transaction gives back. So that nobody
waits in a circle, everybody takes them in this order: streams, telling, rows of messages, and the
head of the chain (`events.append`) last.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import sqlalchemy as sa

from target_twilio_alerts.ledger.databases import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

_MIGRATION, _TELLING, _STREAM = 0x7A1E4701, 0x7A1E4702, 0x7A1E4703
"""Numbers of ours among all advisory locks of a database."""


def migration(connection: Connection) -> None:
    """Wait until nobody else brings the ledger up to date."""
    _wait(connection, _MIGRATION)


def streams(connection: Connection, names: Iterable[str]) -> None:
    """Wait until nobody else decides documents of these streams."""
    if connection.dialect.name == POSTGRESQL:
        digests = (hashlib.sha256(name.encode()).digest() for name in names)
        for number in sorted({int.from_bytes(one[:4], "big", signed=True) for one in digests}):
            _wait(connection, _STREAM, number)


def telling(connection: Connection) -> None:
    """Wait until nobody else decides who is told what, and who is not."""
    _wait(connection, _TELLING)


def _wait(connection: Connection, kind: int, number: int = 0) -> None:
    if connection.dialect.name == POSTGRESQL:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(kind, number)))
