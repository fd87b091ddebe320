"""``twilio-alerts ack``: somebody takes care of an alert."""

from __future__ import annotations

import pytest
from ledgers import ON_BOTH
from singer import invoice

RULES = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: sms
    escalate: {after: 1m, notify: bo, via: sms}
"""


@pytest.fixture
def desk(office):
    office.people(rules=RULES, anna={"sms": "+46701740605"}, bo={"sms": "+46701740606"})
    office.alert(invoice("1", 75000))
    return office


@ON_BOTH
def test_the_reference_of_a_message_acknowledges_its_alert_once(desk):
    reference = desk.trail()[0]["message"]
    told = desk.run("ack", reference.lower(), "--by", "Anna", "--reason", "calling them")
    assert told.endswith(": acknowledged by Anna\n")
    again = desk.run("ack", reference, "--reason", "me too", code=1)
    assert "has been acknowledged by Anna at 2" in again
    alert = told.split(":")[0]
    assert "has been acknowledged" in desk.run("ack", alert, "--reason", "me too", code=1)


def test_who_is_at_the_keyboard_acknowledges_if_nobody_is_named(desk):
    assert "acknowledged by " in desk.run("ack", desk.trail()[0]["message"], "--reason", "calling")


def test_an_unknown_reference_is_told_in_one_line(desk):
    told = desk.run("ack", "NOBODY", "--reason", "x", code=1)
    assert told == (
        "Error: no message or alert NOBODY in the ledger; `twilio-alerts audit` lists them\n"
    )
