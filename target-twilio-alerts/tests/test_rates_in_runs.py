"""Amounts in another currency, over runs: the rate that decided, and what was missing."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import COMPANY, invoice

from target_twilio_alerts.ledger import answers, tables

KRONOR = 'amount_in("SEK") >= 50000'
RATE = "2026-11-20,EUR,SEK,11.50\n"
EARLY, LATE = "2026-11-21T09:00:00", "2026-11-21T10:00:00"


def euros(number, amount, stamp=EARLY, **more):
    given = {"currencyId": "EUR", "date": "2026-11-21T00:00:00", **more}
    return invoice(number, amount, stamp=stamp, **given)


def undecided(desk):
    with desk.ledger.read() as connection:
        found = answers.list_undecided(connection, rules=None, limit=9)
    return {json.loads(one.header)["number"]: one.reason for one in found}


def test_the_rate_that_an_alert_was_decided_by_is_kept_with_it(desk):
    desk.rule(KRONOR, rates=RATE)
    assert desk.read(euros("1", 5000), euros("2", 4000)) == ["1"]
    ((decision,),) = desk.rows(sa.select(tables.alerts.c.decision))
    (rate,) = json.loads(decision)["rates"]
    assert rate["source"] == "rates.csv:2"
    assert (rate["base"], rate["quote"], rate["rate"]) == ("EUR", "SEK", "11.50")
    assert rate["day"] == "2026-11-20"


@ON_BOTH
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


@ON_BOTH
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


def spot(rate, *, base="EUR", quote="SEK", kind="SPOT", day="2026-11-20", **more):
    return {
        "tenant_id": "t",
        "company": COMPANY,
        "id": 1,
        "fromCurrencyId": base,
        "toCurrencyId": quote,
        "rateType": kind,
        "rate": rate,
        "effectiveDate": f"{day}T00:00:00",
        "multDiv": "Multiply",
        **more,
    }


def test_rates_that_the_tap_brings_decide_documents_of_this_run_and_the_next(desk):
    desk.rule(KRONOR, rate_type="SPOT")
    assert desk.read(spot(Decimal("11.5")), stream="currency_rates") == []
    assert desk.counts == {"currency rates": 1}
    assert desk.read(euros("1", 5000), euros("2", 4000)) == ["1"]
    ((decision,),) = desk.rows(sa.select(tables.alerts.c.decision))
    (rate,) = json.loads(decision)["rates"]
    assert (rate["source"], rate["company"], rate["rate"]) == ("currency_rates", COMPANY, "11.5")


def test_a_rate_that_comes_after_the_document_decides_it_at_the_end_of_the_run(desk):
    desk.rule(KRONOR, rate_type="SPOT")
    assert desk.read(euros("1", 5000)) == []
    assert desk.read(spot(Decimal("11.5")), stream="currency_rates") == ["1"]


@ON_BOTH
def test_a_rate_that_divides_is_turned_around_and_a_corrected_one_counts(desk):
    desk.rule(KRONOR, rate_type="SPOT")
    inverse = {"base": "EUR", "quote": "SEK", "multDiv": "Divide"}
    assert desk.read(spot(Decimal("0.2"), **inverse), stream="currency_rates") == []
    assert desk.read(euros("1", 5000)) == []
    assert desk.read(spot(Decimal("0.08"), **inverse), stream="currency_rates") == []
    assert desk.read(euros("2", 5000)) == ["2"]


def test_rates_of_another_type_or_company_are_not_taken(desk):
    desk.rule(KRONOR, rate_type="SPOT")
    others = (spot(Decimal("11.5"), kind="AVG"), spot(Decimal("11.5"), company="Other"))
    assert desk.read(*others, stream="currency_rates") == []
    assert desk.read(euros("1", 5000)) == []
    assert desk.outcomes == {"undecided": 1}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"rate": None}, "rate is missing, without which a rate is none"),
        ({"rate": 0}, "rate is not above 0"),
        ({"rate": "much"}, "rate is text where a number was expected"),
        ({"multDiv": "?"}, "multDiv neither multiplies nor divides"),
        ({"effectiveDate": None}, "day is missing, without which a rate is none"),
    ],
)
def test_a_rate_that_is_none_is_recorded_as_malformed(desk, given, problem):
    desk.rule(KRONOR, rate_type="SPOT")
    assert desk.read({**spot(1), **given}, stream="currency_rates") == []
    assert desk.rows(sa.select(tables.malformed_records.c.problem)) == [(problem,)]
    assert desk.counts == {"currency rates": 1, "malformed": 1}


def test_without_a_type_in_the_file_the_taps_rates_are_documents_alone(desk):
    desk.rule("rate > 11", entity="currency_rate")
    desk.read(spot(1), stream="currency_rates", key=["id"])
    assert desk.counts == {"records": 1}
    assert not desk.rows(sa.select(tables.currency_rates.c.day))


def test_rates_that_a_rule_is_about_are_documents_as_well(desk):
    desk.rule("rate > 11", entity="currency_rate", rate_type="SPOT")
    desk.read(spot(1), stream="currency_rates", key=["id"])
    assert desk.counts == {"currency rates": 1, "records": 1}
