"""Listings that move, answers that are odd, reads that are cut off twice: still nothing is lost."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from tap_running import TapRunner, invoice, keys

from visma_twilio_sandbox import business

INVOICES = "supplier_invoices"
OLD = datetime(2025, 1, 1, tzinfo=timezone.utc)
JOURNAL = "journaltransaction"


def fill(sandbox, number, page):
    for place in range(number):
        item = invoice(f"{place:04d}")
        sandbox.visma.put("supplierInvoice", item, at=OLD + timedelta(minutes=place))
    sandbox.visma.max_page_size["supplierInvoice"] = page


def remove(sandbox, places):
    for place in places:
        key = {"documentType": "Invoice", "referenceNumber": f"{place:04d}"}
        sandbox.visma.delete("supplierInvoice", key)


def stored(sandbox):
    return keys(sandbox.visma.all("supplierInvoice"), INVOICES)


def test_a_read_that_did_not_add_up_begins_anew_in_the_next_run(sandbox, tap):
    fill(sandbox, 60, 20)
    sandbox.visma.wrong_total.add("supplierInvoice")
    state = {}
    for _ in range(2):
        run = tap(INVOICES, state=state)
        assert "did not add up" in str(run.failures[INVOICES])
        assert "progress_markers" not in run.entry(INVOICES)
        assert "replication_key_value" not in run.entry(INVOICES)
        state = run.state
    sandbox.visma.wrong_total.clear()
    run = tap(INVOICES, state=state)
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)


def test_a_listing_that_is_shuffled_at_each_page_is_never_taken_for_whole(sandbox, tap):
    fill(sandbox, 200, 20)
    sandbox.visma.manners.order = "shuffled"
    salts = iter(range(10_000))

    def shuffle(endpoint, page):
        sandbox.visma.manners.salt = str(next(salts))

    sandbox.visma.on_page = shuffle
    run = tap(INVOICES)
    if not run.failures:
        assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)
    else:
        assert "replication_key_value" not in run.entry(INVOICES)


def test_rows_that_share_a_key_in_each_pass_are_read_and_told(sandbox, tap, logged):
    _, transactions = business.gl_journal(number="GL1", amount=Decimal("10.00"))
    line = {**transactions[0], "lineNumber": 7}
    sandbox.visma.put("GeneralLedgerTransactions", {**line, "description": "one"})
    body = sandbox.visma.all("GeneralLedgerTransactions")
    twice = [{**row, "metadata": {"totalCount": 2, "maxPageSize": 100}} for row in [*body, *body]]
    text = TapRunner.as_json(twice)
    sandbox.faults.add("visma", status=200, body=text, match="ledger=1", times=None)
    run = tap("general_ledger_transactions")
    assert run.failures == {}
    assert "rows share a key" in logged.text
    assert run.entry("general_ledger_transactions")["replication_key_value"]


def test_a_sweep_that_is_cut_off_and_disturbed_is_made_again(sandbox, tap):
    sandbox.visma.manners.order = "key"
    fill(sandbox, 100, 10)
    limit = {"status": 429, "retry_after": 3600}
    sandbox.faults.add("visma", match="pageNumber=6", **limit)
    runs = [tap(INVOICES, requests_in_flight=1)]
    remove(sandbox, range(10))
    sandbox.faults.add("visma", match="pageNumber=5", **limit)
    runs.append(tap(INVOICES, state=runs[-1].state, requests_in_flight=1))
    assert runs[-1].entry(INVOICES)["progress_markers"]["sweeping"]
    remove(sandbox, range(10, 20))
    runs.append(tap(INVOICES, state=runs[-1].state, requests_in_flight=1))
    assert runs[-1].stopped_by is None
    assert runs[-1].failures == {}
    arrived = set().union(*(keys(run.records(INVOICES), INVOICES) for run in runs))
    assert arrived >= stored(sandbox)


def test_a_sweep_that_is_cut_off_and_undisturbed_is_not_made_again(sandbox, tap):
    fill(sandbox, 100, 10)
    limit = {"status": 429, "retry_after": 3600}
    sandbox.faults.add("visma", match="pageNumber=6", **limit)
    first = tap(INVOICES, requests_in_flight=1)
    sandbox.faults.add("visma", match="pageNumber=5", **limit)
    second = tap(INVOICES, state=first.state, requests_in_flight=1)
    calls = len(sandbox.requests("visma"))
    third = tap(INVOICES, state=second.state, requests_in_flight=1)
    assert third.entry(INVOICES)["replication_key_value"]
    pages = [dict(one.query)["pageNumber"] for one in sandbox.requests("visma")[calls:]]
    assert pages == ["5", "6", "7", "8", "9", "10"]


def test_a_company_without_ledgers_has_no_gl_transactions_and_the_rest_is_read(sandbox, tap):
    run = tap(company_id="999")
    assert run.failures == {}
    assert run.records("general_ledger_transactions") == []


def test_one_ledger_that_is_refused_does_not_hide_the_others(sandbox, tap):
    _, transactions = business.gl_journal(number="GL1", amount=Decimal("9800.00"))
    for ledger in ("1", "2"):
        for transaction in transactions:
            sandbox.visma.put("GeneralLedgerTransactions", transaction, ledger=ledger)
    sandbox.faults.add("visma", status=403, times=None, match="ledger=1")
    run = tap("general_ledger_transactions")
    assert list(run.failures) == ["general_ledger_transactions of ledger 1"]
    assert {one["ledger_id"] for one in run.records("general_ledger_transactions")} == {"2"}


@pytest.mark.parametrize("field", ["referenceNumber", "lastModifiedDateTime"])
def test_a_wrapped_key_or_stamp_is_read_as_its_value(sandbox, tap, field):
    fill(sandbox, 3, 20)
    rows = [{**row, field: {"value": row[field]}} for row in sandbox.visma.all("supplierInvoice")]
    body = TapRunner.as_json(rows)
    sandbox.faults.add("visma", status=200, body=body, match="/v1/supplierInvoice?")
    run = tap(INVOICES)
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)
    assert run.entry(INVOICES)["replication_key_value"] > "2024"


def test_stamps_with_a_zone_move_the_bookmark_and_the_filter_has_none(sandbox, tap):
    rows = [{**invoice("1"), "lastModifiedDateTime": "2026-11-20T10:11:12.5+01:00"}]
    body = TapRunner.as_json(rows)
    sandbox.faults.add("visma", status=200, body=body, match="/v1/supplierInvoice?", times=2)
    first = tap(INVOICES)
    assert first.entry(INVOICES)["replication_key_value"] == "2026-11-20T10:11:12.5"
    tap(INVOICES, state=first.state, lookback_seconds=0)
    asked = dict(sandbox.requests("visma")[-1].query)["lastModifiedDateTime"]
    assert asked.startswith("2026-11-20T10:10:1")


def test_records_without_a_readable_stamp_are_told_once(sandbox, tap, logged):
    rows = [{**invoice(str(n)), "lastModifiedDateTime": "yesterday"} for n in range(3)]
    body = TapRunner.as_json(rows)
    sandbox.faults.add("visma", status=200, body=body, match="pageNumber=1")
    assert len(tap(INVOICES).records(INVOICES)) == 3
    assert logged.text.count("each run reads everything") == 1


def test_a_batch_without_lines_and_batches_without_a_key_are_read(sandbox, tap):
    journal, _ = business.gl_journal(number="GL1", amount=Decimal("9800.00"))
    sandbox.visma.put(JOURNAL, journal)
    sandbox.visma.put(JOURNAL, {**journal, "batchNumber": "GL2", "journalTransactionLines": []})
    run = tap("journal_transactions")
    assert run.failures == {}
    numbers = {one["batchNumber"] for one in run.records("journal_transactions")}
    assert numbers == {"GL1", "GL2"}
    keyless = {**journal, "batchNumber": None, "metadata": {"totalCount": 4}}
    rows = [{**keyless, "description": text} for text in ("one", "two")]
    body = TapRunner.as_json(rows)
    sandbox.faults.add("visma", status=200, body=body, match="pageNumber=1")
    records = tap("journal_transactions").records("journal_transactions")
    assert [one["description"] for one in records[:2]] == ["one", "two"]


@pytest.mark.parametrize("lines", [{}, "lines", [None]])
def test_lines_that_are_no_lines_are_an_error_of_that_stream_alone(sandbox, tap, lines):
    journal, _ = business.gl_journal(number="GL1", amount=Decimal("9800.00"))
    body = TapRunner.as_json([{**journal, "journalTransactionLines": lines}])
    sandbox.faults.add("visma", status=200, body=body, match="journaltransaction")
    run = tap("journal_transactions", "ledgers")
    assert "is no list of lines" in str(run.failures["journal_transactions"])
    assert len(run.records("ledgers")) == 2


def test_an_error_nested_without_end_is_an_error_of_that_stream_alone(sandbox, tap):
    body = "[" * 100_000
    sandbox.faults.add("visma", status=400, body=body, match="/v1/supplierInvoice?")
    run = tap(INVOICES, "ledgers")
    assert "Visma.net answered 400" in str(run.failures[INVOICES])
    assert len(run.records("ledgers")) == 2


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("api_url", "http://", "api_url: 'http://' is no address"),
        ("auth_url", "connect.visma.com", "auth_url: 'connect.visma.com' is no address"),
        ("user_agent", "ours \N{EN DASH} alerts", "user_agent: cannot be sent"),
        ("company_id", "12\n3", "company_id: cannot be sent"),
        ("client_secret", 1234567890, "client_secret: must be text, in quotes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(tap, tmp_path, setting, value, told):
    ended = tap.process(tmp_path, **{setting: value})
    assert ended.returncode == 1
    assert told in ended.stderr
    assert "1234567890" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("folder", "/folder is a folder; give a file"),
        ("nowhere/keys.db", "keys_file: there is no folder /"),
        (f"{'long' * 100}/keys.db", "keys_file: cannot be used ([Errno 36] File name too long"),
        ("keys\0.db", "keys_file: cannot be used (embedded null byte)"),
    ],
)
def test_a_place_where_no_keys_can_be_kept_is_one_line(tap, tmp_path, monkeypatch, place, told):
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    (tmp_path / "folder").mkdir()
    ended = tap.process(tmp_path, detect_deletes_hours=1, keys_file=place)
    assert ended.returncode == 1
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_settings_that_were_left_empty_have_their_defaults(sandbox, tap):
    run = tap(INVOICES, scope="", company=" ", company_id=" ", start_date="", user_agent="")
    assert run.failures == {}
    assert run.entry(INVOICES)["context"]["company"] == tap.config["tenant_id"]


def test_a_busy_token_endpoint_is_no_wrong_credential(sandbox, tap):
    sandbox.faults.add("connect", status=503, times=None)
    run = tap(INVOICES)
    assert str(run.stopped_by) == (
        "Visma Connect answers 503: try again later; the next run does; tried 4 times"
    )


def test_many_stamps_far_ahead_are_told_once(sandbox, tap, logged):
    ahead = datetime.now(timezone.utc) + timedelta(days=400)
    for place in range(5):
        sandbox.visma.put("supplierInvoice", invoice(f"{place}"), at=ahead)
    assert len(tap(INVOICES).records(INVOICES)) == 5
    assert logged.text.count("more than a day ahead") == 1


def test_a_slow_first_answer_counts_into_the_reads_duration(sandbox, tap):
    fill(sandbox, 3, 20)
    sandbox.faults.add("visma", delay=1.1, match="/v1/supplierInvoice?")
    assert tap(INVOICES).entry(INVOICES)["read_seconds"] >= 1
