"""`audit verify` finds what would let an alert wait for ever, or be taken for told."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from office import Office
from singer import invoice
from time_passing import make_due
from zygote import Step

from target_twilio_alerts.audit.courses import LONGEST_POSTPONED
from target_twilio_alerts.audit.verify import verify
from target_twilio_alerts.cli.release import released_event
from target_twilio_alerts.delivery.channels import Postponed
from target_twilio_alerts.delivery.consequences import consequences
from target_twilio_alerts.ledger import Event, Ledger, escalations, events, runs, told
from target_twilio_alerts.ledger.tables import (
    acknowledgements,
    alerts,
    audit_events,
    digest_items,
    iso_utc,
    messages,
    rule_epochs,
)
from target_twilio_alerts.ledger.tables import escalations as steps

LATER = "2026-11-20T11:00:00"
NEVER = "9999-01-01T00:00:00.000000Z"
LONG_AGO = "2026-01-01T00:00:00.000000Z"
PERSON = {"sms": "+46701740605", "email": "anna.berg@example.com"}
WAITS_AGAIN = (
    "UPDATE escalations SET state = 'waiting', reason = NULL, "
    "updated_at = (SELECT raised_at FROM alerts)"
)
DIGEST = """
  evening:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: email
    digest: {daily: "16:30", timezone: Europe/Stockholm}
"""
ESCALATED = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: sms
    validity_period: 4h
    escalate:
      - {after: 15m, unless: acknowledged, notify: anna, via: email}
      - {after: 30m, unless: acknowledged, notify: anna, via: email}
"""


@pytest.fixture
def office(workplace):
    return Office(workplace)


def alerted(office, rules):
    office.people(anna=PERSON, rules=rules)
    office.alert(invoice("1", 75000, stamp=LATER))
    assert office.run("audit", "verify").startswith("ok ")
    return office


def faults(office):
    return office.run("audit", "verify", code=1)


@pytest.mark.parametrize(
    ("rules", "statement", "said"),
    [
        (
            DIGEST,
            f"UPDATE digest_items SET told_at = '{LONG_AGO}'",
            "digest_items: no digest told alert ",
        ),
        (DIGEST, f"UPDATE digest_items SET due_at = '{NEVER}'", "(alert_raised): column due_at of"),
        (DIGEST, "DELETE FROM digest_items", "(alert_raised): its row of digest_items is missing"),
        (
            ESCALATED,
            "UPDATE escalations SET state = 'ended', reason = 'acknowledged by anna'",
            "escalations: 2 steps were taken or ended, but events tell of 0",
        ),
        (ESCALATED, f"UPDATE escalations SET due_at = '{NEVER}'", "column due_at of its row of"),
        (ESCALATED, "DELETE FROM escalations WHERE step = 2", "row of escalations, step 2, is"),
        (ESCALATED, f"UPDATE messages SET valid_until = '{LONG_AGO}'", "column valid_until of"),
        (ESCALATED, "UPDATE messages SET validity_seconds = 1", "column validity_seconds of"),
        (ESCALATED, f"UPDATE messages SET not_before = '{NEVER}'", "column not_before of"),
        (
            ESCALATED,
            f"UPDATE messages SET state = 'claimed', claim_expires_at = '{NEVER}'",
            "column claim_expires_at of message ",
        ),
        (ESCALATED, "UPDATE messages SET state = 'claimed'", "column claim_expires_at of message "),
    ],
)
def test_what_is_changed_so_that_nobody_is_told_is_found(office, rules, statement, said):
    alerted(office, rules).workplace.query(statement)
    assert said in faults(office)


def test_a_digest_that_is_taken_for_told_is_an_alert_that_tells_nobody(office):
    ((alert, run),) = alerted(office, DIGEST).workplace.query("SELECT id, run_id FROM alerts")
    assert "alerts that tell nobody: none" in office.run("audit", "prove", "--run", run)
    office.workplace.query(f"UPDATE digest_items SET told_at = '{LONG_AGO}'")
    said = office.run("audit", "prove", "--run", run, code=1)
    assert f"alert {alert} of evening has no message" in said


def test_a_digest_that_was_told_is_not_told_again_unseen(office):
    alerted(office, DIGEST)
    make_due(office.workplace)
    office.run("deliver")
    assert office.run("audit", "verify").startswith("ok ")
    office.workplace.query("UPDATE digest_items SET told_at = NULL")
    assert "(message_created): column told_at of a row of digest_items" in faults(office)


