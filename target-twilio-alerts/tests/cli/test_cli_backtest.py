"""``twilio-alerts backtest``: what rules would have told of the past; nothing is sent or kept."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from singer import baseline, invoice, record, schema

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


@pytest.fixture
def desk(office):
    (office.root / "prices.csv").write_text("channel,country,price\nsms,SE,0.05\n")
    office.people(rules=RULES, anna={"sms": ANNA}, bo={"sms": BO})
    return office


def write(office, *rows, name="past.singer"):
    path = office.root / name
    path.write_text(schema() + "".join(record(row) for row in rows), encoding="utf-8")
    return str(path)


def played(office, *arguments):
    told = office.run("backtest", *arguments, "--format", "jsonl")
    return [json.loads(line) for line in told.splitlines() if line.startswith("{")]


def test_a_file_is_told_by_rule_recipient_and_week_with_segments_and_cost(desk):
    path = write(
        desk,
        invoice("1", 75000, stamp="2026-11-02T10:00:00"),
        invoice("2", 75000, stamp="2026-11-17T10:00:00"),
        invoice("3", 75000, stamp="2026-11-18T10:00:00"),
        invoice("4", 10, stamp="2026-11-18T10:00:00"),
    )
    large, _, quiet = played(desk, path)
    assert (large["rule"], large["alerts"], large["recipient"]) == ("large", "3", "anna")
    assert large["busiest_week"] == "2026-W47: 2"
    assert (large["messages"], large["segments"], large["cost"]) == ("3", "3", "0.15")
    assert (quiet["rule"], quiet["alerts"], quiet["recipient"]) == ("quiet", "0", None)
    assert not desk.workplace.accepted
    assert not desk.workplace.ledger_path.exists()


def test_a_version_is_decided_on_the_day_of_its_stamp(desk):
    rules = RULES.replace("amount > 50000", "due_date < today")
    desk.people(rules=rules, anna={"sms": ANNA}, bo={"sms": BO})
    early = invoice("1", 1, stamp="2026-12-19T10:00:00")
    late = invoice("2", 1, stamp="2026-12-21T10:00:00")
    assert played(desk, write(desk, early))[0]["alerts"] == "0"
    assert played(desk, write(desk, late))[0]["alerts"] == "1"


def test_what_the_flood_brake_would_have_held_is_told(desk):
    rows = [invoice(str(number), 75000) for number in range(120)]
    anna, bo, _ = played(desk, write(desk, *rows))
    assert anna["alerts"] == "120"
    assert int(anna["messages"]) + int(bo["messages"]) == 100
    assert int(anna["held"]) + int(bo["held"]) == 140


def test_the_ledgers_own_past_is_decided_anew(desk):
    desk.alert(invoice("1", 75000), invoice("2", 10))
    desk.alert(invoice("2", 75000, stamp="2026-11-21T10:00:00"))
    assert played(desk, "--since", "2026-01-01")[0]["alerts"] == "2"
    later = (date.today() + timedelta(days=2)).isoformat()  # noqa: DTZ011 - any day to come
    assert played(desk, "--since", later)[0]["alerts"] == "0"


def test_two_versions_of_the_alerts_file_are_compared(desk):
    path = write(desk, invoice("1", 75000), invoice("2", 60000))
    text = (desk.root / "alerts.yml").read_text(encoding="utf-8")
    (desk.root / "stricter.yml").write_text(text.replace("> 50000", "> 70000"), encoding="utf-8")
    rows = played(desk, path, "--against", str(desk.root / "stricter.yml"))
    counted = {(row["file"], row["rule"]): row["alerts"] for row in rows}
    assert counted["now", "large"] == "2"
    assert counted["stricter.yml", "large"] == "1"


def test_people_read_a_table(desk):
    told = desk.run("backtest", write(desk, invoice("1", 75000)))
    assert "busiest_week" in told
    assert "alerts.yml: 1 records" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json\n", "past.singer: line 1 of the input is not JSON"),
        ('{"type": "RECORD", "record": {}}\n', "lacks stream"),
    ],
)
def test_a_file_that_is_no_singer_stream_is_told_in_one_line(desk, text, said):
    path = desk.root / "past.singer"
    path.write_text(text, encoding="utf-8")
    assert said in desk.run("backtest", str(path), code=1)


def test_it_wants_a_file_or_a_day(desk):
    assert "give either a file" in desk.run("backtest", code=1)
    path = desk.root / "past.singer"
    path.write_text(baseline(), encoding="utf-8")
    assert "give either" in desk.run("backtest", str(path), "--since", "2026-01-01", code=1)
