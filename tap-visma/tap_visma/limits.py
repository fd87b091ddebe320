"""Rate limits of companies: read from every answer, kept to by all threads, waited for in reason.

Visma sends `X-RateLimit-Limit`, `-Remaining`, `-Reset` and `-Policy` with every answer, and 429
with `Retry-After` when it is enough; the limit itself is not published (reference: visma-api,
section 6).
"""

from __future__ import annotations

import logging
import math
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tap_visma.errors import LimitReachedError, ShareUsedError
from tap_visma.pacing import UNKNOWN_WAIT, Budget, Told, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

logger = logging.getLogger(__name__)

_PER_APPLICATION = "6"
"""`6-fixed-window` counts all companies of a client; `4-fixed-window` each company apart."""

_EPOCH_FROM = 100_000_000
"""`X-RateLimit-Reset` has been seen as seconds and as a Unix time: this tells them apart."""

_MILLISECONDS_FROM = 100_000_000_000
"""And this tells milliseconds from seconds."""

_ROUNDING = 1.0
"""`X-RateLimit-Reset` and `Date` have whole seconds, rounded we do not know which way."""

_LEAST_WAIT = 1.0
"""A refusal that asks for no wait would be followed by another at once."""

_SHORTEST_PAUSE = 0.01
_LONGEST_PAUSE = 3600.0
_LONGEST_TOLD = 100_000_000.0


@dataclass
class _Patience:
    """How long one caller has waited since its last answer, and until when a 429 told it to."""

    waited: float = 0.0
    until: float = 0.0


class _Application:
    """What the companies of one client id share."""

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())  # a signal handler may call stop()
        self.budget = Budget()
        self.companies: list[RateLimits] = []
        self.is_counted_as_one = False


