"""People in runs: several addresses, quiet hours, duty, deputies."""

from __future__ import annotations

from datetime import datetime, timezone

import sqlalchemy as sa
from singer import invoice

from target_twilio_alerts.ledger.tables import message_contents, messages

ANNA, BO = "+46701740605", "+46701740606"
NIGHT = {"from": "20:00", "to": "07:00"}
TEN_AT_NIGHT = datetime(2026, 11, 25, 21, tzinfo=timezone.utc)


def told(desk):
    columns = messages.c
    query = sa.select(
        columns.recipient, columns.channel, columns.state, columns.because, columns.not_before
    ).where(columns.run_id == desk.run_id)
    return [tuple(row) for row in desk.rows(query.order_by(columns.recipient, columns.channel))]


def person(**given):
    return {"name": "Anna Berg", "sms": ANNA, **given}


def test_each_address_of_a_recipient_gets_the_message(desk):
    desk.rule("amount > 50000", file={"recipients": {"ap": person(sms=[ANNA, BO])}})
    desk.read(invoice("1", 75000))
    query = sa.select(message_contents.c.address).order_by(message_contents.c.address)
    assert [address for (address,) in desk.rows(query)] == [ANNA, BO]


def test_a_message_of_the_night_waits_for_the_morning(desk):
    desk.rule("amount > 50000", file={"recipients": {"ap": person(quiet_hours=NIGHT)}})
    desk.clock = lambda: TEN_AT_NIGHT
    desk.read(invoice("1", 75000))
    morning = datetime(2026, 11, 26, 6, tzinfo=timezone.utc)
    assert told(desk) == [("ap", "sms", "pending", None, morning)]
    assert desk.counts["messages held"] == 1


def test_a_critical_message_wakes_people(desk):
    people = {"ap": person(quiet_hours=NIGHT)}
    desk.rule("amount > 50000", file={"recipients": people}, severity="critical")
    desk.clock = lambda: TEN_AT_NIGHT
    desk.read(invoice("1", 75000))
    assert told(desk) == [("ap", "sms", "pending", None, None)]


def test_a_message_of_hours_that_drop_is_kept_as_suppressed(desk):
    people = {"ap": person(quiet_hours={**NIGHT, "do": "drop"})}
    desk.rule("amount > 50000", file={"recipients": people})
    desk.clock = lambda: TEN_AT_NIGHT
    desk.read(invoice("1", 75000))
    assert told(desk) == [("ap", "sms", "suppressed", None, None)]


def test_whose_turn_it_is_is_told_and_the_trail_says_why(desk):
    desk.rule(
        "amount > 50000",
        notify="duty",
        file={
            "recipients": {
                "ap": {
                    **person(),
                    "away": {"from": "2026-11-25", "to": "2026-11-26", "deputy": "bo"},
                },
                "bo": {"name": "Bo Ek", "sms": BO},
            },
            "rotations": {"duty": {"start": "2026-11-23", "members": ["ap", "bo"]}},
        },
    )
    desk.clock = lambda: TEN_AT_NIGHT
    desk.read(invoice("1", 75000))
    because = "on duty in duty; deputy of ap, away until 2026-11-26"
    assert told(desk) == [("bo", "sms", "pending", because, None)]


def test_a_group_may_have_whose_turn_it_is_among_its_members(desk):
    file = {
        "recipients": {"ap": person(), "bo": {"name": "Bo Ek", "sms": BO}},
        "rotations": {"duty": {"start": "2026-11-23", "members": ["bo", "ap"]}},
        "groups": {"team": ["ap", "duty"]},
    }
    desk.rule("amount > 50000", notify="team", file=file)
    desk.clock = lambda: TEN_AT_NIGHT
    desk.read(invoice("1", 75000))
    assert told(desk) == [
        ("ap", "sms", "pending", None, None),
        ("bo", "sms", "pending", "on duty in duty", None),
    ]
