"""A long read tells how far it is, once a minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_visma.forecast import Forecast


class Read:
    def __init__(self, allowed=None):
        self.at = 1000.0
        self.lines = []
        self.forecast = Forecast(
            "supplier_invoices (Nordisk)",
            allowed=lambda: allowed,
            now=lambda: self.at,
            tell=self.lines.append,
        )


def test_progress_and_what_is_left_are_told_at_the_pace_that_the_limit_allows():
    read = Read(allowed=500)
    read.forecast.pages(0, 1000)
    read.at += 60
    read.forecast.pages(120, 1000)
    (line,) = read.lines
    assert line == (
        "supplier_invoices (Nordisk): 120 of 1,000 pages (12%), "
        "about 1 h 45 min left at 500 calls an hour"
    )


def test_the_measured_pace_is_told_if_it_is_slower_or_no_limit_is_known():
    for allowed in (None, 15_000):
        read = Read(allowed)
        read.forecast.pages(100, 400)
        read.at += 120
        read.forecast.pages(110, 400)
        (line,) = read.lines
        assert line == (
            "supplier_invoices (Nordisk): 110 of 400 pages (27%), "
            "about 58 min left at 300 calls an hour"
        )


def test_a_short_read_tells_nothing_and_a_long_one_once_a_minute():
    read = Read()
    for page in range(1, 1201):
        read.at += 0.1
        read.forecast.pages(page, 1200)
    assert len(read.lines) in (1, 2)
    assert len(Read().lines) == 0


def test_a_read_that_stops_tells_where_at_once():
    read = Read(allowed=100)
    read.forecast.pages(5, 55)
    read.forecast.stopped()
    assert read.lines == [
        "supplier_invoices (Nordisk): 5 of 55 pages (9%), about 30 min left at 100 calls an hour",
    ]


def test_a_read_that_stops_before_it_began_tells_nothing():
    read = Read()
    read.forecast.stopped()
    assert read.lines == []


@pytest.mark.parametrize(
    ("done", "total", "allowed", "told"),
    [
        (3, None, None, "3 pages"),
        (3, None, 500, "3 pages, at 500 calls an hour"),
        (1, 1, None, "1 of 1 page (100%)"),
        (7, 5, None, "7 of 7 pages (100%)"),
        (0, 0, None, "0 of 0 pages (100%)"),
        (0, 10, 0, "0 of 10 pages (0%)"),
        (0, 13_000, 500, "0 of 13,000 pages (0%), about 1 d 2 h left at 500 calls an hour"),
        (0, 2_000, 1000, "0 of 2,000 pages (0%), about 2 h left at 1,000 calls an hour"),
        (999, 1000, 15_000, "999 of 1,000 pages (99%), less than a minute left at 15,000 calls an"),
    ],
)
def test_what_is_not_known_is_left_out(done, total, allowed, told):
    read = Read(allowed)
    read.forecast.pages(done, total)
    assert read.forecast.line().startswith(f"supplier_invoices (Nordisk): {told}")


@given(
    st.lists(
        st.tuples(st.integers(0, 10**9), st.none() | st.integers(0, 10**9), st.floats(0, 1e6))
    ),
    st.none() | st.floats(0, 1e6),
)
def test_no_numbers_can_break_it_and_it_never_tells_twice_in_a_minute(steps, allowed):
    read = Read(allowed)
    told_at = read.at
    for done, total, seconds in steps:
        read.at += seconds
        before = len(read.lines)
        read.forecast.pages(done, total)
        if len(read.lines) > before:
            assert read.at - told_at >= 60
            told_at = read.at
