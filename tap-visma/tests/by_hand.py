"""The tap's reads with a server in the same thread, which answers in an order that a test chooses.

Hundreds of times as many cases as over HTTP, and all that depends on which of several requests is
answered first comes again in each run.
"""

from __future__ import annotations

import itertools
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import format_datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from moving import PATHS, Business, Reader
from tap_running import selecting

from tap_visma.answers import Answer
from tap_visma.driving import Ended
from tap_visma.errors import LimitReachedError, TapError, TransientError
from tap_visma.tap import TapVisma
from visma_twilio_sandbox.visma.companies import Companies
from visma_twilio_sandbox.visma.endpoints import find
from visma_twilio_sandbox.visma.listing import Lister, understand


@dataclass
class Desk:
    """Stands in for a company's threads and connection: requests lie here until one is answered.

    Args:
        business: Whose lists.
        number: How many requests can be under way.

    Attributes:
        picks: Which of those that lie here is answered next, each counted modulo how many lie here;
            the oldest once they are used up.
        stops: At which requests of a run a limit is reached.
        failures: At which requests of a run the server fails.
    """

    business: Business
    number: int
    picks: list[int] = field(default_factory=list)
    stops: frozenset[int] = frozenset()
    failures: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self._lister = Lister(self.business.visma)
        self._waiting: list[tuple[Future[Any], Any, int]] = []
        self._ticks = itertools.count()
        self._asked = 0
        self._answered = 0

    def begin(self) -> None:
        """A run begins."""
        self._waiting.clear()
        self._answered = 0

    def submit(self, task: Any) -> Future[Any]:
        """As `Workers` have it."""
        future: Future[Any] = Future()
        self._waiting.append((future, task, next(self._ticks)))
        return future

    def answer_one(self) -> None:
        """Answer one of the requests that lie here."""
        pick = self.picks.pop(0) if self.picks else 0
        future, task, self._asked = self._waiting.pop(pick % len(self._waiting))
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(task())
            except (TapError, LimitReachedError) as error:
                future.set_exception(error)

    @property
    def asked(self) -> SimpleNamespace:
        """Stands in for `time` where it tells when a request was made."""
        return SimpleNamespace(monotonic_ns=lambda: self._asked)

    @property
    def answered(self) -> SimpleNamespace:
        """Stands in for `time` where it tells when a request was answered."""
        return SimpleNamespace(monotonic_ns=lambda: next(self._ticks))

    def get(self, path: str, params: dict[str, str | int], **_: Any) -> Answer:
        """As `Client` has it."""
        visma = self.business.visma
        self._answered += 1
        if self._answered in self.stops:
            raise LimitReachedError("the limit is reached")
        endpoint = find(path)
        query = understand(
            endpoint,
            {name.lower(): str(value) for name, value in params.items()},
            visma.manners,
        )
        if visma.on_page is not None:
            visma.on_page(endpoint.name, query.page_number)
        if self._answered in self.failures:
            raise TransientError("the server failed")
        date = format_datetime(visma.clock().astimezone(timezone.utc), usegmt=True)
        return Answer(
            200,
            {"Date": date, "Content-Type": "application/json"},
            self._lister.page(endpoint, query),
        )

    def drive(self, readings: Any, *, at_once: int) -> Any:
        """As `driving.drive`, one read after the other."""
        assert at_once
        for reading in readings:
            try:
                for step in reading.steps():
                    if isinstance(step, Future):
                        while not step.done():
                            self.answer_one()
                    else:
                        yield reading, step
            except (TapError, LimitReachedError) as error:
                yield reading, Ended(error)
            else:
                yield reading, Ended()


@cache
def tap_of(stream: str) -> TapVisma:
    """A tap that has this stream selected, and asks nobody."""
    settings = {
        "client_id": "isv_example",
        "client_secret": "-",
        "tenant_id": Companies.of(1, 0, "UTC")[0].tenant_id,
        "company": "Nordisk Demo AB",
        "api_url": "http://localhost",
        "auth_url": "http://localhost",
    }
    return TapVisma(config=settings, catalog=selecting([stream]))


class ReaderByHand(Reader):
    """As `Reader`, but the tap never leaves this thread.

    Args:
        business: What is read.
        in_flight: How many requests can be under way.
        lookback: The setting `lookback_seconds`.
    """

    def __init__(self, business: Business, *, in_flight: int = 1, lookback: int = 3900) -> None:
        self.business = business
        self.desk = Desk(business, in_flight)
        self.arrived = {}
        self.tap = tap_of(business.stream)
        self.stream = self.tap.streams[business.stream]
        self.stream.tap_state.clear()
        (self.company,) = self.tap.companies
        self.company.client = self.desk
        self.company.workers = self.desk
        self.company.lookback_seconds = lookback

    def run(self) -> Any:
        """Run once; gives what was wrong."""
        company, tap = self.company, self.tap
        company.stopped_by = company.backfill_stopped_by = None
        company.read_whole.clear()
        tap.failures.clear()
        self.desk.begin()
        key_of = find(self.business.path).key_of
        with pytest.MonkeyPatch.context() as patch:
            now = SimpleNamespace(time=lambda: self.business.visma.clock().timestamp())
            patch.setattr("tap_visma.stream.time", now)
            patch.setattr("tap_visma.stream.drive", self.desk.drive)
            patch.setattr("tap_visma.reading.time", self.desk.asked)
            patch.setattr("tap_visma.answers.time", self.desk.answered)
            for row in self.stream._sync_records(write_messages=False):
                self.arrived[key_of(row)] = row
        return SimpleNamespace(failures=dict(tap.failures), stopped_by=company.stopped_by)


def business_of(stream: str, seed: int, zone: str | None = None) -> Business:
    """A list of a company that no server serves."""
    assert stream in PATHS
    return Business(SimpleNamespace(companies=Companies.of(1, seed, zone)), stream)  # type: ignore[arg-type]
