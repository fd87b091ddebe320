from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.rules.people import Absence, QuietHours, Recipient, Rotation
from target_twilio_alerts.rules.routing import route

STOCKHOLM = ZoneInfo("Europe/Stockholm")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda at: at.replace(tzinfo=timezone.utc),
)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
NOON = datetime(2026, 11, 25, 11, tzinfo=timezone.utc)
NIGHT = QuietHours(time(20), time(7))


def people(rotations=None, **given):
    recipients = {
        name: replace(Recipient(name, name.title()), **fields) for name, fields in given.items()
    }
    return SimpleNamespace(recipients=recipients, rotations=rotations or {}, timezone=STOCKHOLM)


def reached(alerts, *names, at=NOON, is_critical=False):
    return route(alerts, names, at=at, is_critical=is_critical)


def away(deputy, first=date(2026, 11, 23), last=date(2026, 11, 29)):
    return {"absences": (Absence(first, last, deputy),)}


@given(at=MOMENTS, start=TIMES, end=TIMES, days=st.frozensets(st.integers(0, 6), max_size=6))
def test_quiet_hours_end_at_a_moment_that_is_not_quiet_and_within_a_week(at, start, end, days):
    hours = QuietHours(start, end, days)
    until = hours.until(at, STOCKHOLM)
    if until is None:
        assert not hours.cover(at.astimezone(STOCKHOLM))
    else:
        assert at < until <= at + timedelta(days=8)
        assert not hours.cover(until.astimezone(STOCKHOLM))


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-11-25 19:59", None),
        ("2026-11-25 20:00", "2026-11-26 07:00"),
        ("2026-11-26 06:59", "2026-11-26 07:00"),
        ("2026-11-26 07:00", None),
        # The night in which summer time ends is an hour longer.
        ("2026-10-24 23:00", "2026-10-25 07:00"),
        ("2027-03-27 23:00", "2027-03-28 07:00"),
    ],
)
def test_a_night_ends_at_seven_where_the_recipient_is(at, ends):
    moment = datetime.fromisoformat(at).replace(tzinfo=STOCKHOLM)
    until = NIGHT.until(moment, STOCKHOLM)
    shown = None if until is None else until.astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M")
    assert shown == ends


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-10-25 00:10", "2026-10-25 00:30"),  # 02:10 of summer
        ("2026-10-25 00:40", None),  # 02:40 of summer
        ("2026-10-25 01:10", "2026-10-25 01:30"),  # 02:10, for the second time
    ],
)
def test_hours_that_end_in_the_hour_that_comes_twice_end_twice(at, ends):
    hours = QuietHours(time(20), time(2, 30))
    moment, end = (
        None if one is None else datetime.fromisoformat(one).replace(tzinfo=timezone.utc)
        for one in (at, ends)
    )
    assert hours.until(moment, STOCKHOLM) == end


def test_a_quiet_weekend_joins_the_nights_around_it():
    hours = replace(NIGHT, days=frozenset({5, 6}))
    friday = datetime(2026, 11, 27, 20, 30, tzinfo=STOCKHOLM)
    monday = datetime(2026, 11, 30, 7, tzinfo=STOCKHOLM)
    assert hours.until(friday, STOCKHOLM) == monday


@given(at=MOMENTS, critical=st.booleans())
def test_what_is_critical_passes_quiet_hours(at, critical):
    alerts = people(anna={"quiet_hours": NIGHT})
    [one] = reached(alerts, "anna", at=at, is_critical=critical)
    assert one.withheld is None
    if critical:
        assert one.not_before is None
    else:
        assert one.not_before == NIGHT.until(at, STOCKHOLM)


def test_hours_that_drop_withhold_the_message():
    alerts = people(anna={"quiet_hours": replace(NIGHT, drop=True)})
    [one] = reached(alerts, "anna", at=datetime(2026, 11, 25, 22, tzinfo=timezone.utc))
    assert (one.withheld, one.not_before) == ("quiet hours", None)


def test_hours_are_those_of_the_recipients_own_zone():
    alerts = people(anna={"quiet_hours": NIGHT, "timezone": "America/New_York"})
    [one] = reached(alerts, "anna", at=NOON)
    assert one.not_before == datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


