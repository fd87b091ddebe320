"""Edges that are easy to miss or to raise twice: stamps that repeat, clocks, several runs."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
import sqlalchemy as sa
from desk import STREAM, Desk
from ledgers import ON_BOTH
from singer import CONTEXT, invoice, line, record, schema, state

from target_twilio_alerts.ledger import tables

EARLY, LATE, LATER, LATEST = (f"2026-11-21T{hour:02}:00:00" for hour in (9, 10, 11, 12))


@pytest.fixture
def day(desk):
    """Let it be a day of December 2026."""

    def set_day(number):
        at = datetime(2026, 12, number, 10, tzinfo=timezone.utc)
        desk.clock = lambda: at

    return set_day


@pytest.mark.parametrize("stamp", [EARLY, None])
def test_a_content_that_comes_back_under_the_same_stamp_alerts_again(desk, stamp):
    assert desk.read(invoice("1", 75000, stamp=stamp)) == ["1"]
    assert desk.read(invoice("1", 10, stamp=stamp)) == []
    assert desk.read(invoice("1", 75000, stamp=stamp)) == ["1"]


def test_what_became_true_by_the_clock_alerts_once_though_a_run_was_interrupted(desk, day):
    desk.rule("due_date < today")
    row = invoice("1", 1, dueDate="2026-12-20T00:00:00", stamp=EARLY)
    day(19)
    assert desk.read(row) == []
    day(21)
    assert desk.read(row, interrupted=True) == ["1"]
    day(22)
    assert desk.read() == []


@pytest.mark.parametrize("interrupted", [True, False])
def test_what_became_true_by_the_clock_alerts_once_however_often_it_is_stamped(
    desk, day, interrupted
):
    desk.rule("due_date < today")
    due = {"dueDate": "2026-12-20T00:00:00"}
    day(19)
    assert desk.read(invoice("1", 1, stamp=EARLY, **due)) == []
    day(21)
    first, second = invoice("1", 1, stamp=LATE, **due), invoice("1", 1, stamp=LATER, **due)
    assert desk.read(first, second, interrupted=interrupted) == ["1"]
    assert desk.read(invoice("1", 1, stamp=LATEST, **due)) == []


def test_what_is_final_becomes_true_by_no_change_after_its_day_has_passed(desk, day):
    desk.rule("date < today - days(5)")
    row = {"date": "2026-12-10T00:00:00", "status": "Closed"}
    day(11)
    assert desk.read(invoice("1", 1, stamp=EARLY, **row)) == []
    day(15)
    assert desk.read() == []
    day(16)
    assert desk.read(invoice("1", 1, stamp=LATE, **row)) == []
    assert desk.read(invoice("1", 2, stamp=LATER, **row)) == []
    assert desk.outcomes == {"already_true": 1}
    assert desk.read(invoice("2", 1, stamp=LATE, **row)) == ["2"]


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        ("2026-11-25T22:59", "2026-11-25T23:00", "2026-11-25"),
        ("2026-12-31T22:59", "2026-12-31T23:00", "2026-12-31"),
        ("2028-02-29T22:59", "2028-02-29T23:00", "2028-02-29"),
        ("2026-06-30T21:59", "2026-06-30T22:00", "2026-06-30"),
        # Summer time ends: the day has 25 hours; it begins: 23.
        ("2026-10-25T22:59", "2026-10-25T23:00", "2026-10-25"),
        ("2027-03-28T21:59", "2027-03-28T22:00", "2027-03-28"),
    ],
)
def test_a_day_ends_at_midnight_of_the_company(desk, before, after, due):
    desk.rule("due_date < today")
    now = datetime.fromisoformat(f"{before}:59+00:00")
    desk.clock = lambda: now
    assert desk.read(invoice("1", 1, dueDate=f"{due}T00:00:00", stamp=EARLY)) == []
    assert desk.read() == []
    now = datetime.fromisoformat(f"{after}:00+00:00")
    assert desk.read() == ["1"]
    assert desk.read() == []


def test_a_clock_that_is_set_back_alerts_of_nothing_twice(desk, day):
    desk.rule("due_date < today")
    day(10)
    assert desk.read(invoice("1", 1, dueDate="2026-12-15T00:00:00", stamp=EARLY)) == []
    day(20)
    assert desk.read() == ["1"]
    day(15)
    assert desk.read() == []
    day(20)
    assert desk.read() == []


def test_true_then_undecided_then_true_by_the_clock_is_no_edge(desk, day):
    desk.rule('status == "Open" or due_date < today')
    due = {"dueDate": "2026-12-20T00:00:00"}
    day(19)
    assert desk.read(invoice("1", 1, stamp=EARLY, **due)) == ["1"]
    assert desk.read(invoice("1", 1, stamp=LATE, status=None, **due)) == []
    day(22)
    assert desk.read() == []


@ON_BOTH
def test_two_runs_may_complete_the_same_read(tmp_path, database):
    one, other = Desk(tmp_path, database), Desk(tmp_path, database)
    partition = {"context": CONTEXT, "replication_key_value": EARLY}
    doubled = {"bookmarks": {"ledgers": {"partitions": [partition, partition]}}}
    opened = [desk.open_intake() for desk in (one, other)]
    for intake in opened:
        intake.begin_stream("supplier_invoices")
        intake.state(doubled)
        intake.close()
    query = sa.select(tables.audit_events.c.body).where(
        tables.audit_events.c.kind == "baseline_completed",
    )
    streams = [json.loads(body)["stream"] for (body,) in one.rows(query)]
    assert streams.count("ledgers") == 1
    for desk in (one, other):
        desk.ledger.close()


def test_a_baseline_by_setting_is_one_for_every_stream_of_the_run(workplace, zygote):
    workplace.config["empty_ledger"] = "baseline"
    both = {"customer_invoices": EARLY, STREAM: EARLY}
    text = (
        states(both)
        + schema("customer_invoices")
        + record(invoice("9", 1), "customer_invoices")
        + states({**both, "customer_invoices": LATE})
        + schema()
        + record(invoice("1", 75000))
        + states(dict.fromkeys(both, LATE))
    )
    zygote.run(workplace, text)
    assert workplace.accepted == []
    zygote.run(workplace, schema() + record(invoice("2", 75000)) + state())
    assert len(workplace.accepted) == 1


def states(stamps):
    partitions = {
        stream: {"partitions": [{"context": CONTEXT, "replication_key_value": stamp}]}
        for stream, stamp in stamps.items()
    }
    return line({"type": "STATE", "value": {"bookmarks": partitions}})
