"""First contact is a baseline: what exists is recorded, and alerts nobody."""

from __future__ import annotations

import json

import pytest
from singer import baseline, invoice, record, schema, state


def test_the_first_complete_read_alerts_nobody_and_the_next_change_does(workplace):
    workplace.run(baseline(invoice("1", 75000), invoice("2", 10)))
    assert workplace.accepted == []
    workplace.run(schema() + record(invoice("3", 75000, stamp="2026-11-20T11:00:00")) + state())
    (message,) = workplace.accepted
    assert "75,000.00" in message.body


def test_a_backfill_over_several_runs_is_one_baseline(workplace):
    unfinished = state(None, markers={"page": 2})
    workplace.run(schema() + record(invoice("1", 75000)) + unfinished)
    workplace.run(unfinished + schema() + record(invoice("2", 75000)) + unfinished)
    workplace.run(unfinished + schema() + record(invoice("3", 75000)) + state())
    assert workplace.accepted == []
    workplace.run(state() + schema() + record(invoice("4", 75000)) + state())
    assert len(workplace.accepted) == 1


def test_records_before_the_state_that_ends_the_read_are_baseline_and_those_after_it_alert(
    workplace,
):
    later = record(invoice("2", 75000, stamp="2026-11-20T12:00:00"))
    workplace.run(baseline(invoice("1", 75000)) + later + state("2026-11-20T12:00:00"))
    (message,) = workplace.accepted
    assert "2" in message.body


def test_an_empty_streams_first_document_alerts(workplace):
    workplace.run(schema() + state("1900-01-01T00:00:00"))
    workplace.run(schema() + record(invoice("1", 75000)) + state())
    assert len(workplace.accepted) == 1


def test_each_company_has_its_own_baseline(workplace):
    workplace.run(baseline(invoice("1", 75000)))
    other = {"company": "Dotterbolaget AB"}
    first = invoice("1", 75000, **other)
    context = {"tenant_id": first["tenant_id"], **other}
    workplace.run(schema() + record(first) + state(context=context))
    assert workplace.accepted == []
    workplace.run(schema() + record(invoice("2", 75000, **other)) + state(context=context))
    assert len(workplace.accepted) == 1


def test_an_empty_ledger_that_meets_bookmarks_is_refused_until_told_what_to_do(workplace):
    lines = state() + schema() + record(invoice("1", 75000)) + state("2026-11-20T11:00:00")
    refused = workplace.run(lines, code=2)
    assert "supplier_invoices has been read before" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""

    workplace.config["empty_ledger"] = "baseline"
    workplace.run(lines)
    assert workplace.accepted == []
    workplace.run(state() + schema() + record(invoice("2", 75000)) + state("2026-11-20T12:00:00"))
    assert len(workplace.accepted) == 1


def test_an_empty_ledger_may_be_told_to_alert_at_once(workplace):
    workplace.config["empty_ledger"] = "alert"
    workplace.run(state() + schema() + record(invoice("1", 75000)) + state("2026-11-20T11:00:00"))
    assert len(workplace.accepted) == 1


def test_a_baseline_by_setting_ends_even_if_nothing_new_came(workplace):
    workplace.config["empty_ledger"] = "baseline"
    workplace.run(state() + schema())
    workplace.run(state() + schema() + record(invoice("1", 75000)) + state("2026-11-20T11:00:00"))
    assert len(workplace.accepted) == 1


@pytest.mark.parametrize("number", [1, 1200])
def test_a_full_refresh_alerts_nobody_again(workplace, number):
    rows = [invoice(str(n), 75000) for n in range(number)]
    workplace.run(baseline(*rows))
    ended = workplace.run(baseline(*rows))
    assert workplace.accepted == []
    assert f"{number} already true" in ended.stderr


def test_the_last_state_of_a_run_is_the_last_one_that_leaves(workplace):
    ended = workplace.run(
        schema()
        + record(invoice("1", 1))
        + state("2026-11-20T10:00:00", markers={"page": 1})
        + record(invoice("2", 1))
        + state("2026-11-20T11:00:00"),
    )
    states = [json.loads(line) for line in ended.stdout.splitlines()]
    partitions = [one["bookmarks"]["supplier_invoices"]["partitions"][0] for one in states]
    values = [partition["replication_key_value"] for partition in partitions]
    # The first one may have left with it: a STATE waits for its group.
    assert values[-1] == "2026-11-20T11:00:00"
    assert values[:-1] in ([], ["2026-11-20T10:00:00"])


def test_a_dry_run_tells_everything_and_keeps_nothing(workplace):
    workplace.run(baseline(invoice("1", 10)))
    change = schema() + record(invoice("1", 75000, stamp="2026-11-20T11:00:00")) + state()
    workplace.config["dry_run"] = True
    dry = workplace.run(change)
    assert dry.stdout == ""
    assert "would tell ap-manager by sms" in dry.stderr
    assert workplace.accepted == []
    workplace.config["dry_run"] = False
    workplace.run(change)
    assert len(workplace.accepted) == 1
