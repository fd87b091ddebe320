"""One company's documents: put, changed and deleted from outside, stamped as Visma does it."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox.visma import stamps, wire
from visma_twilio_sandbox.visma.endpoints import DEFAULT_LEDGER, ENDPOINTS, Endpoint
from visma_twilio_sandbox.visma.limits import CallLimit
from visma_twilio_sandbox.visma.manners import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Key = tuple[str, ...]
Item = dict[str, Any]

_FOUNDED = timedelta(days=3 * 365)


@dataclass
class Row:
    """An item as it is stored. A row is never changed, only replaced."""

    key: Key
    item: Item
    stamp: datetime
    _encoded: bytes | None = field(default=None, repr=False)

    @property
    def encoded(self) -> bytes:
        """The item as JSON, without metadata."""
        if self._encoded is None:
            self._encoded = wire.encode(self.item)
        return self._encoded


class VismaCompany:
    """The documents of one company and the manners of the server it lives on. Thread-safe.

    Args:
        seed: Decides every behaviour that Visma leaves open; see `manners`.
        zone: Name of the zone of the server's stamps, instead of a drawn one.

    Attributes:
        manners: How the server behaves; may be changed.
        max_page_size: Largest page per endpoint; may be changed.
        clock: Gives the time that writes are stamped with, aware.
        company_id: The one good value of the header ``ipp-company-id``, if a client sends it.
        ignore_filter: Endpoints that list everything, whatever was asked.
        ignore_paging: Endpoints whose every page is the first.
        wrong_total: Endpoints whose ``totalCount`` is one too high.
        on_page: Called with endpoint and page number before each page is served.
    """

    def __init__(self, seed: int = 0, zone: str | None = None) -> None:
        self.manners = draw(seed, zone)
        self.max_page_size = self.manners.max_page_size
        self.clock: Callable[[], datetime] = _now
        self.company_id = "1234567"
        self.ignore_filter: set[str] = set()
        self.ignore_paging: set[str] = set()
        self.wrong_total: set[str] = set()
        self.on_page: Callable[[str, int], None] | None = None
        self.calls = CallLimit()
        self._lock = threading.RLock()
        self._rows: dict[str, dict[Key, Row]] = {name: {} for name in ENDPOINTS}
        self._versions = dict.fromkeys(ENDPOINTS, 0)
        self._writes = 0
        for number, description, balance_type in (
            ("1", "Actual ledger", "Actual"),
            ("2", "Report ledger", "Report"),
        ):
            self.put(
                "ledger",
                _ledger(number, description, balance_type),
                at=_now() - _FOUNDED,
            )

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
        """Allow so many calls in each window, starting now."""
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
        item: Mapping[str, Any],
        *,
        ledger: str = DEFAULT_LEDGER,
        at: datetime | None = None,
    ) -> Item:
        """Store an item, in the place of the one with the same key if there is one.

        Args:
            endpoint: Name of the endpoint, e.g. ``supplierInvoice``.
            item: Visma's field names; amounts as Decimal.
            ledger: Number of the ledger a general ledger transaction is in.
            at: When it is written, if not now.

        Returns:
            The item as stored: with stamp and row version.

        Raises:
            TypeError: An amount is a float.
            ValueError: A key field is missing, or there is no such ledger.
        """
        place = ENDPOINTS[endpoint]
        new = wire.copied(dict(item))
        new.pop("metadata", None)
        if "ledger" in place.key and not isinstance(new.get("ledger"), dict):
            found = self.get("ledger", {"number": ledger})
            new["ledger"] = {"id": found["number"], "description": found["description"]}
        return self._write(place, new, at)

    def change(self, endpoint: str, key: Mapping[str, Any], **fields: Any) -> Item:
        """Change some fields of an item; gives it as stored.

        Raises:
            LookupError: There is no such item.
            TypeError: An amount is a float.
        """
        place = ENDPOINTS[endpoint]
        with self._lock:
            changed = {**self._row(place, key).item, **wire.copied(fields)}
            if place.key_of(changed) != place.key_of(key):
                raise ValueError(f"{endpoint}: the key cannot be changed")
            return self._write(place, changed, None)

    def restamp(self, endpoint: str, key: Mapping[str, Any] | None = None) -> None:
        """Move the stamp of one item, or of all, and nothing else, as upgrades of Visma do.

        Raises:
            LookupError: There is no such item.
        """
        place = ENDPOINTS[endpoint]
        with self._lock:
            rows = self._rows[endpoint]
            chosen = list(rows.values()) if key is None else [self._row(place, key)]
            for row in chosen:
                self._write(place, row.item, None)

    def delete(self, endpoint: str, key: Mapping[str, Any]) -> None:
        """Delete an item for good; Visma leaves no trace of it.

        Raises:
            LookupError: There is no such item.
        """
        with self._lock:
            row = self._row(ENDPOINTS[endpoint], key)
            del self._rows[endpoint][row.key]
            self._versions[endpoint] += 1

    def get(self, endpoint: str, key: Mapping[str, Any]) -> Item:
        """One item as stored.

        Raises:
            LookupError: There is no such item.
        """
        with self._lock:
            return dict(wire.copied(self._row(ENDPOINTS[endpoint], key).item))

    def all(self, endpoint: str) -> list[Item]:
        """Every item, in the order they were first put."""
        return [wire.copied(row.item) for row in self.rows(endpoint)[0]]

    def rows(self, endpoint: str) -> tuple[list[Row], int]:
        """Every row, and a number that is another one after each write."""
        with self._lock:
            return list(self._rows[endpoint].values()), self._versions[endpoint]

    def _row(self, place: Endpoint, key: Mapping[str, Any]) -> Row:
        row = self._rows[place.name].get(place.key_of(key))
        if row is None:
            raise LookupError(f"{place.name}: there is no {dict(key)}")
        return row

    def _write(self, place: Endpoint, item: Mapping[str, Any], at: datetime | None) -> Item:
        with self._lock:
            stamp = stamps.local(at or self.clock(), self.manners.zone)
            key = place.key_of(item)
            known = self._rows[place.name].get(key)
            new = dict(item)
            if place.created:
                created = known.item["createdDateTime"] if known else stamps.show(stamp)
                new["createdDateTime"] = created
            new["lastModifiedDateTime"] = stamps.show(stamp)
            self._writes += 1
            if place.row_version:
                version = self._writes.to_bytes(8, "big")
                new["timeStamp"] = base64.b64encode(version).decode("ascii")
            self._rows[place.name][key] = Row(key, new, stamp)
            self._versions[place.name] += 1
            return dict(wire.copied(new))


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _ledger(number: str, description: str, balance_type: str) -> Item:
    return {
        "internalId": int(number),
        "number": number,
        "description": description,
        "balanceType": balance_type,
        "currencyId": "SEK",
        "consolidationSource": False,
        "branchAccounting": False,
        "postInterCompany": False,
    }
