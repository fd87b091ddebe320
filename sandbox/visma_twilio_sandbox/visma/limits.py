"""The call limit of a company: so many requests in each fixed window, told on every answer."""

from __future__ import annotations

import math
import threading
import time

_PLENTY = 15_000
_HOUR = 3600.0


class CallLimit:
    """A fixed window of calls. Thread-safe.

    Attributes:
        policy: Value of ``X-RateLimit-Policy``; what begins with 4 is a limit per company and
            client, with 6 per client.
        reset_as_epoch: Tell the reset as a time instead of seconds, as the older API did.
    """

    def __init__(self) -> None:
        self.policy = "4-fixed-window"
        self.reset_as_epoch = False
        self._lock = threading.Lock()
        self._limit = _PLENTY
        self._window = _HOUR
        self._used = 0
        self._ends = time.monotonic() + _HOUR

    @property
    def limit(self) -> int:
        """Calls in a window."""
        return self._limit

    def set(self, limit: int, window_seconds: float) -> None:
        """Start a new window with this limit."""
        with self._lock:
            self._limit = limit
            self._window = window_seconds
            self._used = 0
            self._ends = time.monotonic() + window_seconds

    def take(self) -> bool:
        """Count a call; False if it is one too many."""
        with self._lock:
            self._turn()
            if self._used >= self._limit:
                return False
            self._used += 1
            return True

    def headers(self) -> dict[str, str]:
        """The ``X-RateLimit-*`` headers as of now."""
        with self._lock:
            self._turn()
            left = self._left()
            return {
                "X-RateLimit-Limit": str(self._limit),
                "X-RateLimit-Remaining": str(max(0, self._limit - self._used)),
                "X-RateLimit-Reset": str(left + int(time.time()) if self.reset_as_epoch else left),
                "X-RateLimit-Policy": self.policy,
            }

    def retry_after(self) -> str:
        """Seconds until the next window."""
        with self._lock:
            return str(self._left())

    def _left(self) -> int:
        return max(1, math.ceil(self._ends - time.monotonic()))

    def _turn(self) -> None:
        now = time.monotonic()
        if now >= self._ends:
            self._used = 0
            self._ends = now + self._window
