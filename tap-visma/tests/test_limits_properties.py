"""Whatever the order in which calls, answers and their headers come, the reserve is left."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tap_visma.limits import RateLimits

WINDOW = 600
CALLERS = 5
LONGEST_ANSWER = 9.0
"""Seconds; after ten, another call may ask while nothing is known."""


class WouldWaitError(Exception):
    pass


@dataclass
class Call:
    sent_at: float
    told: dict[str, str] | None = None
    is_counted: bool = False
    is_blind: bool = False


class World:
    """Callers, a server with fixed windows, and calls between them.

    A call is blind if no answer has told anything yet and one was lost: nobody can know whether
    that one was counted. Any other call must leave the reserve.
    """

    def __init__(self, limit, reserve, used, left, rounding, *, epoch):
        self.limit = limit
        self.reserve = reserve
        self.used = used
        self.now = 1_800_000_000.25
        self.ends = self.now + left
        self.rounding = rounding
        self.epoch = epoch
        self.calls = {}
        self.who = 0
        self.waits = False
        self.has_lost_unseen = False
        self.limits = RateLimits(
            max_wait_seconds=math.inf,
            reserve=reserve,
            wait=self.wait,
            now=lambda: self.now,
            caller=lambda: self.who,
        )

    def wait(self, seconds):
        if not self.waits:
            raise WouldWaitError
        self.tick(seconds)

    def ask(self, who):
        if who in self.calls:
            return
        self.who = who
        try:
            self.limits.before_request()
        except WouldWaitError:
            return
        is_known = self.limits._budget._remaining is not None
        self.has_lost_unseen = self.has_lost_unseen and not is_known
        self.calls[who] = Call(self.now, is_blind=self.has_lost_unseen)

    def count(self, who):
        call = self.calls.get(who)
        if call is None or call.is_counted:
            return
        self.used += 1
        assert call.is_blind or self.used <= self.limit - self.reserve
        reset = self.rounding(self.ends if self.epoch else self.ends - self.now)
        call.is_counted = True
        call.told = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(self.limit - self.used, 0)),
            "X-RateLimit-Reset": str(reset),
        }

    def answer(self, who):
        self.count(who)
        call = self.calls.pop(who, None)
        if call is not None:
            self.who = who
            self.limits.after_answer(call.told)

    def lose(self, who):
        if self.calls.pop(who, None) is not None:
            self.who = who
            self.limits.no_answer()
            self.has_lost_unseen |= self.limits._budget._remaining is None

    def tick(self, seconds):
        for who, call in list(self.calls.items()):
            if self.now + seconds - call.sent_at > LONGEST_ANSWER:
                self.answer(who)
        self.now += seconds
        while self.now >= self.ends:
            self.ends += WINDOW
            self.used = 0


steps = st.lists(
    st.one_of(
        st.tuples(st.just(World.ask), st.integers(1, CALLERS)),
        st.tuples(st.just(World.ask), st.integers(1, CALLERS)),
        st.tuples(st.just(World.count), st.integers(1, CALLERS)),
        st.tuples(st.just(World.answer), st.integers(1, CALLERS)),
        st.tuples(st.just(World.lose), st.integers(1, CALLERS)),
        st.tuples(st.just(World.tick), st.floats(0, 8) | st.floats(0, WINDOW)),
    ),
    max_size=150,
)

worlds = st.builds(
    lambda reserve, more, used, *others, **options: World(
        reserve + more,
        reserve,
        min(used, more - 1),
        *others,
        **options,
    ),
    st.integers(0, 4),
    st.integers(1, 12),
    st.integers(0, 12),
    st.floats(0.5, WINDOW),
    st.sampled_from([math.ceil, math.floor, round]),
    epoch=st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(worlds, steps)
def test_the_reserve_is_left_in_whatever_order_things_happen(world, steps):
    for happens, how in steps:
        happens(world, how)


@settings(max_examples=100, deadline=None)
@given(worlds, steps)
def test_when_all_is_answered_and_the_wait_is_over_a_call_goes(world, steps):
    for happens, how in steps:
        happens(world, how)
    for who in range(1, CALLERS + 1):
        world.answer(who)
    world.waits = True
    began = world.now
    world.ask(1)
    assert 1 in world.calls
    assert world.now - began <= WINDOW + LONGEST_ANSWER + 2


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, CALLERS).flatmap(
        lambda number: st.tuples(st.permutations(range(number)), st.permutations(range(number))),
    ),
    st.integers(CALLERS, 20),
)
def test_out_of_order_answers_leave_exactly_what_is_left(orders, remaining):
    counted, answered = orders
    world = World(100, 0, 100 - remaining - 1, WINDOW, math.ceil, epoch=False)
    world.ask("first")
    world.answer("first")
    for who in counted:
        world.ask(who)
    for who in counted:
        world.count(who)
    for who in answered:
        world.answer(who)
    left = remaining - len(counted)
    for who in range(100, 100 + left + 3):
        world.ask(who)
    assert len(world.calls) == left
