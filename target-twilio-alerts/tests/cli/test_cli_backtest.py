"""``twilio-alerts backtest``: what rules would have told of the past; nothing is sent or kept."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta

import pytest
from readme import undocumented
from singer import invoice, line, record, schema

ANNA, BO = "+46701740605", "+46701740606"
RULES = """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: ap-team
    via: sms
  quiet:
    entity: supplier_invoice
    when: amount > 1_000_000
    notify: anna
    via: sms
limits: {per_rule: 100, prices: prices.csv}
timezone: Europe/Stockholm
"""
PEOPLE = {
    "anna": {"sms": ANNA, "email": "anna@example.com"},
    "bo": {"sms": BO, "email": "bo@example.com"},
}


@pytest.fixture
def desk(office):
    (office.root / "prices.csv").write_text(
        "channel,country,price\nsms,SE,0.05\nemail,*,0.001\n", encoding="utf-8"
    )
    office.people(rules=RULES, **PEOPLE)
    return office


def rules(office, text, **people):
    """Other rules, about supplier invoices."""
    office.people(rules=f"{text}\ntimezone: Europe/Stockholm\n", **(PEOPLE | people))


def write(office, *rows, name="past.singer"):
    path = office.root / name
    path.write_text(schema() + "".join(record(row) for row in rows), encoding="utf-8")
    return str(path)


def played(office, *arguments):
    """All that is told for programs, of the alerts file itself."""
    [one] = json.loads(office.run("backtest", *arguments, "--json"))["played"]
    return one


def told(office, *arguments):
    """Week, kind, rule, recipient and number of messages of what was told."""
    names = ("week", "kind", "rule", "recipient", "messages")
    return [tuple(row[name] for name in names) for row in played(office, *arguments)["told"]]


def test_a_file_is_told_by_rule_recipient_and_week_with_segments_and_cost(desk):
    path = write(
        desk,
        invoice("1", 75000, stamp="2026-11-02T10:00:00"),
        invoice("2", 75000, stamp="2026-11-17T10:00:00"),
        invoice("3", 75000, stamp="2026-11-18T10:00:00"),
        invoice("4", 10, stamp="2026-11-18T10:00:00"),
    )
    one = played(desk, path)
    large, quiet = one["rules"]
    assert large["weeks"] == {"2026-W45": 1, "2026-W47": 2}
    assert large["outcomes"] == {"no_match": 1, "alert": 3}
    assert (quiet["rule"], quiet["alerts"], quiet["weeks"]) == ("quiet", 0, {})
    assert [(row["week"], row["recipient"], row["messages"]) for row in one["told"]] == [
        ("2026-W45", "anna", 1),
        ("2026-W45", "bo", 1),
        ("2026-W47", "anna", 2),
        ("2026-W47", "bo", 2),
    ]
    assert one["totals"] == {
        "alerts": 3,
        "messages": 6,
        "suppressed": 0,
        "held": 0,
        "segments": 6,
        "unpriced": 0,
        "cost": "0.3",
    }
    assert not desk.workplace.accepted
    assert not desk.workplace.ledger_path.exists()


def test_json_has_one_shape(desk):
    path = write(desk, invoice("1", 75000), invoice("2", 75000, lastModifiedDateTime=None))
    all_of_it = json.loads(desk.run("backtest", path, "--json"))
    assert undocumented("backtest", all_of_it) == set()
    assert all_of_it.keys() == {"played", "difference"}
    assert all_of_it["difference"] is None
    [one] = all_of_it["played"]
    assert list(one) == [
        "alerts_file",
        "records",
        "from",
        "to",
        "rules",
        "told",
        "totals",
        "assumed",
        "notes",
    ]
    assert (one["alerts_file"], one["records"]) == ("alerts.yml", 2)
    assert (one["from"], one["to"]) == ("2026-11-20T10:00:00+01:00", "2026-11-20T12:00:00+01:00")
    assert list(one["rules"][0]) == ["rule", "alerts", "weeks", "outcomes"]
    assert one["told"][0] == {
        "week": "2026-W47",
        "kind": "alert",
        "rule": "large",
        "recipient": "anna",
        "channel": "sms",
        "alerts": 2,
        "messages": 2,
        "suppressed": 0,
        "held": 0,
        "segments": 2,
        "cost": "0.1",
        "unpriced": 0,
    }
    assert one["assumed"][0] == (
        "1 record came when the stamp says that it was changed; 1 record came at noon of the "
        "date, since there is no stamp; stamps without a zone are of Europe/Stockholm"
    )
    assert any("every five minutes" in text for text in one["assumed"])
    assert any("nobody acknowledged" in text for text in one["assumed"])


def test_a_spreadsheet_has_a_line_for_each_week_rule_recipient_and_channel(desk):
    path = write(desk, invoice("1", 75000))
    lines = desk.run("backtest", path, "--format", "csv").splitlines()
    table = [one for one in lines if one.startswith(("alerts_file,", "alerts.yml,"))]
    rows = list(csv.DictReader(table))
    assert [row["recipient"] for row in rows] == ["anna", "bo"]
    assert rows[0]["alerts_file"] == "alerts.yml"
    assert rows[0]["cost"] == "0.05"


def test_records_are_played_in_the_order_of_their_stamps(desk):
    rows = [
        invoice("1", 75000, stamp="2026-11-18T10:00:00"),
        invoice("1", 10, stamp="2026-11-17T10:00:00"),
        invoice("1", 80000, stamp="2026-11-16T10:00:00"),
    ]
    outcomes = played(desk, write(desk, *rows))["rules"][0]["outcomes"]
    assert outcomes == {"alert": 2, "no_match": 1}


def test_a_version_is_decided_on_the_day_of_its_stamp(desk):
    rules(
        desk, "\n  late: {entity: supplier_invoice, when: due_date < today, notify: bo, via: sms}"
    )
    early = invoice("1", 1, stamp="2026-12-19T10:00:00")
    late = invoice("2", 1, stamp="2026-12-21T10:00:00")
    assert played(desk, write(desk, early))["rules"][0]["alerts"] == 0
    assert played(desk, write(desk, late))["rules"][0]["alerts"] == 1


def test_what_time_alone_brings_is_told_on_its_day(desk):
    rules(
        desk,
        "\n  late: {entity: supplier_invoice, when: due_date < today, notify: bo, via: sms}",
        bo={"sms": BO, "quiet_hours": {"from": "20:00", "to": "07:00"}},
    )
    rows = [
        invoice("1", 1, stamp="2026-11-02T10:00:00", dueDate="2026-11-22T00:00:00"),
        invoice("2", 1, stamp="2026-11-02T10:00:00", dueDate="2026-11-23T00:00:00"),
        invoice(
            "2", 1, stamp="2026-11-20T10:00:00", dueDate="2026-11-23T00:00:00", status="Closed"
        ),
        invoice("3", 1, stamp="2026-12-01T10:00:00"),
    ]
    one = played(desk, write(desk, *rows))
    # Due on Sunday, so late from Monday on; of those that were paid or are due later, none is.
    assert one["rules"][0]["weeks"] == {"2026-W48": 1}
    assert one["told"][0]["week"] == "2026-W48"


def test_a_digest_is_told_when_it_is_due_and_counts_once(desk):
    digest = "notify: ap-team, via: email, digest: {weekly: mon 08:00}"
    rules(
        desk,
        f"""
  large: {{entity: supplier_invoice, when: amount > 50000, {digest}}}
  huge: {{entity: supplier_invoice, when: amount > 70000, {digest}}}
