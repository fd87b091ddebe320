"""Dated currency rates: an amount in another currency, with the rate and the day it is of."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Context, Decimal
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

MAX_AGE = timedelta(days=31)
"""How old a rate may be on the day it is wanted for, unless the file says otherwise."""

_EXACT = Context(prec=120)
_DIVIDED = Context(prec=34)
"""Only a rate that is known the other way round is divided by, and so rounded."""


_Pair: TypeAlias = "tuple[str | None, str, str]"
"""Whose, from, to."""


@dataclass(frozen=True)
class Rate:
    """One unit of `base` is `rate` units of `quote`, from `day` on.

    Attributes:
        base: Currency, such as "EUR".
        quote: Currency, such as "SEK".
        day: First day it is good for.
        rate: Positive and exact.
        source: Where it came from, for the trail: a file, or a stream.
        company: Whose rate it is; None: everybody's.
    """

    base: str
    quote: str
    day: date
    rate: Decimal
    source: str
    company: str | None = None


@dataclass(frozen=True)
class Converted:
    """An amount in another currency.

    Attributes:
        amount: In the currency asked for; not rounded, but for a rate known the other way round.
        rate: What was used; None if the amount was in that currency already.
    """

    amount: Decimal
    rate: Rate | None


@dataclass
class Rates:
    """All rates that are known.

    Attributes:
        max_age: How old a rate may be on the day it is wanted for.
        type: Which of the rates that a tap brings are taken, such as "SPOT"; None: none of them.
    """

    max_age: timedelta = MAX_AGE
    type: str | None = None
    _days: dict[_Pair, list[date]] = field(default_factory=dict)
    _rates: dict[tuple[_Pair, date], Rate] = field(default_factory=dict)

    def add(self, rates: Iterable[Rate]) -> None:
        """Take rates in; a later one for the same currencies and day takes the earlier's place."""
        for rate in rates:
            pair = (rate.company, rate.base, rate.quote)
            if (pair, rate.day) not in self._rates:
                days = self._days.setdefault(pair, [])
                days.insert(bisect_right(days, rate.day), rate.day)
            self._rates[pair, rate.day] = rate

    def every(self) -> list[Rate]:
        """All of them."""
        return list(self._rates.values())

    def find(
        self,
        base: str,
        quote: str,
        on: date,
        *,
        company: str | None = None,
    ) -> Rate | None:
        """The newest rate of that day or before, either way round; None if none is recent enough.

        Of rates of one day, the company's own is preferred, then the one that needs no division.
        """
        ways = ((base, quote), (quote, base))
        pairs = [(whose, *way) for whose in {company, None} for way in ways]
        known = [self._newest(pair, on) for pair in pairs]
        found = [rate for rate in known if rate is not None and on - rate.day <= self.max_age]
        return max(
            found,
            key=lambda rate: (rate.day, rate.company is not None, rate.base == base),
            default=None,
        )

    def convert(
        self,
        amount: Decimal,
        base: str,
        quote: str,
        on: date,
        *,
        company: str | None = None,
    ) -> Converted | None:
        """An amount of `base` in `quote`, by the rate of a day; None without a rate."""
        if base == quote:
            return Converted(amount, None)
        rate = self.find(base, quote, on, company=company)
        if rate is None:
            return None
        if rate.base == base:
            return Converted(_EXACT.multiply(amount, rate.rate), rate)
        return Converted(_DIVIDED.divide(amount, rate.rate), rate)

    def _newest(self, pair: _Pair, on: date) -> Rate | None:
        days = self._days.get(pair, [])
        at = bisect_right(days, on)
        return self._rates[pair, days[at - 1]] if at else None
