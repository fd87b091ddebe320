from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from ledgers import ON_BOTH, ON_POSTGRESQL, query

from target_twilio_alerts.ledger import Ledger, LedgerError, store
from target_twilio_alerts.ledger.tables import UtcDateTime, message_contents, metadata


@ON_BOTH
def test_migrations_make_exactly_the_tables_that_the_code_uses(ledger):
    with ledger.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_the_code_knows_the_newest_migration():
    folder = str(store.Path(store.__file__).parent / "migrations")
    assert ScriptDirectory(folder).get_heads() == [store.HEAD_REVISION]


@ON_BOTH
def test_a_second_opening_finds_the_ledger_as_it_was_left(database):
    first = Ledger(database)
    with first.write() as connection:
        connection.execute(sa.text("UPDATE chain_head SET seq = 7"))
    first.close()
    second = Ledger(database)
    with second.read() as connection:
        assert connection.execute(sa.text("SELECT seq FROM chain_head")).scalar() == 7
    second.close()


def test_commits_reach_the_disk_and_readers_do_not_wait(ledger):
    with ledger.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


@ON_POSTGRESQL
def test_a_session_is_set_for_whoever_did_not_choose_otherwise(ledger, database):
    with ledger.write() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = '1min'"))
        assert setting(connection, "lock_timeout") == "90s"
        assert setting(connection, "idle_in_transaction_session_timeout") == "1min"
        assert setting(connection, "transaction_isolation") == "read committed"
    with ledger.read() as connection:
        assert setting(connection, "transaction_isolation") == "repeatable read"
        assert setting(connection, "transaction_read_only") == "on"
    name = sa.make_url(database).database
    query(database, f"ALTER DATABASE {name} SET synchronous_commit = off")
    query(database, f"ALTER DATABASE {name} SET lock_timeout = '5s'")
    chosen = Ledger(f"{database}&options=-c%20idle_in_transaction_session_timeout%3D7s")
    with chosen.write() as connection:
        assert setting(connection, "idle_in_transaction_session_timeout") == "7s"
        assert setting(connection, "lock_timeout") == "5s"
        assert setting(connection, "synchronous_commit") == "on"
    chosen.close()


def setting(connection, name):
    return connection.exec_driver_sql(f"SHOW {name}").scalar()


@ON_BOTH
def test_a_reader_sees_one_moment_and_waits_for_nobody(ledger):
    with ledger.read() as reader:
        assert reader.execute(sa.text("SELECT seq FROM chain_head")).scalar() == 0
        with ledger.write() as writer:
            writer.execute(sa.text("UPDATE chain_head SET seq = 7"))
            assert reader.execute(sa.text("SELECT seq FROM chain_head")).scalar() == 0
        assert reader.execute(sa.text("SELECT seq FROM chain_head")).scalar() == 0


@ON_BOTH
def test_a_transaction_that_keeps_nothing_leaves_nothing(ledger):
    with ledger.write(keep=False) as connection:
        connection.execute(sa.text("UPDATE chain_head SET seq = 7"))
    with ledger.read() as connection:
        assert connection.execute(sa.text("SELECT seq FROM chain_head")).scalar() == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://u@h/d", "mysql is not supported; use SQLite or PostgreSQL"),
        ("postgresql+psycopg2://u@h/d", "psycopg2 is not supported; write postgresql"),
        ("postgresql://u:p@h:port/d", "not a database URL"),
        ("sqlite://", "would forget"),
        ("sqlite:///:memory:", "would forget"),
        ("sqlite:////no/such/folder/ledger.db", "does not exist; create it first"),
    ],
)
def test_a_wrong_ledger_url_is_told_in_one_line(url, said):
    with pytest.raises(LedgerError, match=said) as caught:
        Ledger(url)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is not a database, but long enough to look at" * 100)
    with pytest.raises(LedgerError, match="not a database") as caught:
        Ledger(f"sqlite:///{path}")
    assert "\n" not in str(caught.value)


@ON_BOTH
@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("9999", "written by a newer version"),
        ("d135f52a6f49", "has the tables of another program; give the ledger a database of its"),
    ],
)
def test_a_ledger_that_this_version_does_not_know_is_refused(database, revision, said):
    Ledger(database).close()
    query(database, "UPDATE alembic_version SET version_num = ?", revision)
    with pytest.raises(LedgerError, match=said) as caught:
        Ledger(database)
    assert "\n" not in str(caught.value)
    assert query(database, "SELECT version_num FROM alembic_version") == [(revision,)]


@pytest.mark.parametrize(
    "url",
    [
        "oracle://user:hunter2@host/db",
        "postgresql+psycopg://user:hunter2@127.0.0.1:1/db",
        "postgresql://user@127.0.0.1:1/db?password=hunter2",
    ],
)
def test_the_password_of_a_ledger_is_never_told(url):
    with pytest.raises(LedgerError) as caught:
        Ledger(url)
    assert "hunter2" not in str(caught.value)


@ON_POSTGRESQL
def test_a_url_may_leave_the_driver_out(database):
    for name in ("postgres", "postgresql"):
        Ledger(database.replace("postgresql+psycopg", name)).close()


@ON_POSTGRESQL
def test_what_the_database_says_of_a_row_is_not_told_with_the_row(ledger):
    row = {"message_id": "NOBODY", "address": "+46701740605", "text": "t", "salt": "s"}
    with pytest.raises(LedgerError, match="violates foreign key") as caught, ledger.write() as now:
        now.execute(sa.insert(message_contents), row)
    assert "NOBODY" not in str(caught.value)


def test_moments_are_kept_aware_and_sort_as_text():
    kept = UtcDateTime()
    dialect = sa.create_engine("sqlite://").dialect
    zone = timezone(timedelta(hours=2))
    early = kept.process_bind_param(datetime(2026, 3, 1, 1, 0, 0, tzinfo=zone), dialect)
    late = kept.process_bind_param(datetime(2026, 2, 28, 23, 0, 0, 1, timezone.utc), dialect)
    assert early == "2026-02-28T23:00:00.000000Z"
    assert early < late
    assert kept.process_result_value(early, dialect) == datetime(
        2026, 2, 28, 23, tzinfo=timezone.utc
    )
    with pytest.raises(ValueError, match="aware"):
        kept.process_bind_param(datetime(2026, 3, 1), dialect)  # noqa: DTZ001 - that is the point
