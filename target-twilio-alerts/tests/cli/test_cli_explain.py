"""``twilio-alerts explain``: what each rule says of a document, and what stopped its messages."""

from __future__ import annotations

import json

import pytest
from explaining import ANNA, BO, big, explained, stage, stories, tap_output
from ledgers import ON_BOTH
from readme import undocumented
from singer import COMPANY, KEY, invoice

from target_twilio_alerts.rehearsal.stages import Stage, stage_of

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


def test_json_has_one_shape(desk):
    row = explained(desk, "1", "--rule", "large")
    assert undocumented("explain", row) == set()
    assert list(row) == [
        "stream",
        "entity",
        "company",
        "type",
        "number",
        "version",
        "seen_at",
        "rules",
    ]
    assert (row["stream"], row["entity"]) == ("supplier_invoices", "supplier_invoice")
    assert (row["company"], row["type"], row["number"]) == (COMPANY, "Invoice", "1")
    assert row["version"] == 1
    [story] = row["rules"]
    assert list(story) == ["rule", "stage", "said", "terms", "alerts"]
    [alert] = story["alerts"]
    assert list(alert) == [
        "alert",
        "kind",
        "version",
        "raised_at",
        "reason",
        "stage",
        "said",
        "messages",
        "steps",
        "acknowledged",
    ]
    assert (alert["kind"], alert["version"], alert["stage"]) == ("alert", 1, "on_its_way")
    assert list(alert["messages"][0]) == [
        "message",
        "recipient",
        "channel",
        "state",
        "reason",
        "step",
        "because",
        "stage",
    ]


def test_each_part_of_a_condition_has_its_answer_and_its_values(desk):
    assert stories(desk, "2")["large"]["terms"] == [
        {"part": "amount > 50000", "answer": "no", "values": "amount 10 is not > 50000"},
        {"part": 'currency == "SEK"', "answer": "yes", "values": 'currency is "SEK"'},
    ]
    balance = stories(desk, "1")["due"]["terms"][0]
    assert balance == {"part": "balance > 0", "answer": "unknown", "values": "balance is null"}


def test_a_rule_that_does_not_hold_or_does_not_apply_is_where_it_stopped(desk):
    told = {rule: story["stage"] for rule, story in stories(desk, "1").items()}
    assert told == {
        "large": "on_its_way",
        "due": "no_match",
        "elsewhere": "other_company",
        "resting": "disabled",
        "once": "on_its_way",
    }
    assert stories(desk, "1")["elsewhere"]["said"] == "for Another AB"
    other = stories(desk, "2")
    assert other["large"]["stage"] == "no_match"
    assert other["once"]["stage"] == "already_told"
    [alert] = stories(desk, "1")["once"]["alerts"]
    assert other["once"]["said"] == f"alert {alert['alert']} stands for it (once_per)"


@ON_BOTH
def test_an_alert_has_its_messages_and_what_became_of_them(desk):
    desk.run("deliver")
    story = stories(desk, "1")["large"]
    assert story["stage"] == "told"
    [alert] = story["alerts"]
    assert {one["recipient"] for one in alert["messages"]} == {"anna", "bo"}
    assert {one["stage"] for one in alert["messages"]} == {"told"}


def test_what_was_true_before_alerts_no_more(desk):
    desk.baseline(invoice("1", 76000, balance=None, stamp="2026-11-21T10:00:00"))
    story = stories(desk, "1")["large"]
    assert story["stage"] == "already_true"
    [alert] = story["alerts"]
    assert story["said"] == f"alert {alert['alert']} told of it"


def test_a_record_can_be_explained_before_or_after_it_came(desk):
    rows = [
        invoice("1", 75000, balance=None),
        invoice("1", 90000, stamp="2026-11-19T10:00:00"),
        invoice("1", 20, stamp="2026-11-21T10:00:00"),
        invoice("1", 20, stamp="2026-11-21T10:00:00", _sdc_deleted_at="2026-11-21T10:00:00Z"),
        invoice("9", 90000),
    ]
    path = tap_output(desk, *rows)
    out = desk.run(
        "explain", "supplier_invoices", "1", "--record", path, "--json", "--rule", "large"
    )
    found = [json.loads(line)["rules"][0] for line in out.splitlines()]
    assert [(one["stage"], one["said"]) for one in found] == [
        ("already_true", "it says what is known already"),
        ("stale", "it is of 2026-11-19T10:00:00, and 2026-11-20T10:00:00 is known"),
        ("no_match", ""),
        ("deleted", ""),
    ]
    assert stage(desk, "9", "--record", path, rule="large") == ("next_run", "it would alert")
    assert "a record that came now" in desk.run(
        "explain", "supplier_invoices", "9", "--record", path
    )


def test_a_record_of_a_stream_that_was_not_read_whole_would_be_a_baseline(office):
    big(office)
    office.workplace.command("deliver")
    path = tap_output(office, invoice("1", 75000))
    assert stage(office, "1", "--record", path)[0] == "baseline"


def test_a_record_without_its_key_is_malformed(desk):
    broken = invoice("1", 75000) | {KEY[0]: None}
    path = tap_output(desk, broken, invoice("1", 75000, balance=None))
    told = desk.run("explain", "supplier_invoices", "1", "--record", path)
    assert "tap.singer:2: malformed: tenant_id is missing, which is part of its key" in told
    assert "large: already true: it says what is known already" in told


def test_a_document_that_no_run_has_brought_is_never_seen(desk):
    row = explained(desk, "404", code=1)
    assert (row["stage"], row["rules"]) == ("never_seen", [])
    assert row["said"] == "the ledger has no supplier_invoice 404: no run has brought it"


def test_a_stream_that_no_run_has_brought_is_named(desk):
    out = desk.run("explain", "purchase_orders", "404", "--json", code=1)
    assert json.loads(out)["stage"] == "stream_not_read"
    assert "no run has brought the stream purchase_orders; add it to what the tap selects" in (
        desk.run("explain", "purchase_orders", "404", code=1)
    )


def test_people_read_it_as_lines(desk):
    told = desk.run("explain", "supplier_invoice", "1", "--rule", "large", "--company", COMPANY)
    assert "Supplier invoice Invoice, 1, Testbolaget AB: version 1, seen 20" in told
    assert "  large: on its way\n" in told
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


def test_without_a_ledger_it_says_so_and_makes_none(office):
    assert "there is no ledger" in office.run("explain", "supplier_invoices", "1", code=1)
    assert not office.workplace.ledger_path.exists()


def test_each_state_of_a_message_has_a_stage():
    assert stage_of("delivered", None) is Stage.TOLD
    assert stage_of("pending", None) is Stage.ON_ITS_WAY
    assert stage_of("unknown", "the answer is lost") is Stage.NOT_TAKEN
    assert stage_of("sent", "quiet hours until then") is Stage.TOLD
