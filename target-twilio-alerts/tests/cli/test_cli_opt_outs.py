"""Who opted out is told over the rule's fallback, and no more over the channel they left."""

from __future__ import annotations

import pytest
from ledgers import ON_BOTH
from serving import served
from singer import invoice

OPTED_OUT = "+46701740695"
RULES = """
  large-supplier-invoice:
    entity: supplier_invoice
    when: amount > 50000
    notify: ap-team
    via: sms
    fallback: email
"""


@pytest.fixture
def team(office):
    office.people(rules=RULES, anna={"sms": OPTED_OUT, "email": "anna@example.com"})
    return office


def states(office):
    return sorted((one["channel"], one["state"]) for one in office.trail())


@ON_BOTH
def test_who_opted_out_is_told_over_the_fallback_at_once_and_from_then_on(team):
    team.alert(invoice("1", 75000))
    team.run("deliver")
    assert states(team) == [("email", "accepted"), ("sms", "rejected")]
    assert "error 21610" in team.run("opt-outs", "list", "--format", "csv")
    team.alert(invoice("2", 75000))
    team.run("deliver")
    assert states(team)[:2] == [("email", "accepted"), ("email", "accepted")]
    assert ("sms", "suppressed") in states(team)
    assert len(team.workplace.sandbox.sendgrid.emails) == 2


def test_an_opt_out_that_comes_with_a_status_is_remembered_and_falls_back_too(office):
    number = "+46701740605"
    office.people(rules=RULES, anna={"sms": number, "email": "anna@example.com"})
    office.sandbox.twilio.outcomes[number] = ("undelivered", 21610)
    office.alert(invoice("1", 75000))
    office.run("deliver")
    office.sandbox.twilio.settle()
    for _ in range(3):
        office.run("deliver")
    assert states(office) == [("email", "accepted"), ("sms", "undelivered")]
    assert "error 21610" in office.run("opt-outs", "list", "--format", "csv")
    office.alert(invoice("2", 75000))
    assert ("sms", "suppressed") in states(office)


def test_an_opt_out_whose_code_comes_long_after_the_failure_falls_back_too(office):
    number = "+46701740605"
    office.people(rules=RULES, anna={"sms": number, "email": "anna@example.com"})
    office.sandbox.twilio.outcomes[number] = ("undelivered", None)
    office.alert(invoice("1", 75000))
    office.run("deliver")
    office.sandbox.twilio.settle()
    office.run("deliver")
    assert states(office) == [("sms", "undelivered")]
    office.workplace.query("UPDATE messages SET updated_at = '2026-01-01T00:00:00.000000Z'")
    ((message, sid),) = office.workplace.messages("messages.id", "sid")
    with served(office.workplace) as server:
        assert server.status(sid, "undelivered", message=message, ErrorCode="21610") == 204
    office.run("deliver")
    assert states(office) == [("email", "accepted"), ("sms", "undelivered")]


def test_who_opted_out_before_an_escalation_reaches_them_is_told_over_the_fallback(office):
    step = "    escalate: {after: 15m, notify: bo, via: sms}\n"
    office.people(
        rules=RULES.replace("ap-team", "anna") + step,
        anna={"sms": "+46701740605", "email": "anna@example.com"},
        bo={"sms": OPTED_OUT, "email": "bo@example.com"},
    )
    office.alert(invoice("1", 75000))
    office.run("deliver")
    office.workplace.query("UPDATE escalations SET due_at = '2026-01-01T00:00:00.000000Z'")
    for _ in range(3):
        office.run("deliver")
    assert states(office) == [("email", "accepted"), ("sms", "delivered"), ("sms", "rejected")]
    [email] = office.sandbox.sendgrid.emails
    assert email.to == "bo@example.com"
    assert "Escalated" in email.text
    [told] = [one for one in office.trail() if one["channel"] == "email"]
    assert told["because"] == "fallback: opted out of sms"


def test_the_fallback_is_sent_once_however_often_it_is_looked_at(team):
    team.alert(invoice("1", 75000))
    for _ in range(3):
        team.run("deliver")
    assert states(team) == [("email", "accepted"), ("sms", "rejected")]


def test_the_fallback_is_theirs_though_they_are_away_by_then(office):
    deputy = {"sms": OPTED_OUT, "email": "bo@example.com"}
    person = {"sms": OPTED_OUT, "email": "anna@example.com"}
    office.people(rules=RULES, anna=person)
    office.alert(invoice("1", 75000))
    away = {"from": "2000-01-01", "to": "2200-01-01", "deputy": "bo"}
    office.people(rules=RULES, anna={**person, "timezone": "UTC", "away": away}, bo=deputy)
    for _ in range(3):
        office.run("deliver")
    assert states(office) == [("email", "accepted"), ("sms", "rejected")]
    assert {one["recipient"] for one in office.trail()} == {"anna"}


@ON_BOTH
def test_an_opt_out_ends_when_an_operator_says_so_and_why(team):
    team.alert(invoice("1", 75000))
    team.run("deliver")
    assert "--reason is empty" in team.run("opt-outs", "clear", "anna", "--reason", " ", code=1)
    team.run("opt-outs", "clear", "anna", "--reason", "she sent START")
    assert "Nobody has opted out" in team.run("opt-outs", "list")
    assert "has not opted out" in team.run("opt-outs", "clear", "anna", "--reason", "x", code=1)
    assert "no recipient ana" in team.run("opt-outs", "clear", "ana", "--reason", "x", code=1)


def test_a_list_of_opt_outs_has_no_full_number(team):
    team.alert(invoice("1", 75000))
    team.run("deliver")
    for form in ("table", "csv", "jsonl"):
        assert OPTED_OUT[3:] not in team.run("opt-outs", "list", "--format", form)
