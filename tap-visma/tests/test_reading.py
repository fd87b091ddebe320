"""What the tap reads, from a server with manners of its own."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from tap_running import ENDPOINTS, TapRunner, invoice, keys

from tap_visma import bookmarks
from tap_visma.tap import TapVisma
from visma_twilio_sandbox import business


@pytest.mark.parametrize("seed", range(6))
def test_every_document_is_read_whatever_the_servers_manners(make_sandbox, seed):
    sandbox = make_sandbox(seed)
    business.history(sandbox.visma, documents=300, seed=seed)
    run = TapRunner(sandbox)()
    assert run.failures == {}
    for stream, endpoint in ENDPOINTS.items():
        stored = sandbox.visma.all(endpoint)
        records = run.records(stream)
        assert stored
        assert keys(records, stream) == keys(stored, stream)
        assert len(records) == len(stored)
        assert run.entry(stream)["replication_key_value"]
        assert "progress_markers" not in run.entry(stream)
        for record in records:
            assert record["tenant_id"]
            assert record["company"] == "Nordisk Demo AB"
            assert "metadata" not in record


@pytest.mark.parametrize("seed", range(6))
def test_journal_batches_are_whole_though_pages_cut_them(make_sandbox, seed):
    sandbox = make_sandbox(seed)
    business.history(sandbox.visma, documents=300, seed=seed)
    sandbox.visma.max_page_size["journaltransaction"] = 3
    run = TapRunner(sandbox)("journal_transactions")
    stored = {row["batchNumber"]: row for row in sandbox.visma.all("journaltransaction")}
    for record in run.records("journal_transactions"):
        lines = [line["lineNumber"] for line in record["journalTransactionLines"]]
        wanted = stored[record["batchNumber"]]["journalTransactionLines"]
        assert lines == [line["lineNumber"] for line in wanted]


def test_money_is_exact_from_the_wire_to_the_line(sandbox, tap):
    for number, amount in enumerate(["0.10", "12345678901234.5678", "-1.0050", "50000.0100"]):
        item = invoice(str(number))
        sandbox.visma.put("supplierInvoice", {**item, "amount": Decimal(amount)})
    run = tap("supplier_invoices")
    text = b"".join(run.lines).decode()
    for amount in ("12345678901234.5678", "-1.005", "50000.01"):
        assert f'"amount":{amount}' in text


def test_a_wrapped_value_and_an_unknown_field_pass_through(sandbox, tap):
    sandbox.visma.put("supplierInvoice", {**invoice(), "description": {"value": "wrapped"}})
    (record,) = tap("supplier_invoices").records("supplier_invoices")
    assert record["description"] == "wrapped"


def test_the_next_run_asks_from_the_bookmark_less_the_lookback(sandbox, tap):
    sandbox.visma.put("supplierInvoice", invoice())
    first = tap("supplier_invoices")
    bookmark = first.entry("supplier_invoices")["replication_key_value"]
    tap("supplier_invoices", state=first.state, lookback_seconds=600)
    initial, following = (dict(one.query) for one in sandbox.requests("visma"))
    assert "lastModifiedDateTime" not in initial
    assert following["lastModifiedDateTimeCondition"] == ">="
    assert following["lastModifiedDateTime"] == bookmarks.moved_back(bookmark, 600)


def test_a_read_that_took_long_is_overlapped_by_as_much(sandbox, tap):
    sandbox.visma.put("supplierInvoice", invoice())
    state = tap("supplier_invoices").state
    entry = state["bookmarks"]["supplier_invoices"]["partitions"][0]
    entry["read_seconds"] = 10_000
    tap("supplier_invoices", state=state)
    asked = dict(sandbox.requests("visma")[-1].query)["lastModifiedDateTime"]
    assert asked == bookmarks.moved_back(entry["replication_key_value"], 10_060)


def test_the_journals_filter_has_no_condition_and_is_never_missing(sandbox, tap):
    first = tap("journal_transactions")
    tap("journal_transactions", state=first.state)
    for request in sandbox.requests("visma"):
        query = dict(request.query)
        assert "lastModifiedDateTime" in query
        assert "lastModifiedDateTimeCondition" not in query


def test_an_idle_poll_is_one_call_a_stream_and_ledger_and_one_token(sandbox, tap):
    business.history(sandbox.visma, documents=100, seed=1)
    for endpoint in ENDPOINTS.values():
        sandbox.visma.max_page_size[endpoint] = 1000
    state = tap().state
    before = len(sandbox.requests("visma")), len(sandbox.requests("connect"))
    tap(state=state)
    ledgers = len(sandbox.visma.all("ledger"))
    assert len(sandbox.requests("visma")) - before[0] == 7 + ledgers
    assert len(sandbox.requests("connect")) - before[1] == 1


def test_a_start_date_is_where_the_first_read_starts_in_vismas_clock(sandbox, tap):
    old = datetime(2025, 1, 1, 12, tzinfo=timezone.utc)
    sandbox.visma.put("supplierInvoice", invoice("1"), at=old)
    sandbox.visma.put("supplierInvoice", invoice("2"))
    run = tap("supplier_invoices", start_date="2026-01-01T00:00:00")
    assert keys(run.records("supplier_invoices"), "supplier_invoices") == {("Invoice", "2")}
    asked = dict(sandbox.requests("visma")[0].query)["lastModifiedDateTime"]
    assert asked == "2026-01-01T00:00:00.000"


def test_an_empty_stream_is_whole_and_its_next_read_finds_the_first_document(sandbox, tap):
    first = tap("supplier_invoices")
    assert first.entry("supplier_invoices")["replication_key_value"] == "1900-01-01T00:00:00"
    sandbox.visma.put("supplierInvoice", invoice())
    second = tap("supplier_invoices", state=first.state)
    assert len(second.records("supplier_invoices")) == 1


def test_a_stamp_far_ahead_does_not_move_the_bookmark_and_is_told(sandbox, tap, logged):
    soon = datetime.now(timezone.utc)
    sandbox.visma.put("supplierInvoice", invoice("1"), at=soon)
    sandbox.visma.put("supplierInvoice", invoice("2"), at=soon + timedelta(days=400))
    run = tap("supplier_invoices")
    assert len(run.records("supplier_invoices")) == 2
    bookmark = bookmarks.as_datetime(run.entry("supplier_invoices")["replication_key_value"])
    assert bookmark < soon.replace(tzinfo=None) + timedelta(days=2)
    assert "more than a day ahead" in logged.text


def test_gl_transactions_are_read_for_each_ledger(sandbox, tap):
    _, transactions = business.gl_journal(number="GL1", amount=Decimal("9800.00"))
    for ledger in ("1", "2"):
        for transaction in transactions:
            sandbox.visma.put("GeneralLedgerTransactions", transaction, ledger=ledger)
    run = tap("general_ledger_transactions")
    records = run.records("general_ledger_transactions")
    assert {record["ledger_id"] for record in records} == {"1", "2"}
    assert len(records) == 2 * len(transactions)
    contexts = [
        one["context"]
        for one in run.state["bookmarks"]["general_ledger_transactions"]["partitions"]
    ]
    assert [context["ledger_id"] for context in contexts] == ["1", "2"]


def test_the_company_id_is_sent_as_a_header_only_if_it_is_set(sandbox, tap):
    tap("supplier_invoices")
    tap("supplier_invoices", company_id=sandbox.visma.company_id)
    without, with_it = (request.headers for request in sandbox.requests("visma"))
    assert "ipp-company-id" not in without
    assert with_it["ipp-company-id"] == sandbox.visma.company_id


def test_a_company_without_ledgers_is_probably_the_wrong_one(sandbox, tap, logged):
    tap("ledgers", company_id="999")
    assert "which no company has" in logged.text
    assert "company_id" in logged.text


@pytest.mark.parametrize("zone", ["UTC", "Europe/Stockholm", "Europe/Helsinki", "Europe/London"])
def test_no_change_is_missed_in_the_hour_that_summer_time_repeats(make_sandbox, zone):
    """Runs every ten minutes through the night of 2026-10-25, with a change between any two."""
    sandbox = make_sandbox(seed=3, zone=zone)
    tap = TapRunner(sandbox)
    at = datetime(2026, 10, 24, 22, 0, tzinfo=timezone.utc)
    state = {}
    key = {"documentType": "Invoice", "referenceNumber": "1"}
    sandbox.visma.set_clock(at)
    sandbox.visma.put("supplierInvoice", invoice("1"))
    for step in range(36):
        sandbox.visma.set_clock(at + timedelta(minutes=10 * step))
        sandbox.visma.change("supplierInvoice", key, description=f"step {step}")
        run = tap("supplier_invoices", state=state)
        seen = [record["description"] for record in run.records("supplier_invoices")]
        assert seen == [f"step {step}"]
        state = run.state


def test_a_deselected_field_is_left_out(sandbox, tap):
    sandbox.visma.put("supplierInvoice", invoice())
    catalog = TapVisma(config=tap.config).catalog_dict
    for stream in catalog["streams"]:
        for one in stream["metadata"]:
            if one["breadcrumb"] in (["properties", "description"], ("properties", "description")):
                one["metadata"]["selected"] = False
    (record,) = tap("supplier_invoices", catalog=catalog).records("supplier_invoices")
    assert "description" not in record
    assert record["amount"] == Decimal(75000)