class RateLimits:
    """What is left of a company's budget, for all its streams and threads.

    Each call is announced by `before_request`, and ends in exactly one of `after_answer`,
    `wait_after_refusal` and `no_answer`, in the same thread. A thread has one call at a time: the
    next one ends the one before as if it had had no answer.

    The reserve is left from the first answer on that tells of a window. Before it we cannot know:
    a first call may be one too many, and one that is lost is not counted by us.

    Args:
        max_wait_seconds: The longest wait for one request; beyond it the run stops cleanly.
        reserve: Calls to leave for other integrations of the same application.
        wait: How to wait, in seconds; without it, so that `stop` and answers end the wait.
        now: Unix time.
        caller: Who is calling.
        application: What is shared with other companies of the same client id; see `Budgets`.
    """

    def __init__(
        self,
        *,
        max_wait_seconds: float,
        reserve: int,
        wait: Callable[[float], object] | None = None,
        now: Callable[[], float] = time.time,
        caller: Callable[[], Hashable] = threading.get_ident,
        application: _Application | None = None,
    ) -> None:
        self._max_wait = max_wait_seconds
        self._reserve = reserve
        self._wait = wait
        self._now = now
        self._caller = caller
        self._application = application or _Application()
        self._own = Budget()
        self._budget = self._own
        self._has_policy = False
        self._patience: dict[Hashable, _Patience] = {}
        self._told_until = 0.0
        self._is_stopped = False
        with self._application.changed:
            self._application.companies.append(self)
            if self._application.is_counted_as_one:
                self._use(self._application.budget)

    def before_request(self, *, backfill: bool = False) -> None:
        """Wait until the budget allows a call, and count it as in flight.

        While nothing is known of the window, calls go one at a time.

        Args:
            backfill: Whether nobody waits for it. Such calls are spread over the window, and leave
                a quarter of the limit to the others.

        Raises:
            LimitReachedError: It would take longer than `max_wait_seconds`, or `stop` was called.
            ShareUsedError: It would, but only for a backfill.
        """
        me = self._me
        with self._application.changed:
            self._lose(me)
            patience = self._patience.setdefault(me, _Patience())
            while not self._may_go(patience, backfill=backfill):
                pass
            self._budget.begin(me, self._now())

    def after_answer(self, headers: Mapping[str, str]) -> None:
        """Learn what is left from the headers of an answer that was no refusal."""
        me = self._me
        with self._application.changed:
            call = self._budget.answer(me)
            self._patience.pop(me, None)
            now = self._now()
            told = _told(headers, call.sent_at if call else now, now)
            self._follow(told.policy)
            self._budget.learn(told, call, now)
            self._application.changed.notify_all()

    def wait_after_refusal(self, headers: Mapping[str, str]) -> float:
        """How long a 429 asks to wait, in seconds; no other call goes meanwhile.

        Raises:
            LimitReachedError: Longer than `max_wait_seconds`.
        """
        me = self._me
        with self._application.changed:
            call = self._budget.answer(me)
            now = self._now()
            told = _told(headers, call.sent_at if call else now, now)
            self._follow(told.policy)
            asked = _retry_after(headers.get("Retry-After"), now)
            if asked is None and told.ends is not None:
                asked = told.ends[1] - now
            if asked is None:
                asked = min(UNKNOWN_WAIT, self._max_wait)
            asked = max(asked, _LEAST_WAIT)
            self._budget.refuse(told, now + asked)
            self._application.changed.notify_all()
            patience = self._patience.setdefault(me, _Patience())
            self._check_wait(asked, patience)
            patience.waited += asked
            patience.until = now + asked
            return asked

    def no_answer(self) -> None:
        """Note that this thread's call timed out or broke off; it may have been counted."""
        with self._application.changed:
            self._lose(self._me)

    def stop(self) -> None:
        """Let no further call go, and end the waits of those that are asked for."""
        with self._application.changed:
            self._is_stopped = True
            self._application.changed.notify_all()

    def calls_an_hour(self, *, backfill: bool = False) -> float | None:
        """How many calls an hour the limit allows; None while it is not known."""
        with self._application.changed:
            return self._budget.calls_an_hour(self._reserve, backfill=backfill)

    # One look at the budget

    def _may_go(self, patience: _Patience, *, backfill: bool) -> bool:
        """Whether a call may go now; if not, a wait is over."""
        if self._is_stopped:
            raise LimitReachedError("The run was stopped: the next run goes on")
        now = self._now()
        why, at = self._budget.when(
            now,
            reserve=self._reserve,
            backfill=backfill,
            waited_until=patience.until,
        )
        if why is Why.GO:
            return True
        left = at - now
        if why is Why.WINDOW:
            self._check_wait(left, patience)
            if at != self._told_until:
                logger.info("The rate limit is used up: waiting %.0f s", left)
                self._told_until = at
        elif why is Why.SPREAD and left > self._max_wait:
            what = "The backfill has used its share of Visma.net's rate limit for"
            raise ShareUsedError(self._told_back(what, left))
        self._pause(min(max(left, _SHORTEST_PAUSE), _LONGEST_PAUSE))
        if why is Why.WINDOW:
            patience.waited += max(self._now() - now, 0.0)
        return False

    def _pause(self, seconds: float) -> None:
        changed = self._application.changed
        if self._wait is None:
            changed.wait(seconds)
            return
        changed.release()
        try:
            self._wait(seconds)
        finally:
            changed.acquire()

    def _check_wait(self, seconds: float, patience: _Patience) -> None:
        if patience.waited + seconds <= self._max_wait:
            return
        patience.waited = 0.0
        limit = self._budget.leaves_nothing(self._reserve)
        if limit is not None:
            raise LimitReachedError(
                f"rate_limit_reserve ({self._reserve}) leaves nothing of Visma.net's rate limit "
                f"({limit} calls in each window): set it lower",
            )
        raise LimitReachedError(self._told_back("Visma.net's rate limit lasts", seconds))

    def _told_back(self, what: str, seconds: float) -> str:
        known = min(seconds, _LONGEST_TOLD)
        back = datetime.fromtimestamp(self._now(), timezone.utc) + timedelta(seconds=known)
        return (
            f"{what} {seconds:.0f} s more, longer than max_wait_seconds "
            f"({self._max_wait:g}): the next run after {back:%Y-%m-%d %H:%M:%S} UTC goes on"
        )

    def _lose(self, me: Hashable) -> None:
        if self._budget.lose(me):
            self._patience.pop(me, None)
            self._application.changed.notify_all()

    # Whose budget it is

    @property
    def _me(self) -> Hashable:
        return self, self._caller()

    def _follow(self, policy: str) -> None:
        """Share the budget, or not, as an answer says it is counted."""
        if not policy:
            return
        self._has_policy = True
        application = self._application
        application.is_counted_as_one = policy.startswith(_PER_APPLICATION)
        if not application.is_counted_as_one:
            self._use(self._own)
            return
        for company in application.companies:
            if company is self or not company._has_policy:  # noqa: SLF001 - of the same class
                company._use(application.budget)  # noqa: SLF001

    def _use(self, budget: Budget) -> None:
        """Take another budget, with the calls that this company has in flight."""
        former, self._budget = self._budget, budget
        if former is budget:
            return
        for caller in self._callers_in(former):
            budget.calls[caller] = former.calls.pop(caller)

    def _callers_in(self, budget: Budget) -> list[Hashable]:
        return [one for one in budget.calls if isinstance(one, tuple) and one[0] is self]


