"""What a list request gets: filtered as far as Visma filters, ordered, cut into pages."""

from __future__ import annotations

import hashlib
import operator
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from visma_twilio_sandbox.visma import stamps, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from visma_twilio_sandbox.visma.company import VismaCompany
    from visma_twilio_sandbox.visma.endpoints import Endpoint
    from visma_twilio_sandbox.visma.manners import Manners
    from visma_twilio_sandbox.visma.rows import Row

_KEPT = 16
_LINES = "journalTransactionLines"

Test = tuple[str, "datetime"]


class BadRequestError(Exception):
    """The request is answered with 400; the text says why."""


@dataclass(frozen=True)
class Query:
    """What a request asks for, as far as the server understands it."""

    equal: tuple[tuple[tuple[str, ...], str], ...]
    modified: Test | None
    created: Test | None
    periods: tuple[str | None, str | None]
    page_number: int
    page_size: int | None
    skip: int
    most: int | None


def understand(endpoint: Endpoint, asked: Mapping[str, str], manners: Manners) -> Query:
    """Read the query parameters; unknown ones are nothing.

    Args:
        endpoint: What is listed.
        asked: Query parameters by lower-case name; their case is nothing to the server.
        manners: How timestamps are compared.

    Raises:
        BadRequestError: A parameter is mandatory and missing, or its value is not understood.
    """
    for name in endpoint.required:
        if not asked.get(name.lower()):
            raise BadRequestError(f"'{name[:1].upper()}{name[1:]}' cannot be empty.")
    modified = _modified(endpoint, asked, manners)
    paged, numbered = pages(endpoint, manners), endpoint.paging == "numbers"
    return Query(
        equal=tuple(
            (path, asked[name.lower()])
            for name, path in endpoint.filters
            if asked.get(name.lower())
        ),
        modified=modified,
        created=_timestamp(asked, "createdDateTime") if endpoint.created_filter else None,
        periods=(asked.get("fromperiod"), asked.get("toperiod"))
        if endpoint.name == "GeneralLedgerTransactions"
        else (None, None),
        page_number=(_number(asked, "pageNumber") or 1) if paged else 1,
        page_size=_number(asked, "pageSize") if paged else None,
        skip=(_number(asked, "skipRecords", least=0) or 0) if numbered else 0,
        most=_number(asked, "numberToRead", least=0) or None if numbered else None,
    )


def pages(endpoint: Endpoint, manners: Manners) -> bool:
    """Whether the endpoint knows ``pageNumber`` in this version of the API."""
    return endpoint.paged or (manners.is_2026 and endpoint.paging == "pages since 2026")


def _modified(endpoint: Endpoint, asked: Mapping[str, str], manners: Manners) -> Test | None:
    if endpoint.filter == "none":
        return None
    modified = _timestamp(asked, "lastModifiedDateTime", condition=endpoint.condition)
    if endpoint.filter == "stamp":
        if modified is None and not asked.get("periodid"):
            raise BadRequestError("Either periodId or lastModifiedDateTime must be provided.")
        if modified is not None:
            modified = (">=" if manners.journal_inclusive else "after", modified[1])
    elif modified is not None and modified[0] == ">" and manners.strict_after:
        modified = ("after", modified[1])
    return modified


