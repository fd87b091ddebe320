"""Messages of use for a time only: what waited longer is not sent, and Twilio is told the rest."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa
from office import Office
from singer import invoice

from target_twilio_alerts.delivery import dispatcher
from target_twilio_alerts.ledger import runs, told
from target_twilio_alerts.ledger.tables import UtcDateTime, messages
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules import load_alerts

ANNA, EXPIRED = "+46701740605", "+46701740691"
RULE = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: {via}
    validity_period: 1h
"""
PASSED = "validity period passed"


@pytest.fixture
def office(workplace):
    return Office(workplace)


def alert(office, *, via="sms", more="", number="1", **anna):
    person = {"sms": ANNA, "voice": ANNA, "email": "anna@example.com", **anna}
    office.people(rules=RULE.format(via=via) + more, anna=person)
    office.alert(invoice(number, 75000))


def passes(office, **span):
    """Let so much time pass for the messages that wait."""
    kind = UtcDateTime()
    for message, until in office.workplace.query("SELECT id, valid_until FROM messages"):
        earlier = kind.process_result_value(until, None) - timedelta(**span)
        office.workplace.query(
            "UPDATE messages SET valid_until = ? WHERE id = ?",
            earlier.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            message,
        )


def periods(office):
    """The ValidityPeriod of each SMS that Twilio was asked to send."""
    asked = [one for one in office.sandbox.requests("twilio") if one.method == "POST"]
    forms = [parse_qs(one.body.decode()) for one in asked]
    return [int(one["ValidityPeriod"][0]) if "ValidityPeriod" in one else None for one in forms]


def states(office):
    return [(one["state"], one["error"]) for one in office.trail()]


def test_what_waited_too_long_is_suppressed_and_the_trail_says_why(office):
    alert(office)
    passes(office, hours=1, seconds=1)
    office.run("deliver")
    assert office.workplace.accepted == []
    assert states(office) == [("suppressed", PASSED)]
    (kind, body) = office.workplace.query(
        "SELECT kind, body FROM audit_events WHERE message_id IS NOT NULL ORDER BY seq"
    )[-1]
    (until,) = office.workplace.query("SELECT valid_until FROM messages")[0]
    assert kind == "message_suppressed"
    assert json.loads(body) == {"reason": PASSED, "valid_until": until}
    office.run("deliver")
    assert states(office) == [("suppressed", PASSED)]
    assert PASSED in office.run("audit", "show", office.trail()[0]["message"])


@pytest.mark.parametrize("channel", ["voice", "email"])
def test_a_call_or_an_email_that_waited_too_long_is_not_made_either(office, channel):
    alert(office, via=channel)
    passes(office, hours=1, seconds=1)
    office.run("deliver")
    assert states(office) == [("suppressed", PASSED)]
    assert office.sandbox.twilio.calls == office.sandbox.sendgrid.emails == []


def test_twilio_is_told_the_rest_of_the_time_of_an_sms_only(office):
    alert(office, via="[sms, voice, email]")
    passes(office, minutes=20)
    office.run("deliver")
    assert {one["state"] for one in office.trail()} == {"accepted"}
    assert len(office.sandbox.sendgrid.emails) == 1
    call, sms = sorted(periods(office), key=lambda one: one or 0)
    assert call is None
    assert 2300 < sms <= 2400


def test_a_rule_without_one_says_nothing_to_twilio(office):
    office.people(anna={"sms": ANNA})
    office.alert(invoice("1", 75000))
    office.run("deliver")
    assert periods(office) == [None]
    assert office.workplace.query("SELECT validity_seconds, valid_until FROM messages") == [
        (None, None)
    ]


@pytest.mark.parametrize(("left", "told"), [(0.4, 1), (600.5, 600), (36_030, 36_000)])
def test_what_twilio_is_told_is_what_it_takes_whatever_the_clocks(office, monkeypatch, left, told):
    alert(office)
    (until,) = office.workplace.query("SELECT valid_until FROM messages")[0]
    now = UtcDateTime().process_result_value(until, None) - timedelta(seconds=left)
    monkeypatch.setattr(dispatcher, "utc_now", lambda: now)
    office.run("deliver")
    assert periods(office) == [told]


