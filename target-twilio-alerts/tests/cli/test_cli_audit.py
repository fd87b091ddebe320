"""`twilio-alerts audit`: who was told what, when, over which channel, and how it ended."""

from __future__ import annotations

import csv
import json
import re

import pytest
from ledgers import ON_BOTH
from singer import COMPANY, invoice

from target_twilio_alerts.ledger import Ledger, events


@pytest.fixture
def told(office):
    """An office that told two people of invoice 100234; Erik's number was refused."""
    office.people(anna={"sms": "+46701740605"}, erik={"sms": "+46701740696"})
    office.alert(invoice("100234", 62000))
    office.run("deliver")
    return office


def to(office, recipient):
    (message,) = office.trail("--recipient", recipient)
    return message


def test_a_message_has_its_sid_recipient_document_time_and_status(told):
    (taken,) = told.workplace.accepted
    message = to(told, "anna")
    assert message["sid"] == taken.sid
    assert message["rule"] == "large-supplier-invoice"
    assert message["document"] == "Supplier invoice Invoice 100234"
    assert (message["entity"], message["number"]) == ("supplier_invoice", "100234")
    assert message["company"] == COMPANY
    assert message["severity"] == "high"
    assert message["address"] == "+46*****605"
    for name in ("created_at", "accepted_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", message[name])
    assert message["state"] == "accepted"
    assert message["status"] in {"accepted", "queued"}
    assert message["error"] is None


def test_a_message_that_failed_has_its_error_and_no_sid(told):
    message = to(told, "erik")
    assert message["state"] == "rejected"
    assert message["error_code"] == "21614"
    assert message["error"].startswith("not a mobile number (error 21614, HTTP 400): correct the")
    assert message["sid"] is None


def test_the_table_is_one_line_a_message_with_masked_addresses(told):
    heading, *lines = told.run("audit").splitlines()
    assert heading.split()[:1] == ["message"]
    assert len(lines) == 2
    (failed,) = [line for line in lines if "rejected" in line]
    for word in (
        to(told, "erik")["message"],
        "large-supplier-invoice",
        "Supplier invoice Invoice 100234",
        "erik by sms (+46*****696)",
        "21614",
    ):
        assert word in failed
    (sent,) = [line for line in lines if "accepted" in line]
    assert told.workplace.accepted[0].sid in sent
    assert "+46701740605" not in sent


@ON_BOTH
def test_csv_and_json_lines_tell_the_same(told):
    plain = [{name: value or "" for name, value in row.items()} for row in told.trail()]
    assert told.as_csv() == plain


def test_csv_goes_to_a_file_as_spreadsheets_want_it(told):
    ended = told.workplace.command("audit", "--format", "csv", "--recipient", "anna")
    head, row = ended.splitlines()
    assert head.startswith("message,created_at,rule,severity,document,entity,company,number,")
    assert row.count(",") == head.count(",")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ('=HYPERLINK("http://example.com")', """'=HYPERLINK("http://example.com")"""),
        ("@SUM(1)", "'@SUM(1)"),
        ("+1+cmd|' /C calc'!A1", "'+1+cmd|' /C calc'!A1"),
        ("-1", "-1"),
    ],
)
def test_csv_has_no_formula_that_a_spreadsheet_would_compute(office, number, shown):
    office.people(anna={"sms": "+46701740605"})
    office.alert(invoice(number, 75000))
    (row,) = csv.DictReader(office.run("audit", "--format", "csv").splitlines())
    assert row["number"] == shown
    assert office.trail()[0]["number"] == number


@pytest.mark.parametrize(
    ("arguments", "recipients"),
    [
        (["--state", "rejected"], ["erik"]),
        (["--recipient", "anna"], ["anna"]),
        (["--rule", "large-supplier-invoice"], ["anna", "erik"]),
        (["--rule", "another"], []),
        (["--state", "rejected", "--recipient", "anna"], []),
        (["--days", "1"], ["anna", "erik"]),
        (["--error", "21614"], ["erik"]),
        (["--error", "30003"], []),
        (["--since", "2026-01-01"], ["anna", "erik"]),
        (["--until", "2026-01-01"], []),
        (["--since", "2999-01-01T08:00"], []),
        (["--until", "2999-01-01T08:00:00+02:00"], ["anna", "erik"]),
        (["--run", "zz"], []),
        (["--limit", "0"], []),
    ],
)
def test_it_can_be_narrowed(told, arguments, recipients):
    assert sorted(one["recipient"] for one in told.trail(*arguments)) == recipients


def test_the_newest_are_told_oldest_first(told):
    told.alert(invoice("100235", 70000))
    documents = [one["document"].split()[-1] for one in told.trail("--limit", "3")]
    assert documents[1:] == ["100235", "100235"]


def test_messages_of_a_run_are_found_by_how_its_id_begins(told):
    told.alert(invoice("100235", 70000))
    first, *_, last = told.trail()
    assert first["run"] != last["run"]
    found = told.trail("--run", last["run"][:10].upper())
    assert [one["number"] for one in found] == ["100235", "100235"]
    assert {one["alert"] for one in found} == {last["alert"]}