class Lister:
    """Serves the pages of one company; a listing is kept until the next write. Thread-safe."""

    def __init__(self, company: VismaCompany) -> None:
        self._company = company
        self._lock = threading.Lock()
        self._kept: dict[Any, list[Row]] = {}

    def page(self, endpoint: Endpoint, query: Query) -> bytes:
        """One page as JSON; beyond the end it is empty.

        Raises:
            LookupError: The endpoint answers one object, and there is none.
        """
        listing = self._listing(endpoint, query)
        if endpoint.shape == "object":
            if not listing:
                raise LookupError(f"no {endpoint.name}")
            return self._encoded(endpoint, listing[0])
        manners, company = self._company.manners, self._company
        largest = company.max_page_size[endpoint.name]
        lie = 1 if endpoint.name in company.wrong_total else 0
        if not pages(endpoint, manners):
            last = None if query.most is None else query.skip + query.most
            items = [self._encoded(endpoint, row) for row in listing[query.skip : last]]
            return _array(_described(endpoint, items, len(listing) + lie, largest))
        size = min(query.page_size or manners.default_page_size, largest)
        number = 1 if endpoint.name in company.ignore_paging else query.page_number
        window = slice((number - 1) * size, number * size)
        if endpoint.name == "journaltransaction":
            total, items = _journals(listing, window)
        else:
            total = len(listing)
            items = [self._encoded(endpoint, row) for row in listing[window]]
        told = _array(_described(endpoint, items, total + lie, largest))
        if endpoint.shape == "array":
            return told
        head = b'{"pageNumber":%d,"pageSize":%d,"totalCount":%d' % (number, size, total + lie)
        return head + b',"records":' + told + b"}"

    def _encoded(self, endpoint: Endpoint, row: Row) -> bytes:
        """An item as this server shows it."""
        if endpoint.item == "s":
            return wire.encode(row.item["id"])
        wrapped = self._company.manners.wrapped.get(endpoint.name)
        if not wrapped:
            return row.encoded
        return wire.encode(
            {
                name: {"value": value} if name in wrapped else value
                for name, value in row.item.items()
                if name not in endpoint.hidden
            },
        )

    def _listing(self, endpoint: Endpoint, query: Query) -> list[Row]:
        manners = self._company.manners
        rows, version = self._company.rows(endpoint.name)
        ignored = endpoint.name in self._company.ignore_filter
        filters = None if ignored else (query.equal, query.modified, query.created, query.periods)
        key = (endpoint.name, version, filters, manners.order, manners.salt)
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                return kept
        if not ignored:
            rows = [row for row in rows if _matches(row, query)]
        listing = sorted(rows, key=_order(manners), reverse=manners.order == "newest first")
        with self._lock:
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = listing
        return listing


def _matches(row: Row, query: Query) -> bool:
    if query.modified is not None and not _compare(row.stamp, query.modified):
        return False
    if query.created is not None and not _compare(row.made, query.created):
        return False
    first, last = query.periods
    period = row.field("period") or ""
    if (first and period < first) or (last and period > last):
        return False
    return all(_field(row, path) == value for path, value in query.equal)


def _field(row: Row, path: Sequence[str]) -> str | None:
    value: Any = row.field(path[0])
    for name in path[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return None if value is None else str(value)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.ge,  # "after and on", as Visma's pages said for years
    "after": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def _compare(stamp: datetime, test: Test) -> bool:
    return _OPERATORS[test[0]](stamp, test[1])


def _timestamp(asked: Mapping[str, str], name: str, *, condition: bool = True) -> Test | None:
    """The timestamp filter. Without a condition, where one belongs to it, it is nothing."""
    text = asked.get(name.lower())
    if not text:
        return None
    try:
        stamp = stamps.read(text)
    except ValueError as error:
        raise BadRequestError(f"{name}: {error}") from None
    if not condition:
        return ">=", stamp
    sign = asked.get(f"{name}Condition".lower())
    if not sign:
        return None
    if sign not in {">", "<", ">=", "<="}:
        raise BadRequestError(f"{name}Condition: {sign!r} is not a valid condition")
    return sign, stamp


def _number(asked: Mapping[str, str], name: str, *, least: int = 1) -> int | None:
    text = asked.get(name.lower())
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise BadRequestError(f"The value '{text}' is not valid for {name}.")
    return int(text)


def _order(manners: Manners) -> Callable[[Row], Any]:
    if manners.order == "key":
        return lambda row: row.key
    if manners.order == "shuffled":
        return lambda row: hashlib.blake2b(f"{manners.salt} {row.key}".encode()).digest()
    return lambda row: (row.stamp, row.key)


def _journals(listing: list[Row], window: slice) -> tuple[int, list[bytes]]:
    """Pages of journals count lines; a batch cut in two comes again with its other lines."""
    lines = [(row, line) for row in listing for line in row.field(_LINES) or [None]]
    batches: list[tuple[Row, list[Any]]] = []
    for row, line in lines[window]:
        if not batches or batches[-1][0] is not row:
            batches.append((row, []))
        if line is not None:
            batches[-1][1].append(line)
    return len(lines), [wire.encode({**row.item, _LINES: part}) for row, part in batches]


def _described(endpoint: Endpoint, items: list[bytes], total: int, largest: int) -> list[bytes]:
    """The items with their paging metadata, if they carry it."""
    if not endpoint.metadata:
        return items
    return [wire.with_metadata(item, total, largest) for item in items]


def _array(items: list[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"
