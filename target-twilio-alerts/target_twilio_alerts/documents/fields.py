"""Fields of a document: their kinds, where each is read from, and how values are kept as text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_twilio_alerts.documents.access import ARRAY, BY_NAME
from target_twilio_alerts.documents.errors import UnreadableValue
from target_twilio_alerts.documents.exact import EXACT, MAX_DIGITS, is_within_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_twilio_alerts.documents.access import Access

Value: TypeAlias = "str | Decimal | bool | date | tuple[str, ...] | None"
"""One field of a document: text, exact number, yes/no, date, list of texts, or unknown."""

_EARLIEST, _LATEST = 1900, 2200
"""Years outside these are absurd in a ledger: the date is taken as unknown, and said so."""

_SHOWN = 4
"""So many characters of an account are told, if it has more than twice as many."""

_NUMERAL = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ].*)?")


class Kind(str, Enum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"


class Combine(str, Enum):
    """How a field is made from its sources."""

    FIRST = "first"
    """The one source's value."""
    DIFFERENCE = "difference"
    """The first source less the second, both numbers."""
    COUNT = "count"
    """How many items the source, an array, has."""
    EACH = "each"
    """The rest of the path, from each item of an array: a list without repeats."""
    MASKED = "masked"
    """All sources' texts, also from items of an array, each masked: one text, in a fixed order."""


@dataclass(frozen=True)
class Field:
    """One field of an entity.

    Attributes:
        name: In the common vocabulary, such as "due_date".
        kind: What it holds.
        sources: Paths in the record that it is read from, such as ("supplier.name",).
        description: For whoever writes rules.
        values: The texts that the API documents for it, if it documents them.
        combine: How the sources make the value.
        unit: What a number counts, in words; None if it is no quantity.
        is_lenient: Whether numbers may come as text, and dates as seconds since 1970, in UTC.
        decimals: How many of a number's last digits are behind the point, as in 7500000 for
            75,000.00.
    """

    name: str
    kind: Kind
    sources: tuple[str, ...]
    description: str
    values: tuple[str, ...] | None = None
    combine: Combine = Combine.FIRST
    unit: str | None = None
    is_lenient: bool = False
    decimals: int = 0

    def reader(self, access: Access = BY_NAME) -> Callable[[Any], Value]:
        """A function from a record to this field's value; it raises UnreadableValue."""
        if self.combine is Combine.FIRST:
            find, python_type = access.find(self.sources[0]), _AS_THEY_COME.get(self.kind)
            if python_type is not None and access.is_known(self.sources[0], python_type):
                return find
            return _read_one(find, self._converter())
        if self.combine is Combine.DIFFERENCE:
            minuend, subtrahend = (_read_one(access.find(one), _number) for one in self.sources)
            return lambda record: _difference(minuend(record), subtrahend(record))
        if self.combine is Combine.MASKED:
            readers = [_finder(path, access) for path in self.sources]
            return lambda record: _masked([found for find in readers for found in find(record)])
        path, _, part = self.sources[0].partition(ARRAY)
        path = path.removesuffix("[]")
        items = access.find(path)
        if self.combine is Combine.COUNT:
            return lambda record: _count(items(record))
        within = access.items(path)
        find = within.find(part)
        return lambda record: _each(items(record), find, within)

    def _converter(self) -> Callable[[Any], Value]:
        convert = LENIENT.get(self.kind) if self.is_lenient else None
        convert = convert or CONVERTERS[self.kind]
        if not self.decimals:
            return convert

        def scaled(value: Any) -> Value:
            number = convert(value)
            return EXACT.scaleb(number, -self.decimals) if isinstance(number, Decimal) else number

        return scaled


def _read_one(
    find: Callable[[Any], Any], convert: Callable[[Any], Value]
) -> Callable[[Any], Value]:
    def read(record: Any) -> Value:
        value = find(record)
        return None if value is None else convert(value)

    return read


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnreadableValue(f"is {_named(value)} where text was expected")


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise UnreadableValue(f"is {_named(value)} where a number was expected")
    number = Decimal(value)
    if not number.is_finite():
        raise UnreadableValue("is not a finite number")
    if not is_within_reason(number):
        raise UnreadableValue(f"is a number with more than {MAX_DIGITS} digits")
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise UnreadableValue(f"is {_named(value)} where yes or no was expected")


