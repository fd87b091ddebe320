"""Streams of other taps: alerts.yml says what their records are, and rules name them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from target_twilio_alerts.documents import Combine, Kind
from target_twilio_alerts.ledger import runs, versions
from target_twilio_alerts.rules import load_alerts

DATA = Path(__file__).parent / "data"

ALERTS = """\
timezone: Europe/Stockholm
entities:
  deal:
    stream: deals
    stamp: updatedAt
    final: [closedwon, closedlost]
    fields:
      number: {from: id}
      counterparty: {from: company.name}
      amount: {from: properties.amount, type: number}
      currency: {from: properties.deal_currency_code}
      status: {from: properties.dealstage}
      date: {from: properties.closedate, type: date}
      description: {from: properties.dealname}
      articles: {from: "line_items[].sku", type: list}
  charge:
    stream: charges
    read_whole: run
    fields:
      number: {from: id}
      counterparty: {from: customer_name}
      amount: {from: amount_due, type: number, decimals: 2}
      currency: {from: currency}
      status: {from: status}
      date: {from: created, type: date}
      tax_rate: {from: tax_rate, type: number}
recipients:
  anna: {name: Anna Berg, sms: "+46701740605"}
rules:
  deal-won:
    entity: deal
    when: status == "closedwon" and previous.status != "closedwon" and amount > 1000
    notify: anna
    via: sms
  large-deal:
    entity: deal
    when: amount >= 1000000.10 and "CHAIR" in articles and date < today + days(9999)
    notify: anna
    via: sms
  large-charge:
    entity: charge
    when: amount == 1234567.89 and tax_rate == 0.25 and date > today - days(9999)
    notify: anna
    via: sms
"""


def taken(name):
    return (DATA / name).read_text(encoding="utf-8")


@pytest.fixture
def foreign(workplace):
    workplace.write_alerts(ALERTS)
    return workplace


def test_another_taps_output_alerts_by_the_companys_own_words(foreign):
    first = foreign.run(taken("foreign-first.singer"))
    assert foreign.accepted == []
    assert "Rule large-charge: 1 baseline" in first.stderr
    second = foreign.run(taken("foreign-second.singer"))
    texts = sorted(message.body.partition(" Ref ")[0] for message in foreign.accepted)
    assert texts == [
        (
            "Deal 1 changed, Acme Nordic AB, status contractsent -> closedwon, 250,000.00 SEK, "
            '"Kontorsmöbler Öst", rule deal-won.'
        ),
        "New charge in_2, Gamma GmbH, 1,234,567.89 eur, status open, rule large-charge.",
        (
            'New deal 3, Acme Nordic AB, 1,000,000.10 SEK, status contractsent, "Flygel åt Malmö", '
            "rule large-deal."
        ),
    ]
    assert "Rule large-deal: 1 alert, 2 no match, 1 undecided" in second.stderr
    foreign.run(taken("foreign-second.singer"))
    assert len(foreign.accepted) == 3


def test_a_value_that_cannot_be_read_is_recorded(foreign):
    foreign.run(taken("foreign-first.singer"))
    foreign.run(taken("foreign-second.singer"))
    ((problem,),) = foreign.query("SELECT problem FROM malformed_records")
    assert problem == "amount is text where a number was expected"


def test_a_full_table_that_broke_off_is_no_baseline_yet(foreign):
    *lines, _ = taken("foreign-first.singer").splitlines(keepends=True)
    broken = foreign.run("".join(lines))
    assert foreign.query("SELECT stream FROM complete_reads") == [("deals",)]
    assert "Rule large-charge: 1 baseline" in broken.stderr
    second = foreign.run(taken("foreign-second.singer"))
    assert "Rule large-charge: 2 baseline" in second.stderr
    assert not [one for one in foreign.accepted if "charge" in one.body]


def test_a_stream_that_becomes_an_entity_after_it_was_read_needs_a_baseline(foreign):
    foreign.write_alerts(ALERTS.replace("stream: deals", "stream: contracts"))
    foreign.run(taken("foreign-first.singer"))
    foreign.write_alerts(ALERTS)
    refused = foreign.run(taken("foreign-second.singer"), code=2)
    assert "the tap's state says that deals has been read before" in refused.stderr


def test_an_older_record_of_a_document_is_stale(foreign):
    foreign.run(taken("foreign-first.singer"))
    foreign.run(taken("foreign-second.singer"))
    older = taken("foreign-second.singer").replace("2026-11-21T09:00", "2026-11-20T23:00")
    told = foreign.run(older.replace('"99.50"', '"5000000.00"')).stderr
    assert "Rule deal-won: 4 stale" in told
    assert len(foreign.accepted) == 3


def test_rules_without_their_stream_are_named_in_the_log(foreign):
    lines = taken("foreign-first.singer").replace('"charges"', '"fees"')
    told = foreign.run(lines).stderr
    assert "Rule large-charge had nothing to decide: the tap brought no stream charges" in told
    assert "Rule large-deal had nothing" not in told


def test_what_the_file_says_of_an_entity_is_kept(tmp_path):
    (tmp_path / "alerts.yml").write_text(ALERTS, encoding="utf-8")
    alerts = load_alerts(tmp_path / "alerts.yml")
    deal, charge = alerts.own_entities.values()
    assert (deal.stream, deal.stamp_field, deal.label) == ("deals", "updatedAt", "Deal")
    assert deal.final_statuses == {"closedwon", "closedlost"}
    assert (deal.fields["articles"].combine, charge.ends_with_run) == (Combine.EACH, True)
    assert deal.fields["amount"].kind is Kind.NUMBER
    document = charge.document({"id": "1", "amount_due": 5, "created": 0}, ["id"])
    assert document.values["amount"] == Decimal("0.05")
    assert document.values["date"].isoformat() == "1970-01-01"


def test_of_a_field_that_is_added_later_no_change_is_seen(desk):
    def rule(**fields):
        named = {name: {"from": name} for name in ("number", "status", *fields)}
        entities = {"deal": {"stream": "deals", "key": ["number"], "fields": named}}
        when = " and ".join(
            ['status == "won"', *(f'{name} == "{fields[name]}"' for name in fields)]
        )
        desk.rule(when, entity="deal", file={"entities": entities})

    def deal(status, **more):
        return {"number": "1", "status": status, "tier": "gold", **more}

    def read(row):
        return desk.read(row, stream="deals", key=["number"])

    with desk.ledger.write() as connection:
        versions.add_complete_read(
            connection,
            stream="deals",
            context={},
            at=runs.utc_now(),
            run_id=desk.run_id,
            reason="test",
        )
    rule()
    assert read(deal("won")) == ["1"]
    rule(tier="gold")
    assert read(deal("won", owner="Anna")) == []
    assert read(deal("won", tier="silver")) == []
    assert read(deal("won")) == ["1"]
    rule(tier="gold", owner="Bo")
    assert read(deal("won")) == []
    assert read(deal("won", owner="Bo")) == ["1"]