class Budgets:
    """The rate limits of all companies of a run; a tap makes one, and asks it for each company.

    Companies of one client id share a budget if Visma's answers say that it counts them as one.

    Args:
        max_wait_seconds: As of `RateLimits`.
        reserve: As of `RateLimits`.
        wait: As of `RateLimits`.
        now: As of `RateLimits`.
    """

    def __init__(
        self,
        *,
        max_wait_seconds: float,
        reserve: int,
        wait: Callable[[float], object] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._max_wait = max_wait_seconds
        self._reserve = reserve
        self._wait = wait
        self._now = now
        self._applications: dict[str, _Application] = {}
        self._lock = threading.Lock()

    def of_company(self, client_id: str) -> RateLimits:
        """New rate limits for one company that is read with this client id."""
        with self._lock:
            application = self._applications.setdefault(client_id, _Application())
        return RateLimits(
            max_wait_seconds=self._max_wait,
            reserve=self._reserve,
            wait=self._wait,
            now=self._now,
            application=application,
        )


# Headers


def _told(headers: Mapping[str, str], sent_at: float, now: float) -> Told:
    limit = _number(headers.get("X-RateLimit-Limit"))
    remaining = _number(headers.get("X-RateLimit-Remaining"))
    left = _number(headers.get("X-RateLimit-Reset"))
    if left is not None and left >= _EPOCH_FROM:
        at = left / 1000 if left >= _MILLISECONDS_FROM else left
        left = max(at - _time(headers.get("Date"), now), 0.0)
    return Told(
        limit=int(limit) if limit else None,
        remaining=None if remaining is None else int(remaining),
        left=left,
        ends=None if left is None else (sent_at + left - 2 * _ROUNDING, now + left + _ROUNDING),
        policy=(headers.get("X-RateLimit-Policy") or "").strip(),
    )


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _time(text: str | None, otherwise: float) -> float:
    """An HTTP date as Unix time: Visma's clock, by which it tells a reset that is a time."""
    try:
        return parsedate_to_datetime(text).timestamp() if text else otherwise
    except (ValueError, OverflowError):
        return otherwise


def _retry_after(text: str | None, now: float) -> float | None:
    """`Retry-After` in seconds from now; it may be a number or an HTTP date."""
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    at = _time(text, math.nan)
    return None if math.isnan(at) else max(at - now, 0.0)
