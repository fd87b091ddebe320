"""`twilio-alerts resend` of many: selected by rule, recipient, code, state or time."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger import MessageState

WRONG, RIGHT, OTHER = "+46701740696", "+46701740606", "+46701740608"
UNREACHABLE = "+46701740691"
SEVERAL = """
  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms}
  huge: {entity: supplier_invoice, when: amount > 70000, notify: [anna, erik], via: sms}
limits: {prices: prices.csv}
"""


@pytest.fixture
def several(office):
    """Three messages to Anna that Twilio refused, and one to Erik that did not reach him."""
    (office.root / "prices.csv").write_text("channel,country,price\nsms,SE,0.05\n")
    office.people(rules=SEVERAL, anna={"sms": WRONG}, erik={"sms": UNREACHABLE})
    office.alert(invoice("1", 60000), invoice("2", 80000))
    office.run("deliver")
    office.sandbox.twilio.settle()
    office.run("deliver")
    states = sorted((one["rule"], one["recipient"], one["state"]) for one in office.trail())
    assert states == [
        ("huge", "anna", "rejected"),
        ("huge", "erik", "undelivered"),
        ("large", "anna", "rejected"),
        ("large", "anna", "rejected"),
    ]
    office.people(rules=SEVERAL, anna={"sms": RIGHT}, erik={"sms": OTHER})
    return office


def listed(office, *arguments):
    told = office.run("resend", *arguments, "--reason", "mended", "--format", "jsonl")
    return [json.loads(line) for line in told.splitlines() if line.startswith("{")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--rule", "large"], ["anna", "anna"]),
        (["--rule", "huge"], ["anna", "erik"]),
        (["--code", "21614"], ["anna", "anna", "anna"]),
        (["--code", "30003"], ["erik"]),
        (["--rule", "huge", "--code", "21614"], ["anna"]),
        (["--recipient", "erik"], ["erik"]),
        (["--state", "rejected"], ["anna", "anna", "anna"]),
        (["--state", "undelivered", "--state", "rejected"], ["anna", "anna", "anna", "erik"]),
        (["--since", "2026-01-01"], ["anna", "anna", "anna", "erik"]),
    ],
)
def test_what_did_not_get_through_is_selected_and_listed(several, arguments, expected):
    rows = listed(several, *arguments)
    assert sorted(row["recipient"] for row in rows) == expected
    assert all(Decimal(row["cost"]) % Decimal("0.05") == 0 for row in rows)
    total = sum(Decimal(row["cost"]) for row in rows)
    told = several.run("resend", *arguments, "--reason", "mended")
    assert f" would be sent again, for {total.normalize():f}: add --yes" in told
    assert len(several.trail()) == 4


def test_what_was_written_at_another_time_is_not_selected(several):
    for times in (["--until", "2026-01-01"], ["--since", "2999-01-01"]):
        told = several.run("resend", *times, "--reason", "mended", code=1)
        assert told == "Error: there is nothing to send again\n"


@ON_BOTH
def test_a_selection_is_sent_once_each_and_a_second_time_there_is_nothing_left(several):
    arguments = ("--rule", "huge", "--reason", "mended", "--by", "Petra", "--yes")
    told = several.run("resend", *arguments)
    assert told.count(": accepted SM") == 2
    again = several.run("resend", *arguments, code=1)
    assert again.count("Petra sent it again as ") == 2
    assert again.endswith("Error: there is nothing to send again\n")
    new = [one for one in several.trail() if one["resend_of"]]
    assert sorted(one["recipient"] for one in new) == ["anna", "erik"]
    assert {(one["operator"], one["resend_reason"]) for one in new} == {("Petra", "mended")}
    assert "ok     " in several.run("audit", "verify")


def test_of_a_selection_what_cannot_be_sent_is_told_once_and_the_rest_is_sent(several):
    several.people(rules=SEVERAL, anna={"email": "anna@example.com"}, erik={"sms": OTHER})
    path = several.root / "alerts.yml"
    path.write_text(path.read_text().replace("via: sms", "via: email", 1).replace("[anna, ", "["))
    told = several.run("resend", "--rule", "huge", "--reason", "mended", "--yes")
    assert told.count("recipient anna has no address for sms; add one") == 1
    assert told.count(": accepted SM") == 1


def test_of_attempts_to_tell_the_same_only_the_newest_is_sent_again(several):
    several.people(rules=SEVERAL, anna={"sms": WRONG}, erik={"sms": OTHER})
    several.run("resend", "--rule", "large", "--reason", "once more", "--yes", code=1)
    several.people(rules=SEVERAL, anna={"sms": RIGHT}, erik={"sms": OTHER})
    several.run("resend", "--rule", "large", "--reason", "mended", "--yes")
    states = [one["state"] for one in several.trail() if one["rule"] == "large"]
    assert sorted(states) == ["accepted"] * 2 + ["rejected"] * 4


def test_what_is_unknown_is_sent_again_only_if_asked_for_and_with_a_warning(several):
    [first, *_] = several.trail("--rule", "large")
    several.put(first["message"], MessageState.UNKNOWN)
    assert len(listed(several, "--rule", "large")) == 1
    warning = f"message {first['message']} is unknown: it may have been sent"
    for arguments in (["--state", "unknown"], [first["message"]]):
        assert warning in several.run("resend", *arguments, "--reason", "asked her")


def test_who_opted_out_is_not_sent_to_again(office):
    office.people(anna={"sms": "+46701740695"})
    office.alert(invoice("1", 60000))
    office.run("deliver")
    told = office.run("resend", "--code", "21610", "--reason", "please", "--yes", code=1)
    assert "opted out of sms" in told
    assert len(office.trail()) == 1
