"""A ledger of an earlier version is brought up to date with what is in it."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from ledgers import DATABASES, check_chain, query
from sqlalchemy.exc import DBAPIError, IntegrityError

from target_twilio_alerts.ledger import Ledger, LedgerError, events, store
from target_twilio_alerts.ledger.tables import iso_utc

FOLDER = str(Path(store.__file__).parent / "migrations")
REVISIONS = [one.revision for one in ScriptDirectory(FOLDER).walk_revisions()][::-1]

AT = datetime(2026, 11, 20, 10, tzinfo=timezone.utc)
NOW = iso_utc(AT)
OF_RUN = {"run_id": "r"}
VERSION = {"stamp": "2026-11-20T09:00:00", "content": "c", "header": "{}", "seen_at": NOW, **OF_RUN}
EVENT = {"seq": 1, "kind": "run_started", "alert_id": None, "message_id": None, "body": "{}"}
SEALED = {**EVENT, **OF_RUN, "at": AT, "previous_hash": events.GENESIS}
ROWS = {
    "runs": {
        "id": "r",
        "command": "target",
        "version": "0",
        "host": "h",
        "pid": 1,
        "started_at": NOW,
        "outcome": "completed",
    },
    "complete_reads": {
        "stream": "s",
        "context": "{}",
        "completed_at": NOW,
        "reason": "read whole",
        **OF_RUN,
    },
    "documents": {
        "id": "d",
        "stream": "s",
        "entity": "supplier_invoice",
        "key": "{}",
        "ordinal": 2,
        "final": False,
        "baseline": True,
        **VERSION,
    },
    "document_versions": {"document_id": "d", "ordinal": 1, **VERSION},
    "malformed_records": {
        "stream": "s",
        "digest": "x",
        "problem": "p",
        "times": 3,
        **OF_RUN,
        "first_seen_at": NOW,
        "last_seen_at": NOW,
    },
    "rule_epochs": {
        "rule": "large",
        "epoch": 1,
        "fingerprint": "f",
        "entity": "supplier_invoice",
        "condition": "amount > 1",
        "started_at": NOW,
        **OF_RUN,
    },
    "remembered_answers": {"rule": "large", "epoch": 1, "document_id": "d", "answer": True},
    "alerts": {
        "id": "A",
        "rule": "large",
        "epoch": 1,
        "document_id": "d",
        "version": "v",
        "entity": "supplier_invoice",
        "title": "t",
        "severity": "high",
        "reason": "r",
        "decision": "{}",
        "raised_at": NOW,
        **OF_RUN,
    },
    "messages": {
        "id": "M",
        "alert_id": "A",
        "recipient": "anna",
        "channel": "sms",
        "attempt": 1,
        "state": "rejected",
        "severity_rank": 1,
        "created_at": NOW,
        "updated_at": NOW,
        "tries": 1,
        "template": "t",
        "locale": "sv",
        **OF_RUN,
    },
    "message_contents": {"message_id": "M", "address": "+46701740605", "text": "t", "salt": "s"},
    "audit_events": {**SEALED, "at": NOW, "hash": events.event_hash(SEALED)},
}
NOBODYS = {**ROWS["message_contents"], "message_id": "NOBODY"}


def make(url, revision):
    """A ledger at a revision, in a transaction of its own as an old version left it, with rows."""
    engine = sa.create_engine(url)
    config = Config()
    config.set_main_option("script_location", FOLDER)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    with engine.begin() as connection:
        for name, row in ROWS.items():
            insert(connection, name, row)
        head = {"seq": 1, "hash": ROWS["audit_events"]["hash"]}
        connection.execute(sa.text("UPDATE chain_head SET seq = :seq, hash = :hash"), head)
    engine.dispose()


def insert(connection, name, row):
    connection.execute(sa.insert(sa.Table(name, sa.MetaData(), autoload_with=connection)), row)


@pytest.fixture
def bare(request, tmp_path, databases):
    """The URL of a database without a ledger."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    url = databases.bare()
    yield url
    databases.drop(url)


@pytest.mark.parametrize("bare", DATABASES, indirect=True)
@pytest.mark.parametrize("revision", REVISIONS)
def test_everything_survives_that_a_ledger_of_any_version_has(bare, revision):
    make(bare, revision)
    ledger = Ledger(bare)
    for name, row in ROWS.items():
        kept = query(bare, f"SELECT {', '.join(row)} FROM {name}")
        assert [dict(zip(row, one, strict=True)) for one in kept] == [row]
    assert query(bare, "SELECT place, step FROM messages") == [(1, 0)]
    assert check_chain(bare) == 1
    with pytest.raises(IntegrityError), ledger.engine.begin() as connection:
        insert(connection, "message_contents", NOBODYS)
    with pytest.raises(DBAPIError, match="append-only"), ledger.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM audit_events"))
    ledger.close()


@pytest.mark.parametrize("bare", DATABASES, indirect=True)
def test_a_ledger_that_cannot_be_brought_up_to_date_stays_as_it_was(bare):
    make(bare, "0007")
    query(bare, "CREATE TABLE digest_items (id INTEGER)")  # which a later migration wants to make
    with pytest.raises(LedgerError, match="digest_items"):
        Ledger(bare)
    assert query(bare, "SELECT version_num FROM alembic_version") == [("0007",)]
    assert query(bare, "SELECT text FROM message_contents") == [("t",)]
