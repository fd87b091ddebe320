"""``twilio-alerts explain``: what each rule says of a document, and what stopped its messages."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from readme import undocumented
from singer import COMPANY, KEY, invoice, record, schema

from target_twilio_alerts.ledger import Ledger, opt_outs
from target_twilio_alerts.ledger.opt_outs import OptOut, hash_of
from target_twilio_alerts.rehearsal.stages import Stage, stage_of

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
BIG = "entity: supplier_invoice, when: amount > 50000"


@pytest.fixture
def desk(office):
    office.people(rules=RULES, anna={"sms": ANNA}, bo={"sms": BO})
    office.alert(invoice("1", 75000, balance=None), invoice("2", 10))
    return office


def big(office, rule="notify: anna, via: sms", more="", **anna):
    """One rule, and Anna whom it tells."""
    office.people(
        rules=f"\n  big: {{{BIG}, {rule}}}\n{more}timezone: Europe/Stockholm\n",
        anna={"sms": ANNA, "email": "anna@example.com", **anna},
        bo={"sms": BO, "email": "bo@example.com"},
    )


def explained(office, number, *arguments, code=0):
    out = office.run("explain", "supplier_invoices", number, "--json", *arguments, code=code)
    return json.loads(out.splitlines()[-1])


def stories(office, number, *arguments):
    return {story["rule"]: story for story in explained(office, number, *arguments)["rules"]}


def stage(office, number="1", *arguments, rule="big"):
    """Where the rule's story ended, and more of that in words."""
    story = stories(office, number, *arguments)[rule]
    return story["stage"], story["said"]


def tap_output(office, *rows):
    path = office.root / "tap.singer"
    path.write_text(schema() + "".join(record(row) for row in rows), encoding="utf-8")
    return str(path)


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
    office.run("ack", alert["messages"][0]["message"], "--by", "Anna")
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
