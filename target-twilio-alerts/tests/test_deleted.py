"""A record that tells that its document is gone alerts nobody, and is kept on record."""

from __future__ import annotations

import json

import sqlalchemy as sa
from ledgers import ON_BOTH
from singer import KEY, baseline, invoice, record, schema, state

from target_twilio_alerts.ledger import tables

NINE, TEN, ELEVEN = (f"2026-11-21T{hour:02}:00:00.00" for hour in (9, 10, 11))


def gone(number):
    key = {name: value for name, value in invoice(number, None).items() if name in KEY}
    return {**key, "_sdc_deleted_at": "2026-11-24T02:00:00+00:00"}


def told(desk):
    events = tables.audit_events.c
    query = sa.select(events.body).where(events.kind == "document_deleted").order_by(events.seq)
    return [json.loads(body) for (body,) in desk.rows(query)]


def documents(desk):
    columns = tables.documents.c
    return desk.rows(sa.select(columns.ordinal, columns.stamp, columns.final))


@ON_BOTH
def test_a_document_that_is_gone_alerts_nobody_and_is_an_event(desk):
    desk.rule("amount is null or amount > 50000")
    assert desk.read(invoice("1", 60000, stamp=NINE)) == ["1"]
    assert desk.read(gone("1")) == []
    assert desk.outcomes == {"deleted": 1}
    assert desk.counts == {"deleted": 1, "records": 1}
    (event,) = told(desk)
    assert (event["stream"], event["version"]) == ("supplier_invoices", 1)
    assert documents(desk) == [(1, NINE, True)]


def test_one_that_was_never_seen_is_counted_only(desk):
    assert desk.read(gone("7")) == []
    assert desk.outcomes == {"deleted": 1}
    assert (told(desk), documents(desk)) == ([], [])


def test_one_that_comes_in_the_same_group_is_gone_after_it(desk):
    assert desk.read(invoice("1", 60000), gone("1"), invoice("2", 1)) == ["1"]
    assert len(told(desk)) == 1
    assert [final for _, _, final in documents(desk)] == [True, False]


def test_one_that_comes_back_unchanged_is_there_again_and_alerts_nobody(desk):
    back = invoice("1", 60000, stamp=NINE)
    desk.read(back)
    desk.read(gone("1"))
    assert desk.read({**back, "_sdc_deleted_at": None}) == []
    assert desk.outcomes == {"already_true": 1}
    assert documents(desk) == [(1, NINE, False)]


def test_one_that_comes_back_changed_is_decided_by_what_it_was(desk):
    desk.read(invoice("1", 100, stamp=NINE))
    desk.read(gone("1"))
    assert desk.read(invoice("1", 60000, stamp=TEN)) == ["1"]
    assert documents(desk) == [(2, TEN, False)]


def test_one_that_could_not_be_decided_is_decided_by_a_late_rate_only_once_it_is_back(desk):
    euros = invoice("1", 60000, stamp=NINE, currencyId="EUR")
    desk.rule('amount_in("SEK") > 50000', rates="2026-11-20,NOK,SEK,1\n")
    assert desk.read(euros) == []
    assert desk.read(gone("1")) == []
    desk.rule('amount_in("SEK") > 50000', rates="2026-11-20,EUR,SEK,11\n")
    assert desk.read() == []
    desk.rule('amount_in("SEK") > 50000', rates="2026-11-20,NOK,SEK,1\n")
    assert desk.read(euros) == []
    assert desk.outcomes == {"undecided": 1}
    desk.rule('amount_in("SEK") > 50000', rates="2026-11-20,EUR,SEK,11\n")
    assert desk.read() == ["1"]


def test_a_field_for_deletes_is_no_change_of_a_document(desk):
    desk.read(invoice("1", 60000, stamp=NINE))
    assert desk.read(invoice("1", 60000, stamp=ELEVEN, _sdc_deleted_at=None)) == []
    assert documents(desk) == [(1, ELEVEN, False)]


def test_a_record_that_is_gone_is_told_through_the_target_too(workplace):
    row = invoice("1", 75000, stamp=TEN)
    workplace.run(baseline(invoice("1", 10, stamp=NINE)))
    workplace.run(schema() + record(row) + record(gone("1")) + state(TEN))
    (message,) = workplace.accepted
    assert "75,000.00" in message.body
    assert "1 deleted" in workplace.command("audit", "runs")
