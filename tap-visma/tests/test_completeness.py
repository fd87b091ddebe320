"""Whatever happens to documents while they are read, each final version arrives with one more run.

For each way in which the API's lists are filtered and paged. What no reading of pages can show, a
document that goes and another one that comes between the same two pages, is left out: in one
example documents come, or they go.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moving import Business, Event, Reader

from visma_twilio_sandbox import Sandbox

KINDS = {
    "pages, stamp and condition": "supplier_invoices",
    "pages, stamp and condition, enveloped": "credit_terms",
    "pages, stamp and condition, none in the items": "landed_cost_codes",
    "pages, stamp alone, batches over pages": "journal_transactions",
    "pages, stamp alone, keys nested": "general_ledger_balances",
    "pages, no filter": "vat_zones",
    "pages of each ledger": "general_ledger_transactions",
    "whole, stamp and condition": "accounts",
    "whole, stamp and condition, none in the items": "payment_methods",
    "whole, no filter": "currencies",
    "pages or whole, stamp and condition": "carriers",
    "pages or whole, no filter": "warehouses",
}


def happenings(kinds):
    event = st.builds(
        Event,
        request=st.integers(1, 14),
        what=st.sampled_from(kinds),
        which=st.integers(0, 40),
        after=st.sampled_from([0.0, 0.001, 0.01, 1.0, 1.25, 3600.0, 7200.0]),
    )
    return st.lists(event, max_size=8)


some = st.one_of(
    happenings(["create", "change", "restamp", "restamp all"]),
    happenings(["delete", "change", "restamp", "restamp all"]),
)


@dataclass(frozen=True)
class Circumstances:
    """The server's manners, rows a page, and how many pages the tap asks for at a time."""

    seed: int
    cap: int
    in_flight: int


circumstances = st.builds(
    Circumstances,
    seed=st.integers(0, 40),
    cap=st.integers(2, 5),
    in_flight=st.sampled_from([1, 2, 4]),
)


@pytest.mark.parametrize("stream", list(KINDS.values()), ids=list(KINDS))
@given(given=circumstances, documents=st.integers(0, 14), first=some, second=some)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_final_version_arrives(stream, given, documents, first, second):
    with Sandbox(seed=given.seed) as sandbox:
        business = Business(sandbox, stream)
        business.begin(documents)
        sandbox.visma.max_page_size = dict.fromkeys(sandbox.visma.max_page_size, given.cap)
        reader = Reader(business, requests_in_flight=given.in_flight)
        for events in (first, second):
            business.happen(events)
            reader.run()
        assert complete(reader)


INVOICES = "supplier_invoices"
JOURNALS = "journal_transactions"


@pytest.fixture
def lasting(make_sandbox):
    """A list of thirty invoices, four a page, in an order that says nothing."""
    return in_a_list(make_sandbox, INVOICES)


def in_a_list(make_sandbox, stream, *, order="shuffled", documents=30, at=None, **options):
    sandbox = make_sandbox(seed=3, **options)
    sandbox.visma.manners.order = order
    sandbox.visma.max_page_size = dict.fromkeys(sandbox.visma.max_page_size, 4)
    business = Business(sandbox, stream)
    if at is not None:
        business.visma.set_clock(at)
    business.begin(documents)
    return business


def complete(reader, *, runs=1):
    """Whether all is there after so many quiet runs."""
    reader.business.happen([])
    for _ in range(runs):
        assert reader.run().failures == {}
    return reader.missing() == []


@pytest.mark.parametrize("order", ["shuffled", "key", "oldest first", "newest first"])
def test_a_stamp_that_equals_the_bookmark_is_read_again(make_sandbox, order):
    business = in_a_list(make_sandbox, INVOICES, order=order)
    reader = Reader(business, lookback_seconds=0)
    reader.run()
    business.apply(Event(1, "change", 5))  # no time has passed
    business.apply(Event(1, "create"))
    assert complete(reader)


@pytest.mark.parametrize("fraction", ["", ".1", ".12", ".123", ".120", ".100", ".000"])
def test_stamps_of_every_precision_are_compared_by_what_they_mean(make_sandbox, fraction):
    business = in_a_list(make_sandbox, INVOICES)
    reader = Reader(business, lookback_seconds=0)
    now = business.visma.clock().replace(microsecond=int(f"{fraction[1:]:0<6}"))
    business.visma.set_clock(now)
    business.apply(Event(1, "change", 1))
    reader.run()
    for after in (0.0, 0.01, 0.1, 0.89):
        business.apply(Event(1, "change", 2, after=after))
        business.apply(Event(1, "change", 3))
        assert complete(reader)


def test_a_read_that_takes_longer_than_the_lookback_misses_nothing(lasting):
    reader = Reader(lasting, lookback_seconds=60, requests_in_flight=1)
    lasting.happen([Event(request, "change", request, after=1800.0) for request in range(1, 9)])
    reader.run()
    assert complete(reader)


