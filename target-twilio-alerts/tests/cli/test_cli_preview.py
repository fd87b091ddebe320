"""``twilio-alerts preview``: a rule's messages as each recipient would get them now."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from readme import undocumented
from singer import COMPANY, invoice

ANNA, BO = "+46701740605", "+46701740606"
BIG = "entity: supplier_invoice, when: amount > 50000"


def rules(office, rule="notify: ap-team, via: sms", more="", **people):
    """One rule, and two people."""
    office.people(
        rules=f"\n  large: {{{BIG}, {rule}}}\n{more}timezone: Europe/Stockholm\n",
        anna={
            "sms": ANNA,
            "email": "anna@example.com",
            "locale": "sv_SE",
            **people.get("anna", {}),
        },
        bo={"sms": BO, "email": "bo@example.com", **people.get("bo", {})},
    )


def previews(office, *arguments):
    out = office.run("preview", "large", "--json", *arguments)
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def desk(office):
    rules(office)
    office.alert(invoice("1", 75000), invoice("2", 10))
    return office


def test_json_has_one_shape(desk):
    anna, bo = previews(desk, "--document", "1")
    assert undocumented("preview", [anna, bo]) == set()
    assert list(anna) == [
        "rule",
        "about",
        "holds",
        "kind",
        "step",
        "due_at",
        "recipient",
        "because",
        "channel",
        "address",
        "state",
        "reason",
        "not_before",
        "locale",
        "template",
        "template_problem",
        "encoding",
        "segments",
        "cost",
        "subject",
        "text",
    ]
    assert (anna["rule"], anna["about"], anna["holds"]) == ("large", "Supplier invoice 1", True)
    assert (anna["kind"], anna["step"], anna["recipient"]) == ("alert", 0, "anna")
    assert (anna["channel"], anna["address"], anna["state"]) == ("sms", "+46*****605", "pending")
    assert (anna["locale"], anna["encoding"], anna["segments"]) == ("sv_SE", "GSM-7", 1)
    assert anna["text"].startswith("Testbolaget AB: Ny leverantörsfaktura 1")
    assert (bo["locale"], bo["cost"]) == ("en", None)


def test_nothing_is_sent_or_kept_and_no_address_is_shown(desk):
    before = desk.trail()
    assert ANNA[3:] not in desk.run("preview", "large") + desk.run("preview", "large", "--json")
    assert desk.trail() == before
    assert not desk.workplace.accepted


def test_it_is_about_the_newest_document_or_the_one_that_is_asked_for(desk):
    desk.alert(invoice("3", 80000))
    assert {row["about"] for row in previews(desk)} == {"Supplier invoice 3"}
    assert {row["holds"] for row in previews(desk, "--document", "2")} == {False}
    assert {row["about"] for row in previews(desk, "--company", COMPANY)} == {"Supplier invoice 3"}
    told = desk.run("preview", "large", "--document", "2")
    assert "about Supplier invoice 2: the rule does not hold for it" in told


def test_a_changed_document_is_told_as_changed(desk):
    desk.alert(invoice("1", 90000, stamp="2026-11-21T10:00:00"))
    bo = previews(desk, "--document", "1")[1]
    assert "75,000.00 -> 90,000.00" in bo["text"]


def test_sample_values_need_no_ledger_and_make_none(office):
    rules(office)
    assert "about sample values\n" in office.run("preview", "large")
    assert previews(office, "--sample")[0]["holds"] is None
    assert not office.workplace.ledger_path.exists()


def test_prices_tell_what_each_costs(office):
    (office.root / "prices.csv").write_text("channel,country,price\nsms,SE,0.05\n")
    rules(office, more="limits: {prices: prices.csv}\n")
    assert [row["cost"] for row in previews(office)] == ["0.05", "0.05"]
    assert "1 segment of GSM-7, costs 0.05" in office.run("preview", "large")


def test_at_night_it_says_until_when_it_waits(office):
    hour = datetime.now(timezone.utc).hour
    quiet = {"from": f"{hour:02}:00", "to": f"{(hour + 2) % 24:02}:00"}
    rules(office, anna={"timezone": "UTC", "quiet_hours": quiet})
    anna, bo = previews(office)
    assert anna["not_before"][11:13] == f"{(hour + 2) % 24:02}"
    assert bo["not_before"] is None
    assert "pending, at once, and waits until 20" in office.run("preview", "large")


def test_a_deputy_is_told_instead_and_it_says_for_whom(office):
    today = datetime.now(timezone.utc).date()
    days = {"from": str(today - timedelta(days=2)), "to": str(today + timedelta(days=2))}
    rules(office, rule="notify: anna, via: sms", anna={"away": [{**days, "deputy": "bo"}]})
    [row] = previews(office)
    assert row["recipient"] == "bo"
    assert row["because"].startswith("deputy of anna, away until")


def test_who_is_silenced_is_shown_as_kept_back(desk):
    desk.run("silence", "add", "--reason", "moving", "--for", "8h", "--recipient", "bo")
    anna, bo = previews(desk)
    assert (anna["state"], bo["state"]) == ("pending", "suppressed")
    assert bo["reason"].endswith("moving")


def test_steps_of_an_escalation_follow_with_their_words_and_time(office):
    steps = "escalate: [{after: 15m, notify: bo, via: [sms, voice]}]"
    rules(office, rule=f"notify: anna, via: sms, {steps}", bo={"voice": BO})
    first, by_sms, by_voice = previews(office)
    assert (first["kind"], first["recipient"]) == ("alert", "anna")
    assert (by_sms["kind"], by_sms["step"], by_sms["recipient"]) == ("escalation", 1, "bo")
    assert "Escalated: " in by_sms["text"]
    assert by_voice["channel"] == "voice"
    due = datetime.fromisoformat(by_sms["due_at"].replace("Z", "+00:00"))
    now = datetime.fromisoformat(first["due_at"].replace("Z", "+00:00"))
    assert due - now == timedelta(minutes=15)
    assert "pending, 15m later unless somebody acts" in office.run("preview", "large")


def test_a_rule_with_a_digest_shows_the_digest(office):
    rules(office, rule='notify: anna, via: email, digest: {daily: "16:30"}')
    [row] = previews(office)
    assert (row["kind"], row["subject"]) == ("digest", "1 larm")
    assert row["due_at"][14:16] == "30"
    assert "in the digest of " in office.run("preview", "large")


def test_what_cannot_be_decided_is_shown_as_its_owner_gets_it(office):
    rules(office, rule="notify: anna, via: sms, undecided: {notify: bo, via: email}")
    alert, owner = previews(office)
    assert (alert["kind"], owner["kind"]) == ("alert", "undecided")
    assert (owner["recipient"], owner["channel"]) == ("bo", "email")
    assert "cannot be decided" in owner["subject"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["larg"], "did you mean large?"),
        (["large", "--document", "404"], "the ledger has no supplier_invoice 404"),
        (["large", "--company", "X"], "the ledger has no supplier_invoice of X"),
        (["large", "--document", "1", "--sample"], "give either --sample or a document"),
    ],
)
def test_what_cannot_be_found_is_told_in_one_line(desk, arguments, said):
    told = desk.run("preview", *arguments, code=1)
    assert said in told
    assert len(told.splitlines()) == 1


def test_a_document_needs_a_ledger(office):
    rules(office)
    assert "there is no ledger" in office.run("preview", "large", "--document", "1", code=1)


def test_a_rule_that_is_not_enabled_is_shown_too(office):
    rules(office, rule="notify: anna, via: sms, enabled: false")
    assert len(previews(office)) == 1