@given(at=MOMENTS, size=st.integers(1, 5), hour=st.integers(0, 23))
def test_at_any_moment_one_is_on_duty_and_the_next_a_week_later(at, size, hour):
    members = tuple(f"m{number}" for number in range(size))
    rotation = Rotation(date(2026, 11, 23), members, time(hour), STOCKHOLM)
    now = rotation.on_duty(at)
    local_week_on = (at.astimezone(STOCKHOLM).replace(tzinfo=None) + timedelta(weeks=1)).replace(
        tzinfo=STOCKHOLM,
    )
    later = rotation.on_duty(local_week_on)
    assert members[(members.index(now) + 1) % size] == later


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("2026-11-23 07:59", "cato"),
        ("2026-11-23 08:00", "anna"),
        ("2026-11-30 07:59", "anna"),
        ("2026-11-30 08:00", "bo"),
        ("2026-12-14 08:00", "anna"),
    ],
)
def test_the_turn_passes_on_mondays_at_the_handover(at, who):
    rotation = Rotation(date(2026, 11, 23), ("anna", "bo", "cato"), time(8), STOCKHOLM)
    alerts = people({"duty": rotation}, anna={}, bo={}, cato={})
    [one] = reached(alerts, "duty", at=datetime.fromisoformat(at).replace(tzinfo=STOCKHOLM))
    assert (one.recipient.name, one.because) == (who, "on duty in duty")


def test_a_deputy_is_told_instead_and_says_for_whom():
    alerts = people(anna=away("bo"), bo={})
    [one] = reached(alerts, "anna")
    assert one.recipient.name == "bo"
    assert one.because == "deputy of anna, away until 2026-11-29"


@pytest.mark.parametrize(("day", "who"), [(22, "anna"), (23, "bo"), (29, "bo"), (30, "anna")])
def test_an_absence_has_its_first_and_its_last_day(day, who):
    alerts = people(anna=away("bo"), bo={})
    [one] = reached(alerts, "anna", at=datetime(2026, 11, day, 11, tzinfo=timezone.utc))
    assert one.recipient.name == who


def test_a_deputy_who_is_away_too_has_a_deputy():
    alerts = people(anna=away("bo"), bo=away("cato"), cato={})
    [one] = reached(alerts, "anna")
    assert one.recipient.name == "cato"
    assert "deputy of anna" in one.because
    assert "deputy of bo" in one.because


def test_if_all_deputies_are_away_the_first_is_told_nothing_which_is_said():
    alerts = people(anna=away("bo"), bo=away("anna"))
    [one] = reached(alerts, "anna")
    assert one.recipient.name == "anna"
    assert one.withheld == "away until 2026-11-29, and so are the deputies"


def test_who_is_reached_twice_is_told_once():
    alerts = people(anna=away("bo"), bo={})
    [one] = reached(alerts, "anna", "bo")
    assert one.recipient.name == "bo"


def test_who_is_withheld_by_one_way_is_told_by_the_other():
    alerts = people(anna=away("bo"), bo=away("anna", last=date(2026, 11, 24)), cato={})
    assert [one.withheld for one in reached(alerts, "anna")] == [None]


WEEKEND = replace(NIGHT, days=frozenset({5, 6}))
FRIDAY_NIGHT = datetime(2026, 11, 27, 21, tzinfo=timezone.utc)
MONDAY_MORNING = datetime(2026, 11, 30, 7, tzinfo=STOCKHOLM)


def test_what_is_held_over_a_weekend_goes_to_the_deputy_of_who_is_away_on_monday():
    absence = away("bo", date(2026, 11, 30), date(2026, 12, 6))
    alerts = people(anna={"quiet_hours": WEEKEND, **absence}, bo={})
    [one] = reached(alerts, "anna", at=FRIDAY_NIGHT)
    assert (one.recipient.name, one.not_before) == ("bo", MONDAY_MORNING)
    assert one.because == "deputy of anna, away until 2026-12-06"


def test_what_is_held_until_a_handover_goes_to_whose_turn_it_is_then_when_they_are_awake():
    rotation = Rotation(date(2026, 11, 23), ("anna", "bo"), time(0), STOCKHOLM)
    late = replace(NIGHT, end=time(9), drop=True)
    alerts = people({"duty": rotation}, anna={"quiet_hours": WEEKEND}, bo={"quiet_hours": late})
    [one] = reached(alerts, "duty", at=FRIDAY_NIGHT)
    assert (one.recipient.name, one.withheld) == ("bo", None)
    assert one.not_before == datetime(2026, 11, 30, 9, tzinfo=STOCKHOLM)
    [one] = reached(alerts, "duty", at=FRIDAY_NIGHT, is_critical=True)
    assert (one.recipient.name, one.not_before) == ("anna", None)


def test_who_is_reached_now_and_later_is_reached_now():
    absence = away("bo", date(2026, 11, 30), date(2026, 12, 6))
    alerts = people(anna={"quiet_hours": WEEKEND, **absence}, bo={})
    for names in (("anna", "bo"), ("bo", "anna")):
        [one] = reached(alerts, *names, at=FRIDAY_NIGHT)
        assert (one.recipient.name, one.not_before) == ("bo", None)
