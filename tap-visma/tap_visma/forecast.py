"""Tells in the log how far a long read is, and about how long it still takes."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_EVERY_SECONDS = 60.0
_HOUR = 3600.0
_DAY_MINUTES = 24 * 60
_FINE_UP_TO_MINUTES = 60
_COARSE_MINUTES = 5


class Forecast:
    """The progress of one read, told once a minute; for one thread.

    Args:
        name: What to call the read.
        allowed: Calls an hour that the rate limit allows, such as `RateLimits.calls_an_hour`; None
            while that is not known.
        now: A clock in seconds.
        tell: Where a line goes.
    """

    def __init__(
        self,
        name: str,
        *,
        allowed: Callable[[], float | None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
        tell: Callable[[str], object] = logger.info,
    ) -> None:
        self._name = name
        self._allowed = allowed
        self._now = now
        self._tell = tell
        self._started_at = self._told_at = now()
        self._started_from: int | None = None
        self._done = 0
        self._total: int | None = None

    def pages(self, done: int, total: int | None) -> None:
        """Note how many pages are read, of how many if that is known; tells it once a minute.

        Pages that an earlier run read count as done, but not for the pace: the first call says how
        many they are, so make it before the first page.
        """
        if self._started_from is None:
            self._started_from = done
        self._done, self._total = done, total
        if self._now() - self._told_at >= _EVERY_SECONDS:
            self._tell_now()

    def stopped(self) -> None:
        """Tell it now, if anything was read, because the read stops here for this run."""
        if self._done:
            self._tell_now()

    def line(self) -> str:
        """Such as `ledgers (Nordisk): 120 of 1,000 pages (12%), about 1 h 45 min left at ...`."""
        pace = self._calls_an_hour()
        at_pace = f" at {pace:,.0f} calls an hour" if pace is not None and pace >= 1 else ""
        if self._total is None:
            return f"{self._name}: {_pages(self._done)}{at_pace and ',' + at_pace}"
        total = max(self._total, self._done)
        part = 100 * self._done // total if total else 100
        told = f"{self._name}: {self._done:,} of {_pages(total)} ({part}%)"
        if not at_pace or pace is None:
            return told
        return f"{told}, {_about((total - self._done) / pace)} left{at_pace}"

    def _calls_an_hour(self) -> float | None:
        """The measured pace, but no more than the limit allows: it may not have been met yet."""
        seconds = self._now() - self._started_at
        read = self._done - (self._started_from or 0)
        paces = [read / seconds * _HOUR] if seconds > 0 and read > 0 else []
        allowed = self._allowed()
        return min([*paces, *([] if allowed is None else [allowed])], default=None)

    def _tell_now(self) -> None:
        self._told_at = self._now()
        self._tell(self.line())


def _pages(number: int) -> str:
    return f"{number:,} page" if number == 1 else f"{number:,} pages"


def _about(hours: float) -> str:
    """A duration as a person would say it: no finer than five minutes from an hour on."""
    minutes = round(hours * 60)
    if minutes < 1:
        return "less than a minute"
    if minutes >= _FINE_UP_TO_MINUTES:
        minutes = round(minutes / _COARSE_MINUTES) * _COARSE_MINUTES
    days, minutes = divmod(minutes, _DAY_MINUTES)
    whole_hours, minutes = divmod(minutes, 60)
    if days:
        return f"about {days} d {whole_hours} h"
    if whole_hours:
        return f"about {whole_hours} h {minutes} min" if minutes else f"about {whole_hours} h"
    return f"about {minutes} min"
