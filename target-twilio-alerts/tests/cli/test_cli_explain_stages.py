"""``twilio-alerts explain`` names what stopped an alert, or its messages."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from explaining import ANNA, BIG, BO, big, explained, stage, stories
from readme import undocumented
from singer import invoice

from target_twilio_alerts.ledger import Ledger, opt_outs
from target_twilio_alerts.ledger.opt_outs import OptOut, hash_of


def test_what_was_there_before_the_first_run_is_a_baseline(office):
    big(office)
    office.baseline(invoice("1", 75000))
    assert stage(office)[0] == "baseline"


def test_what_is_older_than_the_rule_allows_is_too_old(office):
    big(office, rule="notify: anna, via: sms, max_age: 30d")
    office.alert(invoice("1", 75000, date="2020-01-01T00:00:00"))
    found, said = stage(office)
    assert found == "too_old"
    assert said.startswith("its date 2020-01-01 is more than 30 days ago")


def test_what_lacks_a_value_is_undecided_and_says_what(office):
    big(office, rule="notify: anna, via: sms, undecided: {notify: bo, via: sms}")
    office.alert(invoice("1", None))
    assert stage(office) == ("undecided", "cannot be decided: amount is null")
    [alert] = stories(office, "1")["big"]["alerts"]
    assert (alert["kind"], alert["stage"]) == ("undecided", "on_its_way")


def test_what_was_deleted_says_so(office):
    big(office, rule='notify: anna, via: sms, companies: "Testbolaget AB"')
    office.alert(invoice("1", 10))
    office.baseline(invoice("1", 10) | {"_sdc_deleted_at": "2026-11-21T10:00:00Z"})
    assert stage(office) == ("deleted", "the tap has told that it is gone")


def test_a_rule_that_is_new_or_changed_waits_for_its_first_run(office):
    big(office)
    office.alert(invoice("1", 40000))
    office.people(
        rules="\n  big: {entity: supplier_invoice, when: amount > 3, notify: anna, via: sms}\n",
        anna={"sms": ANNA},
    )
    assert stage(office)[0] == "next_run"
    office.baseline()
    found, said = stage(office)
    assert found == "already_true"
    assert said.startswith("it was true already when the rule began")


def test_what_time_has_made_true_waits_for_the_next_run(office):
    office.people(
        rules="""
  late: {entity: supplier_invoice, when: due_date < today, notify: anna, via: sms}
