"""`erase`: addresses and texts are gone from the file, and the trail still proves what was done."""

from __future__ import annotations

import json
import os
import pwd
from datetime import datetime, timedelta, timezone

import pytest
from busy_office import fill
from singer import invoice

from target_twilio_alerts.audit import erasure

ANNA = "+46701740605"
OLD = datetime.now(timezone.utc) - timedelta(days=500)


def bytes_of(office):
    """All that is in the ledger's files."""
    return b"".join(path.read_bytes() for path in office.root.glob("ledger.db*"))


def events(office, kind):
    rows = office.workplace.query("SELECT body FROM audit_events WHERE kind = ?", kind)
    return [json.loads(body) for (body,) in rows]


@pytest.fixture
def told(office):
    """An office that told two people of two invoices; one of them has their own words in it."""
    office.people(anna={"sms": ANNA}, bo={"sms": "+46701740606"})
    office.alert(invoice("100234", 62000), invoice("100235", 63000))
    office.run("deliver")
    return office


def test_without_yes_it_only_says_what_it_would_erase(told):
    before = told.workplace.query("SELECT * FROM message_contents")
    today = datetime.now(timezone.utc)
    said = told.run("erase", "anna", "--reason", "has left")
    assert said == (
        f"Would erase the address and text of 2 messages ({today:%Y-%m-%d} to {today:%Y-%m-%d}). "
        "Nothing was erased: add --yes\n"
    )
    assert told.workplace.query("SELECT * FROM message_contents") == before


def test_a_person_is_gone_from_the_file_and_the_trail_still_agrees(told):
    (text,) = told.workplace.query(
        "SELECT text FROM message_contents JOIN messages ON id = message_id WHERE recipient = ? "
        "LIMIT 1",
        "anna",
    )[0]
    assert ANNA.encode() in bytes_of(told)
    said = told.run("erase", "anna", "--reason", "has left; call +46701740699", "--yes")
    assert said.startswith("Erased the address and text of 2 messages (")
    kept = bytes_of(told)
    assert ANNA.encode() not in kept
    assert text.encode() not in kept
    assert b"+46701740606" in kept
    assert b"+46701740699" not in kept
    assert told.run("audit", "verify").startswith("ok ")


def test_the_trail_says_who_erased_what_and_why(told, monkeypatch):
    account = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("USER", "maria")  # what anybody can set is no evidence
    monkeypatch.setenv("LOGNAME", "maria")
    told.run("erase", "anna", "--reason", "has left", "--yes")
    (summary,) = events(told, "erased")
    assert summary == {
        "operator": account,
        "reason": "has left",
        "recipient": "anna",
        "messages": 2,
        "alerts": 0,
        "versions": 0,
    }
    assert events(told, "message_erased") == [{"operator": account, "reason": "has left"}] * 2


def test_what_was_erased_shows_as_erased_and_the_rest_as_ever(told):
    told.run("erase", "anna", "--reason", "has left", "--yes")
    for row in told.trail("--recipient", "anna"):
        assert row["address"] == "erased"
        assert row["erased_at"] is not None
        assert (row["state"], row["number"][:4]) == ("accepted", "1002")
        assert row["sid"] is not None
        shown = told.run("audit", "show", row["message"])
        assert "text: erased" in shown
        assert '"reason":"has left"' in shown
        proof = json.loads(told.run("audit", "prove", row["message"], "--json"))
        message = next(one for one in proof["messages"] if one["id"] == row["message"])
        assert message["erased_at"] == row["erased_at"]
        assert "text" not in message
        refused = told.run("resend", row["message"], "--reason", "x", code=1)
        assert refused == (
            f"Error: message {row['message']}: its text was erased; it cannot be sent again\n"
        )
    assert {row["address"] for row in told.trail("--recipient", "bo")} == {"+46*****606"}


