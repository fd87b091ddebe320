"""A company whose documents move while they are read, and what must have arrived in the end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tap_running import TapRunner

from tap_visma.streams import STREAMS
from visma_twilio_sandbox import Sandbox, business
from visma_twilio_sandbox.visma.endpoints import find

if TYPE_CHECKING:
    from collections.abc import Collection

PATHS = {stream.name: stream.path for stream in STREAMS}
JOURNALS = {"journal_transactions", "general_ledger_transactions"}


@dataclass(frozen=True)
class Event:
    """Something that happens to a document before the server answers a request.

    Attributes:
        request: Which one of the run, from 1.
        what: `create`, `change`, `restamp`, `delete` or `restamp all`; `pass` is that time passes.
        which: The document, counted modulo all there are.
        after: Seconds that pass before it.
    """

    request: int
    what: str
    which: int = 0
    after: float = 0.0


@dataclass
class Business:
    """One list of a sandbox, and what happens to it.

    Args:
        sandbox: Where.
        stream: The stream that reads the list.
        company: Which of the sandbox's companies.
    """

    sandbox: Sandbox
    stream: str
    events: list[Event] = field(default_factory=list)
    company: int = 0

    def __post_init__(self) -> None:
        self.path = PATHS[self.stream]
        self.visma = self.sandbox.companies[self.company]
        self.visma.set_clock(datetime.now(timezone.utc) - timedelta(days=30))
        self.visma.clear(self.path)
        self._made = 0
        self._asked = 0
        self._lock = threading.Lock()
        self.visma.on_page = self._on_page

    def happen(self, events: list[Event]) -> None:
        """Let these events happen in the next run."""
        self.events, self._asked = sorted(events, key=lambda one: one.request), 0

    def create(self, number: int = 1) -> None:
        """Write new documents, all with the same stamp."""
        for _ in range(number):
            self._made += 1
            if self.stream not in JOURNALS:
                self.visma.make(self.path, 1)
                continue
            amount = Decimal(self._made)
            journal, lines = business.gl_journal(number=f"GL{self._made:05d}", amount=amount)
            if self.stream == "journal_transactions":
                self.visma.put(self.path, journal)
            else:
                self.visma.put(self.path, lines[0])

    def begin(self, number: int) -> None:
        """Write documents of which all but the last are too old to be read a second time."""
        self.create(number - 1)
        self.visma.advance(timedelta(days=20).total_seconds())
        self.create(min(number, 1))

    def apply(self, event: Event) -> None:
        """Let one event happen."""
        self.visma.advance(event.after)
        keys = self.visma.keys(self.path)
        if event.what == "create":
            self.create()
        elif event.what == "restamp all":
            self.visma.restamp(self.path)
        elif keys and event.what != "pass":
            key = keys[event.which % len(keys)]
            if event.what == "change":
                self._made += 1
                self.visma.change(self.path, key, **{self._text_of(key): f"now {self._made}"})
            else:
                getattr(self.visma, event.what)(self.path, key)

    def _text_of(self, key: dict[str, Any]) -> str:
        """The name of a text that is no part of the key."""
        item = self.visma.get(self.path, key)
        tops = {name.partition(".")[0] for name in key}
        return next(n for n, value in item.items() if isinstance(value, str) and n not in tops)

    def _on_page(self, endpoint: str, _page: int) -> None:
        if endpoint != find(self.path).name:
            return
        with self._lock:
            self._asked += 1
            while self.events and self.events[0].request <= self._asked:
                self.apply(self.events.pop(0))


class Clock:
    """Stands in for the module `time`: the sandbox's clock."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.time = lambda: sandbox.visma.clock().timestamp()


class Reader:
    """Runs the tap again and again, and keeps the last record of each document."""

    def __init__(self, business: Business, **config: Any) -> None:
        self.business = business
        self.config = config
        self.tap = TapRunner(business.sandbox)
        self.state: dict[str, Any] = {}
        self.arrived: dict[Any, dict[str, Any]] = {}

    def run(self) -> Any:
        """Run once; the tap's clock is the sandbox's."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tap_visma.stream.time", Clock(self.business.sandbox))
            run = self.tap(self.business.stream, state=self.state, **self.config)
        self.state = run.state
        self.take(run)
        return run

    def take(self, run: Any) -> None:
        """Keep what a run has of this company."""
        key_of = find(self.business.path).key_of
        tenant = self.business.visma.tenant_id
        for record in run.records(self.business.stream):
            if record["tenant_id"] == tenant:
                self.arrived[key_of(record)] = record

    def missing(self) -> list[Any]:
        """The documents whose final version has not arrived."""
        endpoint = find(self.business.path)
        return [
            endpoint.key_of(item)
            for item in self.business.visma.all(self.business.path)
            if not _has(self.arrived.get(endpoint.key_of(item), {}), item, endpoint.hidden)
        ]


def _has(record: dict[str, Any], item: dict[str, Any], hidden: Collection[str]) -> bool:
    """Whether a record has all that a document says."""
    return all(
        record.get(name) == (value["value"] if _is_wrapped(value) else value)
        for name, value in item.items()
        if name not in hidden
    )


def _is_wrapped(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"value"}
