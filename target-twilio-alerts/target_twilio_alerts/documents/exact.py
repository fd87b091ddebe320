"""Numbers: exact, within reason, and equal ones written alike."""

from __future__ import annotations

from decimal import Context, Decimal
from functools import lru_cache
from typing import Any

MAX_DIGITS = 30
"""Beyond this many digits before or after the point, a number is no amount."""

EXACT = Context(prec=4 * MAX_DIGITS)
"""Enough digits for the sum of any two amounts."""

_MAX_EXPONENT = 40
_ANY_DIGITS = Context(prec=1000)


class UnusualNumber(Exception):  # noqa: N818 - a reason to read more carefully, not an error
    """A number with more digits than amounts have, or with an exponent."""


def canonical(value: Decimal) -> Any:
    """The one form of a number: 50000, 50000.0 and 50000.0000 are one."""
    if not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT:
        return str(value)
    whole = int(value)
    return whole if whole == value else _ANY_DIGITS.normalize(value)


@lru_cache(1 << 16)
def canonical_of(text: str) -> Any:
    """The same of a number as JSON has it, if it is one that an amount may be.

    Raises:
        UnusualNumber: It is not.
    """
    if len(text) > MAX_DIGITS or "e" in text or "E" in text:
        raise UnusualNumber
    return canonical(Decimal(text))


def is_within_reason(number: Decimal) -> bool:
    """Whether a number has no more than MAX_DIGITS digits on either side of its point."""
    text = str(number)
    if len(text) <= MAX_DIGITS and "E" not in text:
        return True
    exponent = number.as_tuple().exponent
    return not number or not (
        abs(number.adjusted()) > MAX_DIGITS or abs(int(exponent)) > MAX_DIGITS
    )