def test_an_address_is_erased_whoever_had_it(told):
    (message, _) = told.trail("--recipient", "bo")
    told.workplace.sandbox.twilio.refuses[ANNA] = 21211
    told.run("resend", "--yes", message["message"], "--to", ANNA, "--reason", "r", code=1)
    told.run("erase", "--address", "+46 70-174 06 05", "--reason", "asked for it", "--yes")
    assert ANNA.encode() not in bytes_of(told)
    (summary,) = events(told, "erased")
    assert (summary["messages"], summary["by_address"]) == (3, True)
    assert told.run("audit", "verify").startswith("ok ")


def age(office, number):
    """Let an alert and its messages be of long ago, as if the trail had been written then."""
    old = OLD.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for table, column in (("alerts", "raised_at"), ("messages", "created_at")):
        key = "id" if table == "alerts" else "alert_id"
        office.workplace.query(
            f"UPDATE {table} SET {column} = ? WHERE {key} IN (SELECT id FROM alerts WHERE title "
            "LIKE ?)",
            old,
            f"% {number}",
        )


def test_by_age_it_also_erases_what_alerts_say_and_versions_that_others_replaced(told):
    told.alert(invoice("100234", 64000, stamp="2026-11-21T10:00:00", description="of Per Holm"))
    told.alert(invoice("100234", 65000, stamp="2026-11-22T10:00:00"))
    age(told, "100234")
    old = OLD.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    told.workplace.query("UPDATE document_versions SET seen_at = ?", old)
    said = told.run("erase", "--older-than", "400d", "--reason", "policy", "--yes")
    assert "the address and text of 2 messages" in said
    assert "what 1 alerts say of their documents" in said
    assert "2 versions of documents that others have replaced" in said
    assert b"of Per Holm" not in bytes_of(told)
    erased = [row for row in told.trail() if row["erased_at"]]
    assert {row["document"] for row in erased} == {"Supplier invoice Invoice 100234"}
    assert {row["company"] for row in erased} == {None}
    assert "why: erased" in told.run("audit", "show", erased[0]["message"])
    assert "  erased " in told.run("audit", "prove", erased[0]["alert"], code=1)
    assert {row["company"] for row in told.trail("--recipient", "bo")} == {None, "Testbolaget AB"}
    # The newest version stays: the next change is told from it.
    assert "version 3" in told.run("explain", "supplier_invoices", "100234")


def test_what_was_erased_is_not_told_again_and_breaks_no_command(told):
    age(told, "100234")
    told.run("erase", "--older-than", "400d", "--reason", "policy", "--yes")
    told.run("deliver")
    told.run("audit")
    told.run("audit", "--format", "csv")
    told.run("explain", "supplier_invoices", "100234")
    assert "nothing in the ledger fits" in told.run(
        "erase", "--older-than", "400d", "--reason", "policy", code=1
    )


def test_messages_under_way_stay_until_they_have_been_sent(told):
    told.alert(invoice("100236", 70000))
    said = told.run("erase", "anna", "--reason", "has left", "--yes")
    assert said.rstrip().endswith(
        "; 1 messages are under way, and stay until it is known what became of them: then erase "
        "again"
    )
    told.run("deliver")
    assert ANNA in [one.to for one in told.workplace.accepted][-2:]
    told.run("erase", "anna", "--reason", "has left", "--yes")
    assert ANNA.encode() not in bytes_of(told)


def test_who_opted_out_stays_opted_out(told):
    told.workplace.sandbox.twilio.refuses[ANNA] = 21610
    told.alert(invoice("100236", 70000))
    told.run("deliver")
    told.run("erase", "anna", "--reason", "has left", "--yes")
    told.alert(invoice("100237", 70000))
    (suppressed,) = told.trail("--recipient", "anna", "--state", "suppressed")
    assert suppressed["error"].startswith("opted out since ")
    assert "anna" in told.run("opt-outs", "list")


