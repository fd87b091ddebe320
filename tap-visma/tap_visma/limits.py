"""Rate limits of one company: read from every answer, waited for within reason.

Visma sends `X-RateLimit-Limit`, `-Remaining`, `-Reset` and `-Policy` with every answer, and 429
with `Retry-After` when it is enough; the limit itself is not published (reference: visma-api,
section 6).
"""

from __future__ import annotations

import logging
import math
import time
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tap_visma.errors import LimitReachedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger(__name__)

_EPOCH_FROM = 100_000_000
"""`X-RateLimit-Reset` has been seen as seconds and as a Unix time: this tells them apart."""

_MILLISECONDS_FROM = 100_000_000_000
"""And this tells milliseconds from seconds."""

_LEAST_WAIT = 1.0
"""A refusal that asks for no wait would be followed by another at once."""

_ROUNDING = 1.0
"""`X-RateLimit-Reset` has whole seconds, rounded we do not know which way."""

_LONGEST_TOLD = 100_000_000.0

_UNKNOWN_WAIT = 60.0
"""Assumed wait of a 429 that does not say how long."""


class RateLimits:
    """What is left of a company's budget.

    Args:
        max_wait_seconds: The longest wait for one request; beyond it the run stops cleanly.
        reserve: Calls to leave for other integrations of the same application.
        wait: How to wait, in seconds.
        now: Unix time, for a `Reset` that is one.
    """

    def __init__(
        self,
        *,
        max_wait_seconds: float,
        reserve: int,
        wait: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._max_wait = max_wait_seconds
        self._reserve = reserve
        self._wait = wait
        self._now = now
        self._remaining: int | None = None
        self._reset_at: float | None = None
        self._waited = 0.0

    def before_request(self) -> None:
        """Wait until the budget allows a call.

        Raises:
            LimitReachedError: It would take longer than `max_wait_seconds`.
        """
        if self._remaining is None or self._remaining > self._reserve:
            return
        left = _UNKNOWN_WAIT if self._reset_at is None else self._reset_at - self._now()
        self._remaining = None
        if left <= 0:
            return
        self._count_wait(left)
        logger.info("The rate limit is used up: waiting %.0f s", left)
        self._wait(left)

    def after_answer(self, headers: Mapping[str, str]) -> None:
        """Learn what is left from the headers of an answer that was no refusal."""
        self._waited = 0.0
        self._learn(headers)

    def _learn(self, headers: Mapping[str, str]) -> None:
        remaining = _number(headers.get("X-RateLimit-Remaining"))
        reset = _number(headers.get("X-RateLimit-Reset"))
        self._remaining = None if remaining is None else int(remaining)
        self._reset_at = None
        if reset is not None:
            reset = reset / 1000 if reset >= _MILLISECONDS_FROM else reset
            self._reset_at = (reset if reset >= _EPOCH_FROM else self._now() + reset) + _ROUNDING

    def wait_after_refusal(self, headers: Mapping[str, str]) -> float:
        """How long a 429 asks to wait, in seconds.

        Raises:
            LimitReachedError: Longer than `max_wait_seconds`.
        """
        self._learn(headers)
        self._remaining = None  # the wait that follows is the one for this limit
        asked = _retry_after(headers.get("Retry-After"), self._now())
        if asked is None and self._reset_at is not None:
            asked = max(self._reset_at - self._now(), 0.0)
        if asked is None:
            asked = min(_UNKNOWN_WAIT, self._max_wait)
        asked = max(asked, _LEAST_WAIT)
        self._count_wait(asked)
        return asked

    def _count_wait(self, seconds: float) -> None:
        if self._waited + seconds > self._max_wait:
            raise self._reached(seconds)
        self._waited += seconds

    def _reached(self, seconds: float) -> LimitReachedError:
        known = min(seconds, _LONGEST_TOLD)
        back = datetime.fromtimestamp(self._now(), timezone.utc) + timedelta(seconds=known)
        return LimitReachedError(
            f"Visma.net's rate limit lasts {seconds:.0f} s more, longer than max_wait_seconds "
            f"({self._max_wait:g}): the next run after {back:%Y-%m-%d %H:%M:%S} UTC goes on",
        )


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _retry_after(text: str | None, now: float) -> float | None:
    """`Retry-After` in seconds from now; it may be a number or an HTTP date."""
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        return max(parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None
