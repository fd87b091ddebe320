"""Callbacks that come together: written together, and what cannot be written is told again."""

from __future__ import annotations

import sqlite3
from concurrent.futures import Future
from contextlib import closing

import pytest
import sqlalchemy as sa

from target_twilio_alerts.delivery.callbacks import Callback
from target_twilio_alerts.delivery.channels import StatusReport
from target_twilio_alerts.ledger import Ledger, LedgerError, runs
from target_twilio_alerts.ledger.tables import audit_events
from target_twilio_alerts.server.inbox import Inbox, _Waiting
from target_twilio_alerts.server.status import MESSAGES


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}?timeout=0.1")
    yield ledger
    ledger.close()


@pytest.fixture
def inbox(ledger):
    return Inbox(ledger, runs.start(ledger, command="test", version="0", body={}))


def waiting(*sids):
    return [
        _Waiting(Callback(MESSAGES, sid, StatusReport("sent")), Future())
        for sid in sids or [f"SM{number}" for number in range(20)]
    ]


def unmatched(ledger):
    """How many callbacks were written."""
    query = sa.select(audit_events.c.seq).where(audit_events.c.kind == "callback_unmatched")
    with ledger.read() as connection:
        return len(connection.execute(query).all())


def test_while_the_ledger_is_locked_callbacks_are_not_tried_one_by_one(
    ledger, inbox, tmp_path, caplog
):
    first, again = waiting(), waiting()
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        inbox._write(first)
        other.execute("ROLLBACK")
    assert {type(one.result.exception(0)) for one in first} == {LedgerError}
    # The first of them was tried alone; of the others none.
    [line] = caplog.messages
    assert line.startswith("1 callback(s) could not be written")
    assert "database is locked" in line
    inbox._write(again)
    assert {one.result.result(0) for one in again} == {"unmatched"}
    assert unmatched(ledger) == len(again)


def test_one_that_cannot_be_written_keeps_no_other_from_being_written(ledger, inbox, caplog):
    told = waiting("SM1", "SM\ud800", "SM2")
    inbox._write(told)
    failed = [one.callback.sid for one in told if one.result.exception(0) is not None]
    assert failed == ["SM\ud800"]
    assert unmatched(ledger) == 2
    assert caplog.messages == ["A callback could not be written"]
