from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.rules.digest import COUNTRIES, Digest, working_days

STOCKHOLM = ZoneInfo("Europe/Stockholm")
EVERY_DAY = frozenset(range(7))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda at: at.replace(tzinfo=timezone.utc),
)


def shown(digest, at):
    moment = datetime.fromisoformat(at).replace(tzinfo=STOCKHOLM)
    return digest.next_after(moment).astimezone(STOCKHOLM).strftime("%a %Y-%m-%d %H:%M")


@given(at=MOMENTS, hour=st.integers(0, 23), country=st.sampled_from([None, *COUNTRIES]))
def test_a_digest_is_due_later_at_its_time_on_one_of_its_days(at, hour, country):
    digest = Digest(time(hour), STOCKHOLM, working_days(), country)
    due = digest.next_after(at)
    assert at < due <= at + timedelta(days=14)
    assert due.astimezone(STOCKHOLM).weekday() < 5
    assert digest.next_after(due) > due


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-11-25 16:29", "Wed 2026-11-25 16:30"),
        ("2026-11-25 16:30", "Thu 2026-11-26 16:30"),
        ("2026-11-27 17:00", "Sat 2026-11-28 16:30"),
        # Summer time begins in that night, and ends in that one.
        ("2027-03-27 17:00", "Sun 2027-03-28 16:30"),
        ("2026-10-24 17:00", "Sun 2026-10-25 16:30"),
    ],
)
def test_daily_is_each_day_by_the_clock_on_the_wall(at, due):
    assert shown(Digest(time(16, 30), STOCKHOLM, EVERY_DAY), at) == due


@pytest.mark.parametrize(
    ("country", "at", "due"),
    [
        ("SE", "2026-11-27 17:00", "Mon 2026-11-30 08:00"),
        ("SE", "2026-12-23 17:00", "Mon 2026-12-28 08:00"),  # Christmas Eve is no working day
        ("NO", "2026-12-23 17:00", "Thu 2026-12-24 08:00"),
        ("NO", "2027-05-14 17:00", "Tue 2027-05-18 08:00"),  # 17 May, and Whit Monday
        ("SE", "2027-05-14 17:00", "Mon 2027-05-17 08:00"),
        ("DK", "2027-03-24 17:00", "Tue 2027-03-30 08:00"),  # Maundy Thursday to Easter Monday
        ("FI", "2026-12-04 17:00", "Mon 2026-12-07 08:00"),
        ("FI", "2027-12-03 17:00", "Tue 2027-12-07 08:00"),  # Independence Day, a Monday
    ],
)
def test_working_days_know_the_holidays_of_a_country(country, at, due):
    assert shown(Digest(time(8), STOCKHOLM, working_days(), country), at) == due


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("weekday", range(7))
def test_a_weekly_digest_finds_its_day_in_any_year_and_country(country, weekday):
    digest = Digest(time(8), STOCKHOLM, frozenset({weekday}), country)
    at = datetime(2026, 1, 1, tzinfo=STOCKHOLM)
    while at.year < 2050:
        due = digest.next_after(at)
        assert due - at <= timedelta(days=22)
        at = due


OFF = {
    "SE": """
        2026-01-01 2026-01-06 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-06-19 2026-12-24
        2026-12-25 2026-12-31
        2027-01-01 2027-01-06 2027-03-26 2027-03-29 2027-05-06 2027-06-25 2027-12-24 2027-12-31
        2028-01-06 2028-04-14 2028-04-17 2028-05-01 2028-05-25 2028-06-06 2028-06-23 2028-12-25
        2028-12-26""",
    "NO": """
        2026-01-01 2026-04-02 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-05-25 2026-12-25
        2027-01-01 2027-03-25 2027-03-26 2027-03-29 2027-05-06 2027-05-17
        2028-04-13 2028-04-14 2028-04-17 2028-05-01 2028-05-17 2028-05-25 2028-06-05 2028-12-25
        2028-12-26""",
    "DK": """
        2026-01-01 2026-04-02 2026-04-03 2026-04-06 2026-05-14 2026-05-25 2026-12-25
        2027-01-01 2027-03-25 2027-03-26 2027-03-29 2027-05-06 2027-05-17
        2028-04-13 2028-04-14 2028-04-17 2028-05-25 2028-06-05 2028-12-25 2028-12-26""",
    "FI": """
        2026-01-01 2026-01-06 2026-04-03 2026-04-06 2026-05-01 2026-05-14 2026-06-19 2026-12-24
        2026-12-25
        2027-01-01 2027-01-06 2027-03-26 2027-03-29 2027-05-06 2027-06-25 2027-12-06 2027-12-24
        2028-01-06 2028-04-14 2028-04-17 2028-05-01 2028-05-25 2028-06-23 2028-12-06 2028-12-25
        2028-12-26""",
}
"""Days from Monday to Friday on which nobody works, as the countries' calendars have them."""


@pytest.mark.parametrize("country", COUNTRIES)
def test_three_years_of_working_days_are_those_of_the_calendar(country):
    digest = Digest(time(8), STOCKHOLM, working_days(), country)
    first, last = date(2026, 1, 1), date(2028, 12, 31)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    missed = {day for day in days if day.weekday() < 5}
    at = datetime(2025, 12, 31, 23, 59, tzinfo=STOCKHOLM)
    while (at := digest.next_after(at)).astimezone(STOCKHOLM).date() <= last:
        missed.discard(at.astimezone(STOCKHOLM).date())
    assert sorted(missed) == [date.fromisoformat(day) for day in OFF[country].split()]
