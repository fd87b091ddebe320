"""``twilio-alerts silence``: what matches is recorded and tells nobody, until it ends."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from ledgers import ON_BOTH
from singer import COMPANY, invoice

RULES = """
  large-supplier-invoice:
    entity: supplier_invoice
    when: amount > 50000
    notify: ap-team
    via: sms
  held-invoice:
    entity: supplier_invoice
    when: on_hold
    notify: ap-team
    via: sms
"""
ANNA, BO = "+46701740605", "+46701740606"


@pytest.fixture
def team(office):
    office.people(rules=RULES, anna={"sms": ANNA}, bo={"sms": BO})
    return office


def states(office):
    return sorted((one["recipient"], one["rule"], one["state"]) for one in office.trail())


@ON_BOTH
def test_what_a_silence_covers_is_recorded_and_never_sent(team):
    made = team.run("silence", "add", "--rule", "held-invoice", "--for", "8h", "--reason", "audit")
    assert "nobody is told of rule held-invoice until" in made
    team.alert(invoice("1", 75000), invoice("2", 10, hold=True))
    team.run("deliver")
    assert states(team) == [
        ("anna", "held-invoice", "suppressed"),
        ("anna", "large-supplier-invoice", "accepted"),
        ("bo", "held-invoice", "suppressed"),
        ("bo", "large-supplier-invoice", "accepted"),
    ]
    silenced = next(one for one in team.trail() if one["state"] == "suppressed")
    name = made.partition(":")[0]
    shown = team.run("audit", "show", silenced["message"])
    assert f"silence {name} of " in shown
    assert ": audit" in shown


@pytest.mark.parametrize(
    ("matcher", "told"),
    [
        (("--recipient", "anna"), ["bo"]),
        (("--entity", "supplier_invoice"), []),
        (("--company", COMPANY), []),
        (("--company", "Dotterbolaget AB"), ["anna", "bo"]),
        (("--counterparty", "Kontorsbolaget AB"), []),
        (("--counterparty", "10017"), []),
        (("--counterparty", "10018"), ["anna", "bo"]),
        (("--counterparty", "10017", "--recipient", "bo"), ["anna"]),
        (("--rule", "held-invoice", "--recipient", "bo"), ["anna", "bo"]),
    ],
)
def test_it_covers_what_matches_all_that_it_names(team, matcher, told):
    team.run("silence", "add", *matcher, "--for", "2w", "--reason", "holiday")
    team.alert(invoice("1", 75000, supplier={"name": "Kontorsbolaget AB", "number": "10017"}))
    pending = [one["recipient"] for one in team.trail() if one["state"] == "pending"]
    assert sorted(pending) == told


def test_one_who_shares_a_silenced_address_is_told(office):
    office.people(anna={"sms": ANNA}, bo={"sms": ANNA})
    office.run("silence", "add", "--recipient", "anna", "--for", "8h", "--reason", "away")
    office.alert(invoice("1", 75000))
    assert {one["recipient"]: one["state"] for one in office.trail()} == {
        "anna": "suppressed",
        "bo": "pending",
    }


@ON_BOTH
def test_a_silence_that_was_ended_covers_nothing_more_and_stays_listed(team):
    made = team.run("silence", "add", "--rule", "held-invoice", "--for", "3d", "--reason", "move")
    name = made.partition(":")[0]
    assert name in team.run("silence", "list")
    team.run("silence", "end", name.lower(), "--reason", "moved")
    assert team.run("silence", "list") == "Nothing is silenced.\n"
    told = json.loads(team.run("silence", "list", "--all", "--format", "jsonl"))
    assert (told["silence"], told["state"], told["reason"]) == (name, "ended", "move")
    assert "silence,state" in team.run("silence", "list", "--format", "csv")
    team.alert(invoice("2", 10, hold=True))
    assert {one["state"] for one in team.trail()} == {"pending"}
    again = team.run("silence", "end", name, "--reason", "x", code=1)
    assert "there is no silence" in again
    kinds = [kind for (kind,) in team.workplace.query("SELECT kind FROM audit_events ORDER BY seq")]
    assert kinds[:2] == ["silence_added", "silence_ended"]


def test_a_silence_that_is_over_covers_nothing(team):
    team.run("silence", "add", "--rule", "held-invoice", "--for", "8h", "--reason", "x")
    past = datetime.now(timezone.utc) - timedelta(seconds=1)
    team.workplace.query("UPDATE silences SET ends_at = ?", past.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    team.alert(invoice("2", 10, hold=True))
    assert {one["state"] for one in team.trail()} == {"pending"}


def test_until_is_in_the_zone_of_the_alerts_file(team):
    path = team.root / "alerts.yml"
    path.write_text("timezone: Europe/Stockholm\n" + path.read_text(), encoding="utf-8")
    day = (datetime.now(timezone.utc) + timedelta(days=40)).replace(month=1, day=15, hour=0)
    day = day.replace(year=day.year + (1 if day < datetime.now(timezone.utc) else 0))
    made = team.run(
        "silence", "add", "--rule", "held-invoice", "--until", f"{day:%Y-%m-%d}", "--reason", "x"
    )
    before = day - timedelta(days=1)
    assert f"until {before:%Y-%m-%d}T23:00:00" in made


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--for", "8h"), "nothing to match; give one of --rule, --entity"),
        (("--rule", "held", "--for", "8h"), "file has no rule held; did you mean held-invoice?"),
        (("--recipient", "ana", "--for", "8h"), "did you mean anna?"),
        (
            ("--entity", "ledger", "--for", "8h"),
            "the alerts file has no entity ledger; there are: supplier_invoice",
        ),
        (("--rule", "held-invoice"), "give either --for or --until"),
        (("--rule", "held-invoice", "--for", "8h", "--until", "2026-12-01"), "give either --for"),
        (("--rule", "held-invoice", "--for", "long"), "--for long is no span"),
        (("--rule", "held-invoice", "--for", "99999w"), "a silence ends in the future, within a"),
        (("--rule", "held-invoice", "--until", "2020-01-01"), "a silence ends in the future"),
        (("--rule", "held-invoice", "--for", "8h", "--reason", " "), "--reason is empty"),
    ],
)
def test_a_silence_that_would_do_nothing_or_last_for_ever_is_refused(team, given, told):
    ended = team.run("silence", "add", "--reason", "x", *given, code=1)
    assert told in ended