timezone: Europe/Stockholm
""",
        anna={"sms": ANNA},
    )
    office.alert(invoice("1", 10, dueDate="2020-01-01T00:00:00"))
    # As on the day before it was due.
    office.workplace.query("UPDATE rule_epochs SET decided_on = '2020-01-01'")
    for table in ("message_contents", "messages", "alerts"):
        office.workplace.query(f"DELETE FROM {table}")
    assert stage(office, rule="late")[0] == "next_run"


def test_what_is_silenced_names_the_silence(office):
    big(office)
    office.run("silence", "add", "--reason", "moving", "--for", "8h", "--rule", "big")
    office.alert(invoice("1", 75000))
    found, said = stage(office)
    assert found == "silence"
    assert said.endswith("moving")
    assert "silence: silence " in office.run("explain", "supplier_invoices", "1")


@pytest.mark.parametrize(("do", "state"), [("hold", "pending"), ("drop", "suppressed")])
def test_what_comes_in_quiet_hours_waits_or_is_dropped(office, do, state):
    hour = datetime.now(timezone.utc).hour
    quiet = {"from": f"{hour:02}:00", "to": f"{(hour + 2) % 24:02}:00", "do": do}
    big(office, timezone="UTC", quiet_hours=quiet)
    office.alert(invoice("1", 75000))
    found, said = stage(office)
    assert (found, said[:11]) == ("quiet_hours", "quiet hours")
    [alert] = stories(office, "1")["big"]["alerts"]
    assert alert["messages"][0]["state"] == state


def test_who_is_away_without_a_deputy_is_not_told(office):
    # Two who are away on different days are away together, if it is never the same day for them.
    people = {}
    for name, zone, deputy in (
        ("anna", "Pacific/Kiritimati", "bo"),
        ("bo", "Pacific/Pago_Pago", "anna"),
    ):
        today = str(datetime.now(ZoneInfo(zone)).date())
        away = [{"from": today, "to": today, "deputy": deputy}]
        people[name] = {"timezone": zone, "away": away}
    office.people(
        rules=f"\n  big: {{{BIG}, notify: anna, via: sms}}\n",
        anna={"sms": ANNA, **people["anna"]},
        bo={"sms": BO, **people["bo"]},
    )
    office.alert(invoice("1", 75000))
    assert stage(office)[0] == "away"


def test_who_opted_out_is_not_told(office):
    big(office)
    office.alert()
    ledger = Ledger(office.config["ledger_url"])
    with ledger.write() as connection:
        since = datetime.now(timezone.utc)
        opt_outs.add(connection, OptOut("sms", hash_of("sms", ANNA), since, "M", "error 21610"))
    ledger.close()
    office.baseline(invoice("1", 75000))
    assert stage(office)[0] == "opted_out"


def test_what_the_flood_brake_holds_names_the_limit(office):
    big(office, more="limits: {per_rule: 1}\n")
    office.alert(invoice("1", 75000), invoice("2", 75000))
    assert stage(office, "1")[0] == "on_its_way"
    found, said = stage(office, "2")
    assert (found, said) == ("flood_brake", "flood brake: more than 1 of a rule in an hour")


def test_a_second_recipient_with_one_address_is_named(office):
    office.people(
        rules=f"\n  big: {{{BIG}, notify: ap-team, via: sms}}\n",
        anna={"sms": ANNA},
        bo={"sms": ANNA},
    )
    office.alert(invoice("1", 75000))
    [alert] = stories(office, "1")["big"]["alerts"]
    assert [one["stage"] for one in alert["messages"]] == ["on_its_way", "duplicate_address"]
    assert alert["stage"] == "on_its_way"


def test_what_waits_for_a_digest_says_until_when(office):
    big(office, rule='notify: anna, via: email, digest: {daily: "16:30"}')
    office.alert(invoice("1", 75000))
    found, said = stage(office)
    assert found == "digest"
    assert said.startswith("it waits for the digest of 20")
    assert "digest: it waits for" in office.run("explain", "supplier_invoices", "1")


def test_an_alert_of_a_digest_has_the_digest_as_its_message(office):
    big(office, rule='notify: anna, via: email, digest: {daily: "16:30"}')
    office.alert(invoice("1", 75000))
    past = "2020-01-01T00:00:00.000000Z"
    office.workplace.query("UPDATE digest_items SET due_at = ?", past)
    office.run("deliver")
    [alert] = stories(office, "1")["big"]["alerts"]
    assert alert["stage"] == "told"
    assert [one["channel"] for one in alert["messages"]] == ["email"]


def test_what_was_silenced_when_its_digest_was_due_says_so(office):
    big(office, rule='notify: anna, via: email, digest: {daily: "16:30"}')
    office.alert(invoice("1", 75000))
    office.run("silence", "add", "--reason", "moving", "--for", "8h", "--rule", "big")
    office.workplace.query("UPDATE digest_items SET due_at = ?", "2020-01-01T00:00:00.000000Z")
    office.run("deliver")
    assert stage(office) == ("silence", "it was silenced when its digest was due")


def test_steps_of_an_escalation_and_who_took_care_are_told(office):
    big(office, rule="notify: anna, via: sms, escalate: {after: 15m, notify: bo, via: sms}")
    office.alert(invoice("1", 75000))
    row = explained(office, "1")
    assert undocumented("explain", row) == set()
    [alert] = row["rules"][0]["alerts"]
    [step] = alert["steps"]
    assert (step["step"], step["state"], step["reason"]) == (1, "waiting", None)
    office.run("ack", alert["messages"][0]["message"], "--by", "Anna", "--reason", "x")
    [alert] = stories(office, "1")["big"]["alerts"]
    assert alert["steps"][0]["state"] == "ended"
    assert alert["acknowledged"] == "Anna"
    told = office.run("explain", "supplier_invoices", "1")
    assert "step 1: ended, due 20" in told
    assert "acknowledged by Anna" in told


def test_what_the_provider_refuses_is_not_taken(office):
    office.people(
        rules=f"\n  big: {{{BIG}, notify: anna, via: sms}}\n", anna={"sms": "+46701740696"}
    )
    office.alert(invoice("1", 75000))
    office.run("deliver")
    assert stage(office)[0] == "not_taken"


def test_what_waited_too_long_is_expired(office):
    big(office, rule="notify: anna, via: sms, validity_period: 30m")
    office.alert(invoice("1", 75000))
    office.workplace.query("UPDATE messages SET valid_until = ?", "2020-01-01T00:00:00.000000Z")
    office.run("deliver")
    assert stage(office) == ("expired", "validity period passed")
