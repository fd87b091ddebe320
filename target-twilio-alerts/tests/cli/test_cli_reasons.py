"""What an operator changes has a reason and a name, asked for in the same way everywhere."""

from __future__ import annotations

import json

import pytest
from singer import invoice

RULES = """
  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms}
limits: {per_rule: 2}
"""
COMMANDS = {
    "resend": (["resend", "REFUSED", "--to", "+46701740605", "--yes"], "message_created"),
    "release": (["release", "--all"], "message_released"),
    "cancel": (["cancel", "--all"], "message_cancelled"),
    "ack": (["ack", "REFUSED"], "alert_acknowledged"),
    "silence add": (["silence", "add", "--rule", "large", "--for", "1h"], "silence_added"),
    "silence end": (["silence", "end", "SILENCE"], "silence_ended"),
}
IN_ALL = pytest.mark.parametrize("name", COMMANDS)


@pytest.fixture
def run(office):
    """Runs one of the commands where it has something to do."""
    office.people(rules=RULES, anna={"sms": "+46701740696"})
    office.alert(*(invoice(number, 75000) for number in "123"))
    office.run("deliver")
    made = office.run("silence", "add", "--rule", "large", "--for", "1h", "--reason", "first")
    names = {
        "REFUSED": office.trail("--state", "rejected")[0]["message"],
        "SILENCE": made.partition(":")[0],
    }

    def command(name, *arguments, code=0):
        given = [names.get(one, one) for one in COMMANDS[name][0]]
        return office.run(*given, *arguments, code=code)

    return command


def told(office, name):
    kind = COMMANDS[name][1]
    found = office.workplace.query(
        "SELECT body FROM audit_events WHERE kind = ? ORDER BY seq DESC LIMIT 1", kind
    )
    return json.loads(found[0][0])


@IN_ALL
def test_each_needs_a_reason_and_nothing_happens_without_one(run, office, name):
    before = office.workplace.query("SELECT seq FROM chain_head")
    assert "Missing option '--reason'" in run(name, code=2)
    assert run(name, "--reason", " ", code=1) == "Error: --reason is empty; say why\n"
    assert "at most 200 characters" in run(name, "--reason", "x" * 201, code=1)
    assert office.workplace.query("SELECT seq FROM chain_head") == before


@IN_ALL
def test_each_tells_the_trail_who_wanted_it_and_why(run, office, name):
    run(name, "--reason", "the bank  called +46701740605", "--by", "Petra")
    body = told(office, name)
    if name == "resend":
        assert (body["operator"], body["resend_reason"]) == (
            "Petra",
            "the bank called +46*****605",
        )
        return
    assert (body["by"], body["reason"]) == ("Petra", "the bank called +46*****605")
    assert body["operator"] != "Petra"


@IN_ALL
def test_each_is_signed_by_whoever_is_at_the_keyboard_if_nobody_is_named(run, office, name):
    run(name, "--reason", "checked")
    body = told(office, name)
    assert body["operator"]
    assert body.get("by", body["operator"]) == body["operator"]
