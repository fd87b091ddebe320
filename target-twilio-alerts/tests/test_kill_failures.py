"""Killed at any step, or run twice at once: a failure is told to the operators once."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from ledgers import ON_BOTH, copied
from singer import baseline, invoice, record, schema, state
from test_kill import AFTER, BEFORE, ENDED, LOST
from zygote import Step

LATER = "2026-11-20T11:00:00"
LANDLINE, UNREACHABLE = "+46701740696", "+46701740691"
ALERTS = f"""
recipients:
  anna: {{name: Anna Berg, sms: "{LANDLINE}"}}
  bo: {{name: Bo Ek, sms: "{UNREACHABLE}"}}
  petra: {{name: Petra Holm, email: petra@example.com}}
operators: {{notify: petra, via: email}}
rules:
  large: {{entity: supplier_invoice, when: amount > 50000, notify: [anna, bo], via: sms}}
"""


@pytest.fixture
def failing(workplace, zygote):
    """A ledger in which one message is refused next, and a status tells that one did not arrive."""
    workplace.write_alerts(ALERTS)
    zygote.run(workplace, baseline())
    row = record(invoice("1", 75000, stamp=LATER))
    zygote.run(workplace, schema() + row + state(LATER))
    workplace.sandbox.twilio.settle()
    # Let the first run's refusal be to come as well.
    workplace.query("DELETE FROM message_contents WHERE address = 'petra@example.com'")
    workplace.query("DELETE FROM messages WHERE template = 'built-in/failures'")
    workplace.query("UPDATE messages SET summary_id = NULL")
    workplace.sandbox.sendgrid.emails.clear()
    return workplace


@pytest.fixture
def copy(failing, tmp_path, databases):
    """Makes places that are the same, each with a ledger of its own."""
    numbers = itertools.count()

    def make():
        root = tmp_path / f"copy {next(numbers)}"
        root.mkdir()
        url = copied(failing.config["ledger_url"], root, databases)
        return replace(failing, root=root, config={**failing.config, "ledger_url": url})

    return make


def judge(place):
    """Each failure is named by one summary, which was handed over once or is shown as not known."""
    failed = [
        (one, summary)
        for one, state_, summary in place.query(
            "SELECT id, state, summary_id FROM messages WHERE alert_id IS NOT NULL"
        )
        if state_ in {"rejected", "undelivered"}
    ]
    assert len(failed) == 2
    told = {
        one: (text, how, reason)
        for one, text, how, reason in place.query(
            "SELECT id, text, state, reason FROM messages JOIN message_contents"
            " ON message_id = messages.id WHERE template = 'built-in/failures'"
        )
    }
    assert {summary for _, summary in failed} == set(told)
    lost = 0
    for reference, (text, how, reason) in told.items():
        emails = [one for one in place.sandbox.sendgrid.emails if reference in one.text]
        for one, summary in failed:
            assert (one in text) == (summary == reference)
        if how in ENDED:
            assert len(emails) == 1
        else:
            assert (how, reason, len(emails) <= 1) == ("unknown", LOST, True)
            lost += 1
    return lost


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_killed_at_each_step_a_failure_is_told_once(copy, zygote, moment):
    died = 0
    for number in range(1, 100):
        place = copy()
        place.config["max_in_flight"] = 1
        ended = zygote.start(place, state(LATER), die=Step(moment, number)).wait()
        if ended.code == 0:
            break
        died += ended.code == -9
        zygote.run(place, state(LATER))
        judge(place)
    assert died > 5


@pytest.mark.parametrize("step", [Step(AFTER, 1, "sending"), Step(BEFORE, 1, "accepted")])
def test_a_summary_whose_answer_was_lost_is_listed_and_told_no_second_time(copy, zygote, step):
    place = copy()
    assert zygote.start(place, state(LATER), die=step).wait().code == -9
    zygote.run(place, state(LATER))
    assert judge(place) == 1


@ON_BOTH
def test_two_runs_at_once_tell_a_failure_once(copy, zygote):
    for _ in range(5):
        place = copy()
        running = [zygote.start(place, state(LATER)) for _ in range(2)]
        assert [one.wait().code for one in running] == [0, 0]
        zygote.run(place, state(LATER))
        assert judge(place) == 0
