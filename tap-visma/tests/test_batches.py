"""Journal batches are whole, however the API cuts them into pages."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_visma.batches import LINES, Batches
from tap_visma.errors import ListingMovedError

KEY = ("module", "batchNumber")


def pages_of(batches, page_size):
    """Cut batches into pages of so many lines, the header repeated with each part."""
    flat = [(number, line) for number, lines in batches for line in range(1, lines + 1)]
    for start in range(0, len(flat), page_size):
        rows = []
        for number, line in flat[start : start + page_size]:
            if not rows or rows[-1]["batchNumber"] != number:
                rows.append({"module": "ModuleGL", "batchNumber": number, LINES: []})
            rows[-1][LINES].append({"lineNumber": line})
        yield start, rows


def read(pages, *, together=False, first_is_cut=False):
    batches = Batches(KEY, together=together, first_is_cut=first_is_cut)
    pages = list(pages)
    given = []
    for number, (start, rows) in enumerate(pages, 1):
        given += batches.take(rows, offset=start, finished=number == len(pages))
    return [(row["batchNumber"], [line["lineNumber"] for line in row[LINES]]) for row in given]


some_batches = st.lists(st.integers(1, 12), min_size=1, max_size=12).map(
    lambda lines: [(f"{number:04d}", count) for number, count in enumerate(lines)],
)


@settings(max_examples=200)
@given(some_batches, st.integers(1, 10), st.booleans())
def test_every_batch_comes_once_and_whole(batches, page_size, together):
    whole = [(number, list(range(1, count + 1))) for number, count in batches]
    assert read(pages_of(batches, page_size), together=together) == whole


@settings(max_examples=200)
@given(some_batches, st.integers(1, 10), st.data())
def test_a_read_that_is_cut_off_gives_every_batch_once_it_has_gone_on(batches, page_size, data):
    pages = list(pages_of(batches, page_size))
    cut_after = data.draw(st.integers(1, len(pages)))
    reading = Batches(KEY, together=False, first_is_cut=False)
    given = []
    offset = 0
    for start, rows in pages[:cut_after]:
        given += [row["batchNumber"] for row in reading.take(rows, offset=start, finished=False)]
        offset = start + page_size
    began = reading.open_offset
    page = max((offset if began is None else min(offset, began)) // page_size, 1)
    fresh = list(pages_of(batches, page_size))
    later = read(fresh[page - 1 :], first_is_cut=page > 1)
    counts = dict(batches)
    assert all(lines == list(range(1, counts[number] + 1)) for number, lines in later)
    assert {*given, *(number for number, _ in later)} == set(counts)


def test_a_line_that_shifted_over_a_page_border_is_there_once():
    one = {"module": "ModuleGL", "batchNumber": "1", LINES: [{"lineNumber": 1}, {"lineNumber": 2}]}
    two = {"module": "ModuleGL", "batchNumber": "1", LINES: [{"lineNumber": 2}, {"lineNumber": 3}]}
    assert read([(0, [one]), (2, [two])]) == [("1", [1, 2, 3])]


def test_a_batch_that_goes_on_after_another_asks_for_another_pass_which_puts_all_together():
    def pages():
        for place, number in enumerate(["1", "2", "1"]):
            row = {"module": "ModuleGL", "batchNumber": number, LINES: [{"lineNumber": place}]}
            yield place, [row]

    with pytest.raises(ListingMovedError, match="parts that do not follow each other"):
        read(pages())
    assert read(pages(), together=True) == [("1", [0, 2]), ("2", [1])]


def test_a_batch_without_lines_is_a_batch():
    row = {"module": "ModuleGL", "batchNumber": "1", LINES: None}
    batches = Batches(KEY, together=False, first_is_cut=False)
    assert batches.take([row], offset=0, finished=True) == [row]
