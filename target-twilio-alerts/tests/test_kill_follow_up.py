"""Killed at any step, or run twice at once: digests, escalations and summaries leave once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ledgers import copied
from singer import baseline, invoice, record, schema, state
from test_kill import AFTER, BEFORE, ENDED, LOST
from zygote import Step

LATER = "2026-11-20T11:00:00"
ALERTS = """
timezone: Europe/Stockholm
recipients:
  anna: {name: Anna Berg, sms: "+46701740605", email: anna@example.com}
  bo: {name: Bo Ek, sms: "+46701740606", email: bo@example.com}
  carl: {name: Carl Dahl, email: carl@example.com}
limits: {per_rule: 1, notify: carl, via: email}
rules:
  told-together: {entity: supplier_invoice, when: amount > 60000, notify: anna, via: email,
    digest: {daily: "08:00"}}
  told-on: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms,
    escalate: {after: 15m, notify: bo, via: [sms, email]}}
"""
ADDRESSES = {
    ("built-in/digest", 0): ["anna@example.com"],
    ("built-in/held", 0): ["carl@example.com"],
    ("built-in/supplier_invoice.sms", 1): ["+46701740606"],
    ("built-in/supplier_invoice.email", 1): ["bo@example.com"],
}
"""What follows: one digest, one summary, and a step of the alert that the brake does not hold."""


@pytest.fixture
def due(workplace, zygote):
    """A ledger in which a digest, a step and a summary are due."""
    workplace.write_alerts(ALERTS)
    zygote.run(workplace, baseline())
    rows = [record(invoice(number, 75000, stamp=LATER)) for number in "12"]
    zygote.run(workplace, schema() + "".join(rows) + state(LATER))
    # Its run was the first to hold something, and has told of it: let this be to come as well.
    workplace.query("DELETE FROM messages WHERE template = 'built-in/held'")
    workplace.query("UPDATE messages SET summary_id = NULL")
    for table in ("digest_items", "escalations"):
        workplace.query(f"UPDATE {table} SET due_at = '2026-01-01T00:00:00.000000Z'")
    return workplace


def with_a_copy(workplace, root, databases):
    """The same with a ledger of its own."""
    root.mkdir()
    place = replace(workplace, root=root, config={**workplace.config})
    place.config["ledger_url"] = copied(workplace.config["ledger_url"], root, databases)
    return place


def judge(place):
    """Each of them was written once, and handed over once or shown as not known."""
    found: dict[tuple[str, int], list[str]] = {}
    lost = set()
    for template, step, address, text, told, reason in place.query(
        "SELECT template, step, address, text, state, reason FROM messages"
        " JOIN message_contents ON message_id = messages.id"
        " WHERE step > 0 OR alert_id IS NULL ORDER BY address",
    ):
        found.setdefault((template, step), []).append(address)
        handed_over = sum(sent == (address, text) for sent in all_sent(place.sandbox))
        if told in ENDED:
            assert handed_over == 1, (template, address)
        else:
            assert (told, reason, handed_over <= 1) == ("unknown", LOST, True)
            lost.add(template)
    assert found == ADDRESSES
    return lost


def all_sent(sandbox):
    texts = [(one.to, one.body) for one in sandbox.twilio.messages]
    return [*texts, *((email.to, email.text) for email in sandbox.sendgrid.emails)]


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_killed_at_each_step_they_leave_once(due, zygote, moment, tmp_path, databases):
    died, lost = 0, set()
    for number in range(1, 100):
        place = with_a_copy(due, tmp_path / str(number), databases)
        place.config["max_in_flight"] = 1
        ended = zygote.start(place, state(LATER), die=Step(moment, number)).wait()
        if ended.code == 0:
            break
        died += ended.code == -9
        zygote.run(place, state(LATER))
        lost |= judge(place)
    assert died > 10
    assert lost


def test_two_runs_at_once_take_each_step_once(due, zygote, tmp_path, databases):
    for number in range(10):
        place = with_a_copy(due, tmp_path / str(number), databases)
        running = [zygote.start(place, state(LATER)) for _ in range(2)]
        assert [one.wait().code for one in running] == [0, 0]
        assert judge(place) == set()