@pytest.mark.parametrize("silenced", [True, False])
def test_a_digest_that_tells_nobody_says_why(office, silenced):
    run = alerted(office, DIGEST).workplace.query("SELECT run_id FROM alerts")[0][0]
    if silenced:
        office.run("silence", "add", "--rule", "evening", "--for", "1h", "--reason", "moving")
    else:
        office.people(anna=PERSON, rules=ESCALATED)
    make_due(office.workplace)
    office.run("deliver")
    ((body,),) = office.workplace.query(
        "SELECT body FROM audit_events WHERE kind = 'digest_dropped'"
    )
    why = "silenced" if silenced else "the rule is no longer there"
    assert json.loads(body) == {"reason": why}
    assert office.run("audit", "verify").startswith("ok ")
    assert "alerts that tell nobody: none" in office.run("audit", "prove", "--run", run)
    office.workplace.query("UPDATE digest_items SET told_at = NULL")
    assert "(digest_dropped): column told_at of its row of digest_items" in faults(office)


def test_steps_end_by_an_acknowledgement_that_there_is(office):
    alerted(office, ESCALATED)
    office.run("ack", office.trail()[0]["message"], "--by", "Anna", "--reason", "I call them")
    assert office.run("audit", "verify").startswith("ok ")
    office.workplace.query(WAITS_AGAIN)
    assert "(alert_acknowledged): step " in faults(office)


def test_a_step_that_was_taken_does_not_wait_again(office):
    alerted(office, ESCALATED)
    make_due(office.workplace)
    office.run("deliver")
    assert office.run("audit", "verify").startswith("ok ")
    office.workplace.query(WAITS_AGAIN)
    said = faults(office)
    assert "(escalation_taken): column state of its row of escalations was changed" in said
    proof = office.run("audit", "prove", office.trail()[0]["message"], code=1)
    assert "(escalation_taken): column state of its row of escalations" in proof


@ON_BOTH
def test_steps_that_a_release_puts_off_are_due_when_it_says(desk):
    step = {"after": "15m", "notify": "cfo", "via": "email"}
    desk.rule(
        "amount > 50000", escalate=step, validity_period="4h", file={"limits": {"per_rule": 1}}
    )
    desk.read(invoice("1", 75000), invoice("2", 75000))
    held = sa.select(messages.c.id).where(messages.c.state == "suppressed")
    ((message_id,),) = desk.rows(held)
    moment = runs.utc_now() + timedelta(hours=1)
    with desk.ledger.write() as connection:
        event = released_event(told.release(connection, message_id, at=moment), {})
        events.append(connection, [event], at=moment, run_id=None)
    assert verify(desk.ledger).fault is None
    ((due_at,),) = desk.rows(sa.select(sa.func.max(steps.c.due_at)))
    assert timedelta(minutes=14) < due_at - moment <= timedelta(minutes=15)
    with desk.ledger.write() as connection:
        connection.execute(sa.update(steps).values(due_at=due_at - timedelta(seconds=1)))
    assert "column due_at of its row of escalations was changed" in verify(desk.ledger).fault.what


def test_a_message_that_was_postponed_waits_as_long_as_its_event_tells(office):
    alerted(office, ESCALATED)
    office.config["delivery_deadline_seconds"] = 1
    fault = {"method": "POST", "status": 429, "retry_after": 3000, "times": None}
    office.sandbox.faults.add("twilio", **fault)
    office.run("deliver")
    ((at,),) = office.workplace.query("SELECT not_before FROM messages")
    assert office.run("audit", "verify").startswith("ok ")
    later = iso_utc(datetime.fromisoformat(at) + timedelta(seconds=1))
    for moment in (NEVER, LONG_AGO, None, later, f"{at[:10]} {at[11:]}", "x"):
        office.workplace.query("UPDATE messages SET not_before = ?", moment)
        assert "column not_before of message " in faults(office)


def test_no_provider_is_heard_that_asks_for_longer():
    now = runs.utc_now()
    for tries in (0, 50):
        for seconds in (None, 0, 60, 1e9):
            values, kind, _ = consequences(Postponed("busy", seconds), tries=tries, at=now)
            assert kind == "message_postponed"
            assert now < values["not_before"] <= now + LONGEST_POSTPONED


def test_of_an_event_that_does_not_tell_it_a_message_waits_for_an_hour_at_most(office):
    """Events of earlier versions."""
    alerted(office, ESCALATED)
    ((message_id,),) = office.workplace.query("SELECT id FROM messages")
    ledger = Ledger(office.config["ledger_url"])
    now = runs.utc_now()
    with ledger.write() as connection:
        event = Event("message_postponed", {"reason": "busy", "late": False}, message_id=message_id)
        events.append(connection, [event], at=now, run_id=None)
    for until, is_believed in (
        (now + timedelta(minutes=5), True),
        (now + timedelta(days=1), False),
    ):
        with ledger.write() as connection:
            connection.execute(sa.update(messages).values(not_before=until, reason="busy"))
        fault = verify(ledger).fault
        assert is_believed == (fault is None)
        assert is_believed or "column not_before of message " in fault.what
    ledger.close()


