"""Open the ledger: engine, durability settings, migrations, and transactions that write."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, Connection, Engine

HEAD_REVISION = "0013"
"""The newest migration. Compared on opening, so that an up-to-date ledger never loads Alembic."""

_BUSY_TIMEOUT_MS = 30_000


class LedgerError(Exception):
    """The ledger cannot be used; the text says why and how to mend it in one line."""


class Ledger:
    """The durable truth, in one SQLite file.

    Args:
        url: A SQLAlchemy URL. A SQLite file is created when missing; its folder must exist.
        is_scratch: Whether it will be thrown away, so that no commit need reach the disk.

    Raises:
        LedgerError: The URL is no database we know, or the database cannot be opened, or was
            written by a newer version of this package.
    """

    def __init__(self, url: str, *, is_scratch: bool = False) -> None:
        self.url = _parse_url(url)
        self.engine = _create_engine(self.url, synchronous="OFF" if is_scratch else "FULL")
        try:
            self._migrate()
        except DBAPIError as error:
            raise LedgerError(f"{self.description}: cannot be opened: {error.orig}") from error

    @property
    def description(self) -> str:
        """The ledger's place, without the password."""
        return f"ledger_url {self.url.render_as_string(hide_password=True)}"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the ledger.

        Raises:
            LedgerError: The database refused.
        """
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise LedgerError(f"{self.description}: {error.orig}") from error

    @contextmanager
    def write(self, *, keep: bool = True) -> Iterator[Connection]:
        """One transaction that writes: it holds SQLite's writer lock from its first statement.

        Args:
            keep: False undoes everything at the end, for a dry run.

        Raises:
            LedgerError: The database refused (disk full, locked for too long, connection lost).
        """
        connection = self.engine.connect().execution_options(ledger_write=True)
        try:
            with connection.begin() as transaction:
                yield connection
                if not keep:
                    transaction.rollback()
        except DBAPIError as error:
            raise LedgerError(f"{self.description}: {error.orig}") from error
        finally:
            connection.close()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            revision = _revision(connection)
        if revision == HEAD_REVISION:
            return
        if revision is not None and revision > HEAD_REVISION:
            raise LedgerError(
                f"{self.description}: written by a newer version (revision {revision}, this one "
                f"knows {HEAD_REVISION}): upgrade target-twilio-alerts",
            )
        from alembic import command  # noqa: PLC0415 - only a ledger behind its code pays for it
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option(
            "script_location",
            str(Path(__file__).parent / "migrations").replace("%", "%%"),
        )
        with self._rebuild() as connection:
            # Another process may have migrated while this one waited for the lock.
            if _revision(connection) != HEAD_REVISION:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    @contextmanager
    def _rebuild(self) -> Iterator[Connection]:
        """One transaction in which tables may be rebuilt: references are checked at its end."""
        connection = self.engine.connect().execution_options(ledger_write=True)
        raw: Any = connection.connection.dbapi_connection
        # SQLite takes this only outside a transaction, and a rebuilt table is dropped in between.
        raw.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise LedgerError(
                        f"{self.description}: cannot be brought up to date: {len(broken)} rows "
                        "refer to what is not there; restore it from a backup",
                    )
        finally:
            raw.execute("PRAGMA foreign_keys = ON")
            connection.close()


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        sa.text("SELECT version_num FROM alembic_version"),
    ).scalar()
    return revision


def _parse_url(url: str) -> URL:
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise LedgerError(
            "ledger_url: not a database URL; write sqlite:///ledger.db for a file",
        ) from None
    if backend != "sqlite":
        raise LedgerError(f"ledger_url: {backend} is not supported; use a SQLite file")
    if not parsed.database or parsed.database == ":memory:":
        raise LedgerError("ledger_url: a ledger in memory would forget; name a file")
    folder = Path(parsed.database).parent
    if not folder.is_dir():
        raise LedgerError(f"ledger_url: folder {folder} does not exist; create it first")
    return parsed


def _create_engine(url: URL, *, synchronous: str) -> Engine:
    engine = sa.create_engine(
        url,
        connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def _set_up(dbapi_connection: Any, _record: Any) -> None:
        # We say BEGIN ourselves: the driver's own would be DEFERRED and fail late.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
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
