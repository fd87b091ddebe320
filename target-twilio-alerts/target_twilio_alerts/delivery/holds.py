"""Channels whose provider wants fewer requests, or cannot be reached: one tries, the others wait.

Every request beyond the first would be refused as well, and keeps the provider from recovering.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_twilio_alerts.delivery.channels import Postponed
from target_twilio_alerts.delivery.consequences import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_twilio_alerts.delivery.channels import Outcome


@dataclass
class _Hold:
    """A channel is held.

    Attributes:
        times: How often in a row before, without an answer that ended it.
        until: When a message may try.
        is_tried: Whether one does, or did.
    """

    times: int
    until: float
    is_tried: bool = False


class Holds:
    """Which channels are held, and for how long. For several threads.

    Args:
        clock: Seconds, of a clock that is never put back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._holds: dict[str, _Hold] = {}
        self._under_way: Counter[str] = Counter()

    def begin(self, channel: str) -> bool:
        """Let a hand-over begin, if it may: of a channel that was held only one tries at a time."""
        with self._lock:
            if self._seconds(channel):
                return False
            self._under_way[channel] += 1
            if channel in self._holds:
                self._holds[channel].is_tried = True
            return True

    def end(self, channel: str) -> None:
        """A hand-over that began has ended."""
        with self._lock:
            self._under_way[channel] -= 1

    def hear(self, channel: str, outcome: Outcome) -> None:
        """Take what came of a hand-over under way: it begins a hold, or ends one."""
        with self._lock:
            hold, now = self._holds.get(channel), self._clock()
            if hold is not None and not hold.is_tried:
                # It had left before the channel was held, and says nothing new.
                if isinstance(outcome, Postponed) and outcome.retry_after:
                    hold.until = max(hold.until, now + backoff(hold.times, outcome.retry_after))
            elif isinstance(outcome, Postponed):
                times = 0 if hold is None else hold.times + 1
                self._holds[channel] = _Hold(times, now + backoff(times, outcome.retry_after))
            else:
                self._holds.pop(channel, None)

    def is_held(self, channel: str) -> bool:
        """Whether not everything of a channel may leave."""
        with self._lock:
            return channel in self._holds

    def seconds(self, channel: str) -> float:
        """How long until a message of a channel may leave; infinite while another one tries."""
        with self._lock:
            return self._seconds(channel)

    def _seconds(self, channel: str) -> float:
        hold = self._holds.get(channel)
        if hold is None:
            return 0.0
        return math.inf if self._under_way[channel] else max(0.0, hold.until - self._clock())
