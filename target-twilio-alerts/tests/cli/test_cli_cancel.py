"""``twilio-alerts cancel``: what waits, or is held, is not sent, and the trail says why."""

from __future__ import annotations

import json
import signal
from dataclasses import replace

import pytest
from ledgers import ON_BOTH, copied
from singer import invoice
from waiting import until
from zygote import Step

RULES = """
  large: {entity: supplier_invoice, when: amount > 50000, notify: [anna, bo], via: sms}
  huge:
    entity: supplier_invoice
    when: amount > 90000
    notify: anna
    via: sms
    escalate: {after: 1m, notify: bo, via: sms}
"""
REASON = ("--reason", "the supplier called")


@pytest.fixture
def desk(office):
    """An office with a message of each rule and recipient that waits."""
    office.people(rules=RULES, anna={"sms": "+46701740605"}, bo={"sms": "+46701740606"})
    office.alert(invoice("1", 95000))
    return office


def states(office):
    return sorted((one["rule"], one["recipient"], one["state"]) for one in office.trail())


def events(office, kind):
    found = office.workplace.query(
        "SELECT body FROM audit_events WHERE kind = ? ORDER BY seq", kind
    )
    return [json.loads(body) for (body,) in found]


@ON_BOTH
@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--all"], []),
        (["--rule", "large"], ["huge"]),
        (["--recipient", "bo"], ["huge", "large"]),
        (["--rule", "large", "--recipient", "anna"], ["huge", "large"]),
    ],
)
def test_what_is_cancelled_is_never_sent_and_the_trail_says_who_and_why(desk, arguments, kept):
    told = desk.run("cancel", *arguments, *REASON, "--by", "Petra")
    number = 3 - len(kept)
    assert told == f"{number} message{'' if number == 1 else 's'} cancelled\n"
    desk.run("deliver")
    assert len(desk.workplace.accepted) == len(kept)
    left = [one for one in desk.trail() if one["state"] == "suppressed"]
    assert {one["error"] for one in left} == {"cancelled by Petra: the supplier called"}
    assert len(left) == number
    for body in events(desk, "message_cancelled"):
        assert (body["by"], body["reason"]) == ("Petra", "the supplier called")
        assert body["operator"]
    assert "ok     " in desk.run("audit", "verify")


def test_by_its_id_one_message_is_cancelled_and_the_others_go(desk):
    message = desk.trail("--rule", "huge")[0]["message"]
    assert desk.run("cancel", message.lower(), *REASON, "--dry-run") == (
        "1 message would be cancelled\n"
    )
    assert [state for *_, state in states(desk)] == ["pending"] * 3
    desk.run("cancel", message, *REASON)
    desk.run("deliver")
    assert states(desk)[0] == ("huge", "anna", "suppressed")
    assert len(desk.workplace.accepted) == 2


def test_what_the_flood_brake_holds_is_cancelled_and_released_no_more(desk):
    desk.people(
        rules=f"{RULES}limits: {{per_recipient: 1}}\n",
        anna={"sms": "+46701740605"},
        bo={"sms": "+46701740606"},
    )
    desk.alert(invoice("2", 60000))
    held = [one for one in desk.trail() if (one["error"] or "").startswith("flood brake")]
    assert held
    desk.run("cancel", *(one["message"] for one in held), *REASON)
    assert "0 messages released" in desk.run("release", "--all", "--reason", "after all")
    assert "ok     " in desk.run("audit", "verify")


def test_an_alert_that_nobody_is_told_of_by_that_is_not_escalated(desk):
    desk.run("cancel", "--rule", "huge", *REASON)
    desk.workplace.query("UPDATE escalations SET due_at = '2026-01-01T00:00:00.000000Z'")
    desk.run("deliver")
    assert [body["reason"] for body in events(desk, "escalation_ended")] == ["cancelled"]
    assert [row for row in states(desk) if row[0] == "huge"] == [("huge", "anna", "suppressed")]


def test_what_was_cancelled_by_mistake_is_sent_again_by_its_id(desk):
    message = desk.trail("--rule", "huge")[0]["message"]
    desk.run("cancel", message, *REASON)
    desk.run("resend", message, "--reason", "a mistake", "--yes")
    assert [one["state"] for one in desk.trail("--rule", "huge")] == ["suppressed", "accepted"]


def test_explain_says_that_it_was_cancelled(desk):
    desk.run("cancel", "--rule", "huge", *REASON)
    told = desk.run("explain", "supplier_invoices", "1", "--rule", "huge", "--json")
    [rule] = json.loads(told)["rules"]
    assert rule["stage"] == "cancelled"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([*REASON], "name messages, or give --rule, --recipient or --all"),
        (["--all", "--reason", " "], "--reason is empty; say why"),
        (["NOBODY", *REASON], "no message NOBODY in the ledger"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(desk, arguments, said):
    told = desk.run("cancel", *arguments, code=1)
    assert said in told
    assert len(told.splitlines()) == 1


def test_what_was_sent_is_not_cancelled_and_nothing_else_that_was_named_either(desk):
    sent, other = (desk.trail("--rule", rule)[0]["message"] for rule in ("large", "huge"))
    desk.workplace.query("UPDATE messages SET state = 'claimed' WHERE id = ?", sent)
    told = desk.run("cancel", other, sent, *REASON, code=1)
    assert f"message {sent} is claimed; only what is pending" in told
    assert desk.trail("--rule", "huge")[0]["state"] == "pending"
    desk.run("cancel", "--all", *REASON)
    found = sorted(state for *_, state in states(desk))
    assert found == ["claimed", "suppressed", "suppressed"]


@ON_BOTH
def test_wherever_a_delivery_is_a_message_is_sent_or_cancelled_never_both(desk, zygote, databases):
    counted = set()
    for number in range(1, 60):
        root = desk.root / str(number)
        root.mkdir()
        url = copied(desk.config["ledger_url"], root, databases)
        alerts_file = str(desk.root / "alerts.yml")
        config = {**desk.config, "alerts_file": alerts_file, "ledger_url": url}
        place = replace(desk.workplace, root=root, config={**config, "max_in_flight": 1})
        step = Step("checkin", number, signal=signal.SIGSTOP)
        before = len(desk.workplace.accepted)
        delivery = zygote.command(place, "deliver", die=step)
        until(lambda one=delivery: one.has_ended() or one.is_stopped())
        if delivery.has_ended():
            break
        (root / "second").mkdir()
        cancel = zygote.command(replace(place, root=root / "second"), "cancel", "--all", *REASON)
        assert cancel.wait().code == 0
        delivery.go_on()
        assert delivery.wait().code == 0
        found = [state for (state,) in place.query("SELECT state FROM messages")]
        sent = len(desk.workplace.accepted) - before
        assert sent == found.count("accepted") + found.count("sent") + found.count("delivered")
        assert sent + found.count("suppressed") == 3
        counted.add(sent)
    assert {0, 3} <= counted
