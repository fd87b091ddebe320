"""The flood brake: above its limits messages are held, named once, and sent when released."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger import runs, told
from target_twilio_alerts.ledger.tables import message_contents, messages
from target_twilio_alerts.messages import Messages
from target_twilio_alerts.messages.kinds import BRAKE_SUMMARY
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules import load_alerts

START = datetime(2026, 11, 25, 10, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def at_the_start(desk):
    desk.clock = lambda: START


def flood(desk, number, first=1):
    return desk.read(*(invoice(f"n{one}", 75000) for one in range(first, first + number)))


def states(desk):
    query = sa.select(messages.c.recipient, messages.c.state, messages.c.reason)
    return sorted(tuple(row) for row in desk.rows(query.where(messages.c.run_id == desk.run_id)))


def held(desk):
    return sum((reason or "").startswith("flood brake: ") for _, _, reason in states(desk))


def follow_up(desk, minutes=0):
    at = START + timedelta(minutes=minutes)
    run = runs.start(desk.ledger, command="deliver", version="0", body={})
    alerts = load_alerts(desk.file)
    FollowUp(desk.ledger, alerts, Messages(None), run=run, clock=lambda: at).take()


def summaries(desk):
    query = (
        sa.select(message_contents.c.text)
        .join(messages, messages.c.id == message_contents.c.message_id)
        .where(messages.c.template == BRAKE_SUMMARY)
        .order_by(messages.c.created_at)
    )
    return [text for (text,) in desk.rows(query)]


@ON_BOTH
def test_without_limits_nobody_gets_more_than_a_hundred_an_hour(desk):
    flood(desk, 103)
    assert held(desk) == 3
    assert states(desk)[-1] == (
        "ap",
        "suppressed",
        "flood brake: more than 100 to a recipient in an hour",
    )
    assert desk.counts["messages held by the flood brake"] == 3


@ON_BOTH
@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"per_run": 4}, "more than 4 in a run"),
        ({"per_hour": 4}, "more than 4 in an hour"),
        ({"per_rule": 4}, "more than 4 of a rule in an hour"),
        ({"per_recipient": 2}, "more than 2 to a recipient in an hour"),
    ],
)
def test_each_limit_lets_through_what_it_says(desk, limits, why):
    desk.rule("amount > 50000", notify=["ap", "cfo"], via="email", file={"limits": limits})
    flood(desk, 5)
    assert held(desk) == 6
    assert {reason for _, _, reason in states(desk) if reason} == {f"flood brake: {why}"}


@ON_BOTH
def test_an_hour_counts_across_runs_and_passes(desk):
    desk.rule("amount > 50000", file={"limits": {"per_rule": 3}})
    flood(desk, 2)
    desk.clock = lambda: START + timedelta(minutes=59)
    flood(desk, 2, first=3)
    assert held(desk) == 1
    desk.clock = lambda: START + timedelta(minutes=61)
    flood(desk, 3, first=5)
    assert held(desk) == 1


@ON_BOTH
def test_what_messages_will_cost_is_limited_for_a_day(desk, tmp_path):
    (tmp_path / "prices.csv").write_text("channel,country,price\nsms,SE,0.05\nsms,*,1\n")
    limits = {"cost_per_day": "0.10", "prices": "prices.csv"}
    desk.rule("amount > 50000", file={"limits": limits})
    flood(desk, 3)
    assert held(desk) == 1
    costs = [cost for (cost,) in desk.rows(sa.select(messages.c.cost_micros))]
    assert costs == [50_000] * 3
    desk.clock = lambda: START + timedelta(hours=25)
    flood(desk, 1, first=9)
    assert held(desk) == 0


def test_what_escalations_cost_counts(desk, tmp_path):
    (tmp_path / "prices.csv").write_text("channel,country,price\nsms,*,0.05\nemail,*,0.01\n")
    limits = {"cost_per_day": "0.15", "prices": "prices.csv"}
    steps = [{"after": "15m", "notify": "cfo", "via": ["sms", "email"]}]
    desk.rule("amount > 50000", escalate=steps, file={"limits": limits})
    flood(desk, 1)
    follow_up(desk, minutes=15)
    desk.clock = lambda: START + timedelta(minutes=20)
    flood(desk, 1, first=2)
    assert states(desk)[-1][-1] == "flood brake: more than 0.15 in a day"


@ON_BOTH
def test_one_summary_names_what_was_held_and_another_not_before_an_hour(desk):
    limits = {"per_rule": 2, "notify": "cfo", "via": "email"}
    desk.rule("amount > 50000", file={"limits": limits})
    flood(desk, 5)
    follow_up(desk)
    [text] = summaries(desk)
    assert text.startswith("3 alert messages were held back, since a limit was reached: rule: 3.")
    assert "twilio-alerts release" in text
    flood(desk, 2, first=6)
    follow_up(desk, minutes=30)
    assert len(summaries(desk)) == 1
    follow_up(desk, minutes=61)
    assert summaries(desk)[1].startswith("2 alert messages were held back")
    follow_up(desk, minutes=200)
    assert len(summaries(desk)) == 2


def test_a_summary_reaches_whoever_shares_an_address_with_somebody_who_is_not_disturbed(desk):
    asleep = {"from": "00:00", "to": "23:59", "do": "drop"}
    people = {
        "ap": {"name": "Anna", "sms": "+46701740605", "quiet_hours": asleep},
        "cfo": {"name": "Carl", "sms": "+46701740605"},
    }
    limits = {"per_rule": 1, "notify": ["ap", "cfo"], "via": "sms"}
    desk.rule("amount > 50000", notify="cfo", file={"recipients": people, "limits": limits})
    flood(desk, 2)
    follow_up(desk)
    of_summaries = messages.c.template == BRAKE_SUMMARY
    query = sa.select(messages.c.recipient, messages.c.state).where(of_summaries)
    assert sorted(desk.rows(query)) == [("ap", "suppressed"), ("cfo", "pending")]


def test_many_matches_are_a_hundred_messages_across_groups_of_records(desk):
    flood(desk, 1_200)
    assert len(states(desk)) == 1_200
    assert held(desk) == 1_100


@ON_BOTH
def test_what_is_released_waits_to_be_sent_and_what_is_not_held_does_not(desk):
    desk.rule("amount > 50000", file={"limits": {"per_rule": 2}})
    flood(desk, 4)
    with desk.ledger.write() as connection:
        ids = told.held(connection, rule="rule", ids=None)
        released = [told.release(connection, one, at=START) for one in ids]
        assert [one.id for one in released] == ids
        assert [told.release(connection, one, at=START) for one in ids] == [None, None]
    assert [state for _, state, _ in states(desk)] == ["pending"] * 4


def test_held_is_told_in_five_languages():
    for locale in ("sv_SE", "nb_NO", "da_DK", "fi_FI", "en"):
        sms = Messages(None).held({"a": 2}, channel="sms", locale=locale, reference="X")
        assert "a: 2" in sms.text
        assert "twilio-alerts release" in sms.text
        assert sms.segments <= 2
        assert Messages(None).held({"a": 2}, channel="email", locale=locale, reference="X").subject


def test_what_follows_later_has_a_cost_too(desk):
    (desk.file.parent / "prices.csv").write_text("channel,country,price\nsms,SE,0.05\n")
    step = {"after": "1h", "notify": "ap", "via": "sms"}
    desk.rule("amount > 50000", escalate=step, file={"limits": {"prices": "prices.csv"}})
    flood(desk, 1)
    follow_up(desk, minutes=60)
    assert [cost for (cost,) in desk.rows(sa.select(messages.c.cost_micros))] == [50000, 50000]
