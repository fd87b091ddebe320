"""Items as bytes: money as exact JSON numbers, with the odd number of zeros Visma writes."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_FOUR = Decimal("0.0001")
_FOUR_PLACES = -4


def encode(value: Any) -> bytes:
    """JSON bytes; Decimals become numbers digit by digit."""
    return _ENCODER.encode(_dressed(value, ""))


def with_metadata(encoded: bytes, total: int, max_page_size: int) -> bytes:
    """An encoded item with its paging metadata as the last field."""
    metadata = b'"metadata":{"totalCount":%d,"maxPageSize":%d}}' % (total, max_page_size)
    return encoded[:-1] + (b"," if len(encoded) > len(b"{}") else b"") + metadata


def copied(value: Any) -> Any:
    """A copy of a tree of dicts and lists.

    Raises:
        TypeError: A float is in it.
    """
    if isinstance(value, dict):
        return {name: copied(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied(part) for part in value]
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; use Decimal")
    return value


def _dressed(value: Any, name: str) -> Any:
    if isinstance(value, Decimal):
        return _money(value, name)
    if isinstance(value, dict):
        return {field: _dressed(part, field) for field, part in value.items()}
    if isinstance(value, list):
        return [_dressed(part, name) for part in value]
    return value


def _money(value: Decimal, name: str) -> Decimal:
    """The same value with four decimals or fewer; which, the field's name decides.

    Real answers mix ``1234.7700``, ``0.0000``, ``0.0`` and ``1.0`` in one item.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise TypeError(f"{name}: {value} is no number")
    if exponent < _FOUR_PLACES:
        return value
    four = value.quantize(_FOUR)
    if zlib.crc32(name.encode()) % 3 and four != 0:
        return four
    short = four.normalize()
    places = short.as_tuple().exponent
    return short if isinstance(places, int) and places < 0 else short.quantize(Decimal("0.1"))
