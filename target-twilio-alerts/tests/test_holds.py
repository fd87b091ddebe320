"""A provider that wants fewer requests gets fewer: one tries, the others of its channel wait."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from office import Office
from singer import invoice, state

from target_twilio_alerts.delivery.channels import Accepted, Postponed, Unclear
from target_twilio_alerts.delivery.holds import Holds
from target_twilio_alerts.delivery.pace import Pace, Rates
from target_twilio_alerts.ledger.outbox import ClaimedMessage

ACCEPTED = Accepted("SM1", "queued", None, None)
BUSY = Postponed("too many requests")
LATER = "2026-11-20T11:00:00"
ANNA = {"sms": "+46701740605", "email": "anna@example.com"}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def holds(clock):
    return Holds(clock)


def tried(holds, *outcomes, channel="sms"):
    """So many begin, then each hears what came of it, then they end."""
    for _ in outcomes:
        assert holds.begin(channel)
    for outcome in outcomes:
        holds.hear(channel, outcome)
    for _ in outcomes:
        holds.end(channel)


def test_each_answer_that_asks_for_fewer_doubles_the_wait_up_to_half_a_minute(holds, clock):
    for wait in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30):
        tried(holds, BUSY)
        assert holds.seconds("sms") == pytest.approx(wait, rel=0.11)
        clock.now += holds.seconds("sms") / 2
        assert not holds.begin("sms")
        clock.now += holds.seconds("sms")


def test_answers_to_what_left_together_are_one_hold(holds):
    tried(holds, BUSY, BUSY, ACCEPTED, BUSY)
    assert holds.seconds("sms") == pytest.approx(0.1, rel=0.11)


def test_the_longest_that_the_provider_asks_for_counts(holds):
    tried(holds, BUSY, Postponed("busy", 40.0), BUSY, Postponed("busy", 20.0))
    assert holds.seconds("sms") == pytest.approx(40, rel=0.11)


def test_one_tries_at_a_time_and_its_success_lets_all_go(holds, clock):
    tried(holds, BUSY, BUSY)
    clock.now += 1
    assert holds.begin("sms")
    assert not holds.begin("sms")
    assert holds.seconds("sms") == math.inf
    holds.hear("sms", ACCEPTED)
    assert not holds.is_held("sms")
    assert holds.begin("sms")
    holds.hear("sms", BUSY)
    holds.end("sms")
    holds.end("sms")
    assert holds.seconds("sms") == pytest.approx(0.1, rel=0.11)


def test_nobody_tries_before_all_that_left_earlier_have_ended(holds, clock):
    assert holds.begin("sms")
    assert holds.begin("sms")
    holds.hear("sms", BUSY)
    holds.end("sms")
    clock.now += 1
    assert not holds.begin("sms")
    holds.hear("sms", ACCEPTED)
    holds.end("sms")
    assert holds.is_held("sms")
    assert holds.begin("sms")


def test_one_that_ends_without_an_answer_lets_another_try(holds, clock):
    tried(holds, BUSY)
    clock.now += 1
    assert holds.begin("sms")
    holds.end("sms")
    assert holds.seconds("sms") == 0
    assert holds.begin("sms")


def test_other_channels_go_on_and_an_unclear_answer_holds_nothing(holds):
    tried(holds, BUSY)
    tried(holds, Unclear("HTTP 500"), channel="email")
    assert [holds.is_held(name) for name in ("sms", "email")] == [True, False]


def test_what_waits_for_its_turn_is_given_back_when_its_channel_is_held(clock):
    pace = Pace(Rates(messages_per_second=1), clock=clock)
    for number in range(3):
        for channel in ("sms", "email"):
            message = ClaimedMessage(
                *(f"{channel}{number}", None, "ap", channel, 0, "t", "", None, "", None)
            )
            pace.add(message, "sender")
    assert [one.id for one in pace.take(1)] == ["sms0"]
    assert pace.clear_held() == []
    pace.holds.hear("sms", BUSY)
    assert pace.room(["sms", "email"], most=9) == {"sms": 0, "email": 6}
    assert {one.id for one in pace.clear_held()} == {"sms1", "sms2"}
    assert len(pace.take(9)) == 3
    pace.holds.end("sms")
    clock.now += 1
    assert pace.room(["sms"], most=9) == {"sms": 1}


@pytest.fixture
def many(workplace):
    """Many alerts wait, each to be told by SMS and by email."""
    office = Office(workplace)
    office.people(via="[sms, email]", anna=ANNA)
    alerts = workplace.root / "alerts.yml"
    alerts.write_text(alerts.read_text() + "\nlimits: {per_recipient: 1000}\n")
    office.alert(*(invoice(f"n{number}", 75000, stamp=LATER) for number in range(60)))


def posts(workplace):
    return [one for one in workplace.sandbox.requests("twilio") if one.method == "POST"]


@pytest.mark.usefixtures("many")
def test_a_provider_that_refuses_all_is_asked_about_once_in_a_back_off(workplace, zygote):
    workplace.config |= {"delivery_deadline_seconds": 3, "max_in_flight": 4}
    workplace.sandbox.faults.add("twilio", method="POST", status=429, code=20429, times=None)
    zygote.run(workplace, state(LATER))
    # Four at first, then at most one after 0.1 s, 0.2 s, 0.4 s, 0.8 s and 1.6 s, a tenth less each.
    assert 4 < len(posts(workplace)) <= 4 + 6
    assert len(workplace.sandbox.sendgrid.emails) == 60
    told = workplace.query("SELECT DISTINCT channel, state, claim_token IS NULL FROM messages")
    assert {row[:2] for row in told} == {("sms", "pending"), ("email", "accepted")}
    assert {row[2] for row in told if row[0] == "sms"} == {1}


@pytest.mark.usefixtures("many")
def test_all_leave_in_the_same_run_when_the_provider_has_recovered(workplace, zygote):
    workplace.sandbox.faults.add("twilio", method="POST", status=429, code=20429, times=7)
    zygote.run(workplace, state(LATER))
    assert len(workplace.accepted) == 60
    assert len(posts(workplace)) == 67


@pytest.mark.usefixtures("many")
def test_a_run_does_not_wait_for_what_may_be_tried_after_its_deadline_only(workplace, zygote):
    workplace.config |= {"delivery_deadline_seconds": 60, "max_in_flight": 4}
    fault = {"status": 429, "code": 20429, "retry_after": 3000}
    workplace.sandbox.faults.add("twilio", method="POST", times=None, **fault)
    ended = zygote.run(workplace, state(LATER))
    assert len(posts(workplace)) <= 4
    assert "Not at their end: 60 pending" in ended.stderr
    assert len(workplace.sandbox.sendgrid.emails) == 60
    runs = workplace.query("SELECT started_at, ended_at FROM runs ORDER BY started_at DESC LIMIT 1")
    ((started, ended_at),) = [[datetime.fromisoformat(at[:-1]) for at in row] for row in runs]
    assert ended_at - started < timedelta(seconds=45)
