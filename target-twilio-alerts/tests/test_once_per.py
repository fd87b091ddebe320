"""`once_per`: a rule that alerts once for a document, a counterparty, a day, or some of these."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import invoice

from target_twilio_alerts.ledger import tables

FIRST, SECOND, THIRD = (f"2026-11-21T{hour}:00:00" for hour in ("09", "10", "11"))
ACME, BOLT = ({"supplier": {"number": n, "name": n.title()}} for n in ("acme", "bolt"))


@pytest.fixture
def day(desk):
    """Let it be a day of December 2026."""

    def set_day(number):
        at = datetime(2026, 12, number, 10, tzinfo=timezone.utc)
        desk.clock = lambda: at

    set_day(1)
    return set_day


@ON_BOTH
def test_once_per_document_alerts_no_more_though_it_becomes_true_again(desk):
    desk.rule("amount > 50000", once_per="document")
    assert desk.read(invoice("1", 75000, stamp=FIRST), invoice("2", 75000, stamp=FIRST)) == [
        "1",
        "2",
    ]
    assert desk.read(invoice("1", 10, stamp=SECOND)) == []
    assert desk.read(invoice("1", 75000, stamp=THIRD)) == []
    assert {name: n for name, n in desk.outcomes.items() if n} == {"already_told": 1}


@ON_BOTH
def test_once_per_counterparty_and_day_alerts_of_the_first_document_of_each(desk, day):
    desk.rule("amount > 50000", once_per=["counterparty", "day"])
    rows = [invoice(str(n), 75000, **who) for n, who in enumerate((ACME, ACME, BOLT))]
    assert desk.read(*rows) == ["0", "2"]
    assert desk.outcomes == {"alert": 2, "already_told": 1}
    assert desk.read(invoice("3", 75000, **ACME)) == []
    day(2)
    assert desk.read(invoice("4", 75000, **ACME), invoice("5", 75000, **ACME)) == ["4"]


@ON_BOTH
def test_once_per_day_is_one_alert_for_each_company(desk, day):
    desk.rule("amount > 50000", once_per="day")
    assert desk.read(invoice("1", 75000, **ACME), invoice("2", 75000, **BOLT)) == ["1"]
    day(2)
    assert desk.read(invoice("3", 75000, **ACME)) == ["3"]


@ON_BOTH
def test_documents_of_no_known_counterparty_are_not_taken_for_one(desk):
    desk.rule("amount > 50000", once_per="counterparty")
    nobody = {"supplier": None}
    assert desk.read(invoice("1", 75000, **nobody), invoice("2", 75000, **nobody)) == ["1", "2"]


@ON_BOTH
def test_the_trail_tells_which_alert_stands_for_the_one_withheld(desk):
    desk.rule("amount > 50000", once_per="counterparty")
    desk.read(invoice("1", 75000, **ACME), invoice("2", 80000, **ACME))
    ((alert,),) = desk.rows(sa.select(tables.alerts.c.id))
    events = tables.audit_events.c
    ((told, body),) = desk.rows(
        sa.select(events.alert_id, events.body).where(events.kind == "alert_withheld"),
    )
    assert told == alert
    assert json.loads(body)["told_by"] == alert
    # What the document says can never be erased from the trail, so it is not there.
    assert "80000" not in body
    assert json.loads(body)["version"].startswith("1|")
    assert desk.counts["alerts told already"] == 1
