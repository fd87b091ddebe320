"""A rule alerts when its condition becomes true, and at nothing else."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger import tables

NINE, TEN, ELEVEN = (f"2026-11-21T{hour:02}:00:00.00" for hour in (9, 10, 11))


def test_it_alerts_when_the_condition_becomes_true_and_again_only_after_it_was_false(desk):
    assert desk.read(invoice("1", 100, stamp=NINE)) == []
    assert desk.outcomes == {"no_match": 1}
    assert desk.read(invoice("1", 60000, stamp=TEN)) == ["1"]
    assert desk.read(invoice("1", 70000, stamp=ELEVEN)) == []
    assert desk.outcomes == {"already_true": 1}
    assert desk.read(invoice("1", 100, stamp="2026-11-21T12:00:00")) == []
    assert desk.read(invoice("1", 60000, stamp="2026-11-21T13:00:00")) == ["1"]


def test_a_document_that_is_true_when_first_seen_alerts(desk):
    assert desk.read(invoice("1", 60000), invoice("2", 1), invoice("3", 60000)) == ["1", "3"]


@ON_BOTH
def test_replays_restamps_and_unchanged_resends_alert_nobody(desk):
    first, second = invoice("1", 100, stamp=NINE), invoice("1", 60000, stamp=TEN)
    assert desk.read(first, second) == ["1"]
    assert desk.read(first, second) == []
    assert desk.outcomes == {"stale": 1, "already_true": 1}
    assert desk.read(second, second) == []
    restamped = invoice("1", Decimal("60000.0000"), stamp=ELEVEN, timeStamp="AAAAAAAAB9E=")
    assert desk.read(restamped) == []
    assert desk.outcomes == {"already_true": 1}


def test_a_stale_record_changes_nothing(desk):
    assert desk.read(invoice("1", 60000, stamp=TEN)) == ["1"]
    assert desk.read(invoice("1", 100, stamp=NINE)) == []
    assert desk.outcomes == {"stale": 1}
    assert desk.read(invoice("1", 70000, stamp=ELEVEN)) == []
    assert desk.outcomes == {"already_true": 1}
    stamps = desk.rows(sa.select(tables.documents.c.stamp))
    assert stamps == [(ELEVEN,)]


def test_a_restamp_without_a_change_makes_older_records_stale(desk):
    desk.read(invoice("1", 100, stamp=NINE), invoice("1", 100, stamp=ELEVEN))
    assert desk.read(invoice("1", 60000, stamp=TEN)) == []
    assert desk.outcomes == {"stale": 1}


@ON_BOTH
@pytest.mark.parametrize("at_once", [True, False])
def test_true_then_unknown_then_true_is_no_edge(desk, at_once):
    versions = [
        invoice("1", 60000, stamp=NINE),
        invoice("1", None, stamp=TEN),
        invoice("1", 60000, stamp=ELEVEN),
    ]
    runs = [versions] if at_once else [[version] for version in versions]
    assert [desk.read(*run) for run in runs] == [["1"], *[[] for _ in runs[1:]]]


def test_false_then_unknown_then_true_is_an_edge(desk):
    desk.read(invoice("1", 100, stamp=NINE))
    assert desk.read(invoice("1", None, stamp=TEN)) == []
    assert desk.outcomes == {"undecided": 1}
    assert desk.read(invoice("1", 60000, stamp=ELEVEN)) == ["1"]


def test_true_then_unknown_then_false_then_true_is_an_edge(desk):
    for stamp, amount in ((NINE, 60000), (TEN, None), (ELEVEN, 100)):
        desk.read(invoice("1", amount, stamp=stamp))
    assert desk.read(invoice("1", 60000, stamp="2026-11-21T12:00:00")) == ["1"]


def test_a_rule_that_names_previous_alerts_at_each_real_change(desk):
    desk.rule("cash_account != previous.cash_account")
    assert desk.read(invoice("1", 1, stamp=NINE, cashAccount="A")) == []
    assert desk.read(invoice("1", 1, stamp=TEN, cashAccount="B")) == ["1"]
    assert desk.read(invoice("1", 1, stamp=TEN, cashAccount="B")) == []
    assert desk.read(invoice("1", 1, stamp=ELEVEN, cashAccount="C")) == ["1"]
    assert desk.read(invoice("1", 2, stamp="2026-11-21T12:00:00", cashAccount="C")) == []
    both = [
        invoice("1", 2, stamp="2026-11-21T13:00:00", cashAccount="D"),
        invoice("1", 2, stamp="2026-11-21T14:00:00", cashAccount="A"),
    ]
    assert desk.read(*both) == ["1", "1"]


def test_again_on_alerts_anew_while_the_condition_stays_true(desk):
    desk.rule("amount > 50000", again_on=["amount"])
    assert desk.read(invoice("1", 60000, stamp=NINE)) == ["1"]
    assert desk.read(invoice("1", 60000, stamp=TEN, status="Balanced")) == []
    assert desk.read(invoice("1", 60001, stamp=ELEVEN, status="Balanced")) == ["1"]


@pytest.mark.parametrize(
    ("amount", "alerted"),
    [
        (50000, []),
        (Decimal("50000.00"), []),
        (Decimal("50000.0001"), ["1"]),
        (Decimal("50000.00000000000000000001"), ["1"]),
        (Decimal("49999.99999999999999999999"), []),
    ],
)
def test_the_limit_is_exact(desk, amount, alerted):
    assert desk.read(invoice("1", amount)) == alerted


def test_a_credit_note_counts_as_negative(desk):
    assert desk.read(invoice("1", 60000, documentType="DebitAdj")) == []


@ON_BOTH
def test_a_changed_condition_takes_documents_as_they_were(desk):
    desk.read(invoice("1", 100, stamp=NINE))
    desk.rule("amount > 50")
    assert desk.read(invoice("1", 101, stamp=TEN)) == []
    assert desk.outcomes == {"already_true": 1}


def test_of_two_recipients_with_one_address_the_second_is_suppressed(desk):
    desk.rule("amount > 50000", notify=["ap", "cfo"], via=["sms", "email"])
    desk.read(invoice("1", 60000))
    table = tables.messages.c
    told = desk.rows(
        sa.select(table.recipient, table.channel, table.state, table.reason).order_by(
            table.channel, table.recipient
        )
    )
    assert told == [
        ("ap", "email", "pending", None),
        ("cfo", "email", "pending", None),
        ("ap", "sms", "pending", None),
        ("cfo", "sms", "suppressed", "duplicate address"),
    ]


@ON_BOTH
def test_an_alert_keeps_what_it_was_decided_on(desk):
    desk.read(invoice("1", 100, stamp=NINE))
    desk.read(invoice("1", Decimal("60000.10"), stamp=TEN))
    ((reason, decision),) = desk.rows(sa.select(tables.alerts.c.reason, tables.alerts.c.decision))
    assert "amount" in reason
    assert "60000.1" in decision
    assert NINE not in decision
    assert TEN in decision
