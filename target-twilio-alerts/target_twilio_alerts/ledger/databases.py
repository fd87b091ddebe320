"""The databases that a ledger can be in: a SQLite file, or PostgreSQL for several workers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError

SQLITE, POSTGRESQL = "sqlite", "postgresql"

NOT_A_URL = (
    "ledger_url: not a database URL; write sqlite:///ledger.db for a file, or "
    "postgresql+psycopg://user:password@host/database"
)

READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Options of a PostgreSQL connection that sees the ledger as it is at its first statement."""

_BUSY_TIMEOUT_SECONDS = 30.0
"""How long a writer waits for another; what the URL says wins."""

_SET_UP = """
    SELECT set_config(name, value, false)
    FROM (VALUES
        ('idle_in_transaction_session_timeout', '60s', '0'),
        ('lock_timeout', '90s', '0'),
        ('synchronous_commit', 'on', 'off')
    ) AS ours (name, value, instead_of)
    WHERE current_setting(name) = instead_of
"""
"""Settings of a PostgreSQL session; what the URL or whoever runs the server chose, stays.

Somebody who was stopped in the middle of a transaction loses its locks before others give up
waiting for them. A message marked `sending` must survive a power cut.
"""

_CONNECTING = {
    "application_name": "twilio-alerts",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""A host that has vanished is noticed within a minute; what the URL says wins."""


_MENDS = {
    "disk I/O error": "see whether its disk is full",
    "database or disk is full": "make room on its disk",
    "attempt to write a readonly database": "let this user write the file and its folder",
    "unable to open database file": "let this user read and write the file and its folder",
    "database is locked": "another program holds it; end that, and keep backups short",
}
"""What to do about what SQLite says."""


class LedgerError(Exception):
    """The ledger cannot be used; the text says why and how to mend it in one line."""


class LedgerLostError(LedgerError):
    """The connection broke; whether the last commit took hold is not known."""


def parse_url(given: str) -> URL:
    """Read a ledger's URL.

    Raises:
        LedgerError: It is none, or of a database that cannot hold a ledger.
    """
    try:
        url = sa.make_url(re.sub(r"^postgres(?=[:+])", POSTGRESQL, given))
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise LedgerError(NOT_A_URL) from None
    if backend == POSTGRESQL:
        if url.drivername not in {POSTGRESQL, f"{POSTGRESQL}+psycopg"}:
            raise LedgerError(
                f"ledger_url: {url.drivername} is not supported; write postgresql+psycopg://...",
            )
        return url.set(drivername=f"{POSTGRESQL}+psycopg")
    if backend != SQLITE:
        raise LedgerError(f"ledger_url: {backend} is not supported; use SQLite or PostgreSQL")
    if not url.database or url.database == ":memory:":
        raise LedgerError("ledger_url: a ledger in memory would forget; name a file")
    folder = Path(url.database).parent
    if not folder.is_dir():
        raise LedgerError(f"ledger_url: folder {folder} does not exist; create it first")
    return url


def create_engine(url: URL, *, is_scratch: bool) -> Engine:
    """An engine for a URL of `parse_url`.

    Args:
        url: Where the ledger is.
        is_scratch: Whether no commit need reach the disk.

    Raises:
        LedgerError: PostgreSQL's driver is not installed.
    """
    if url.get_backend_name() == POSTGRESQL:
        return _create_postgresql_engine(url)
    return _create_sqlite_engine(url, synchronous="OFF" if is_scratch else "FULL")


def reason(error: DBAPIError) -> str:
    """What a database says and how to mend it, in one line, without the row that it says it of."""
    said = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    told = " ".join(str(said or error.orig).split())
    return f"{told}; {mend}" if (mend := _MENDS.get(told)) else told


def unfit(connection: Connection) -> str | None:
    """Why a database cannot hold a ledger; None if it can."""
    if connection.dialect.name == POSTGRESQL:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            return (
                f"the database is encoded in {encoding}, which cannot hold every text; create one "
                "with ENCODING 'UTF8' TEMPLATE template0"
            )
    return None


def _create_postgresql_engine(url: URL) -> Engine:
    try:
        engine = sa.create_engine(
            url,
            isolation_level="READ COMMITTED",
            pool_pre_ping=True,
            connect_args={k: v for k, v in _CONNECTING.items() if k not in url.query},
        )
    except ImportError:
        raise LedgerError(
            "ledger_url: PostgreSQL needs psycopg; install it with "
            "`pip install 'target-twilio-alerts[postgres]'`",
        ) from None

    @sa.event.listens_for(engine, "connect")
    def _set_up(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.execute(_SET_UP)
        dbapi_connection.commit()

    return engine


def _create_sqlite_engine(url: URL, *, synchronous: str) -> Engine:
    patience = {} if "timeout" in url.query else {"timeout": _BUSY_TIMEOUT_SECONDS}
    engine = sa.create_engine(url, connect_args={"check_same_thread": False, **patience})

    @sa.event.listens_for(engine, "connect")
    def _set_up(dbapi_connection: Any, _record: Any) -> None:
        # We say BEGIN ourselves: the driver's own would be DEFERRED and fail late.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # A message marked `sending` must survive a power cut, so each commit reaches the disk.
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("ledger_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
