"""Statuses move a message up only, whatever order they come in."""

from __future__ import annotations

from itertools import permutations

import pytest

from target_twilio_alerts.delivery.status import next_state
from target_twilio_alerts.ledger import MessageState

ENDS = {
    "completed": MessageState.DELIVERED,
    "busy": MessageState.UNDELIVERED,
    "no-answer": MessageState.UNDELIVERED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.FAILED,
}


def after(*statuses):
    state = MessageState.ACCEPTED
    for status in statuses:
        state = next_state(state, status) or state
    return state


@pytest.mark.parametrize("end", ENDS)
def test_a_call_ends_as_it_ended_in_whatever_order_that_is_heard(end):
    for heard in permutations(["queued", "ringing", "in-progress", end, end]):
        assert after(*heard) is ENDS[end]


def test_a_call_that_rings_is_under_way():
    assert after("queued") is MessageState.ACCEPTED
    assert after("queued", "ringing") is MessageState.SENT
    assert after("in-progress", "ringing", "queued") is MessageState.SENT


@pytest.mark.parametrize("first", ENDS)
@pytest.mark.parametrize("second", ENDS)
def test_the_end_that_was_heard_first_stays(first, second):
    assert after(first, second) is ENDS[first]


@pytest.mark.parametrize("status", ["initiated", "", "COMPLETED", "received"])
def test_a_status_that_we_do_not_know_moves_nothing(status):
    for state in MessageState:
        assert next_state(state, status) is None
