"""Stamps are text in the server's clock; bookmarks move when a read is whole, and never back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_visma import bookmarks
from tap_visma.bookmarks import Progress

stamps = st.datetimes(
    min_value=bookmarks.as_datetime("1950-01-01T00:00:00"),
    max_value=bookmarks.as_datetime("2100-01-01T00:00:00"),
).map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}")


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-01-01T00:00:00", "2026-01-01T00:00:00.1"),
        ("2026-01-01T00:00:00.74", "2026-01-01T00:00:00.742"),
        ("2026-01-01T00:00:00.099", "2026-01-01T00:00:00.1"),
        ("2025-12-31T23:59:59.999", "2026-01-01T00:00:00"),
        (None, "2026-01-01T00:00:00"),
        ("no stamp", "1900-01-01T00:00:00"),
        ("2026-13-01T00:00:00", "1900-01-01T00:00:00"),
    ],
)
def test_fractions_of_any_length_compare_as_times(earlier, later):
    assert bookmarks.later(earlier, later) == later
    assert bookmarks.later(later, earlier) == later


@given(stamps, stamps)
def test_text_order_of_canonical_stamps_is_time_order(one, other):
    shortened = one.rstrip("0").rstrip(".")
    assert bookmarks.canonical(shortened) == bookmarks.canonical(one)
    by_text = bookmarks.canonical(one) < bookmarks.canonical(other)
    assert by_text == (bookmarks.as_datetime(one) < bookmarks.as_datetime(other))


@given(stamps, st.integers(0, 10**7))
def test_moving_back_is_exact_to_the_millisecond_and_has_no_zone(stamp, seconds):
    moved = bookmarks.moved_back(stamp, seconds)
    distance = bookmarks.as_datetime(stamp) - bookmarks.as_datetime(moved)
    assert distance.total_seconds() == seconds
    assert len(moved) == len("2026-01-01T00:00:00.000")


def test_moving_back_beyond_all_time_is_before_everything():
    assert bookmarks.moved_back("0001-01-01T00:00:00", 10) == bookmarks.BEFORE_EVERYTHING


@pytest.mark.parametrize(
    ("setting", "start"),
    [
        ("2026-01-01", "2026-01-01T00:00:00.000"),
        ("2026-01-01 10:00:00.5", "2026-01-01T10:00:00.500"),
        ("0001-01-01", "0001-01-01T00:00:00.000"),
    ],
)
def test_a_start_date_is_a_date_or_a_time_in_vismas_clock(setting, start):
    assert bookmarks.start_of_day_or_time(setting) == start


@pytest.mark.parametrize(
    "setting",
    [
        "soon",
        "2026-02-30",
        "20260101",
        "2026-01-01Z",
        "2026-01-01T10:00:00Z",
        "2026-01-01T10:00:00+02:00",
    ],
)
def test_what_is_no_date_or_has_a_zone_is_refused(setting):
    with pytest.raises(ValueError, match="is no date, or it has a zone"):
        bookmarks.start_of_day_or_time(setting)


BOOKMARK = {"replication_key_value": "2026-06-01T12:00:00.5"}


def test_the_next_read_starts_the_lookback_before_the_bookmark():
    start = bookmarks.start_after({**BOOKMARK, "read_seconds": 10}, lookback_seconds=3900)
    assert start == "2026-06-01T10:55:00.500"


def test_a_read_that_took_longer_than_the_lookback_is_covered_with_a_margin():
    start = bookmarks.start_after({**BOOKMARK, "read_seconds": 7200}, lookback_seconds=3900)
    assert start == "2026-06-01T09:59:00.500"


def test_without_a_bookmark_everything_is_read():
    assert bookmarks.start_after({}, lookback_seconds=3900) is None


def finished(entry, progress, ended_at=0.0):
    bookmarks.finish(entry, progress, replication_key="lastModifiedDateTime", ended_at=ended_at)
    return entry


def test_a_whole_read_moves_the_bookmark_and_leaves_no_marker():
    progress = Progress(start=None, began_at=100.0)
    progress.saw("2026-06-02T00:00:00")
    progress.saw("2026-06-01T00:00:00")
    entry = finished({**BOOKMARK, "progress_markers": {"page": 3}}, progress, ended_at=160.2)
    assert entry == {
        "replication_key": "lastModifiedDateTime",
        "replication_key_value": "2026-06-02T00:00:00",
        "read_seconds": 61,
    }


def test_a_bookmark_never_moves_back():
    progress = Progress(start=None, highest="2026-01-01T00:00:00")
    assert finished(dict(BOOKMARK), progress)["replication_key_value"] == "2026-06-01T12:00:00.5"


def test_a_stream_that_had_nothing_has_a_bookmark_all_the_same():
    entry = finished({}, Progress(start="2062-01-01T00:00:00.000"))
    assert entry["replication_key_value"] == bookmarks.BEFORE_EVERYTHING


def test_progress_survives_the_state():
    progress = Progress(start="2026-01-01T00:00:00.000", page=4, page_size=100, began_at=1.5)
    progress.saw("2026-06-02T00:00:00")
    loaded = Progress.load(progress.dump())
    assert loaded is not None
    assert loaded.resumed
    assert loaded.dump() == {**progress.dump(), "resumed": True}


@pytest.mark.parametrize("kept", [None, {}, {"page": 2}, {"page_size": 5, "of_a_later_release": 1}])
def test_progress_that_cannot_be_used_is_left(kept):
    assert Progress.load(kept) is None