@pytest.mark.parametrize("what", ["change", "delete"])
@pytest.mark.parametrize("order", ["shuffled", "key", "oldest first", "newest first"])
def test_a_read_that_goes_on_an_hour_later_misses_nothing(make_sandbox, order, what):
    business = in_a_list(make_sandbox, INVOICES, order=order)
    business.sandbox.faults.add("visma", status=429, retry_after=3600, match="pageNumber=4")
    reader = Reader(business, lookback_seconds=60, requests_in_flight=1)
    assert reader.run().stopped_by is not None
    business.visma.advance(3600)
    for which in range(6):
        business.apply(Event(1, what, which, after=1.0))
    business.happen([Event(request, "change", request, after=60.0) for request in range(1, 9)])
    reader.run()
    assert complete(reader)


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("stream", [INVOICES, JOURNALS])
def test_a_total_that_shrinks_while_we_read_misses_nothing(make_sandbox, stream, in_flight):
    for order in ("key", "oldest first", "newest first"):
        business = in_a_list(make_sandbox, stream, order=order)
        reader = Reader(business, requests_in_flight=in_flight)
        business.happen([Event(request, "delete", 0) for request in (2, 3, 5, 9)])
        reader.run()
        assert complete(reader)


def test_all_stamps_moved_at_once_while_we_read_misses_nothing(make_sandbox):
    for order in ("oldest first", "newest first"):
        business = in_a_list(make_sandbox, INVOICES, order=order)
        reader = Reader(business)
        business.happen(
            [Event(3, "change", 4), Event(4, "restamp all", after=5.0), Event(5, "change", 9)],
        )
        reader.run()
        assert complete(reader)


@pytest.mark.parametrize("zone", ["Pacific/Pago_Pago", "UTC", "Europe/Stockholm", "Pacific/Apia"])
@pytest.mark.parametrize("stream", [INVOICES, "landed_cost_codes", JOURNALS])
def test_a_server_in_any_zone_is_read_alike(make_sandbox, stream, zone):
    business = in_a_list(make_sandbox, stream, zone=zone)
    reader = Reader(business)
    reader.run()
    for which in range(0, 30, 7):
        business.apply(Event(1, "change", which, after=400.0))
    business.happen([Event(2, "change", 3, after=1.0), Event(3, "create")])
    reader.run()
    assert complete(reader)


@pytest.mark.parametrize(
    "night",
    [
        datetime(2026, 10, 25, 0, 30, tzinfo=timezone.utc),
        datetime(2026, 3, 29, 0, 30, tzinfo=timezone.utc),
    ],
    ids=["summer time ends", "summer time begins"],
)
@pytest.mark.parametrize("stream", [INVOICES, JOURNALS])
def test_the_nights_when_clocks_change_lose_nothing(make_sandbox, stream, night):
    weeks_before = night - timedelta(days=21)
    business = in_a_list(
        make_sandbox, stream, zone="Europe/Stockholm", documents=8, at=weeks_before
    )
    business.visma.set_clock(night)
    reader = Reader(business)
    for minutes in range(0, 180, 5):
        business.apply(Event(1, "change", minutes, after=300.0))
        if minutes % 15 == 0:
            assert complete(reader)
    assert complete(reader)


def test_one_stamp_in_2099_does_not_hide_what_comes_after_it(lasting):
    reader = Reader(lasting)
    key = lasting.visma.keys(lasting.path)[0]
    lasting.visma.restamp(lasting.path, key, at=datetime(2099, 1, 1, tzinfo=timezone.utc))
    reader.run()
    lasting.apply(Event(1, "change", 4, after=100.0))
    assert complete(reader)


def test_wrapped_values_are_those_that_were_written(make_sandbox):
    business = in_a_list(make_sandbox, INVOICES)
    item = business.visma.all(business.path)[0]
    plain = {name for name, value in item.items() if isinstance(value, (str, Decimal))}
    for chosen in (plain, {"amount"}, {"lastModifiedDateTime"}):
        business.visma.manners.wrapped["supplierInvoice"] = chosen
        reader = Reader(business)
        assert complete(reader, runs=2)


def test_companies_that_change_at_the_same_time_are_each_complete(make_sandbox):
    sandbox = make_sandbox(seed=3, companies=["Nord AB", "Syd AB"])
    config = {"companies": sandbox.companies_setting()}
    businesses = [in_company(sandbox, place) for place in range(2)]
    reader = Reader(businesses[0], **config)
    del reader.tap.config["tenant_id"], reader.tap.config["company"]
    others = Reader(businesses[1])
    for _ in range(2):
        for business in businesses:
            business.happen([Event(r, "change", r, after=1.0) for r in range(1, 12)])
        run = reader.run()
        assert run.failures == {}
        others.take(run)
    for business in businesses:
        business.happen([])
    run = reader.run()
    others.take(run)
    assert (reader.missing(), others.missing()) == ([], [])


def in_company(sandbox, place):
    business = Business(sandbox, INVOICES, company=place)
    business.begin(20)
    business.visma.max_page_size = dict.fromkeys(business.visma.max_page_size, 4)
    return business