def _date(value: Any) -> date:
    if not isinstance(value, str):
        raise UnreadableValue(f"is {_named(value)} where a date was expected")
    return _day(value)


@lru_cache(1 << 12)
def _day(text: str) -> date:
    match = _DATE.fullmatch(text)
    if match is None:
        raise UnreadableValue("is text that is no date")
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise UnreadableValue("is a date that no calendar has") from None
    if not _EARLIEST <= day.year <= _LATEST:
        raise UnreadableValue(f"is a date outside the years {_EARLIEST} to {_LATEST}")
    return day


def _difference(minuend: Value, subtrahend: Value) -> Decimal | None:
    if isinstance(minuend, Decimal) and isinstance(subtrahend, Decimal):
        return EXACT.subtract(minuend, subtrahend)
    return None


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise UnreadableValue(f"is {_named(value)} where a list was expected")
    return value


def _count(value: Any) -> Decimal | None:
    return None if value is None else Decimal(len(_items(value)))


def _each(value: Any, find: Callable[[Any], Any], access: Access) -> tuple[str, ...] | None:
    return None if value is None else tuple(dict.fromkeys(_parts(_items(value), find, access)))


def _finder(path: str, access: Access) -> Callable[[Any], Iterable[Any]]:
    """A function from a record to what it has at a path, which may lead through one array."""
    whole, through, part = path.partition(ARRAY)
    find = access.find(whole)
    if not through:
        return lambda record: [find(record)]
    within = access.items(whole)
    find_part = within.find(part)

    def read(record: Any) -> Iterable[Any]:
        items = find(record)
        return () if items is None else list(_parts(_items(items), find_part, within))

    return read


def _masked(values: list[Any]) -> str | None:
    texts = [_text(value) for value in values if value is not None]
    return ", ".join(sorted({mask_account(one) for one in texts if one.strip()})) or None


def mask_account(account: str) -> str:
    """The last four characters of an account, and four digits that change with the others.

    Enough to see that it is another account, not enough to know or to guess which; spaces, hyphens
    and letter case make no difference.
    """
    plain = re.sub(r"[^0-9A-Za-z]", "", account).upper()
    check = hashlib.sha256(plain.encode()).hexdigest()[:4]
    return f"..{plain[-4:]} ({check})" if len(plain) > 2 * _SHOWN else f"({check})"


def _parts(items: list[Any], find: Callable[[Any], Any], access: Access) -> Iterator[str]:
    for item in items:
        if not access.is_object(item):
            raise UnreadableValue("is not where it should be")
        found = find(item)
        if found is not None:
            yield _text(found)


def _list(value: Any) -> tuple[str, ...]:
    return tuple(_text(item) for item in _items(value))


def _number_or_text(value: Any) -> Decimal:
    if isinstance(value, str) and _NUMERAL.fullmatch(value.strip()):
        return _number(Decimal(value.strip()))
    return _number(value)


def _date_or_seconds(value: Any) -> date:
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return _date(datetime.fromtimestamp(value, timezone.utc).date().isoformat())
        except (ValueError, OverflowError, OSError):
            raise UnreadableValue("is no number of seconds since 1970") from None
    return _date(value)


LENIENT: Final[dict[Kind, Callable[[Any], Value]]] = {
    Kind.NUMBER: _number_or_text,
    Kind.DATE: _date_or_seconds,
}

_AS_THEY_COME: Final[dict[Kind, type]] = {Kind.TEXT: str, Kind.BOOLEAN: bool}
"""Kinds whose values need no converting, if they are of that type."""

CONVERTERS: Final[dict[Kind, Callable[[Any], Value]]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
    Kind.LIST: _list,
}


def _named(value: Any) -> str:
    names = {bool: "yes or no", str: "text", dict: "an object", list: "a list", float: "a float"}
    return names.get(type(value), "a number")