limits: {{prices: prices.csv}}""",
    )
    rows = [
        invoice("1", 75000, stamp="2026-11-17T10:00:00"),
        invoice("2", 60000, stamp="2026-11-18T10:00:00"),
    ]
    assert told(desk, write(desk, *rows)) == [
        ("2026-W48", "digest", None, "anna", 1),
        ("2026-W48", "digest", None, "bo", 1),
        ("2026-W48", "in digest", "huge", "anna", 0),
        ("2026-W48", "in digest", "huge", "bo", 0),
        ("2026-W48", "in digest", "large", "anna", 0),
        ("2026-W48", "in digest", "large", "bo", 0),
    ]
    one = played(desk, write(desk, *rows))
    assert [row["alerts"] for row in one["told"]] == [0, 0, 1, 1, 2, 2]
    assert (one["totals"]["messages"], one["totals"]["cost"]) == (2, "0.002")
    table = desk.run("backtest", write(desk, *rows))
    assert "(digests)" in table
    assert "in_digests" in table


def test_steps_of_an_escalation_are_told_as_if_nobody_acted(desk):
    rules(
        desk,
        """
  large:
    entity: supplier_invoice
    when: amount > 50000
    notify: anna
    via: sms
    escalate: [{after: 1h, notify: bo, via: sms}, {after: 3d, notify: bo, via: email}]""",
    )
    path = write(desk, invoice("1", 75000, stamp="2026-11-20T10:00:00"))
    assert told(desk, path) == [
        ("2026-W47", "alert", "large", "anna", 1),
        ("2026-W47", "escalation", "large", "bo", 1),
        ("2026-W48", "escalation", "large", "bo", 1),
    ]


def test_quiet_hours_and_duty_are_those_of_the_moment(desk):
    rules(
        desk,
        """
  large: {entity: supplier_invoice, when: amount > 50000, notify: on-duty, via: sms}
