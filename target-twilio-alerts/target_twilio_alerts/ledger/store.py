"""Open the ledger: migrations, views, and transactions that write."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from target_twilio_alerts.ledger import locks
from target_twilio_alerts.ledger.databases import (
    POSTGRESQL,
    READING,
    LedgerError,
    LedgerLostError,
    create_engine,
    parse_url,
    reason,
    unfit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

HEAD_REVISION = "0014"
"""The newest migration. Compared on opening, so that an up-to-date ledger never loads Alembic."""


class Ledger:
    """The durable truth, in a SQLite file or a PostgreSQL database.

    Args:
        url: A SQLAlchemy URL. A SQLite file is created when missing; its folder must exist, and so
            must a PostgreSQL database.
        is_scratch: Whether it will be thrown away, so that no commit need reach the disk.

    Raises:
        LedgerError: The URL is no database we know, or the database cannot be opened, or was
            written by a newer version of this package.
    """

    def __init__(self, url: str, *, is_scratch: bool = False) -> None:
        self.url = parse_url(url)
        self.engine = create_engine(self.url, is_scratch=is_scratch)
        self._is_postgresql = self.url.get_backend_name() == POSTGRESQL
        try:
            self._migrate()
        except LedgerError:
            self.close()
            raise
        except DBAPIError as error:
            self.close()
            mend = "; check host, user, password and database" if self._is_postgresql else ""
            raise LedgerError(
                f"{self.description}: cannot be opened: {reason(error)}{mend}",
            ) from error

    @property
    def description(self) -> str:
        """The ledger's place, without the password."""
        # What follows a `?` may hold one too.
        return f"ledger_url {self.url.set(query={}).render_as_string(hide_password=True)}"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the ledger.

        Raises:
            LedgerError: The database refused.
        """
        with self._told():
            connection = self._connect()
            try:
                yield connection.execution_options(**READING) if self._is_postgresql else connection
            finally:
                connection.close()

    @contextmanager
    def write(self, *, keep: bool = True) -> Iterator[Connection]:
        """One transaction that writes.

        In SQLite it has the writer's lock from its first statement; in PostgreSQL others write
        beside it, unless it takes one of the `locks`.

        Args:
            keep: False undoes everything at the end, for a dry run.

        Raises:
            LedgerError: The database refused (disk full, locked for too long).
            LedgerLostError: The connection to the database was lost.
        """
        with self._told():
            connection = self._connect().execution_options(ledger_write=True)
            try:
                with connection.begin() as transaction:
                    yield connection
                    if not keep:
                        transaction.rollback()
            finally:
                connection.close()

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell in one line what the database refuses."""
        try:
            yield
        except DBAPIError as error:
            if error.connection_invalidated:
                raise self._lost(error) from error
            raise LedgerError(f"{self.description}: {reason(error)}") from error
        except PoolTimeoutError as error:
            raise LedgerError(f"{self.description}: every connection is in use") from error

    def _connect(self) -> Connection:
        try:
            return self.engine.connect()
        except DBAPIError as error:
            if self._is_postgresql:
                raise self._lost(error) from error
            raise

    def _lost(self, error: DBAPIError) -> LedgerLostError:
        return LedgerLostError(
            f"{self.description}: {reason(error)}; what was committed is kept, and the next run "
            "goes on from there",
        )

    def _migrate(self) -> None:
        with self.engine.connect() as connection:
            revision = _revision(connection)
        if revision == HEAD_REVISION:
            return
        if revision is not None and not re.fullmatch(r"\d{4}", revision):
            raise LedgerError(
                f"{self.description}: has the tables of another program; give the ledger a "
                "database of its own",
            )
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
            if why := unfit(connection):
                raise LedgerError(f"{self.description}: {why}")
            # Another process may have migrated while this one waited for the lock.
            if _revision(connection) != HEAD_REVISION:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    @contextmanager
    def _rebuild(self) -> Iterator[Connection]:
        """One transaction in which tables may be rebuilt, while nobody else does."""
        connection = self.engine.connect().execution_options(ledger_write=True)
        try:
            if self._is_postgresql:
                with connection.begin():
                    locks.migration(connection)
                    yield connection
            else:
                with self._unchecked(connection), connection.begin():
                    yield connection
                    self._check_references(connection)
        finally:
            connection.close()

    @staticmethod
    @contextmanager
    def _unchecked(connection: Connection) -> Iterator[None]:
        """Let a rebuilt table be dropped in between: references are checked at the end."""
        raw: Any = connection.connection.dbapi_connection
        # SQLite takes this only outside a transaction.
        raw.execute("PRAGMA foreign_keys = OFF")
        try:
            yield
        finally:
            raw.execute("PRAGMA foreign_keys = ON")

    def _check_references(self, connection: Connection) -> None:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise LedgerError(
                f"{self.description}: cannot be brought up to date: {len(broken)} rows "
                "refer to what is not there; restore it from a backup",
            )


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(
        sa.text("SELECT version_num FROM alembic_version"),
    ).scalar()
    return revision
