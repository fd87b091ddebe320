"""The trail of a ledger in PostgreSQL is verified, proven, erased and exported as a file is."""

from __future__ import annotations

import json
from dataclasses import replace

import psycopg
import pytest
from busy_office import ALERT, MESSAGE
from ledgers import query
from office import Office
from test_audit_tap import STREAMS, read

from target_twilio_alerts.audit import anchors
from target_twilio_alerts.audit.verify import verify
from target_twilio_alerts.ledger import Ledger


@pytest.fixture
def office(rich_in_postgresql, databases):
    """An office with a ledger of its own, to be changed."""
    rich = rich_in_postgresql
    url = databases.copy(rich.config["ledger_url"])
    config = {**rich.config, "ledger_url": url}
    yield Office(replace(rich.workplace, config=config))
    databases.drop(url)


def verdict(office):
    ledger = Ledger(office.config["ledger_url"])
    try:
        return verify(ledger, anchors.read([office.root / "anchors.txt"]))
    finally:
        ledger.close()


def test_what_nobody_touched_is_right(office):
    found = verdict(office)
    assert (found.fault, found.faults) == (None, 0)
    assert found.events > 100
    assert found.messages > 20
    assert office.run("audit", "verify").startswith("ok ")


def test_the_database_itself_refuses_to_change_events(office):
    for statement in ("UPDATE audit_events SET body = '{}'", "DELETE FROM audit_events"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            query(office.config["ledger_url"], statement)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE audit_events SET body = '{}' WHERE seq = 10",
            "event 10 (alert_raised): edited: its hash seals something else",
        ),
        (
            "UPDATE audit_events SET at = at + interval '1 microsecond' WHERE seq = 10",
            "event 10 (alert_raised): edited: its hash seals something else",
        ),
        ("DELETE FROM audit_events WHERE seq = 10", "event 10: missing: deleted"),
        (
            "DELETE FROM audit_events WHERE seq > 100",
            "event 101: missing, and all after it: the trail was cut; the chain's head knows",
        ),
        ("UPDATE chain_head SET hash = 'x'", "has not the hash of the chain's head"),
        (
            f"UPDATE alerts SET severity = 'low' WHERE id = {ALERT}",
            "event 10 (alert_raised): column severity of its row of alerts was changed",
        ),
        (
            "UPDATE messages SET accepted_at = accepted_at + interval '1 second'",
            "column accepted_at of message ",
        ),
        (
            f"UPDATE message_contents SET text = 'x' WHERE message_id = {MESSAGE}",
            "event 11 (message_created): column text of its row of message_contents was changed",
        ),
        ("UPDATE runs SET ended_at = started_at", "was changed"),
        ("UPDATE runs SET pid = pid + 1", "column pid of its row of runs was changed"),
        ("UPDATE digest_items SET told_at = now()", "column told_at of a row of digest_items"),
        (
            "UPDATE digest_items SET told_at = now() WHERE told_at IS NULL",
            "column told_at was changed",
        ),
        (
            "UPDATE digest_items SET due_at = due_at + interval '1 day'",
            "column due_at of its row of digest_items was changed",
        ),
        (
            "UPDATE escalations SET state = 'ended' WHERE state = 'waiting'",
            "column state was changed",
        ),
        ("UPDATE rule_epochs SET decided_on = now()", "column decided_on of rule "),
        ("DELETE FROM escalations", "its row of escalations"),
    ],
)
def test_whatever_is_done_to_it_is_found_and_named(office, statement, said):
    url = office.config["ledger_url"]
    query(url, "ALTER TABLE audit_events DISABLE TRIGGER USER")
    query(url, statement)
    told = office.run("audit", "verify", code=1)
    assert told.startswith("WRONG ")
    assert said in told


def test_each_alert_and_each_run_can_be_proven(office):
    trail = [row for row in office.trail() if row["alert"]]
    assert len(trail) > 10
    for row in trail:
        told = json.loads(office.run("audit", "prove", row["message"], "--json"))
        assert told["alert"] == row["alert"]
        assert [event["event"] for event in told["events"]]
    for (run,) in query(office.config["ledger_url"], "SELECT id FROM runs"):
        office.run("audit", "prove", "--run", run)


def test_a_person_is_erased_and_the_trail_still_agrees(office):
    url = office.config["ledger_url"]
    of_anna = (
        "SELECT count(*) FROM message_contents JOIN messages ON id = message_id "
        "WHERE recipient = 'anna' AND (address <> '' OR text <> '')"
    )
    ((before,),) = query(url, of_anna)
    assert before > 3
    said = office.run("erase", "anna", "--reason", "has left", "--yes")
    assert said.startswith(f"Erased the address and text of {before} messages (")
    assert query(url, of_anna) == [(0,)]
    assert verdict(office).fault is None


def test_the_tap_reads_it_whole_and_then_only_what_is_new(office):
    first = read(office.workplace)
    assert sorted(first.records) == STREAMS
    for stream, table in zip(STREAMS, STREAMS, strict=True):
        ((number,),) = query(office.config["ledger_url"], f"SELECT count(*) FROM {table}")
        assert len(first.ids(stream)) == number
    assert read(office.workplace, state=first.state).ids("audit_events") == []
    office.run("silence", "add", "--rule", "large", "--for", "1h", "--reason", "a test")
    later = read(office.workplace, state=first.state)
    assert len(later.ids("audit_events")) == 1