rotations: {on-duty: {start: 2026-11-16, members: [anna, bo]}}""",
        bo={"sms": BO, "quiet_hours": {"from": "20:00", "to": "07:00", "do": "drop"}},
    )
    path = write(
        desk,
        invoice("1", 75000, stamp="2026-11-17T22:00:00"),
        invoice("2", 75000, stamp="2026-11-24T10:00:00"),
        invoice("3", 75000, stamp="2026-11-24T22:00:00"),
    )
    rows = played(desk, path)["told"]
    assert [(one["recipient"], one["messages"], one["suppressed"]) for one in rows] == [
        ("anna", 1, 0),
        ("bo", 1, 1),
    ]


def test_what_the_flood_brake_would_have_held_is_told(desk):
    desk.people(
        rules=RULES.replace("per_rule: 100", "per_rule: 100, notify: bo, via: email"), **PEOPLE
    )
    rows = [invoice(str(number), 75000) for number in range(120)]
    one = played(desk, write(desk, *rows))
    assert one["rules"][0]["alerts"] == 120
    assert one["totals"]["held"] == 140
    assert one["totals"]["messages"] == 101
    assert [row["recipient"] for row in one["told"] if row["kind"] == "flood brake"] == ["bo"]
    out = desk.run("backtest", write(desk, *rows))
    assert "(flood brake)" in out
    assert "twilio-alerts release" not in out


def test_rates_of_the_file_itself_decide_amounts(desk):
    rules(
        desk,
        """
  kronor: {entity: supplier_invoice, when: amount_in("SEK") > 50000, notify: bo, via: sms}
