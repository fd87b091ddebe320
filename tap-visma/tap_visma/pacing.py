"""What one counter of Visma.net's rate limit holds, and when it lets the next call go.

Only arithmetic: no clock, no lock and no waiting of its own; `tap_visma.limits` has those.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

UNKNOWN_WAIT = 60.0
"""Assumed wait, in seconds, for a limit that does not say how long it lasts."""

_DOCUMENTED_WINDOW = 3600.0
"""A window lasts an hour (reference: visma-api, section 6), until one is seen from its start."""

_ALERTS_SHARE = 4
"""A backfill leaves a quarter of the limit to the calls that alerts need."""

_BURST_SHARE = 10
"""It may use a tenth of the limit at once, and the rest in proportion to the time gone."""

_LEAST_BURST = 10
"""Or by so many calls: to spread fewer would slow a read down and spare nobody anything."""

_PATIENCE = 10.0
"""While nothing is known one call asks; so long without its answer, and another may."""

_LONGEST_CALL = 660.0
"""No request lasts so long (`request_timeout_seconds` is at most 600): its end was not told."""

_EVENTS = itertools.count(1)
"""Numbers what happens, because clocks may show the same time twice."""


class Why(Enum):
    """Why a call goes or waits."""

    GO = auto()
    ANSWER = auto()
    """All that is left is in flight: the answers tell more."""
    WINDOW = auto()
    """The limit is used up, down to the reserve, or a 429 asked to wait."""
    SPREAD = auto()
    """A backfill is ahead of the time gone, or has used its share."""


@dataclass(frozen=True)
class Call:
    """A call in flight: its place among the events, and the Unix time it was begun."""

    number: int
    sent_at: float


@dataclass(frozen=True)
class Told:
    """What an answer's headers tell.

    Attributes:
        limit: Calls in a window.
        remaining: Calls left of it.
        left: Seconds until the next window.
        ends: The same as a Unix time, between the earliest and the latest that it can mean.
        policy: Such as `4-fixed-window`.
    """

    limit: int | None = None
    remaining: int | None = None
    left: float | None = None
    ends: tuple[float, float] | None = None
    policy: str = ""


class Budget:
    """One counter of Visma's. What it may still spend: the remaining calls less those in flight.

    In a window the server counts down, so every call that was answered is part of the newest
    `remaining`, and only calls in flight may not be.
    """

    def __init__(self) -> None:
        self.calls: dict[Hashable, Call] = {}
        self._limit: int | None = None
        self._remaining: int | None = None
        self._is_silent = False
        self._learned = 0
        self._learned_at = 0.0
        self._ends: tuple[float, float] | None = None
        self._longest_left = 0.0
        self._has_turned = False
        self._blocked_until = 0.0

    # What happens

    def begin(self, caller: Hashable, now: float) -> None:
        """Count a call as in flight."""
        self.calls[caller] = Call(next(_EVENTS), now)

    def lose(self, caller: Hashable) -> bool:
        """Note that a call, if there is one, ended without an answer; the server counts it."""
        lost = self.calls.pop(caller, None) is not None
        if lost:
            self._spend_one_untold()
        return lost

    def answer(self, caller: Hashable) -> Call | None:
        """Note that a call, if there is one, was answered; `learn` or `refuse` comes next."""
        return self.calls.pop(caller, None)

    def learn(self, told: Told, call: Call | None, now: float) -> None:
        """Take in what an answer tells; answers may come in any order.

        Args:
            told: Its headers.
            call: What was answered; None if that was not counted, and was sent just now.
            now: Unix time.
        """
        sent = call or Call(next(_EVENTS), now)
        self._limit = told.limit or self._limit
        if told.remaining is None:
            if self._remaining is not None:
                self._spend_one_untold()
            elif sent.number > self._learned:
                self._is_silent = True
            return
        is_newer_window = False
        if told.ends is not None and self._ends is not None:
            if told.ends[1] < self._ends[0]:
                return  # of a window that is over
            is_newer_window = sent.sent_at >= self._ends[1] or told.ends[0] > self._ends[1]
        self._take_window(told, is_newer=is_newer_window)
        if is_newer_window or sent.number > self._learned:
            self._remaining = told.remaining
        elif self._remaining is not None:
            self._remaining = min(self._remaining, told.remaining)
        else:
            return  # of what is over, or was refused since
        self._is_silent = False
        self._learned = next(_EVENTS)
        self._learned_at = now

    def refuse(self, told: Told, until: float) -> None:
        """Take in a 429: nothing goes until then, and what goes then asks anew."""
        self._limit = told.limit or self._limit
        self._longest_left = max(self._longest_left, told.left or 0.0)
        self._blocked_until = max(self._blocked_until, until)
        self._forget()

    def _take_window(self, told: Told, *, is_newer: bool) -> None:
        self._longest_left = max(self._longest_left, told.left or 0.0)
        if told.ends is None:
            return
        if self._ends is None or is_newer:
            self._has_turned = is_newer or self._has_turned
            self._ends = told.ends
        else:
            self._ends = (max(self._ends[0], told.ends[0]), min(self._ends[1], told.ends[1]))

    def _spend_one_untold(self) -> None:
        if self._remaining is not None:
            self._remaining = max(self._remaining - 1, 0)
            self._learned = next(_EVENTS)

    def _forget(self) -> None:
        self._remaining = None
        self._is_silent = False
        self._learned = next(_EVENTS)

    # What is asked

    def when(
        self,
        now: float,
        *,
        reserve: int,
        backfill: bool,
        waited_until: float = 0.0,
    ) -> tuple[Why, float]:
        """When the next call may go.

        Args:
            now: Unix time.
            reserve: Calls to leave in each window.
            backfill: Whether the call can wait for those that alerts need.
            waited_until: Unix time up to which the caller has waited as a 429 asked.

        Returns:
            Why it goes or waits, and the Unix time at which to ask again.
        """
        self._turn(now)
        if self._blocked_until > max(now, waited_until):
            return Why.WINDOW, self._blocked_until
        if self._remaining is None:
            return self._when_unknown(now)
        keep = self._kept(reserve, backfill=backfill)
        if self._remaining <= keep:
            why = Why.WINDOW if self._remaining <= reserve else Why.SPREAD
            return why, self._ends_at
        if self._remaining - len(self.calls) <= keep:
            return Why.ANSWER, self._ends_at
        at = self._on_the_line(reserve) if backfill else now
        if at <= now:
            return Why.GO, now
        return (Why.ANSWER if self.calls else Why.SPREAD), at

    def leaves_nothing(self, reserve: int) -> int | None:
        """The limit, if the reserve is all of it."""
        return self._limit if self._limit is not None and reserve >= self._limit else None

    def calls_an_hour(self, reserve: int, *, backfill: bool) -> float | None:
        """How many calls an hour the limit allows; None if it is not known."""
        if self._limit is None or not self._longest_left:
            return None
        spent = max(self._limit - self._kept(reserve, backfill=backfill), 0)
        return spent * 3600 / self._window

    def _turn(self, now: float) -> None:
        for caller, call in list(self.calls.items()):
            if call.sent_at + _LONGEST_CALL <= now:
                self.lose(caller)
        if self._remaining is not None and self._ends_at <= now:
            self._forget()

    def _when_unknown(self, now: float) -> tuple[Why, float]:
        latest = max((call.sent_at for call in self.calls.values()), default=-math.inf)
        if self._is_silent or latest + _PATIENCE <= now:
            return Why.GO, now
        return Why.ANSWER, latest + _PATIENCE

    def _kept(self, reserve: int, *, backfill: bool) -> int:
        if not backfill or self._limit is None:
            return reserve
        return max(-(-self._limit // _ALERTS_SHARE), reserve)

    def _on_the_line(self, reserve: int) -> float:
        """When the calls used, with one more, are in proportion to the time gone."""
        if self._limit is None or self._remaining is None or self._ends is None:
            return -math.inf
        limit = max(self._limit, self._remaining)
        used = limit - self._remaining + len(self.calls)
        burst = max(limit / _BURST_SHARE, _LEAST_BURST)
        spread = limit - self._kept(reserve, backfill=True) - burst
        if spread <= 0:
            return -math.inf
        gone = (used + 1 - burst) / spread
        return self._ends[1] - self._window * (1 - gone)

    @property
    def _window(self) -> float:
        """How long a window lasts: the longest seen, once one was seen from its start."""
        if self._has_turned:
            return self._longest_left
        return max(self._longest_left, _DOCUMENTED_WINDOW)

    @property
    def _ends_at(self) -> float:
        return self._learned_at + UNKNOWN_WAIT if self._ends is None else self._ends[1]
