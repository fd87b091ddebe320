"""A ledger of an earlier version is brought up to date with what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import IntegrityError

from target_twilio_alerts.ledger import Ledger, store

NOW = "2026-11-20T10:00:00.000000Z"


def make(path, revision):
    """A ledger at a revision, in a transaction of its own as an old version left it."""
    engine = sa.create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(Path(store.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def test_messages_and_their_contents_survive_a_table_that_is_rebuilt(tmp_path):
    engine = make(tmp_path / "ledger.db", "0007")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO messages (id, recipient, channel, attempt, state, severity_rank, "
            "created_at, updated_at, tries, template, locale, run_id) VALUES "
            f"('AAAA1111', 'anna', 'sms', 1, 'rejected', 1, '{NOW}', '{NOW}', 1, 't', 'sv', 'r')"
        )
        connection.exec_driver_sql(
            "INSERT INTO message_contents (message_id, address, text, salt) VALUES "
            "('AAAA1111', '+46701740605', 'told', 's')"
        )
    engine.dispose()
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    with ledger.read() as connection:
        row = connection.exec_driver_sql(
            "SELECT m.state, m.place, m.step, c.text FROM messages m "
            "JOIN message_contents c ON c.message_id = m.id"
        ).one()
    assert tuple(row) == ("rejected", 1, 0, "told")
    with pytest.raises(IntegrityError), ledger.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO message_contents (message_id, address, text, salt) VALUES "
            "('NOBODY', '+46701740605', 'told', 's')"
        )
    ledger.close()
