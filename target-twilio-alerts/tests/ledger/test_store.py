from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from target_twilio_alerts.ledger import Ledger, LedgerError, store
from target_twilio_alerts.ledger.tables import UtcDateTime, metadata


def test_migrations_make_exactly_the_tables_that_the_code_uses(ledger):
    with ledger.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_the_code_knows_the_newest_migration():
    folder = str(store.Path(store.__file__).parent / "migrations")
    assert ScriptDirectory(folder).get_heads() == [store.HEAD_REVISION]


def test_a_second_opening_finds_the_ledger_as_it_was_left(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first = Ledger(url)
    with first.write() as connection:
        connection.execute(sa.text("UPDATE chain_head SET seq = 7"))
    first.close()
    second = Ledger(url)
    with second.read() as connection:
        assert connection.execute(sa.text("SELECT seq FROM chain_head")).scalar() == 7
    second.close()


def test_commits_reach_the_disk_and_readers_do_not_wait(ledger):
    with ledger.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_transaction_that_keeps_nothing_leaves_nothing(ledger):
    with ledger.write(keep=False) as connection:
        connection.execute(sa.text("UPDATE chain_head SET seq = 7"))
    with ledger.read() as connection:
        assert connection.execute(sa.text("SELECT seq FROM chain_head")).scalar() == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://u@h/d", "mysql is not supported"),
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


def test_a_ledger_of_a_newer_version_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    Ledger(url).close()
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerError, match="newer version"):
        Ledger(url)


def test_the_password_of_a_ledger_is_never_told():
    with pytest.raises(LedgerError) as caught:
        Ledger("oracle://user:hunter2@host/db")
    assert "hunter2" not in str(caught.value)


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
