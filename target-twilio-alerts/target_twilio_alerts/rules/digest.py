"""When a digest is due: at a time of each day, of working days, or of some weekdays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import date, tzinfo

COUNTRIES = ("SE", "NO", "DK", "FI")
"""Countries whose public holidays are known."""

_SATURDAY = 5
_LONGEST_BREAK = 35
"""Days; Christmas and New Year may take a weekday two weeks in a row, and no more follow."""


@dataclass(frozen=True)
class Digest:
    """When the alerts of a rule are told together.

    Attributes:
        at: Time of day.
        zone: Where it is that time.
        days: Weekdays, Monday is 0.
        country: Country on whose public holidays nothing is told; None: holidays are like others.
    """

    at: time
    zone: tzinfo
    days: frozenset[int]
    country: str | None = None

    def next_after(self, moment: datetime) -> datetime:
        """The next time that a digest is due, later than a moment; in UTC."""
        today = moment.astimezone(self.zone).date()
        for number in range(_LONGEST_BREAK + 1):
            day = today + timedelta(days=number)
            due = datetime.combine(day, self.at, self.zone).astimezone(timezone.utc)
            if due > moment and self._is_day(day):
                return due
        raise AssertionError("a digest is never due")

    def _is_day(self, day: date) -> bool:
        if day.weekday() not in self.days:
            return False
        return self.country is None or day not in _holidays(self.country)


def working_days() -> frozenset[int]:
    """Monday to Friday."""
    return frozenset(range(_SATURDAY))


@lru_cache
def _holidays(country: str) -> Container[date]:
    """Public holidays, and in Sweden the eves on which nobody works."""
    import holidays  # noqa: PLC0415 - only digests of working days pay for it

    categories = ("public", "de_facto") if country == "SE" else ("public",)
    return holidays.country_holidays(country, categories=categories)