def test_a_ledger_with_something_of_everything_can_be_erased_whole(office, monkeypatch):
    fill(office)
    said = office.run("erase", "cfo", "--reason", "all of it")
    assert "; 1 messages are under way" in said  # the unknown one, which may still be settled
    monkeypatch.setattr(erasure, "SETTLING", timedelta(0))
    for name in ("anna", "erik", "cfo", "controller"):
        office.run("erase", name, "--reason", "all of it", "--yes")
    kept = bytes_of(office)
    for personal in (b"+4670174", b"anna.berg@", b"carl.dahl@", b"maria.holm@"):
        assert personal not in kept.replace(b"+46701234567", b"")
    told = office.run("audit", "verify", "--anchors", office.config["anchor_file"])
    assert told.startswith("ok ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to erase: name a RECIPIENT, --address or --older-than"),
        (["nobody"], "nothing to erase: nothing in the ledger fits"),
        (["--older-than", "1d"], "--older-than 1d: write a span of 7 days or more, as in 400d"),
        (["--older-than", "400"], "--older-than 400: write a span of 7 days or more, as in 400d"),
    ],
)
def test_what_it_cannot_do_is_one_line(told, arguments, said):
    (line,) = told.run("erase", *arguments, "--reason", "r", code=1).splitlines()
    assert line.startswith(f"Error: {said}")


def test_it_wants_to_know_why(told):
    assert "--reason is empty; say why" in told.run("erase", "anna", "--reason", "  ", code=1)
    assert "Missing option '--reason'" in told.run("erase", "anna", code=2)


OPERATORS = """
  large: {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms}
operators: {notify: petra, via: email}
"""


@pytest.fixture
def failed(office):
    """An office whose operators were told that a message to Anna did not get through."""
    people = {"anna": {"sms": "+46701740696"}, "petra": {"email": "petra@example.com"}}
    office.people(rules=OPERATORS, **people)
    office.alert(invoice("1", 75000))
    office.run("deliver")
    assert "large, Anna, SMS" in summary_of(office)
    return office


def summary_of(office):
    query = "SELECT text FROM message_contents JOIN messages ON id = message_id WHERE recipient = ?"
    ((text,),) = office.workplace.query(query, "petra")
    return text


@pytest.mark.parametrize("whom", [["anna"], ["--address", "+46701740696"]])
def test_a_summary_of_failures_goes_with_whom_it_names(failed, whom):
    # A later status freed the message for the next summary; the first one named it all the same.
    failed.workplace.query("UPDATE messages SET summary_id = NULL WHERE recipient = 'anna'")
    failed.run("erase", *whom, "--reason", "has left", "--yes")
    assert summary_of(failed) == ""
    assert "ok     " in failed.run("audit", "verify")


def test_a_summary_of_failures_of_others_stays(failed):
    failed.run("erase", "bo", "--reason", "has left", "--yes", code=1)
    assert "large, Anna, SMS" in summary_of(failed)


def test_an_email_address_is_found_in_whatever_case(office):
    office.people(via="email", anna={"email": "Anna.Berg@Example.com"})
    office.alert(invoice("1", 75000))
    office.run("deliver")
    said = office.run(
        "erase", "--address", "anna.berg@EXAMPLE.com", "--reason", "has left", "--yes"
    )
    assert said.startswith("Erased the address and text of 1 message")
    assert b"Anna.Berg" not in bytes_of(office)


def test_versions_go_together_with_the_event_that_counts_them(office, monkeypatch):
    office.people(anna={"sms": ANNA})
    for amount in (10, 20):
        office.alert(invoice("1", amount, stamp=f"2026-11-20T11:00:{amount}"))
    office.workplace.query("UPDATE document_versions SET seen_at = ?", OLD.isoformat())

    def fail(*_arguments):
        raise OSError("the power went")

    arguments = ("erase", "--older-than", "400d", "--reason", "old", "--yes")
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_told", fail)
        with pytest.raises(OSError, match="the power went"):
            office.run(*arguments)
    assert office.workplace.query("SELECT count(*) FROM document_versions") == [(1,)]
    office.run(*arguments)
    assert office.workplace.query("SELECT count(*) FROM document_versions") == [(0,)]
    assert [told["versions"] for told in events(office, "erased")] == [1]
