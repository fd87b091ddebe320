"""The pace of senders: none is used more often than its rate, and the others do not wait for it."""

from __future__ import annotations

import math
import sqlite3
import time
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import Office
from singer import invoice, state
from waiting import until

from target_twilio_alerts.delivery.pace import Pace, Rates
from target_twilio_alerts.ledger.outbox import ClaimedMessage


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def message(number, channel="sms", segments=1):
    return ClaimedMessage(
        id=str(number),
        alert_id=None,
        recipient="ap",
        channel=channel,
        tries=0,
        token="t",
        address="+46701740605",
        subject=None,
        text="",
        html=None,
        segments=segments,
    )


def played(pace, clock, *, most=100, until=math.inf):
    """Let time pass until nothing waits, or until then; gives when each message left."""
    left = {}
    while pace and clock.now + pace.seconds_to_next() <= until:
        clock.now += pace.seconds_to_next()
        for one in pace.take(most):
            pace.left(one, is_out=True)
            left[one.id] = clock.now - 1000
    if until < math.inf:
        clock.now = until
    return left


def test_without_a_rate_everything_leaves_at_once():
    clock = Clock()
    pace = Pace(Rates(), clock=clock)
    for number in range(100):
        pace.add(message(number), "+4670")
    assert set(played(pace, clock).values()) == {0}


def test_a_sender_is_used_as_often_as_its_rate_and_a_long_text_counts_by_its_parts():
    clock = Clock()
    pace = Pace(Rates(messages_per_second=2), clock=clock)
    for number, segments in enumerate([1, 3, 1, 1]):
        pace.add(message(number, segments=segments), "+4670")
    assert played(pace, clock) == {"0": 0, "1": 0.5, "2": 2, "3": 2.5}


def test_each_sender_has_its_own_pace_and_calls_theirs():
    clock = Clock()
    pace = Pace(Rates(messages_per_second=1, calls_per_second=0.5), clock=clock)
    for number in range(2):
        pace.add(message(f"a{number}"), "+4670")
        pace.add(message(f"b{number}"), "NordAB")
        pace.add(message(f"c{number}", channel="voice", segments=None), "+4670")
        pace.add(message(f"d{number}", channel="email", segments=None), "a@example.com")
    expected = {"a": [0, 1], "b": [0, 1], "c": [0, 2], "d": [0, 0]}
    assert played(pace, clock) == {
        f"{name}{number}": turns[number] for name, turns in expected.items() for number in range(2)
    }


def test_a_sender_that_has_rested_does_not_catch_up():
    clock = Clock()
    pace = Pace(Rates(messages_per_second=1), clock=clock)
    pace.add(message(0), "+4670")
    assert played(pace, clock) == {"0": 0}
    clock.now += 60
    pace.add(message(1), "+4670")
    pace.add(message(2), "+4670")
    assert played(pace, clock) == {"1": 60, "2": 61}


def test_as_much_of_a_channel_may_be_claimed_as_leaves_in_a_second():
    pace = Pace(Rates(messages_per_second=2.5, calls_per_second=0.1), clock=Clock())
    assert pace.room(["sms", "voice", "email"], most=8) == {"sms": 3, "voice": 1, "email": 8}
    pace.add(message(1), "+4670")
    pace.add(message(2, channel="voice"), "+4670")
    assert pace.room(["sms", "voice"], most=8) == {"sms": 2, "voice": 0}
    assert pace.room(["sms"], most=1) == {"sms": 0}


def test_what_waits_can_be_given_back():
    pace = Pace(Rates(messages_per_second=1), clock=Clock())
    for number in range(3):
        pace.add(message(number), "+4670")
    assert [one.id for one in pace.take(5)] == ["0"]
    assert {one.id for one in pace.clear()} == {"1", "2"}
    assert pace.seconds_to_next() is None


@given(
    rate=st.floats(1, 50),
    added=st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 10), st.floats(0, 3))),
)
def test_no_sender_is_ever_faster_and_nothing_waits_without_need(rate, added):
    clock = Clock()
    pace = Pace(Rates(messages_per_second=rate), clock=clock)
    free = Counter()
    expected, left = {}, {}
    for number, (sender, segments, pause) in enumerate(added):
        left |= played(pace, clock, until=clock.now + pause)
        pace.add(message(number, segments=segments), sender)
        turn = max(clock.now - 1000, free[sender])
        expected[str(number)] = turn
        free[sender] = turn + segments / rate
    left |= played(pace, clock)
    assert left == pytest.approx(expected)


def stalled(*, rate, number=4):
    """A pace of which the first message was taken, while the ledger is held up for 2.5 s."""
    clock = Clock()
    pace = Pace(Rates(calls_per_second=rate), clock=clock)
    for one in range(number):
        pace.add(message(one, channel="voice"), "+4670")
    (first,) = pace.take(1)
    clock.now += 2.5
    return clock, pace, first


def test_what_waited_behind_a_held_up_ledger_does_not_leave_at_once():
    clock, pace, first = stalled(rate=2)
    assert pace.take(9) == []
    assert pace.seconds_to_next() == math.inf
    assert pace.left(first, is_out=True)
    assert played(pace, clock) == {"1": 3, "2": 3.5, "3": 4}
    pace.add(message(4, channel="voice"), "+4670")
    assert played(pace, clock) == {"4": 4.5}


