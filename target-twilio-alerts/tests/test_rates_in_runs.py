"""Amounts in another currency, over runs: the rate that decided, and what was missing."""

from __future__ import annotations

import json

import sqlalchemy as sa
from singer import invoice

from target_twilio_alerts.ledger import answers, tables

KRONOR = 'amount_in("SEK") >= 50000'
RATE = "2026-11-20,EUR,SEK,11.50\n"
EARLY, LATE = "2026-11-21T09:00:00", "2026-11-21T10:00:00"


def euros(number, amount, stamp=EARLY, **more):
    given = {"currencyId": "EUR", "date": "2026-11-21T00:00:00", **more}
    return invoice(number, amount, stamp=stamp, **given)


def undecided(desk):
    with desk.ledger.read() as connection:
        found = answers.list_undecided(connection, rule=None, limit=9)
    return {json.loads(one.header)["number"]: one.reason for one in found}


def test_the_rate_that_an_alert_was_decided_by_is_kept_with_it(desk):
    desk.rule(KRONOR, rates=RATE)
    assert desk.read(euros("1", 5000), euros("2", 4000)) == ["1"]
    ((decision,),) = desk.rows(sa.select(tables.alerts.c.decision))
    (rate,) = json.loads(decision)["rates"]
    assert rate["source"] == "rates.csv:2"
    assert (rate["base"], rate["quote"], rate["rate"]) == ("EUR", "SEK", "11.50")
    assert rate["day"] == "2026-11-20"


def test_what_is_undecided_is_listed_with_its_reason_until_it_is_decided(desk):
    desk.rule(KRONOR, rates="")
    assert desk.read(euros("1", 5000)) == []
    assert desk.outcomes == {"undecided": 1}
    missing = "there is no rate of EUR to SEK of 2026-11-21 or up to 31 days before"
    assert undecided(desk) == {"1": f"cannot be decided: {missing}"}
    assert desk.read(euros("1", 5000)) == []
    assert list(undecided(desk)) == ["1"]
    assert desk.read(euros("1", 5000, stamp=LATE, currencyId="SEK")) == []
    assert undecided(desk) == {}


def test_a_rate_that_comes_late_raises_the_alert_once_though_nobody_touched_the_document(desk):
    desk.rule(KRONOR, rates="")
    assert desk.read(euros("1", 5000), euros("2", 4000)) == []
    desk.rule(KRONOR, rates=RATE)
    assert desk.read() == ["1"]
    ((reason,),) = desk.rows(sa.select(tables.alerts.c.reason))
    assert reason.endswith("(could not be decided before)")
    assert undecided(desk) == {}
    assert desk.read(euros("1", 5000)) == []
    assert desk.read() == []


def test_what_was_true_before_the_rate_was_missing_is_no_new_alert_when_it_comes(desk):
    desk.rule(KRONOR, rates=RATE)
    assert desk.read(euros("1", 5000)) == ["1"]
    desk.rule(KRONOR, rates="")
    assert desk.read(euros("1", 5500, stamp=LATE)) == []
    desk.rule(KRONOR, rates=RATE)
    assert desk.read() == []
    assert undecided(desk) == {}


def test_a_baseline_that_cannot_be_decided_is_not_listed(desk):
    desk.rule(KRONOR, rates="")
    with desk.ledger.write() as connection:
        connection.execute(sa.delete(tables.complete_reads))
    assert desk.read(euros("1", 5000)) == []
    assert desk.outcomes == {"baseline": 1}
    assert undecided(desk) == {}


def test_a_document_that_is_too_old_is_counted_and_alerts_nobody(desk):
    desk.rule("amount > 50000", max_age="30d")
    old, none = "2020-01-01T00:00:00", None
    assert desk.read(invoice("1", 75000, date=old), invoice("2", 75000, date=none)) == ["2"]
    assert desk.outcomes == {"too_old": 1, "alert": 1}
