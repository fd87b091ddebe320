"""``twilio-alerts explain`` and ``preview``: why somebody was told or not, and in which words."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from ledgers import ON_BOTH
from singer import COMPANY, invoice

ANNA, BO = "+46701740605", "+46701740606"
RULES = """
  large:
    entity: supplier_invoice
    when: amount > 50000 and currency == "SEK"
    notify: ap-team
    via: sms
  due:
    entity: supplier_invoice
    when: balance > 0 and due_date < "2020-01-01"
    notify: anna
    via: sms
  elsewhere:
    entity: supplier_invoice
    when: amount > 1
    companies: Another AB
    notify: anna
    via: sms
  resting:
    enabled: false
    entity: supplier_invoice
    when: amount > 1
    notify: anna
    via: sms
  once:
    entity: supplier_invoice
    when: amount > 1
    once_per: counterparty
    notify: anna
    via: sms
"""


@pytest.fixture
def desk(office):
    office.people(rules=RULES, anna={"sms": ANNA}, bo={"sms": BO})
    office.alert(invoice("1", 75000, balance=None), invoice("2", 10))
    return office


def stories(office, number, *arguments):
    row = json.loads(office.run("explain", "supplier_invoices", number, "--json", *arguments))
    return {story["rule"]: story for story in row["rules"]}


def test_each_rule_says_what_came_of_a_document(desk):
    told = {rule: story["stage"] for rule, story in stories(desk, "1").items()}
    assert told["large"] == "alert"
    assert told["elsewhere"] == "the rule is for other companies"
    assert told["resting"] == "not enabled"
    assert told["due"] == "no match"
    other = {rule: story["stage"] for rule, story in stories(desk, "2").items()}
    assert other["large"] == "no match"
    assert other["once"].startswith("already told: alert ")


def test_each_part_of_a_condition_has_its_answer_and_its_values(desk):
    assert stories(desk, "2")["large"]["terms"] == [
        {"part": "amount > 50000", "answer": "no", "values": "amount 10 is not > 50000"},
        {"part": 'currency == "SEK"', "answer": "yes", "values": 'currency is "SEK"'},
    ]
    balance = stories(desk, "1")["due"]["terms"][0]
    assert balance == {"part": "balance > 0", "answer": "unknown", "values": "balance is null"}


@ON_BOTH
def test_an_alert_has_its_messages_and_what_became_of_them(desk):
    desk.run("deliver")
    [alert] = stories(desk, "1")["large"]["alerts"]
    assert {one["recipient"] for one in alert["messages"]} == {"anna", "bo"}
    assert {one["state"] for one in alert["messages"]} <= {"accepted", "sent", "delivered"}


def test_people_read_it_as_lines(desk):
    told = desk.run("explain", "supplier_invoice", "1", "--rule", "large", "--company", COMPANY)
    assert "large: alert\n" in told
    assert "yes  amount > 50000   (amount 75000 > 50000)" in told
    assert "anna by sms: pending" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["supplier_invoices", "404"], "the ledger has no supplier_invoice 404"),
        (["supplier_invoices", "1", "--company", "X"], "no supplier_invoice 1 of X"),
        (["suplier_invoices", "1"], "did you mean supplier_invoices?"),
        (["supplier_invoices", "1", "--rule", "x"], "no rule x about supplier_invoice"),
        (["supplier_invoices", "%"], "the ledger has no supplier_invoice %"),
    ],
)
def test_what_cannot_be_found_is_told_in_one_line(desk, arguments, said):
    told = desk.run("explain", *arguments, code=1)
    assert said in told
    assert len(told.splitlines()) == 1


def test_what_was_there_before_the_first_run_is_told_as_baseline(office):
    office.people(rules=RULES, anna={"sms": ANNA}, bo={"sms": BO})
    office.baseline(invoice("1", 75000))
    assert stories(office, "1")["large"]["stage"].startswith("baseline: ")


def test_a_preview_has_the_words_and_segments_that_each_would_get(desk):
    before = desk.trail()
    rows = [json.loads(line) for line in desk.run("preview", "large", "--json").splitlines()]
    assert [row["recipient"] for row in rows] == ["anna", "bo"]
    assert all(row["segments"] == 1 and row["state"] == "pending" for row in rows)
    assert ANNA[3:] not in json.dumps(rows)
    assert "anna by sms (" in desk.run("preview", "large")
    assert desk.trail() == before
    assert not desk.workplace.accepted


def test_a_preview_of_samples_needs_no_document(office):
    office.people(rules=RULES, anna={"sms": ANNA}, bo={"sms": BO})
    assert "about sample values" in office.run("preview", "large")
    assert "about sample values" in office.run("preview", "resting", "--sample")
    assert "did you mean large?" in office.run("preview", "larg", code=1)


def test_a_preview_at_night_says_until_when_it_waits(office):
    hour = datetime.now(timezone.utc).hour
    quiet = {"from": f"{hour:02}:00", "to": f"{(hour + 2) % 24:02}:00"}
    person = {"sms": ANNA, "timezone": "UTC", "quiet_hours": quiet}
    office.people(rules=RULES, anna=person, bo={"sms": BO})
    assert "reason: quiet hours until " in office.run("preview", "large")
