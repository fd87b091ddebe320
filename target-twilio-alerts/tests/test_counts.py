"""What a run counts adds up: each record meets each rule of its entity in exactly one outcome."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from desk import Desk
from hypothesis import given
from hypothesis import strategies as st
from singer import baseline, invoice, record, schema, state

from target_twilio_alerts.rules import Outcome

EARLY = "2026-11-20T09:00:00"
OUTCOMES = {outcome.value for outcome in Outcome}
ALERTS = """
timezone: Europe/Stockholm
recipients:
  anna: {name: Anna Berg, sms: "+46701740605"}
rules:
  large:
    {entity: supplier_invoice, when: amount > 50000, notify: anna, via: sms,
     max_age: 30d, once_per: day}
"""

rows = st.builds(
    invoice,
    number=st.sampled_from(["1", "2", "3"]),
    amount=st.sampled_from([None, 100, 60000, 70000, "much", {}]),
    stamp=st.sampled_from([f"2026-11-21T{hour:02}:00:00" for hour in range(4)]),
    status=st.sampled_from(["Open", "Closed", None]),
)
broken = rows.map(lambda row: {**row, "referenceNumber": None})
others = rows.map(lambda row: {**row, "tenant_id": "another", "company": "Dotterbolaget AB"})
gone = rows.map(lambda row: {**row, "_sdc_deleted_at": "2026-11-24T02:00:00+00:00"})
OWNER = {"notify": "cfo", "via": "email"}


@pytest.fixture(scope="module")
def busy_desk(tmp_path_factory):
    """A desk whose documents stay from example to example."""
    root = tmp_path_factory.mktemp("desk")
    desk = Desk(root, f"sqlite:///{root / 'ledger.db'}")
    yield desk
    desk.ledger.close()


@pytest.mark.parametrize(
    "rule",
    [
        {"when": "amount > 50000"},
        {"when": "amount > previous.amount"},
        {"when": "due_date < today"},
        {"when": "amount > 50000", "again_on": ["amount", "status"]},
        {"when": "amount > 50000", "once_per": ["document"]},
        {"when": "status is not null", "once_per": ["counterparty", "day"], "max_age": "30d"},
        {"when": "amount > 50000", "max_age": "1d"},
        {"when": "amount > 50000", "companies": ["Dotterbolaget AB"]},
        {"when": "recent_count(days(5), amount) > 1"},
        {"when": 'amount_in("EUR") > 50000', "rates": "", "undecided": OWNER},
        {"when": "amount > 50000", "digest": {"daily": "16:30"}},
    ],
    ids=repr,
)
@given(taken=st.lists(st.one_of(rows, rows, broken, gone, others), max_size=12))
def test_the_outcomes_of_a_rule_add_up_to_the_records_of_its_entity(busy_desk, rule, taken):
    busy_desk.rule(**rule)
    busy_desk.read(*taken)
    assert sum(busy_desk.outcomes.values()) == len(taken)
    broken_ones = sum(row["referenceNumber"] is None for row in taken)
    assert busy_desk.outcomes.get("malformed", 0) == broken_ones
    assert all(number >= 0 for number in busy_desk.outcomes.values())
    told = [name for name in busy_desk.outcomes if name not in OUTCOMES]
    assert told == []


def test_every_outcome_is_counted_and_shown_with_the_run(workplace):
    """One record for each outcome, through the target and `audit runs`."""
    dated = {"date": f"{datetime.now(timezone.utc).date() - timedelta(days=5)}T00:00:00"}
    workplace.write_alerts(ALERTS)
    workplace.run(baseline(invoice("0", 75000, stamp=EARLY, **dated)))
    records = [
        invoice("1", 10, **dated),
        invoice("2", 75000, **dated),
        invoice("2", 75000, **dated),
        invoice("3", 75000, **dated, supplier={"name": "Another AB"}),
        invoice("4", 75000, date="2020-01-01T00:00:00"),
        invoice("5", None, **dated),
        invoice("0", 10, stamp="2026-11-20T08:00:00", **dated),
        {**invoice("2", None), "_sdc_deleted_at": "2026-11-24T02:00:00Z"},
        {**invoice("6", 75000), "referenceNumber": None},
        {**invoice("7", 75000), "tenant_id": "another", "company": "Dotterbolaget AB"},
    ]
    ended = workplace.run(state(EARLY) + schema() + "".join(map(record, records)) + state())
    # The document that came again is what it was; that of another supplier is told of already.
    counted = (
        "1 alert, 1 already told, 1 already true, 1 baseline, 1 deleted, 1 malformed, 1 no match, "
        "1 stale, 1 too old, 1 undecided"
    )
    assert f"Rule large: {counted}" in ended.stderr
    shown = " ".join(workplace.command("audit", "runs").split())
    assert counted in shown
