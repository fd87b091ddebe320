from __future__ import annotations

import hashlib
import json

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from sqlalchemy.exc import DatabaseError

from target_twilio_alerts.ledger import Event, LedgerError, events, runs
from target_twilio_alerts.ledger.tables import audit_events, chain_head, iso_utc


def _rows(ledger):
    with ledger.read() as connection:
        query = sa.select(audit_events).order_by(audit_events.c.seq)
        return [dict(row._mapping) for row in connection.execute(query)]


@ON_BOTH
def test_each_event_is_sealed_with_the_hash_of_the_one_before(ledger, run):
    now = runs.utc_now()
    with ledger.write() as connection:
        told = [Event("one", {"b": 1, "a": "ä"}), Event("two", alert_id="A1", message_id="M1")]
        events.append(connection, told, at=now, run_id=run.id)
    rows = _rows(ledger)
    assert [row["seq"] for row in rows] == [1, 2, 3]
    previous = events.GENESIS
    for row in rows:
        # The canonical form, written out by hand as the module describes it.
        form = json.dumps(
            {
                "alert_id": row["alert_id"],
                "at": iso_utc(row["at"]),
                "body": row["body"],
                "kind": row["kind"],
                "message_id": row["message_id"],
                "previous_hash": previous,
                "run_id": row["run_id"],
                "seq": row["seq"],
                "v": 1,
            },
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )
        assert row["previous_hash"] == previous
        assert row["hash"] == hashlib.sha256(form.encode()).hexdigest()
        previous = row["hash"]
    with ledger.read() as connection:
        assert events.head(connection) == (3, previous)


@ON_BOTH
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_events SET body = '{}'", "DELETE FROM audit_events", "TRUNCATE audit_events"],
)
def test_the_trail_cannot_be_edited_by_accident(ledger, run, statement):
    # SQLite knows no TRUNCATE.
    with (
        pytest.raises((LedgerError, DatabaseError), match=r"append-only|syntax error"),
        ledger.write() as connection,
    ):
        connection.execute(sa.text(statement))
    assert len(_rows(ledger)) == 1


@ON_BOTH
def test_events_of_a_transaction_that_fails_are_not_told(ledger, run):
    def tell_and_fail():
        with ledger.write() as connection:
            events.append(connection, [Event("never")], at=runs.utc_now(), run_id=run.id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        tell_and_fail()
    assert [row["kind"] for row in _rows(ledger)] == ["run_started"]


def test_a_salted_hash_needs_its_salt():
    assert events.salted_hash("a", "+46701740605") != events.salted_hash("b", "+46701740605")


@ON_BOTH
def test_a_ledger_without_the_head_of_its_chain_says_so(ledger, run):
    with ledger.write() as connection:
        connection.execute(sa.delete(chain_head))
    with ledger.read() as connection, pytest.raises(LedgerError, match="chain_head does not have"):
        events.head(connection)
    with pytest.raises(LedgerError, match="restore the ledger"), ledger.write() as connection:
        events.append(connection, [Event("one")], at=runs.utc_now(), run_id=run.id)
    assert [row["kind"] for row in _rows(ledger)] == ["run_started"]
