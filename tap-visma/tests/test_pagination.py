"""A pass through a listing trusts no answer: pages move on, adapt, and add up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_visma.errors import ListingMovedError
from tap_visma.kinds import Paging
from tap_visma.pagination import Listing, Page


class Server:
    """A list endpoint with the real one's manners, and hands that change it while it is read."""

    def __init__(self, keys, *, largest=1000, with_metadata=True, changes=()):
        self.keys = list(keys)
        self.largest = largest
        self.with_metadata = with_metadata
        self.changes = list(changes)
        self.asked = []

    def page(self, listing):
        self.asked.append((listing.page, listing.page_size))
        size = min(listing.page_size, self.largest)
        start = (listing.page - 1) * size
        metadata = {"totalCount": len(self.keys), "maxPageSize": self.largest}
        rows = [{"key": key, "metadata": metadata} for key in self.keys[start : start + size]]
        if not self.with_metadata:
            for row in rows:
                del row["metadata"]
        if self.changes:
            self.changes.pop(0)(self.keys)
        return Page.of(rows)


def read(server, *, page_size=10, page=1):
    listing = Listing(lambda row: [(row["key"],)], page_size=page_size, page=page)
    seen = []
    while not listing.finished:
        seen += [row["key"] for row in listing.take(server.page(listing))]
    return listing, seen


def test_a_page_size_over_the_maximum_is_learnt_from_the_metadata():
    server = Server(range(25), largest=10)
    listing, seen = read(server, page_size=500)
    listing.check()
    assert seen == list(range(25))
    assert server.asked == [(1, 500), (2, 10), (3, 10)]


def test_one_call_is_enough_when_everything_fits():
    server = Server(range(3))
    assert read(server)[1] == [0, 1, 2]
    assert server.asked == [(1, 10)]


def test_an_empty_answer_is_the_end():
    server = Server([])
    listing, seen = read(server)
    listing.check()
    assert seen == []
    assert server.asked == [(1, 10)]


def test_without_metadata_an_empty_page_is_the_end_and_a_short_one_is_not():
    server = Server(range(25), largest=10, with_metadata=False)
    assert read(server, page_size=500)[1] == list(range(25))


def test_a_cap_that_the_metadata_does_not_tell_is_seen_in_the_first_page():
    class Capped(Server):
        def page(self, listing):
            page = super().page(listing)
            return Page(page.rows, page.total, 1000)

    listing, seen = read(Capped(range(25), largest=10), page_size=500)
    listing.check()
    assert seen == list(range(25))


def test_an_endpoint_that_ignores_the_page_number_is_an_error():
    class Stuck(Server):
        def page(self, listing):
            metadata = {"totalCount": 25, "maxPageSize": 10}
            return Page.of([{"key": n, "metadata": metadata} for n in range(10)])

    with pytest.raises(ListingMovedError, match=r"page 2 repeats page 1, .* ignored"):
        read(Stuck([]))


def test_an_endpoint_without_pages_is_asked_once():
    listing = Listing(lambda row: [(row["key"],)], page_size=10, paging=Paging.WHOLE)
    assert len(listing.take(Page([{"key": n} for n in range(99)]))) == 99
    assert listing.finished


def test_rows_removed_while_paging_mean_that_others_may_be_missing():
    server = Server(range(30), changes=[lambda keys: keys.pop(0)])
    listing, seen = read(server)
    assert 10 not in seen
    with pytest.raises(ListingMovedError, match="rows were removed while paging"):
        listing.check()


def test_a_row_removed_and_another_added_at_once_is_noticed_by_the_row_that_came_twice():
    def swap(keys):
        keys.pop(0)
        keys.append(99)

    def back(keys):
        keys.insert(0, 98)
        keys.pop()

    server = Server(range(30), changes=[swap, back])
    listing, seen = read(server)
    assert len(seen) > len(set(seen))
    with pytest.raises(ListingMovedError, match="twice"):
        listing.check()


def test_rows_added_at_the_end_while_paging_do_no_harm():
    server = Server(range(30), changes=[lambda keys: keys.append(99)])
    listing, seen = read(server)
    listing.check()
    assert seen == [*range(30), 99]


def test_rows_added_before_ask_for_another_pass_which_adds_up():
    server = Server(range(30), changes=[lambda keys: keys.insert(0, 99)])
    listing, _ = read(server)
    with pytest.raises(ListingMovedError, match="1 twice"):
        listing.check()
    again, seen = read(server)
    again.check()
    assert 99 in seen


def test_a_total_that_is_too_high_does_not_add_up():
    class Lying(Server):
        def page(self, listing):
            page = super().page(listing)
            return Page(page.rows, page.total and page.total + 1, page.max_page_size)

    listing, _ = read(Lying(range(12)))
    with pytest.raises(ListingMovedError, match=r"12 rows arrived, .* but totalCount was 13"):
        listing.check()


def test_rows_without_a_key_count_as_rows():
    listing = Listing(lambda _: [None], page_size=10)
    listing.take(Page([{}, {}], total=2, max_page_size=10))
    listing.check()


def test_smaller_pages_begin_at_or_before_where_the_next_one_would_have():
    server = Server(range(95))
    listing = Listing(lambda row: [(row["key"],)], page_size=25)
    seen = []
    while not listing.finished:
        seen += [row["key"] for row in listing.take(server.page(listing))]
        listing.make_pages_smaller()
    listing.check()
    assert sorted(set(seen)) == list(range(95))
    assert server.asked[1] == (3, 12)


def test_pages_do_not_become_smaller_than_the_smallest():
    listing = Listing(lambda _: [None], page_size=10)
    listing.make_pages_smaller()
    assert listing.page_size == 10


CHANGES = st.lists(
    st.tuples(st.sampled_from(["none", "insert", "append", "change"]), st.integers(0, 100)),
    max_size=60,
)


@settings(max_examples=400)
@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 20), CHANGES)
def test_a_read_that_adds_up_misses_no_row_that_was_there_unchanged(
    number,
    page_size,
    largest,
    changes,
):
    """Rows are added anywhere, and a changed row moves to the end, as where stamps order them."""
    fresh = iter(range(1000, 2000))
    changed = set()

    def hand(kind, where):
        def act(keys):
            place = where % (len(keys) + 1)
            if kind == "insert":
                keys.insert(place, next(fresh))
            elif kind == "append":
                keys.append(next(fresh))
            elif kind == "change" and place < len(keys):
                changed.add(keys[place])
                keys.append(keys.pop(place))

        return act

    hands = [hand(kind, where) for kind, where in changes]
    server = Server(range(number), largest=largest, changes=hands)
    seen, before = set(), None
    for _ in range(3):
        listing = Listing(lambda row: [(row["key"],)], page_size=page_size, before=before)
        try:
            while not listing.finished:
                seen |= {row["key"] for row in listing.take(server.page(listing))}
            listing.check()
        except ListingMovedError:
            before = listing.seen
            continue
        assert set(range(number)) - changed <= seen
        break


@settings(max_examples=200)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5), st.integers(0, 100))
def test_a_row_removed_while_paging_is_always_noticed(number, page_size, page, where):
    changes = [lambda _: None] * page + [lambda keys: keys.pop(where % len(keys))]
    server = Server(range(number), changes=changes)
    listing, seen = read(server, page_size=page_size)
    try:
        listing.check()
    except ListingMovedError:
        return
    assert set(server.keys) <= set(seen)
