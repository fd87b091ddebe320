"""The pace of senders: none is used more often than its rate, and the others do not wait for it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import Office
from singer import invoice, state

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


def played(pace, clock, *, most=100):
    """Let time pass until nothing waits; gives when each message left."""
    left = {}
    while pace:
        clock.now += pace.seconds_to_next()
        for one in pace.take(most):
            left[one.id] = clock.now - 1000
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
    expected = {}
    for number, (sender, segments, pause) in enumerate(added):
        clock.now += pause
        pace.add(message(number, segments=segments), sender)
        turn = max(clock.now - 1000, free[sender])
        expected[str(number)] = turn
        free[sender] = turn + segments / rate
    left = {one.id: max(clock.now - 1000, expected[one.id]) for one in pace.take(1000)}
    left |= played(pace, clock)
    assert left == pytest.approx({one: max(left[one], turn) for one, turn in expected.items()})


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
