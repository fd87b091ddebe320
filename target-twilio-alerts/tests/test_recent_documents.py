"""Rules over recent documents of the same supplier or account: duplicates, splits, outliers."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger import tables

FIRST, SECOND, THIRD = (f"2026-11-21T{hour}:00:00" for hour in ("09", "10", "11"))
ACME, BOLT = ({"supplier": {"number": n, "name": n.title()}} for n in ("acme", "bolt"))
DUPLICATE = "recent_count(days(90), amount, currency) > 1"
SPLIT = "amount < 50000 and recent_sum(amount, days(7)) >= 50000"


def bill(number, amount, day="2026-11-01", stamp=FIRST, **more):
    return invoice(number, amount, stamp=stamp, date=f"{day}T00:00:00", **{**ACME, **more})


def test_a_probable_duplicate_alerts_of_the_document_that_came_last(desk):
    desk.rule(DUPLICATE)
    assert desk.read(bill("1", 1000), bill("2", 999)) == []
    assert desk.read(bill("3", Decimal("1000.00"), "2026-10-01")) == ["3"]
    ((reason, decision),) = desk.rows(sa.select(tables.alerts.c.reason, tables.alerts.c.decision))
    assert reason == "recent_count(days(90), amount, currency) 2 (with 1) > 1"
    assert json.loads(decision)["others"] == {"recent_count(days(90), amount, currency)": ["1"]}


def test_within_one_group_of_records_the_second_is_the_duplicate_whatever_the_dates(desk):
    desk.rule(DUPLICATE)
    assert desk.read(bill("1", 1000, "2026-11-20"), bill("2", 1000, "2026-11-01")) == ["2"]


@pytest.mark.parametrize(
    "other",
    [
        {**BOLT},
        {"currencyId": "EUR"},
        {"status": "Voided"},
        {"day": "2026-05-01"},
    ],
)
def test_what_is_of_another_kind_is_no_duplicate(desk, other):
    desk.rule(DUPLICATE)
    assert desk.read(bill("1", 1000), bill("2", 1000, **other)) == []
    assert desk.read(bill("3", 70, **other), bill("1", 1000, stamp=SECOND)) == []


@pytest.mark.parametrize(
    ("day", "told"),
    [
        ("2026-10-25", []),
        ("2026-10-26", ["2"]),
        ("2026-11-01", ["2"]),
        ("2026-11-02", ["2"]),
        ("2026-11-09", ["2"]),
        ("2026-11-10", []),
    ],
)
def test_a_window_of_seven_days_is_seven_days_before_and_behind_and_the_day_itself(desk, day, told):
    desk.rule("recent_count(days(7)) > 1")
    assert desk.read(bill("1", 5, "2026-11-02"), bill("2", 7, day)) == told


def test_the_same_document_again_is_no_duplicate_of_itself(desk):
    desk.rule(DUPLICATE)
    assert desk.read(bill("1", 1000), bill("1", 1000)) == []
    assert desk.read(bill("1", 1000, stamp=SECOND, description="new")) == []


def test_a_document_that_was_voided_or_deleted_counts_no_more(desk):
    desk.rule(DUPLICATE)
    assert desk.read(bill("1", 1000), bill("2", 70)) == []
    assert desk.read(bill("1", 1000, stamp=SECOND, status="Voided"), bill("3", 1000)) == []
    gone = {**bill("2", 70), "_sdc_deleted_at": "2026-11-21T10:00:00Z"}
    assert desk.read(gone, bill("4", 70)) == []


@ON_BOTH
def test_a_document_that_moves_to_another_supplier_is_compared_there(desk):
    desk.rule(DUPLICATE)
    assert desk.read(bill("1", 1000), bill("2", 1000, **BOLT)) == []
    assert desk.read(bill("2", 1000, stamp=SECOND)) == ["2"]
    assert desk.read(bill("3", 1000, **BOLT)) == []


def test_a_split_is_seen_by_its_sum(desk):
    desk.rule(SPLIT)
    rows = [bill("1", 30000), bill("2", 15000), bill("3", 4999), bill("4", 1)]
    assert desk.read(*rows) == ["4"]
    ((reason,),) = desk.rows(sa.select(tables.alerts.c.reason))
    assert (
        reason == "amount 1 < 50000 and recent_sum(amount, days(7)) 50000 (with 1, 2, 3) >= 50000"
    )


def test_a_sum_takes_amounts_of_the_same_currency_only(desk):
    desk.rule(SPLIT)
    assert desk.read(bill("1", 49000, currencyId="EUR"), bill("2", 1500)) == []


def test_an_amount_above_all_others_alerts_and_the_first_is_undecided(desk):
    desk.rule("amount > recent_max(amount, days(365))")
    assert desk.read(bill("1", 100), bill("2", 90), bill("3", 101)) == ["3"]
    assert desk.outcomes == {"undecided": 1, "no_match": 1, "alert": 1}
    assert desk.read(bill("4", 500, **BOLT)) == []


def test_what_was_there_before_the_first_run_counts(desk):
    with desk.ledger.write() as connection:
        connection.execute(sa.delete(tables.complete_reads))
    desk.rule(DUPLICATE)
    assert desk.read(bill("1", 1000), bill("2", 1000)) == []
    assert desk.outcomes == {"baseline": 2}
    assert desk.read(bill("3", 1000)) == ["3"]


def test_without_a_date_or_a_supplier_it_is_undecided_and_says_what_is_null(desk):
    desk.rule(DUPLICATE)
    assert desk.read(bill("1", 5, supplier=None), invoice("2", 5, date=None, **ACME)) == []
    table = tables.undecided_documents.c
    reasons = {reason for (reason,) in desk.rows(sa.select(table.reason))}
    assert reasons == {
        "cannot be decided: counterparty is null",
        "cannot be decided: date is null",
    }


@ON_BOTH
def test_days_pass_by_with_the_documents_that_are_near(desk):
    desk.rule(f"due_date < today and {DUPLICATE}")
    due = {"dueDate": "2020-01-01T00:00:00"}
    assert desk.read(bill("1", 1000, **due), bill("2", 1000, **due)) == ["2"]
    assert desk.read() == []