def test_a_moment_cuts_between_two_messages(told):
    told.alert(invoice("100235", 70000))
    at = told.trail()[-1]["created_at"]
    assert {one["number"] for one in told.trail("--since", at)} == {"100235"}
    assert {one["number"] for one in told.trail("--until", at)} == {"100234"}
    assert told.run("audit", "--since", "yesterday", code=1) == (
        "Error: --since yesterday: write a day or a time, as in 2026-11-01 or 2026-11-01T08:00\n"
    )


def test_a_table_has_the_newest_fifty_and_a_file_has_all(told):
    told.people(anna={"sms": "+46701740605"})
    told.alert(*(invoice(f"n{number}", 70000) for number in range(60)))
    assert len(told.run("audit").splitlines()) == 51
    assert len(told.trail()) == len(told.as_csv()) == 62
    assert len(told.trail("--limit", "3")) == 3


def test_a_state_that_does_not_exist_is_refused_with_those_that_do(told):
    assert "'rejected'" in told.run("audit", "--state", "lost", code=2)


@ON_BOTH
def test_one_message_is_told_whole(told):
    shown = told.run("audit", "show", to(told, "erik")["message"].lower())
    lines = [line.strip() for line in shown.splitlines()]
    for line in (
        "why: amount 62000 > 50000",
        "when: amount > 50000",
        "before: never seen",
        "recipient: erik",
        "address: +46*****696",
        "state: rejected",
    ):
        assert line in lines
    (now,) = [line for line in lines if line.startswith("now: ")]
    for word in ("amount 62000", "100234", "Kontorsbolaget AB"):
        assert word in now
    steps = lines[lines.index("steps:") + 1 :]
    assert [step.split()[2] for step in steps] == [
        "message_created",
        "message_sending",
        "message_rejected",
    ]
    assert "+46701740696" not in shown


def test_the_version_before_is_told(told):
    told.alert(invoice("7", 100))
    told.alert(invoice("7", 60000, stamp="2026-11-21T10:00:00"))
    message = told.trail("--recipient", "anna")[-1]
    shown = told.run("audit", "show", message["message"])
    (before,) = [line for line in shown.splitlines() if line.strip().startswith("before: ")]
    assert "amount 100" in before


def test_a_status_without_words_is_explained_from_its_code(told):
    sid = told.workplace.accepted[0].sid
    body = json.dumps({"sid": sid, "status": "undelivered", "error_code": 30003})
    told.sandbox.faults.add("twilio", status=200, body=body, match=sid)
    told.run("deliver")
    message = to(told, "anna")
    assert message["state"] == "undelivered"
    assert "(error 30003): " in message["error"]


def test_a_message_that_is_not_there_is_one_line(office):
    assert office.run("audit", "show", "nosuch00", code=1).splitlines() == [
        "Error: no message NOSUCH00 in the ledger; `twilio-alerts audit` lists them",
    ]


def test_an_empty_ledger_says_so(office):
    assert office.run("audit") == "No messages.\n"
    assert office.run("audit", "runs") == "No runs.\n"
    assert office.trail() == []


@ON_BOTH
def test_runs_tell_what_each_decided(told):
    lines = told.run("audit", "runs").splitlines()
    assert [line.split()[1:3] for line in lines if not line.startswith(" ")] == [
        ["target", "completed"],
        ["target", "completed"],
        ["deliver", "completed"],
    ]
    assert "    large-supplier-invoice: 1 alert" in lines
    assert "    handed over: 1 accepted, 1 rejected" in lines


def test_looking_changes_nothing(told):
    def head():
        ledger = Ledger(told.config["ledger_url"])
        with ledger.read() as connection:
            found = events.head(connection)
        ledger.close()
        return found

    before = head()
    told.run("audit")
    told.run("audit", "runs")
    told.run("audit", "show", to(told, "anna")["message"])
    assert head() == before


def test_a_ledger_that_cannot_be_opened_is_one_line(workplace):
    workplace.ledger_path.write_bytes(b"this is no database at all" * 100)
    told = workplace.command("audit", code=1)
    assert told.count("\n") == 1
    assert told.startswith("Error: ledger_url sqlite:")
    assert json.dumps(str(workplace.ledger_path))[1:-1] in told


@ON_BOTH
def test_what_is_undecided_is_shown_with_what_is_missing(office):
    assert office.run("audit", "undecided") == "Nothing is undecided.\n"
    office.people(anna={"sms": "+46701740605"})
    office.alert(invoice("100234", 62000), invoice("100235", None))
    heading, line = office.run("audit", "undecided").splitlines()
    assert heading.split() == ["since", "rule", "entity", "company", "number", "reason"]
    assert line.endswith(f"{COMPANY}  100235  cannot be decided: amount is null")
    (row,) = map(json.loads, office.run("audit", "undecided", "--format", "jsonl").splitlines())
    assert (row["rule"], row["number"]) == ("large-supplier-invoice", "100235")
    assert office.run("audit", "undecided", "--format", "csv").count("\n") == 2
    assert office.run("audit", "undecided", "--rule", "other") == "Nothing is undecided.\n"


def test_what_a_rule_that_is_not_enabled_could_not_decide_is_shown_only_if_it_is_named(office):
    office.people(anna={"sms": "+46701740605"})
    office.alert(invoice("1", None))
    path = office.root / "alerts.yml"
    path.write_text(f"{path.read_text().rstrip()}\n    enabled: false\n")
    assert office.run("audit", "undecided") == "Nothing is undecided.\n"
    assert "amount is null" in office.run("audit", "undecided", "--rule", "large-supplier-invoice")
