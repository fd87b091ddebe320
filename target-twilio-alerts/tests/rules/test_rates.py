from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.rules import Rate, Rates
from target_twilio_alerts.rules.rates_file import read_rates
from target_twilio_alerts.rules.table_file import TableFileError

DAY = date(2026, 11, 20)


def rate(base="EUR", quote="SEK", *, day=DAY, is_worth="11.0425"):
    return Rate(base, quote, day, Decimal(is_worth), "test")


def known(*rates, **options):
    found = Rates(**options)
    found.add(rates)
    return found


def test_an_amount_is_exact_in_the_other_currency():
    converted = known(rate()).convert(Decimal("70000.10"), "EUR", "SEK", DAY)
    assert converted.amount == Decimal("772976.10425")
    assert converted.rate == rate()


def test_an_amount_in_its_own_currency_needs_no_rate():
    converted = Rates().convert(Decimal("5.00"), "SEK", "SEK", DAY)
    assert (converted.amount, converted.rate) == (Decimal("5.00"), None)


def test_a_rate_that_is_known_the_other_way_round_is_divided_by():
    converted = known(rate(is_worth="8")).convert(Decimal(100), "SEK", "EUR", DAY)
    assert converted.amount == Decimal("12.5")


def test_of_one_day_the_rate_that_needs_no_division_is_taken():
    rates = known(rate("SEK", "EUR", is_worth="0.09"), rate())
    assert rates.find("EUR", "SEK", DAY) == rate()
    older = known(rate("SEK", "EUR", is_worth="0.09"), rate(day=DAY - timedelta(days=1)))
    assert older.find("EUR", "SEK", DAY).base == "SEK"


def test_a_rate_that_is_corrected_takes_the_place_of_the_one_before():
    assert known(rate(is_worth="11"), rate(is_worth="12")).find("EUR", "SEK", DAY).rate == 12


@given(
    days=st.lists(st.integers(0, 60), max_size=12),
    asked=st.integers(-5, 99),
    age=st.integers(0, 40),
)
def test_the_newest_rate_that_is_no_later_and_recent_enough_is_taken(days, asked, age):
    moments = [DAY + timedelta(days=each) for each in days]
    rates = known(*(rate(day=each) for each in moments), max_age=timedelta(days=age))
    on = DAY + timedelta(days=asked)
    good = [each for each in moments if timedelta(0) <= on - each <= timedelta(days=age)]
    found = rates.find("EUR", "SEK", on)
    assert (found.day if found else None) == max(good, default=None)


def test_a_file_of_rates_is_read(tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text("\ufeffdate,from,to,rate\n2026-11-20, EUR ,SEK,11.0425\n\n", encoding="utf-8")
    (found,) = read_rates(path)
    assert found == Rate("EUR", "SEK", DAY, Decimal("11.0425"), "rates.csv:2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\n", ":1: the first line must be date,from,to,rate"),
        ("day;rate\n", ":1: the first line must be date,from,to,rate"),
        ("2026-11-20,EUR,SEK", ":2: has 3 values; write date,from,to,rate"),
        ("2026-02-30,EUR,SEK,11", ":2: 2026-02-30 is no date; write it as in 2026-01-31"),
        ("2026-11-20,Euro,SEK,11", ":2: Euro is no currency; write three capitals, as in SEK"),
        ("2026-11-20,EUR,EUR,1", ":2: EUR to itself needs no rate; remove the line"),
        ("2026-11-20,EUR,SEK,0", ":2: 0 is no rate; write it with a point, as in 11.0425"),
        ("2026-11-20,EUR,SEK,1e3", ":2: 1e3 is no rate; write it with a point, as in 11.0425"),
    ],
)
def test_a_line_that_cannot_be_read_is_told(tmp_path, text, says):
    path = tmp_path / "rates.csv"
    is_header = says.startswith(":1")
    path.write_text(text if is_header else f"date,from,to,rate\n{text}\n", encoding="utf-8")
    with pytest.raises(TableFileError) as caught:
        read_rates(path)
    assert str(caught.value) == f"{path}{says}"