def test_what_does_not_leave_after_all_puts_nobody_off():
    clock, pace, first = stalled(rate=2, number=2)
    assert pace.left(first, is_out=False)
    assert played(pace, clock) == {"1": 2.5}
    assert not pace.left(first, is_out=False)


def test_whoever_comes_after_a_held_up_message_keeps_the_distance_too():
    clock, pace, first = stalled(rate=2, number=1)
    assert not pace.left(first, is_out=True)
    pace.add(message(1, channel="voice"), "+4670")
    assert played(pace, clock) == {"1": 3}


def test_another_sender_does_not_wait_for_a_held_up_message():
    _, pace, _ = stalled(rate=2)
    pace.add(message("a", channel="voice"), "+4671")
    pace.add(message("b", channel="sms"), "+4670")
    assert [one.id for one in pace.take(9)] == ["a", "b"]


def test_a_commit_that_takes_its_time_costs_nothing_of_a_high_rate():
    clock = Clock()
    pace = Pace(Rates(messages_per_second=100), clock=clock)
    for number in range(100):
        pace.add(message(number), "+4670")
    leaving = []
    while pace or leaving:
        waits = [at - clock.now for at, _ in leaving] + [pace.seconds_to_next() or 0] * bool(pace)
        clock.now += max(0, min(waits))
        leaving += [(clock.now + 0.03, one) for one in pace.take(100)]
        for one in [one for at, one in leaving if at <= clock.now]:
            pace.left(one, is_out=True)
        leaving = [(at, one) for at, one in leaving if at > clock.now]
    assert clock.now - 1000 == pytest.approx(99 / 100 + 0.03)


@given(rate=st.floats(0.1, 15), delays=st.lists(st.one_of(st.floats(0, 0.04), st.floats(0, 5))))
def test_however_late_each_leaves_the_next_one_keeps_its_distance(rate, delays):
    clock = Clock()
    pace = Pace(Rates(calls_per_second=rate), clock=clock)
    for number in range(len(delays)):
        pace.add(message(number, channel="voice"), "+4670")
    left = []
    for delay in delays:
        while not (taken := pace.take(9)):
            clock.now += pace.seconds_to_next()
        (one,) = taken
        clock.now += delay
        pace.left(one, is_out=True)
        left.append(clock.now)
    assert all(later - one > 1 / rate - 0.051 for one, later in pairwise(left))


def test_calls_keep_their_pace_when_the_ledger_was_held_up(workplace, zygote):
    workplace.config |= {"voice_from": "+46701740600", "calls_per_second": 4, "max_in_flight": 8}
    office = Office(workplace)
    office.people(via="voice", ap={"voice": "+46701740605"})
    office.alert(*(invoice(str(number), 75000) for number in range(9)))
    delivering = zygote.command(workplace, "deliver")
    until(lambda: workplace.sandbox.twilio.calls)
    with closing(sqlite3.connect(workplace.ledger_path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        held = time.monotonic()
        until(lambda: time.monotonic() > held + 1.5)
        holder.execute("ROLLBACK")
    ended = delivering.wait()
    assert ended.code == 0, ended.stderr
    rows = workplace.query("SELECT sending_at FROM messages ORDER BY 1")
    began = [datetime.fromisoformat(at.replace("Z", "+00:00")) for (at,) in rows]
    gaps = [later - one for one, later in pairwise(began)]
    assert len(gaps) == 8
    assert min(gaps) > timedelta(seconds=1 / 4 - 0.06)
    assert max(gaps) > timedelta(seconds=1)


def test_calls_leave_at_their_pace_and_texts_do_not_wait_for_them(workplace, zygote):
    workplace.config |= {"voice_from": "+46701740600", "calls_per_second": 4, "max_in_flight": 8}
    office = Office(workplace)
    office.people(via="[sms, voice]", ap={"sms": "+46701740605", "voice": "+46701740605"})
    office.alert(*(invoice(str(number), 75000) for number in range(6)))
    ended = zygote.command(workplace, "deliver").wait()
    assert ended.code == 0, ended.stderr
    began = {"sms": [], "voice": []}
    for channel, at in workplace.query("SELECT channel, sending_at FROM messages ORDER BY 2"):
        began[channel].append(datetime.fromisoformat(at.replace("Z", "+00:00")))
    texts, calls = began["sms"], began["voice"]
    assert (len(texts), len(calls)) == (6, 6)
    assert calls[-1] - calls[0] > timedelta(seconds=5 / 4 - 0.2)
    assert texts[-1] < calls[-1]


def test_what_waits_for_its_turn_is_left_to_others_when_time_is_up(workplace, zygote):
    workplace.config |= {
        "voice_from": "+46701740600",
        "calls_per_second": 1,
        "delivery_deadline_seconds": 1,
    }
    office = Office(workplace)
    office.people(via="voice", ap={"voice": "+46701740605"})
    office.alert(*(invoice(str(number), 75000) for number in range(9)))
    zygote.run(workplace, state("2026-11-20T11:00:00"))
    states = workplace.query("SELECT state, claim_token FROM messages ORDER BY state")
    assert states[0][0] == "accepted"
    assert states[-1] == ("pending", None)
    assert {state for state, _ in states} == {"accepted", "pending"}