def test_what_twilio_let_go_of_is_told_in_plain_words(office):
    office.sandbox.twilio.outcomes[ANNA] = ("failed", 30036)
    alert(office)
    office.run("deliver")
    office.sandbox.twilio.settle()
    office.run("deliver")
    ((state, error),) = states(office)
    assert state == "failed"
    assert error == (
        "too old to be of use before it could be sent (error 30036): resend if it still matters"
    )
    assert "too old to be of use" in office.run("audit")


def test_a_resend_is_of_use_for_as_long_again(office):
    alert(office)
    passes(office, hours=2)
    office.run("deliver")
    (old,) = office.trail()
    office.run("resend", "--yes", old["message"], "--reason", "she still wants it")
    assert [state for state, _ in states(office)] == ["suppressed", "accepted"]
    assert 3500 < periods(office)[0] <= 3600
    first, second = office.workplace.query(
        "SELECT validity_seconds, valid_until FROM messages ORDER BY created_at"
    )
    assert first[0] == second[0] == 3600
    assert second[1] > first[1]


def test_what_the_flood_brake_held_is_of_use_from_its_release_on(office):
    alert(office, more="limits: {per_rule: 1}\n")
    office.alert(invoice("2", 75000))
    office.run("deliver")
    (held,) = [one for one in office.trail() if one["state"] == "suppressed"]
    passes(office, hours=5)
    office.run("release", held["message"], "--reason", "checked")
    office.run("deliver")
    assert len(office.workplace.accepted) == 2
    assert 3500 < periods(office)[-1] <= 3600
    told = office.run("release", held["message"], "--reason", "again", code=1)
    assert "not held by the flood brake" in told


# In the ledger alone, at times of our own.

NIGHT = {"from": "20:00", "to": "07:00"}
LATE = datetime(2026, 11, 25, 21, tzinfo=timezone.utc)
MORNING = datetime(2026, 11, 26, 6, tzinfo=timezone.utc)


def valid(desk):
    query = sa.select(messages.c.not_before, messages.c.validity_seconds, messages.c.valid_until)
    return [tuple(row) for row in desk.rows(query.order_by(messages.c.created_at))]


@pytest.fixture
def night(desk):
    desk.clock = lambda: LATE
    return desk


def test_quiet_hours_do_not_use_it_up(night):
    people = {"ap": {"name": "Anna", "sms": ANNA, "quiet_hours": NIGHT}}
    night.rule("amount > 50000", validity_period="30m", file={"recipients": people})
    night.read(invoice("1", 75000))
    assert valid(night) == [(MORNING, 1800, MORNING + timedelta(minutes=30))]


def test_it_counts_from_the_alert_otherwise(night):
    night.rule("amount > 50000", validity_period="10h")
    night.read(invoice("1", 75000))
    assert valid(night) == [(None, 36_000, LATE + timedelta(hours=10))]


def test_a_step_of_an_escalation_has_a_time_of_its_own(night, tmp_path):
    step = {"after": "2h", "notify": "cfo", "via": "email"}
    night.rule("amount > 50000", validity_period="30m", escalate=step)
    night.read(invoice("1", 75000))
    later = LATE + timedelta(hours=3)
    run = runs.start(night.ledger, command="deliver", version="0", body={})
    follow = FollowUp(
        night.ledger, load_alerts(night.file), Messages(tmp_path), run=run, clock=lambda: later
    )
    assert follow.take() == 1
    assert valid(night)[1] == (None, 1800, later + timedelta(minutes=30))


def test_only_what_is_still_held_is_released(night):
    night.rule("amount > 50000", validity_period="30m", file={"limits": {"per_rule": 1}})
    night.read(invoice("1", 75000), invoice("2", 75000))
    with night.ledger.write() as connection:
        (held,) = told.held(connection, rule=None, ids=None)
        later = LATE + timedelta(days=1)
        assert told.release(connection, held, at=later)
        assert not told.release(connection, held, at=later + timedelta(days=1))
        assert not told.release(connection, "NOBODY", at=later)
    assert valid(night)[1] == (None, 1800, later + timedelta(minutes=30))
