"""Escalation: who is told next, unless somebody has acted; once, also across runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger import escalations, runs, tables, told
from target_twilio_alerts.ledger.escalations import Acknowledgement
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules import load_alerts

START = datetime(2026, 11, 25, 10, tzinfo=timezone.utc)
STEPS = [
    {"after": "15m", "notify": "cfo", "via": "sms"},
    {"after": "2h", "notify": "cfo", "via": "email"},
]


@pytest.fixture
def later(desk, tmp_path):
    """What is written so long after the alert: step, recipient, channel and state of messages."""

    def take(minutes, root=tmp_path):
        at = START + timedelta(minutes=minutes)
        run = runs.start(desk.ledger, command="deliver", version="0", body={})
        alerts = load_alerts(desk.file)
        FollowUp(desk.ledger, alerts, Messages(root), run=run, clock=lambda: at).take()
        columns = tables.messages.c
        query = sa.select(columns.step, columns.recipient, columns.channel, columns.state)
        return [tuple(row) for row in desk.rows(query.where(columns.run_id == run.id))]

    return take


@pytest.fixture(autouse=True)
def at_the_start(desk):
    desk.clock = lambda: START


def alert(desk, steps=STEPS, **rule):
    desk.rule("amount > 50000", escalate=steps, **rule)
    assert desk.read(invoice("1", 75000)) == ["1"]


def settled(desk):
    table = tables.escalations.c
    query = sa.select(table.step, table.state, table.reason).order_by(table.step)
    return [tuple(row) for row in desk.rows(query)]


def acknowledge(desk):
    with desk.ledger.write() as connection:
        [alert_id] = connection.execute(sa.select(tables.alerts.c.id)).scalars()
        made = Acknowledgement(alert_id, START, "Anna", "command line", None)
        assert escalations.acknowledge(connection, made)


@ON_BOTH
def test_each_step_is_taken_when_its_time_has_come_and_only_once(desk, later):
    alert(desk)
    assert later(14) == []
    assert later(15) == [(1, "cfo", "sms", "pending")]
    assert later(16) == []
    assert later(120) == [(2, "cfo", "email", "pending")]
    assert later(240) == []
    assert settled(desk) == [(1, "taken", None), (2, "taken", None)]


@ON_BOTH
def test_steps_that_were_missed_are_taken_by_the_next_run(desk, later):
    alert(desk)
    assert [step for step, *_ in later(10_000)] == [1, 2]


@ON_BOTH
def test_what_is_acknowledged_goes_no_further(desk, later):
    alert(desk)
    later(15)
    acknowledge(desk)
    assert later(240) == []
    assert settled(desk) == [(1, "taken", None), (2, "ended", "acknowledged by Anna")]


@ON_BOTH
def test_a_text_of_a_step_says_that_it_is_one(desk, later):
    alert(desk)
    later(15)
    contents = tables.message_contents
    query = sa.select(contents.c.text).join(
        tables.messages, tables.messages.c.id == contents.c.message_id
    )
    [text] = [one for (one,) in desk.rows(query.where(tables.messages.c.step == 1))]
    assert "Escalated: " in text


@ON_BOTH
@pytest.mark.parametrize(("state", "steps"), [("delivered", 0), ("read", 0), ("sent", 1)])
def test_unless_delivered_waits_for_word_that_it_reached_somebody(desk, later, state, steps):
    alert(desk, [{**STEPS[0], "unless": "delivered"}])
    with desk.ledger.write() as connection:
        connection.execute(sa.update(tables.messages).values(state=state))
    assert len(later(15)) == steps


def test_an_email_that_a_mail_server_took_has_reached_nobody_yet(desk, later):
    alert(desk, [{**STEPS[0], "unless": "delivered"}])
    with desk.ledger.write() as connection:
        connection.execute(sa.update(tables.messages).values(state="delivered", channel="email"))
    assert len(later(15)) == 1


@ON_BOTH
def test_statuses_are_asked_for_before_a_step_that_depends_on_one(desk, tmp_path):
    alert(desk, [{**STEPS[0], "unless": "delivered"}])
    asked = []
    for minutes in (14, 15, 16):
        at = START + timedelta(minutes=minutes)
        run = runs.start(desk.ledger, command="deliver", version="0", body={})
        FollowUp(
            desk.ledger,
            load_alerts(desk.file),
            Messages(tmp_path),
            run=run,
            clock=lambda at=at: at,
            ask=lambda minutes=minutes: asked.append(minutes),
        ).take()
    assert asked == [15]


@ON_BOTH
def test_quiet_hours_that_held_the_alert_hold_its_escalation(desk, later):
    night = {"from": "10:00", "to": "12:00"}  # of Stockholm: 09 to 11 UTC
    people = {
        "ap": {"name": "Anna Berg", "sms": "+46701740605", "quiet_hours": night},
        "cfo": {"name": "Carl Dahl", "sms": "+46701740606", "email": "c@example.com"},
    }
    alert(desk, file={"recipients": people})
    assert later(74) == []
    assert later(75) == [(1, "cfo", "sms", "pending")]


@ON_BOTH
def test_what_is_silenced_is_not_escalated(desk, later):
    alert(desk)
    with desk.ledger.write() as connection:
        connection.execute(
            sa.update(tables.messages).values(state="suppressed", reason="silence X of Anna: test")
        )
    assert later(15) == []
    assert settled(desk)[0] == (1, "ended", "silenced")


@ON_BOTH
def test_a_step_that_the_rule_no_longer_has_ends(desk, later):
    alert(desk)
    desk.rule("amount > 50000", escalate=STEPS[0])
    assert [step for step, *_ in later(240)] == [1]
    assert settled(desk)[1] == (2, "ended", "the rule has no such step any more")


@ON_BOTH
def test_a_rule_that_is_gone_escalates_nothing(desk, later):
    alert(desk)
    desk.rule(
        "amount > 50000",
        file={
            "rules": {
                "other": {
                    "entity": "supplier_invoice",
                    "when": "amount > 1",
                    "notify": "ap",
                    "via": "sms",
                }
            }
        },
    )
    assert later(240) == []
    assert [state for _, state, _ in settled(desk)] == ["ended", "ended"]


def test_what_the_flood_brake_holds_is_escalated_once_it_was_released(desk, later):
    desk.rule("amount > 50000", escalate=STEPS, file={"limits": {"per_rule": 2}})
    desk.read(*(invoice(str(number), 75000) for number in range(5)))
    assert [who for _, who, *_ in later(15)] == ["cfo", "cfo"]
    released_at = START + timedelta(minutes=60)
    with desk.ledger.write() as connection:
        first = told.held(connection, rule=None, ids=None)[0]
        assert told.release(connection, first, at=released_at)
    assert later(74) == []
    assert later(75) == [(1, "cfo", "sms", "pending")]
    assert [step for step, *_ in later(180)] == [2, 2, 2]
    assert later(100_000) == []


def test_steps_of_an_alert_are_put_off_once_however_many_of_its_messages_are_released(desk, later):
    limits = {"limits": {"per_run": 1}}
    desk.rule("amount > 50000", via=["sms", "email"], escalate=STEPS[:1], file=limits)
    desk.read(invoice("1", 75000), invoice("2", 75000))
    assert len(later(15)) == 1
    with desk.ledger.write() as connection:
        for one in told.held(connection, rule=None, ids=None):
            assert told.release(connection, one, at=START + timedelta(minutes=60))
    assert later(74) == []
    assert len(later(75)) == 1


def test_what_is_released_in_quiet_hours_waits_for_their_end(desk, later):
    night = {"from": "10:00", "to": "12:00"}  # of Stockholm: 09 to 11 UTC
    people = {"ap": {"name": "Anna Berg", "sms": "+46701740605", "quiet_hours": night}}
    file = {"recipients": people, "limits": {"per_rule": 1}}
    step = {"after": "15m", "notify": "ap", "via": "sms"}
    desk.rule("amount > 50000", escalate=step, file=file, validity_period="30m")
    desk.read(invoice("1", 75000), invoice("2", 75000))
    columns = tables.messages.c
    with desk.ledger.write() as connection:
        (one,) = told.held(connection, rule=None, ids=None)
        assert told.release(connection, one, at=START + timedelta(minutes=10))
    query = sa.select(columns.state, columns.not_before, columns.valid_until)
    seven = START + timedelta(minutes=60)
    waiting = ("pending", seven, seven + timedelta(minutes=30))
    assert [tuple(row) for row in desk.rows(query)] == [waiting, waiting]
    assert len(later(75)) == 2