def test_a_run_that_did_not_end_is_running(office, zygote):
    alerted(office, ESCALATED)
    zygote.command(office.workplace, "deliver", die=Step("checkin", 1, "claimed")).wait()
    office.workplace.query("UPDATE messages SET state = 'pending'")
    assert office.run("audit", "verify").startswith("ok ")
    office.workplace.query("UPDATE runs SET outcome = 'completed' WHERE ended_at IS NULL")
    assert "events (run_ended) that tell of them: put in" in faults(office)


def test_contents_without_a_message_are_found(office):
    alerted(office, ESCALATED)
    with closing(sqlite3.connect(office.workplace.ledger_path)) as connection, connection:
        connection.execute(
            "INSERT INTO message_contents (message_id, address, text, salt) "
            "VALUES ('FORGED00', '+46701740605', 'hello', 'x')"
        )
    assert "message_contents: 2 rows, but messages have 1: put in" in faults(office)


def test_the_day_up_to_which_a_rule_was_decided_is_told(desk):
    desk.rule("due_date < today")
    desk.clock = lambda: datetime(2026, 11, 25, 10, tzinfo=timezone.utc)
    desk.read(invoice("1", 75000))
    desk.clock = lambda: datetime(2026, 11, 26, 10, tzinfo=timezone.utc)
    desk.read()
    query = sa.select(audit_events.c.body).where(audit_events.c.kind == "rule_decided")
    days = [json.loads(body)["day"] for (body,) in desk.rows(query)]
    assert days == ["2026-11-25", "2026-11-26"]
    assert verify(desk.ledger).fault is None
    day = datetime(2027, 1, 1, tzinfo=timezone.utc).date()
    with desk.ledger.write() as connection:
        connection.execute(sa.update(rule_epochs).values(decided_on=day))
    assert "column decided_on of rule rule, epoch " in verify(desk.ledger).fault.what


def test_of_what_earlier_versions_did_not_tell_the_rest_is_held(tmp_path):
    """A run, a digest and a step as events told of them before they told when they are due."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    now, day = runs.utc_now(), timedelta(days=1)
    run = {"id": "1" * 32, "command": "target", "version": "0", "started_at": now}
    alert = {"rule": "r", "epoch": 1, "version": "1|x", "title": "t", "severity": "low"}
    wrote = [Event("run_started", {"command": "target", "version": "0"})]
    with ledger.write() as connection:
        more = {"host": "h", "pid": 1, "outcome": "running"}
        connection.execute(sa.insert(runs.runs).values(**run, **more))
        epoch = {"rule": "r", "epoch": 1, "fingerprint": "f", "run_id": run["id"]}
        more = {"entity": "e", "condition": "c", "started_at": now, "decided_on": now.date()}
        connection.execute(sa.insert(rule_epochs).values(**epoch, **more))
        body = {"rule": "r", "epoch": 1, "when": "c", "fingerprint": "f"}
        wrote.append(Event("rule_epoch_started", body))
        for number in "12":
            row = {**alert, "id": f"A{number}", "document_id": number, "raised_at": now}
            more = {"entity": "e", "reason": "x", "decision": "{}", "run_id": run["id"]}
            connection.execute(sa.insert(alerts).values(**row, **more))
            body = {**alert, "document": number, "reason": "x", "decision": "{}"}
            wrote.append(Event("alert_raised", body, alert_id=row["id"]))
        connection.execute(sa.insert(digest_items).values(alert_id="A1", due_at=now, told_at=now))
        escalations.add(connection, "A2", 1, now + day, at=now)
        events.append(connection, wrote, at=now, run_id=run["id"])
    assert verify(ledger).fault is None
    with ledger.write() as connection:
        connection.execute(sa.update(steps).values(state="ended", reason="acknowledged by x"))
    assert "1 steps were taken or ended, but events tell of 0" in verify(ledger).fault.what
    with ledger.write() as connection:
        made = escalations.Acknowledgement("A2", now + day, "x", "command line", None)
        connection.execute(sa.update(steps).values(state="waiting", reason=None))
        escalations.acknowledge(connection, made)
        body = {"by": "x", "how": "command line"}
        event = Event("alert_acknowledged", body, alert_id="A2")
        events.append(connection, [event], at=now + day, run_id=None)
    assert verify(ledger).fault is None
    with ledger.write() as connection:
        connection.execute(sa.delete(acknowledgements))
    assert "its row of acknowledgements, A2, is missing" in verify(ledger).fault.what
    ledger.close()
