"""A budget is shared by threads, and by companies where Visma counts an application as one."""

from __future__ import annotations

import threading

import pytest

from tap_visma.errors import LimitReachedError
from tap_visma.limits import Budgets, RateLimits
from visma_twilio_sandbox.visma.limits import CallLimit

NOW = 1_800_000_000.0


class WouldWaitError(Exception):
    """A call has to wait; the clock of these tests stands still."""


def would_wait(seconds):
    raise WouldWaitError(seconds)


def headers(remaining=None, reset=3000, policy="4-fixed-window", limit=100):
    given = {
        "X-RateLimit-Limit": limit,
        "X-RateLimit-Remaining": remaining,
        "X-RateLimit-Reset": reset,
        "X-RateLimit-Policy": policy,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


class Limits(RateLimits):
    """Whose caller is whoever is named, instead of the thread."""

    def __init__(self, *, max_wait_seconds=10_000, **options):
        self.who = "one"
        self.at = NOW
        super().__init__(
            max_wait_seconds=max_wait_seconds,
            reserve=0,
            wait=would_wait,
            now=lambda: self.at,
            caller=lambda: self.who,
            **options,
        )

    def ask(self, who):
        self.who = who
        try:
            self.before_request()
        except WouldWaitError:
            return False
        return True

    def answer(self, who, **given):
        self.who = who
        self.after_answer(headers(**given))


# Calls in flight


def test_while_nothing_is_known_one_call_goes_and_its_answer_lets_the_others_go():
    limits = Limits()
    assert [limits.ask(who) for who in "abc"] == [True, False, False]
    limits.answer("a", remaining=2)
    assert [limits.ask(who) for who in "abc"] == [True, True, False]


def test_a_first_answer_that_takes_long_keeps_the_others_for_ten_seconds_each():
    limits = Limits()
    limits.ask("a")
    limits.at += 10
    assert [limits.ask(who) for who in "bc"] == [True, False]


def test_no_more_calls_go_than_are_left_until_the_next_answer():
    limits = Limits()
    limits.answer("a", remaining=3)
    assert [limits.ask(who) for who in "abcde"] == [True, True, True, False, False]


def test_answers_out_of_order_leave_what_the_newest_says():
    limits = Limits()
    limits.answer("a", remaining=10)
    for who in "abc":
        limits.ask(who)
    limits.answer("c", remaining=1)
    limits.answer("a", remaining=9)
    limits.answer("b", remaining=8)
    assert [limits.ask(who) for who in "abc"] == [True, False, False]


def test_an_answer_of_the_window_before_says_nothing_of_this_one():
    limits = Limits()
    limits.answer("a", remaining=5, reset=1)
    limits.ask("slow")
    limits.at += 5
    limits.who = "slow"
    assert limits.ask("a") is False  # the window has turned: what is in flight may count in it
    limits.at += 10
    assert limits.ask("a")
    limits.answer("a", remaining=2, reset=3600)
    limits.answer("slow", remaining=0, reset=1)
    assert [limits.ask(who) for who in "abc"] == [True, True, False]


def test_more_may_be_left_later_in_a_window_if_a_newer_answer_says_so():
    limits = Limits()
    limits.answer("a", remaining=1)
    limits.ask("a")
    limits.answer("a", remaining=50)
    assert [limits.ask(who) for who in "ab"] == [True, True]


def test_a_call_without_an_answer_counts_until_an_answer_says_otherwise():
    limits = Limits()
    limits.answer("a", remaining=2)
    limits.ask("a")
    limits.no_answer()
    assert [limits.ask(who) for who in "ab"] == [True, False]
    limits.answer("a", remaining=1)
    assert [limits.ask(who) for who in "ab"] == [True, False]


def test_the_next_call_of_a_thread_ends_the_one_before():
    limits = Limits()
    limits.answer("a", remaining=3)
    assert [limits.ask("a") for _ in range(4)] == [True, True, True, False]


def test_a_call_whose_end_is_never_told_is_not_waited_for_without_end():
    limits = Limits()
    limits.answer("a", remaining=2)
    limits.ask("gone")
    limits.ask("a")
    assert not limits.ask("b")
    limits.answer("a", remaining=1)
    assert not limits.ask("a")
    limits.at += 661
    assert not limits.ask("a")  # it counts as used, until an answer says otherwise
    limits.answer("a", remaining=1, reset=2339)
    assert limits.ask("a")


def test_a_refusal_of_one_thread_keeps_the_others():
    limits = Limits()
    limits.answer("a", remaining=50)
    limits.ask("a")
    limits.ask("b")
    limits.who = "a"
    assert limits.wait_after_refusal({"Retry-After": "7"}) == 7
    limits.answer("b", remaining=49)
    assert not limits.ask("b")
    limits.at += 7
    assert [limits.ask(who) for who in "ab"] == [True, False]


# Threads


def test_eight_threads_use_all_but_the_reserve():
    server = CallLimit()
    server.set(40, window_seconds=3600)
    limits = RateLimits(max_wait_seconds=60, reserve=5)
    stops = []

    def work():
        try:
            while True:
                limits.before_request()
                assert server.take()
                limits.after_answer(server.headers())
        except LimitReachedError as error:
            stops.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(stops) == 8
    assert server.headers()["X-RateLimit-Remaining"] == "5"


class Waiting:
    """A thread whose call has to wait; the lock is free again only when it does."""

    def __init__(self, limits):
        self.error = None
        self.limits = limits
        self.asked = asked = threading.Event()
        clock = limits._now

        def now():
            if threading.current_thread() is self.thread:
                asked.set()
            return clock()

        limits._now = now
        self.thread = threading.Thread(target=self.work)
        self.thread.start()
        assert asked.wait(20)

    def work(self):
        try:
            self.limits.before_request()
        except LimitReachedError as error:
            self.error = error

    def ended(self):
        self.thread.join(20)
        return not self.thread.is_alive()


def test_stop_ends_a_wait():
    limits = RateLimits(max_wait_seconds=10_000, reserve=0)
    limits.after_answer(headers(remaining=0))
    waiting = Waiting(limits)
    limits.stop()
    assert waiting.ended()
    assert "stopped" in str(waiting.error)


def test_an_answer_ends_a_wait():
    limits = RateLimits(max_wait_seconds=60, reserve=0)
    limits.before_request()
    waiting = Waiting(limits)
    limits.after_answer(headers(remaining=5))
    assert waiting.ended()
    assert waiting.error is None


def test_a_call_that_is_lost_ends_a_wait():
    limits = RateLimits(max_wait_seconds=60, reserve=0)
    limits.before_request()
    waiting = Waiting(limits)
    limits.no_answer()
    assert waiting.ended()
    assert waiting.error is None


def test_after_stop_no_call_goes():
    limits = RateLimits(max_wait_seconds=60, reserve=0)
    limits.stop()
    with pytest.raises(LimitReachedError, match="stopped"):
        limits.before_request()


# Companies


def companies(*client_ids):
    budgets = Budgets(max_wait_seconds=10_000, reserve=0, wait=would_wait, now=lambda: NOW)
    return [budgets.of_company(client_id) for client_id in client_ids]


def goes(limits):
    try:
        limits.before_request()
    except WouldWaitError:
        return False
    return True


def test_companies_have_budgets_of_their_own_by_policy_4():
    first, second = companies("app", "app")
    first.after_answer(headers(remaining=0))
    second.after_answer(headers(remaining=1))
    assert [goes(first), goes(second)] == [False, True]


def test_companies_of_an_application_share_by_policy_6():
    first, second = companies("app", "app")
    second.after_answer(headers(remaining=9, policy="6-fixed-window"))
    first.after_answer(headers(remaining=1, policy="6-fixed-window"))
    assert goes(second)
    assert not goes(first)


def test_what_one_company_learned_holds_for_one_that_has_not_asked_yet():
    budgets = Budgets(max_wait_seconds=10_000, reserve=0, wait=would_wait, now=lambda: NOW)
    first, second = budgets.of_company("app"), budgets.of_company("app")
    first.after_answer(headers(remaining=0, policy="6-fixed-window"))
    assert not goes(second)
    assert not goes(budgets.of_company("app"))


def test_a_first_call_that_is_in_flight_counts_in_the_shared_budget():
    first, second = companies("app", "app")
    assert goes(second)
    first.after_answer(headers(remaining=1, policy="6-fixed-window"))
    assert not goes(first)


def test_clients_do_not_share():
    first, second = companies("one", "other")
    first.after_answer(headers(remaining=0, policy="6-fixed-window"))
    assert goes(second)


def test_a_company_that_is_counted_apart_after_all_has_its_own_budget_again():
    first, second = companies("app", "app")
    first.after_answer(headers(remaining=0, policy="6-fixed-window"))
    second.after_answer(headers(remaining=3, policy="4-fixed-window"))
    assert [goes(first), goes(second)] == [False, True]
