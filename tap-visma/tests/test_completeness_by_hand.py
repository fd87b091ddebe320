"""Each final version arrives, whatever happens between requests and in whatever order they come.

The server is in the same thread (`by_hand`), so that each example comes out the same each time:
also where several requests are under way, a limit stops the read, or the server fails.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest
from by_hand import ReaderByHand, business_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moving import Event
from test_completeness import KINDS

EXAMPLES = 30


@dataclass(frozen=True)
class Manners:
    """The server's manners, and when and in which order it answers."""

    seed: int
    order: str
    cap: int
    in_flight: int
    picks: tuple[int, ...]
    stops: frozenset[int]
    failures: frozenset[int]


@dataclass(frozen=True)
class Before:
    """What happens before a request is answered: documents come and change, or they go.

    Both together, between the same two answers, are what paging by numbers cannot show.
    """

    request: int
    what: tuple[str, ...]
    which: tuple[int, ...]
    after: float

    @property
    def events(self):
        first = Event(self.request, "pass", 0, self.after)
        pairs = zip(self.what, self.which, strict=False)
        return [first, *(Event(self.request, what, which) for what, which in pairs)]


def between(what):
    return st.lists(st.sampled_from(what), min_size=1, max_size=3).map(tuple)


happening = st.builds(
    Before,
    request=st.integers(2, 16),
    what=st.one_of(between(["create", "change", "change", "restamp all"]), between(["delete"])),
    which=st.tuples(*[st.integers(0, 20)] * 3),
    after=st.sampled_from([0.0, 0.004, 1.25, 3600.0]),
)
happenings = st.lists(happening, max_size=6, unique_by=lambda one: one.request)
requests = st.frozensets(st.integers(2, 9), max_size=1)
manners = st.builds(
    Manners,
    seed=st.integers(0, 7),
    order=st.sampled_from(["shuffled", "key", "oldest first", "newest first"]),
    cap=st.integers(2, 4),
    in_flight=st.sampled_from([1, 2, 4]),
    picks=st.lists(st.integers(0, 3), max_size=12).map(tuple),
    stops=requests,
    failures=requests,
)


@pytest.fixture(autouse=True, scope="module")
def _quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("stream", list(KINDS.values()), ids=list(KINDS))
@given(given=manners, documents=st.integers(0, 12), first=happenings, second=happenings)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_final_version_arrives_in_whatever_order(stream, given, documents, first, second):
    business = business_of(stream, given.seed)
    business.visma.manners.order = given.order
    business.begin(documents)
    business.visma.max_page_size = dict.fromkeys(business.visma.max_page_size, given.cap)
    reader = ReaderByHand(business, in_flight=given.in_flight)
    reader.desk.picks, reader.desk.stops = list(given.picks), given.stops
    reader.desk.failures = given.failures
    for happens in (first, second):
        business.happen([event for one in happens for event in one.events])
        run = reader.run()
    if run.stopped_by is not None:
        reader.desk.stops = frozenset()
        reader.run()  # what was begun comes to its end
    assert complete(reader)


def complete(reader):
    """Whether all is there after a quiet run."""
    reader.business.happen([])
    reader.desk.stops = reader.desk.failures = frozenset()
    run = reader.run()
    assert run.failures == {}
    assert run.stopped_by is None
    return reader.missing() == []
