"""A backfill is spread over the window, and leaves calls to what alerts need."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_visma.errors import LimitReachedError
from tap_visma.limits import RateLimits

HOUR = 3600


class Server:
    """A fixed window of calls on a clock that only waiting and answering moves."""

    def __init__(self, limit, *, used=0, gone=0.0, window=HOUR):
        self.limit = limit
        self.window = window
        self.now = self.window_began = 1_800_000_000.0
        self.now += gone
        self.used = used
        self.used_by_window = []

    def wait(self, seconds):
        self.now += seconds
        while self.now >= self.window_began + self.window:
            self.window_began += self.window
            self.used_by_window.append(self.used)
            self.used = 0

    def take(self):
        assert self.used < self.limit
        self.used += 1

    def headers(self):
        left = self.window_began + self.window - self.now
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - self.used),
            "X-RateLimit-Reset": str(math.ceil(left)),
            "X-RateLimit-Policy": "4-fixed-window",
        }

    def limits(self, *, max_wait_seconds=math.inf, reserve=0):
        return RateLimits(
            max_wait_seconds=max_wait_seconds,
            reserve=reserve,
            wait=self.wait,
            now=lambda: self.now,
        )


def call(server, limits, *, backfill, takes=0.2):
    limits.before_request(backfill=backfill)
    server.take()
    told = server.headers()
    server.wait(takes)
    limits.after_answer(told)


def calls_until_stop(server, limits, *, backfill):
    done = 0
    while True:
        try:
            call(server, limits, backfill=backfill)
        except LimitReachedError as error:
            return done, str(error)
        done += 1


def test_a_backfill_uses_three_quarters_of_each_hour_evenly_in_one_run():
    server = Server(500)
    limits = server.limits(max_wait_seconds=60)
    for _ in range(30):
        call(server, limits, backfill=True)
    halves = []
    while server.now < server.window_began + HOUR / 2:
        call(server, limits, backfill=True)
    halves.append(server.used)
    while not server.used_by_window:
        call(server, limits, backfill=True)
    halves.append(server.used_by_window[0])
    assert halves == [pytest.approx(50 + 325 / 2, abs=3), pytest.approx(375, abs=1)]


def test_a_backfill_that_would_wait_too_long_stops_after_its_burst_and_says_when_to_go_on():
    server = Server(500)
    done, told = calls_until_stop(server, server.limits(max_wait_seconds=5), backfill=True)
    assert 50 <= done <= 55
    assert "backfill has used its share" in told
    assert "the next run after" in told
    assert told.endswith("goes on")


def test_what_alerts_need_goes_on_when_a_backfill_may_not():
    server = Server(500, used=400)
    limits = server.limits(max_wait_seconds=60)
    assert calls_until_stop(server, limits, backfill=True)[0] == 1
    assert calls_until_stop(server, limits, backfill=False)[0] == 99


def test_a_run_that_begins_in_the_middle_of_an_hour_may_use_what_that_hour_gave():
    server = Server(500, gone=HOUR / 2)
    done, _ = calls_until_stop(server, server.limits(max_wait_seconds=5), backfill=True)
    assert done == pytest.approx(50 + 325 / 2, abs=5)


def test_runs_every_five_minutes_have_one_burst_together():
    server = Server(500)
    done = 0
    while not server.used_by_window:
        done += calls_until_stop(server, server.limits(max_wait_seconds=1), backfill=True)[0]
        server.wait(300)
    assert 50 + 325 * 55 / 60 <= done <= 375


def test_a_larger_reserve_than_a_quarter_is_left_by_a_backfill():
    server = Server(500, gone=HOUR - 100)
    limits = server.limits(max_wait_seconds=0, reserve=200)
    assert calls_until_stop(server, limits, backfill=True)[0] == pytest.approx(300, abs=6)


def test_without_a_limit_in_the_headers_nothing_is_spread():
    limits = Server(500).limits(max_wait_seconds=0)
    for remaining in range(50, 0, -1):
        limits.before_request(backfill=True)
        headers = {"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset": "3000"}
        limits.after_answer(headers)
    for headers in ({}, {}):
        limits = Server(500).limits(max_wait_seconds=0)
        limits.before_request(backfill=True)
        limits.after_answer(headers)


def test_shorter_windows_are_spread_once_one_was_seen_from_its_start():
    server = Server(100, window=60)
    limits = server.limits()
    for _ in range(500):
        call(server, limits, backfill=True, takes=0.01)
    assert all(used <= 75 for used in server.used_by_window)
    assert server.used <= 10 + 65 * (server.now - server.window_began + 4) / 60 + 1


def test_the_pace_is_what_the_limit_allows_in_an_hour():
    server = Server(500)
    limits = server.limits(reserve=20)
    assert limits.calls_an_hour() is None
    call(server, limits, backfill=False)
    assert limits.calls_an_hour() == 480
    assert limits.calls_an_hour(backfill=True) == 375


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(20, 300),
    used=st.integers(0, 20),
    gone=st.floats(0, HOUR - 10),
    reserve=st.integers(0, 100),
    calls=st.lists(st.tuples(st.booleans(), st.floats(0, 30)), max_size=200),
)
def test_a_backfill_is_never_ahead_of_the_time_gone_by_more_than_its_burst(
    limit,
    used,
    gone,
    reserve,
    calls,
):
    server = Server(limit, used=min(used, max(limit - reserve - 1, 0)), gone=gone)
    limits = server.limits(reserve=reserve)
    kept = max(math.ceil(limit / 4), reserve)
    is_known = False
    for backfill, takes in calls:
        began = server.window_began
        limits.before_request(backfill=backfill)
        is_known = is_known and server.window_began == began
        server.take()
        if backfill and is_known:
            part = (server.now - server.window_began) / HOUR
            burst = max(limit / 10, 10)
            line = burst + max(limit - kept - burst, 0) * part
            assert server.used <= min(line + 1e-6, limit - kept)
        told = server.headers()
        began = server.window_began
        server.wait(takes)
        limits.after_answer(told)
        is_known = server.window_began == began


# Several threads


class WouldWaitError(Exception):
    pass


class Threads:
    """Backfilling threads just after an hour began, of which some calls are used.

    A tenth of the 500 calls may go at once, less one: the reset may have been rounded up.
    """

    def __init__(self, *, used, max_wait_seconds):
        self.who = None
        self.limits = RateLimits(
            max_wait_seconds=max_wait_seconds,
            reserve=0,
            wait=self.would_wait,
            now=lambda: 1_800_000_000.0,
            caller=lambda: self.who,
        )
        self.told(used=used)

    def would_wait(self, seconds):
        raise WouldWaitError

    def told(self, *, used):
        self.limits.after_answer(
            {
                "X-RateLimit-Limit": "500",
                "X-RateLimit-Remaining": str(500 - used),
                "X-RateLimit-Reset": "3600",
            },
        )

    def ask(self, who):
        self.who = who
        try:
            self.limits.before_request(backfill=True)
        except WouldWaitError:
            return False
        return True


def test_calls_of_a_backfill_in_flight_are_part_of_its_share():
    threads = Threads(used=46, max_wait_seconds=60)
    assert [threads.ask(who) for who in range(6)] == [True] * 3 + [False] * 3


def test_a_backfill_does_not_stop_while_an_answer_may_still_let_it_go():
    threads = Threads(used=48, max_wait_seconds=0)
    assert threads.ask("first")
    assert not threads.ask("second")  # it waits for the answer of the first
    threads.who = "first"
    threads.told(used=49)
    with pytest.raises(LimitReachedError, match="backfill"):
        threads.ask("second")