rates: {type: SPOT}""",
    )
    rate = {
        "rateType": "SPOT",
        "fromCurrencyId": "EUR",
        "toCurrencyId": "SEK",
        "effectiveDate": "2026-11-10T00:00:00",
        "rate": 11,
        "multDiv": "Multiply",
        "company": "Testbolaget AB",
        "tenant_id": "1",
    }
    rows = invoice("1", 6000, currencyId="EUR"), invoice("2", 6000, currencyId="NOK")
    path = write(desk, *rows)
    assert played(desk, path)["rules"][0]["outcomes"] == {"undecided": 2}
    with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 - to add to it
        file.write(line({"type": "RECORD", "stream": "currency_rates", "record": rate}))
    one = played(desk, path)
    assert one["rules"][0]["outcomes"] == {"alert": 1, "undecided": 1}
    assert "rule kronor could not decide 1 record: a value or a rate is missing" in one["notes"]


def test_the_ledgers_own_past_is_decided_anew(desk):
    desk.alert(invoice("1", 75000), invoice("2", 10))
    desk.alert(invoice("2", 75000, stamp="2026-11-21T10:00:00"))
    assert played(desk, "--since", "2026-01-01")["rules"][0]["alerts"] == 2
    later = (date.today() + timedelta(days=2)).isoformat()  # noqa: DTZ011 - any day to come
    assert played(desk, "--since", later)["rules"][0]["alerts"] == 0


def test_what_was_a_baseline_in_the_ledger_is_none_in_its_past(desk):
    desk.baseline(invoice("1", 75000))
    desk.alert(invoice("1", 76000, stamp="2026-11-21T10:00:00"))
    assert played(desk, "--since", "2026-01-01")["rules"][0]["outcomes"] == {
        "already_true": 1,
        "baseline": 1,
    }


def test_without_a_ledger_there_is_no_past(desk):
    assert "there is no ledger" in desk.run("backtest", "--since", "2026-01-01", code=1)
    assert not desk.workplace.ledger_path.exists()


def test_two_versions_of_the_alerts_file_are_compared(desk):
    path = write(desk, invoice("1", 75000), invoice("2", 60000), invoice("3", 1_500_000))
    text = (desk.root / "alerts.yml").read_text(encoding="utf-8")
    stricter = text.replace("> 50000", "> 70000").replace("  quiet:", "  million:")
    (desk.root / "stricter.yml").write_text(stricter, encoding="utf-8")
    against = ["--against", str(desk.root / "stricter.yml")]
    all_of_it = json.loads(desk.run("backtest", path, *against, "--json"))
    assert [one["alerts_file"] for one in all_of_it["played"]] == ["alerts.yml", "stricter.yml"]
    difference = all_of_it["difference"]
    assert undocumented("backtest", all_of_it) == set()
    assert difference["rules"] == [
        {"rule": "large", "now": 3, "against": 2, "both": 2, "only_now": 1, "only_against": 0},
        {"rule": "quiet", "now": 1, "against": None, "both": 0, "only_now": 1, "only_against": 0},
        {"rule": "million", "now": None, "against": 1, "both": 0, "only_now": 0, "only_against": 1},
    ]
    only_now = [(one["rule"], one["document"]) for one in difference["only_now"]]
    assert only_now == [
        ("large", "Supplier invoice Invoice 2"),
        ("quiet", "Supplier invoice Invoice 3"),
    ]
    assert [one["rule"] for one in difference["only_against"]] == ["million"]
    assert difference["totals"]["alerts"] == 1
    assert difference["totals"]["messages"] == 2
    assert difference["totals"]["cost"] == "0.1"
    told = desk.run("backtest", path, *against)
    assert (
        "large, only now:\n  Supplier invoice Invoice 2, 2026-11-20: amount 60000 > 50000" in told
    )
    assert "only stricter.yml:" not in told
    assert "Now against stricter.yml: alerts +1, messages +2, segments +2, cost +0.1" in told


def test_two_files_that_tell_the_same_say_so(desk):
    path = write(desk, invoice("1", 75000))
    told = desk.run("backtest", path, "--against", str(desk.root / "alerts.yml"))
    assert "Both tell the same." in told
    assert "only now:" not in told


def test_people_read_tables_and_what_was_assumed(desk):
    told = desk.run("backtest", write(desk, invoice("1", 75000)))
    assert "busiest_week" in told
    assert "2026-W47: 1" in told
    assert "escalations" not in told
    assert "alerts.yml: 1 record from 2026-11-20 to 2026-11-20" in told
    assert "Assumed: a run came every five minutes" in told


def test_a_rule_whose_stream_is_not_in_the_file_is_named(desk):
    rules(desk, "\n  order: {entity: purchase_order, when: amount > 1, notify: bo, via: sms}")
    notes = played(desk, write(desk, invoice("1", 75000)))["notes"]
    assert notes[0].startswith("Rule order had nothing to decide: the tap brought no stream purch")


def test_what_cannot_be_read_is_counted(desk):
    path = write(desk, invoice("1", 75000), {"amount": 1})
    with open(path, "a", encoding="utf-8") as file:  # noqa: PTH123 - to add to it
        file.write(line({"type": "RECORD", "stream": "widgets", "record": {"id": 1}}))
    notes = played(desk, path)["notes"]
    assert notes == [
        "1 record could not be read, or not in whole",
        "1 record of widgets, which is no entity of the alerts file",
    ]


def test_an_empty_file_has_nothing_to_tell(desk):
    one = played(desk, write(desk))
    assert (one["records"], one["from"], one["told"]) == (0, None, [])
    assert "alerts.yml: 0 records\n" in desk.run("backtest", write(desk))
