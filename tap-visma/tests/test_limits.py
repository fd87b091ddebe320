"""Rate limits are waited for within reason, and otherwise stop the run with a time to come back."""

from __future__ import annotations

import pytest

from tap_visma.errors import LimitReachedError
from tap_visma.limits import RateLimits

NOW = 1_800_000_000.0


class Limits(RateLimits):
    def __init__(self, *, max_wait_seconds=60, reserve=0):
        self.waits = []
        super().__init__(
            max_wait_seconds=max_wait_seconds,
            reserve=reserve,
            wait=self.waits.append,
            now=lambda: NOW + sum(self.waits),
        )


def headers(remaining=None, reset=None, retry_after=None, limit=None, date=None):
    given = {
        "X-RateLimit-Limit": limit,
        "X-RateLimit-Remaining": remaining,
        "X-RateLimit-Reset": reset,
        "Retry-After": retry_after,
        "Date": date,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


@pytest.mark.parametrize("reset", [30, NOW + 30])
def test_a_used_up_budget_is_waited_for_and_a_second_more_whether_reset_is_seconds_or_a_time(reset):
    limits = Limits()
    limits.after_answer(headers(remaining=0, reset=reset))
    limits.before_request()
    assert limits.waits == [31]


def test_a_reset_that_is_a_time_is_one_of_the_clock_of_visma():
    limits = Limits()
    ahead = "Fri, 15 Jan 2027 08:05:00 GMT"
    limits.after_answer(headers(remaining=0, reset=NOW + 300 + 30, date=ahead))
    limits.before_request()
    assert limits.waits == [31]


def test_a_limit_that_does_not_say_how_long_it_lasts_is_waited_for_a_minute():
    limits = Limits()
    limits.after_answer(headers(remaining=0))
    limits.before_request()
    assert limits.waits == [60]


def test_without_headers_calls_go_on():
    limits = Limits(reserve=10)
    for _ in range(3):
        limits.before_request()
        limits.after_answer({})
    assert limits.waits == []


def test_an_answer_without_headers_counts_as_a_call_where_the_others_have_them():
    limits = Limits()
    limits.after_answer(headers(remaining=1, reset=30))
    limits.before_request()
    limits.after_answer({})
    limits.before_request()
    assert limits.waits == [31]


def test_a_reserve_that_is_all_of_the_limit_is_told():
    limits = Limits(reserve=500)
    limits.after_answer(headers(remaining=499, reset=3000, limit=500))
    with pytest.raises(
        LimitReachedError, match=r"rate_limit_reserve \(500\) leaves nothing .*lower"
    ):
        limits.before_request()


def test_a_budget_that_is_left_is_used():
    limits = Limits()
    limits.after_answer(headers(remaining=1, reset=30))
    limits.before_request()
    assert limits.waits == []


def test_the_reserve_is_left_to_others():
    limits = Limits(reserve=10)
    limits.after_answer(headers(remaining=10, reset=30))
    limits.before_request()
    assert limits.waits == [31]


def test_a_budget_that_takes_too_long_stops_the_run_and_says_when_to_come_back():
    limits = Limits(max_wait_seconds=20)
    limits.after_answer(headers(remaining=0, reset=30))
    with pytest.raises(LimitReachedError, match=r"after 2027-01-15 08:00:31 UTC"):
        limits.before_request()
    assert limits.waits == []


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (headers(retry_after=7), 7),
        (headers(retry_after="Fri, 15 Jan 2027 08:00:12 GMT"), 12),
        (headers(retry_after="Fri, 15 Jan 2027 07:00:00 GMT"), 1),
        (headers(retry_after=0), 1),
        (headers(reset=int((NOW + 9) * 1000)), 10),
        (headers(reset=9), 10),
        (headers(), 60),
        (headers(retry_after="soon", reset=5), 6),
        (headers(retry_after="-1", reset="NaN"), 60),
    ],
)
def test_a_refusal_says_how_long_to_wait_in_one_way_or_another(given, seconds):
    assert Limits().wait_after_refusal(given) == seconds


def test_a_refusal_that_lasts_too_long_stops_the_run():
    with pytest.raises(LimitReachedError, match=r"lasts 3600 s more"):
        Limits().wait_after_refusal(headers(retry_after=3600))


@pytest.mark.parametrize("seconds", ["9" * 30, "1e300"])
def test_a_refusal_that_lasts_beyond_all_calendars_stops_the_run_too(seconds):
    with pytest.raises(LimitReachedError, match="longer than max_wait_seconds"):
        Limits().wait_after_refusal(headers(retry_after=seconds))


def test_refusals_one_after_another_are_not_waited_for_without_end():
    limits = Limits()
    limits.wait_after_refusal(headers(retry_after=40))
    with pytest.raises(LimitReachedError):
        limits.wait_after_refusal(headers(retry_after=40))


def test_an_answer_ends_the_count_of_waits():
    limits = Limits()
    limits.wait_after_refusal(headers(retry_after=40))
    limits.after_answer(headers(remaining=5, reset=5))
    assert limits.wait_after_refusal(headers(retry_after=40)) == 40


def test_what_was_waited_as_a_refusal_asked_is_not_waited_for_again():
    limits = Limits()
    limits.wait_after_refusal(headers(retry_after=60, remaining=0, reset=60))
    limits.before_request()
    assert limits.waits == []


def test_a_refusal_that_lasts_too_long_stops_the_other_calls_too():
    limits = Limits()
    with pytest.raises(LimitReachedError):
        limits.wait_after_refusal(headers(retry_after=3600))
    with pytest.raises(LimitReachedError, match="lasts 3600 s more"):
        limits.before_request()
