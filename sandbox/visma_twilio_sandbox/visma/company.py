"""One company's documents: put, changed and deleted from outside, stamped as Visma does it."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.visma import making, stamps, wire
from visma_twilio_sandbox.visma.endpoints import DEFAULT_LEDGER, Endpoint, find
from visma_twilio_sandbox.visma.limits import CallLimit
from visma_twilio_sandbox.visma.manners import draw
from visma_twilio_sandbox.visma.rows import Body, Form, Item, Key, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FOUNDED = timedelta(days=3 * 365)
_GROWN = timedelta(days=365)
_AT_ONCE = timedelta(0)
_DAY = 24 * 3600.0


@dataclass
class _Store:
    """The rows of one endpoint, and how often they were written."""

    rows: dict[Key, Row] = field(default_factory=dict)
    version: int = 0
    made: int = 0


class VismaCompany:
    """The documents of one company and the manners of the server it lives on. Thread-safe.

    A new company has a few rows for each endpoint, and no invoices, payments, orders and journals.

    Args:
        seed: Decides every behaviour that Visma leaves open; see `manners`.
        zone: Name of the zone of the server's stamps, instead of a drawn one.
        name: What the company is called.
        tenant_id: Visma Connect's id of the company.
        company_id: The one good value of the header ``ipp-company-id``, if a client sends it.

    Attributes:
        manners: How the server behaves; may be changed.
        max_page_size: Largest page per endpoint; may be changed.
        clock: Gives the time that writes are stamped with, aware.
        calls: The budget of calls.
        forbidden: Endpoints, by name or path, that answer 403.
        ignore_filter: Endpoints that list everything, whatever was asked.
        ignore_paging: Endpoints whose every page is the first.
        wrong_total: Endpoints whose ``totalCount`` is one too high.
        on_page: Called with endpoint and page number before each page is served; what it changes
            is in that page.
        background_polls: How many polls say ``Started`` before a background request is done.
        background_fails: How many of the next background requests end as ``Failed``.
        background_seconds: How long the answers of background requests are kept.
    """

    def __init__(
        self,
        seed: int = 0,
        zone: str | None = None,
        *,
        name: str = "Nordisk Demo AB",
        tenant_id: str = credentials.TENANT_ID,
        company_id: str = "1234567",
    ) -> None:
        self.name = name
        self.tenant_id = tenant_id
        self.company_id = company_id
        self.manners = draw(seed, zone)
        self.max_page_size = self.manners.max_page_size
        self.clock: Callable[[], datetime] = _now
        self.calls = CallLimit()
        self.calls.reset_as_epoch = self.manners.reset_as_epoch
        self.forbidden: set[str] = set()
        self.ignore_filter: set[str] = set()
        self.ignore_paging: set[str] = set()
        self.wrong_total: set[str] = set()
        self.on_page: Callable[[str, int], None] | None = None
        self.background_polls = 1
        self.background_fails = 0
        self.background_seconds = _DAY
        self._seed = f"{seed} {tenant_id}"
        self._founded = _now() - _FOUNDED
        self._lock = threading.RLock()
        self._stores: dict[str, _Store] = {}
        self._forms: dict[tuple[str, bool], Form] = {}
        self._writes = 0

    @property
    def limit(self) -> int:
        """Calls allowed in a window."""
        return self.calls.limit

    @property
    def reset_as_epoch(self) -> bool:
        """Whether ``X-RateLimit-Reset`` is a time instead of a number of seconds."""
        return self.calls.reset_as_epoch

    @reset_as_epoch.setter
    def reset_as_epoch(self, value: bool) -> None:
        self.calls.reset_as_epoch = value

    def set_limit(self, limit: int, window_seconds: float) -> None:
        """Allow so many calls in each window, starting now. An "hour" may be two seconds."""
        self.calls.set(limit, window_seconds)

    def set_clock(self, moment: datetime) -> None:
        """Stop the clock at a moment."""
        if moment.tzinfo is None:
            raise ValueError(f"not an aware time: {moment}")
        self.clock = lambda: moment

    def advance(self, seconds: float) -> None:
        """Move the clock, stopped or going, by some seconds."""
        before, step = self.clock, timedelta(seconds=seconds)
        self.clock = lambda: before() + step

    def put(
        self,
        endpoint: str,
        item: Mapping[str, Any] | str,
        *,
        ledger: str = DEFAULT_LEDGER,
        at: datetime | None = None,
    ) -> Item:
        """Store an item, in the place of the one with the same key if there is one.

        Args:
            endpoint: Name or path of the endpoint, e.g. ``supplierInvoice``.
            item: Visma's field names; amounts as Decimal. A text is an item of ``dimension``.
            ledger: Number of the ledger a general ledger transaction is in.
            at: When it is written, if not now.

        Returns:
            The item as stored: with stamp and row version.

        Raises:
            LookupError: There is no such endpoint or ledger.
            TypeError: An amount is a float.
            ValueError: A key field is missing.
        """
        place = find(endpoint)
        new = {"id": item} if isinstance(item, str) else wire.copied(dict(item))
        if "ledger.id" in place.key and not isinstance(new.get("ledger"), dict):
            found = self.get("ledger", {"number": ledger})
            new["ledger"] = {"id": found["number"], "description": found["description"]}
        return self._write(place, new, at)

    def make(
        self,
        endpoint: str,
        count: int,
        *,
        at: datetime | None = None,
        every: timedelta = _AT_ONCE,
    ) -> list[dict[str, str]]:
        """Store so many more items, made up from the seed; 100,000 take a few seconds.

        Args:
            endpoint: Name or path of the endpoint.
            count: How many.
            at: When the first is written, if not now.
            every: How much later each of the others is.

        Returns:
            Their keys, as `change`, `restamp` and `delete` take them.
        """
        place = find(endpoint)
        with self._lock:
            store = self._store(place)
            made = self._make(place, store, count, at or self.clock(), every)
        return [dict(zip(place.key, key, strict=True)) for key in made]

    def change(self, endpoint: str, key: Mapping[str, Any], **fields: Any) -> Item:
        """Change some fields of an item; gives it as stored.

        Raises:
            LookupError: There is no such item.
            TypeError: An amount is a float.
        """
        place = find(endpoint)
        with self._lock:
            changed = {**self._row(place, key).item, **wire.copied(fields)}
            if place.key_of(changed) != place.key_of(key):
                raise ValueError(f"{endpoint}: the key cannot be changed")
            return self._write(place, changed, None)

    def restamp(
        self,
        endpoint: str,
        key: Mapping[str, Any] | None = None,
        *,
        at: datetime | None = None,
    ) -> None:
        """Move the stamp of one item, or of all, and nothing else, as upgrades of Visma do.

        Raises:
            LookupError: There is no such item.
        """
        place = find(endpoint)
        with self._lock:
            store = self._store(place)
            stamp = stamps.local(at or self.clock(), self.manners.zone)
            chosen = list(store.rows.values()) if key is None else [self._row(place, key)]
            for row in chosen:
                self._writes += 1
                store.rows[row.key] = replace(row, stamp=stamp, version=self._writes)
            store.version += 1

    def delete(self, endpoint: str, key: Mapping[str, Any]) -> None:
        """Delete an item for good; Visma leaves no trace of it.

        Raises:
            LookupError: There is no such item.
        """
        place = find(endpoint)
        with self._lock:
            row = self._row(place, key)
            store = self._store(place)
            del store.rows[row.key]
            store.version += 1

    def clear(self, endpoint: str) -> None:
        """Delete every item of an endpoint."""
        with self._lock:
            store = self._store(find(endpoint))
            store.rows.clear()
            store.version += 1

    def get(self, endpoint: str, key: Mapping[str, Any]) -> Item:
        """One item as stored.

        Raises:
            LookupError: There is no such item.
        """
        with self._lock:
            return dict(wire.copied(self._row(find(endpoint), key).item))

    def all(self, endpoint: str) -> list[Item]:
        """Every item, in the order they were first put."""
        return [wire.copied(row.item) for row in self.rows(endpoint)[0]]

    def keys(self, endpoint: str) -> list[dict[str, str]]:
        """The key of every item, as `change`, `restamp` and `delete` take it."""
        place = find(endpoint)
        return [dict(zip(place.key, row.key, strict=True)) for row in self.rows(endpoint)[0]]

    def rows(self, endpoint: str) -> tuple[list[Row], int]:
        """Every row, and a number that is another one after each write."""
        with self._lock:
            store = self._store(find(endpoint))
            return list(store.rows.values()), store.version

    def _store(self, place: Endpoint) -> _Store:
        """The rows of an endpoint; the first ones are made when they are first asked for."""
        with self._lock:
            store = self._stores.get(place.stored_as)
            if store is None:
                store = self._stores[place.stored_as] = _Store()
                chance = random.Random(f"founded {self._seed} {place.stored_as}")  # noqa: S311
                count = making.first_rows(place, chance)
                at = self._founded + chance.random() * _GROWN
                self._make(place, store, count, at, timedelta(seconds=chance.randrange(90_000)))
            return store

    def _make(
        self,
        place: Endpoint,
        store: _Store,
        count: int,
        at: datetime,
        every: timedelta,
    ) -> list[Key]:
        form = self._form(place)
        keys: list[Key] = []
        local = stamps.local(at, self.manners.zone)
        tops = {name.partition(".")[0] for name in place.key}
        for number, (body, own) in enumerate(
            making.rows(find(place.stored_as), self._seed, store.made, count),
        ):
            stamp = stamps.local(at + number * every, self.manners.zone) if every else local
            self._writes += 1
            told = {name: own.get(name, body.item.get(name)) for name in tops}
            key = place.key_of(told)
            store.rows[key] = Row(key, body, own, stamp, stamp, self._writes, form)
            keys.append(key)
        store.made += count
        store.version += 1
        return keys

    def _row(self, place: Endpoint, key: Mapping[str, Any]) -> Row:
        row = self._store(place).rows.get(place.key_of(key))
        if row is None:
            raise LookupError(f"{place.name}: there is no {dict(key)}")
        return row

    def _form(self, place: Endpoint) -> Form:
        which = (place.stored_as, self.manners.is_2026)
        if which not in self._forms:
            self._forms[which] = Form(find(place.stored_as), is_2026=self.manners.is_2026)
        return self._forms[which]

    def _write(self, place: Endpoint, item: Item, at: datetime | None) -> Item:
        with self._lock:
            stamp = stamps.local(at or self.clock(), self.manners.zone)
            key, store, form = place.key_of(item), self._store(place), self._form(place)
            known = store.rows.get(key)
            created = known.made if known is not None else stamp
            self._writes += 1
            row = Row(key, Body(form.body(item)), {}, stamp, created, self._writes, form)
            store.rows[key] = row
            store.version += 1
            return dict(wire.copied(row.item))


def _now() -> datetime:
    return datetime.now(timezone.utc)
