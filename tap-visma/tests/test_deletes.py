"""What was deleted in Visma.net is found by reading everything and comparing keys."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from tap_running import TapRunner, invoice, keys, selecting

from visma_twilio_sandbox import business

INVOICES = "supplier_invoices"
LEDGERS = "ledgers"
TRANSACTIONS = "general_ledger_transactions"
HOUR = 3600


@pytest.fixture(autouse=True)
def project_root(tmp_path, monkeypatch):
    """Where the keys are kept."""
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(sandbox):
    """Runs that look for deletes once an hour; each goes on where the one before ended."""
    return Runs(sandbox)


class Runs:
    def __init__(self, sandbox):
        self.runner = TapRunner(sandbox)
        self.state = {}

    def __call__(self, *streams, **config):
        run = self.runner(
            *(streams or [INVOICES]),
            state=self.state,
            **{"detect_deletes_hours": 1, **config},
        )
        self.state = run.state
        return run

    def later(self, *, hours):
        """Let the time of the last comparison be so much longer ago."""
        for stream in self.state["bookmarks"].values():
            for entry in stream["partitions"]:
                entry["compared_at"] -= hours * HOUR


def deleted(run, stream=INVOICES):
    """The keys of the tombstones."""
    found = [one for one in run.records(stream) if one.get("_sdc_deleted_at")]
    return sorted(
        one[name] for one in found for name in ("referenceNumber", "number") if name in one
    )


def fill(sandbox, *places):
    for place in places:
        sandbox.visma.put("supplierInvoice", invoice(f"{place:04d}"))


def delete(sandbox, *places):
    for place in places:
        key = {"documentType": "Invoice", "referenceNumber": f"{place:04d}"}
        sandbox.visma.delete("supplierInvoice", key)


def test_a_deleted_invoice_is_told_once(sandbox, run):
    fill(sandbox, *range(30))
    first = run()
    delete(sandbox, 7, 11)
    early = run()
    run.later(hours=1)
    second = run()
    run.later(hours=1)
    third = run()
    assert [deleted(one) for one in (first, early, second, third)] == [[], [], ["0007", "0011"], []]
    (tombstone, _) = [one for one in second.records(INVOICES) if one["_sdc_deleted_at"]]
    key = {"tenant_id", "company", "documentType", "referenceNumber"}
    assert set(tombstone) == {*key, "_sdc_deleted_at"}
    assert {one["_sdc_deleted_at"] for one in first.records(INVOICES)} == {None}
    schema = next(one for one in second.messages if one["type"] == "SCHEMA")["schema"]
    assert schema["properties"]["_sdc_deleted_at"]["format"] == "date-time"


def test_without_the_setting_there_is_no_file_no_field_and_no_further_call(
    sandbox, run, project_root
):
    fill(sandbox, *range(5))
    first = run(detect_deletes_hours=0)
    calls = len(sandbox.requests("visma"))
    run(detect_deletes_hours=0)
    assert len(sandbox.requests("visma")) == 2 * calls
    assert list(project_root.iterdir()) == []
    assert "_sdc_deleted_at" not in first.records(INVOICES)[0]


def test_it_is_looked_for_only_when_it_is_time(sandbox, run):
    fill(sandbox, *range(5))
    run()
    calls = len(sandbox.requests("visma"))
    run()
    assert len(sandbox.requests("visma")) == calls + 1
    run.later(hours=1)
    run()
    filters = [dict(one.query).get("lastModifiedDateTime") for one in sandbox.requests("visma")]
    assert [one is None for one in filters] == [True, False, False, True]


def test_what_alerts_wait_for_is_read_before_anything_is_compared(sandbox, run):
    streams = (INVOICES, "customer_invoices", TRANSACTIONS)
    fill(sandbox, *range(5))
    run(*streams)
    run.later(hours=2)
    before = len(sandbox.requests("visma"))
    run(*streams)
    is_whole = [
        "lastModifiedDateTime" not in dict(one.query)
        for one in sandbox.requests("visma")[before:]
        if one.path != "/v1/ledger"
    ]
    assert is_whole == sorted(is_whole)
    assert set(is_whole) == {False, True}


def test_a_comparison_moves_no_bookmark_and_keeps_new_versions(sandbox, run):
    fill(sandbox, *range(5))
    run()
    bookmark = run.state["bookmarks"][INVOICES]["partitions"][0]["replication_key_value"]
    sandbox.visma.advance(HOUR)
    run.later(hours=2)
    found = run()
    assert found.entry(INVOICES)["replication_key_value"] == bookmark
    fill(sandbox, 6)
    assert ("Invoice", "0006") in keys(run().records(INVOICES), INVOICES)


def test_full_tables_are_compared_in_each_run_without_a_further_call(sandbox, run):
    for number in ("8", "9"):
        sandbox.visma.put("ledger", {"number": number, "description": "Of one year"})
    run(LEDGERS)
    calls = len(sandbox.requests("visma"))
    sandbox.visma.delete("ledger", {"number": "8"})
    assert deleted(run(LEDGERS), LEDGERS) == ["8"]
    assert deleted(run(LEDGERS), LEDGERS) == []
    assert len(sandbox.requests("visma")) == 3 * calls


def test_what_comes_back_and_goes_again_is_told_again(sandbox, run):
    fill(sandbox, 1, 2)
    run()
    told = []
    for change in (delete, fill, delete):
        change(sandbox, 2)
        run()
        run.later(hours=1)
        told.append(deleted(run()))
    assert told == [["0002"], [], ["0002"]]


def test_a_comparison_that_a_limit_cuts_off_goes_on_and_alerts_do_not_wait_for_it(sandbox, run):
    sandbox.visma.manners.order = "key"
    fill(sandbox, *range(60))
    run(page_size=10)
    delete(sandbox, 3, 55)
    run.later(hours=2)
    sandbox.visma.set_limit(50, window_seconds=600)
    sandbox.faults.add(
        "visma", status=429, retry_after=3600, match="supplierInvoice?pageNumber=4", times=1
    )
    first = run(page_size=10, requests_in_flight=1)
    assert first.entry(INVOICES)["comparing"]["page"] == 4
    assert "progress_markers" not in first.entry(INVOICES)
    fill(sandbox, 70)
    sandbox.visma.set_limit(50, window_seconds=600)
    second = run(page_size=10, requests_in_flight=1)
    assert ("Invoice", "0070") in keys(second.records(INVOICES), INVOICES)
    assert deleted(second) == ["0003", "0055"]
    assert "comparing" not in second.entry(INVOICES)


def test_documents_that_go_while_keys_are_compared_are_told_at_the_latest_next_time(sandbox, run):
    sandbox.visma.manners.order = "key"
    fill(sandbox, *range(40))
    run(page_size=10)
    run.later(hours=2)
    comparing = []

    def remove(_endpoint, page):
        comparing.append(page)
        if len(comparing) == 4:
            delete(sandbox, 0, 1)

    sandbox.visma.on_page = remove
    told = deleted(run(page_size=10))
    run.later(hours=2)
    told += deleted(run(page_size=10))
    assert sorted(told) == ["0000", "0001"]


def test_one_that_slips_over_a_page_border_while_another_comes_is_not_called_deleted(sandbox, run):
    sandbox.visma.manners.order = "key"
    fill(sandbox, *range(40))
    run(page_size=10)
    run.later(hours=2)
    pages = []

    def exchange(_endpoint, page):
        pages.append(page)
        if page == 2 and pages.count(2) == 2:  # in the comparison: 0010 slips to page 1
            delete(sandbox, 0)
            fill(sandbox, 90)

    sandbox.visma.on_page = exchange
    told = []
    for _ in range(3):
        told += deleted(run(page_size=10, requests_in_flight=1))
        run.later(hours=2)
    assert told == ["0000"]


def test_what_misses_is_read_a_second_time_only_if_it_has_pages(sandbox, run):
    fill(sandbox, *range(25))
    run()
    calls = []
    for place, page_size in enumerate((50, 10)):
        run.later(hours=2)
        delete(sandbox, place)
        before = len(sandbox.requests("visma"))
        assert deleted(run(page_size=page_size)) == [f"{place:04d}"]
        asked = [dict(one.query) for one in sandbox.requests("visma")[before:]]
        calls.append(sum("lastModifiedDateTime" not in one for one in asked))
    assert calls == [1, 2 * 3]


def test_a_second_look_that_a_limit_puts_off_is_made_in_the_next_run(sandbox, run):
    fill(sandbox, *range(25))
    run(page_size=10)
    run.later(hours=2)
    delete(sandbox, 3)
    pages = []

    def refuse(_endpoint, page):
        pages.append(page)
        if len(pages) == 6:  # three of what is new, three to compare
            sandbox.faults.add("visma", status=429, retry_after=3600, times=1)

    sandbox.visma.on_page = refuse
    first = run(page_size=10, requests_in_flight=1)
    assert deleted(first) == []
    assert first.entry(INVOICES)["missed"] == 1
    sandbox.visma.on_page = None
    assert deleted(run(page_size=10)) == ["0003"]
    assert "missed" not in run.state["bookmarks"][INVOICES]["partitions"][0]


def test_an_empty_answer_deletes_nothing_and_says_so(sandbox, run, logged):
    fill(sandbox, 1, 2, 3)
    run()
    delete(sandbox, 1, 2, 3)
    run.later(hours=2)
    assert deleted(run()) == []
    assert "the listing is empty though 3 were there: none is called deleted" in logged.text


def test_what_start_date_hides_is_not_called_deleted(sandbox, run):
    long_ago = datetime(2025, 3, 3, 12, tzinfo=timezone.utc)
    sandbox.visma.put("supplierInvoice", invoice("0001"), at=long_ago)
    fill(sandbox, 2, 3)
    run()
    delete(sandbox, 3)
    run.later(hours=2)
    assert deleted(run(start_date="2026-06-01")) == ["0003"]


def test_a_state_that_was_lost_has_them_told_again(sandbox, run):
    fill(sandbox, 1, 2)
    run()
    delete(sandbox, 2)
    run.later(hours=2)
    kept = json.loads(json.dumps(run.state))
    assert deleted(run()) == ["0002"]
    run.state = kept
    assert deleted(run()) == ["0002"]
    run.later(hours=2)
    assert deleted(run()) == []


def test_a_run_that_is_killed_while_it_compares_loses_no_delete(sandbox, run, project_root):
    sandbox.visma.manners.order = "key"
    fill(sandbox, *range(60))
    run(page_size=10)
    delete(sandbox, 5, 58)
    run.later(hours=2)
    for name, content in {
        "config.json": {**run.runner.config, "detect_deletes_hours": 1, "page_size": 10},
        "catalog.json": selecting([INVOICES]),
        "state.json": run.state,
    }.items():
        (project_root / name).write_text(json.dumps(content), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "tap-visma")]
    command += [f"--{name}={name}.json" for name in ("config", "catalog", "state")]
    with subprocess.Popen(
        command,
        cwd=project_root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        pages = []

        def kill(_endpoint, page):
            pages.append(page)
            if len(pages) == 9:  # the third page of the comparison
                os.kill(process.pid, signal.SIGKILL)

        sandbox.visma.on_page = kill
        assert process.wait(timeout=60) == -signal.SIGKILL
    assert deleted(run(page_size=10)) == ["0005", "0058"]


def test_companies_are_compared_apart(make_sandbox, project_root):
    sandbox = make_sandbox(companies=["Nord AB", "Syd AB"])
    nord, syd = sandbox.companies
    for company in (nord, syd):
        for place in range(3):
            company.put("supplierInvoice", invoice(f"{place:04d}"))
    run = Runs(sandbox)
    run.runner.config["companies"] = sandbox.companies_setting()
    del run.runner.config["tenant_id"], run.runner.config["company"]
    run()
    syd.delete("supplierInvoice", {"documentType": "Invoice", "referenceNumber": "0001"})
    run.later(hours=2)
    (told,) = [one for one in run().records(INVOICES) if one["_sdc_deleted_at"]]
    assert (told["company"], told["referenceNumber"]) == ("Syd AB", "0001")


def test_lines_of_a_ledger_and_documents_with_lines_are_compared_too(sandbox, run):
    for number in ("GL1", "GL2"):
        _, lines = business.gl_journal(number=number, amount=Decimal("10.00"))
        for line in lines:
            sandbox.visma.put("GeneralLedgerTransactions", line)
    fill(sandbox, 1, 2)
    streams = (TRANSACTIONS, INVOICES, "supplier_invoice_lines")
    run(*streams, lines=True)
    gone = sandbox.visma.all("GeneralLedgerTransactions")[0]
    key = {name: gone[name] for name in ("module", "batchNumber", "lineNumber")}
    sandbox.visma.delete("GeneralLedgerTransactions", {**key, "ledger": gone["ledger"]})
    delete(sandbox, 1)
    run.later(hours=2)
    found = run(*streams, lines=True)
    (told,) = [one for one in found.records(TRANSACTIONS) if one["_sdc_deleted_at"]]
    assert {name: told[name] for name in key} == key
    assert told["ledger_id"] == "1"
    assert deleted(found) == ["0001"]


def test_a_file_of_keys_that_is_none_is_told_and_alerts_go_on(sandbox, run, project_root):
    fill(sandbox, 1, 2)
    (project_root / "tap-visma-keys.db").write_text("no database", encoding="utf-8")
    found = run()
    assert keys(found.records(INVOICES), INVOICES) == {("Invoice", "0001"), ("Invoice", "0002")}
    assert found.entry(INVOICES)["replication_key_value"]
    (told,) = map(str, found.failures.values())
    assert "mend or remove that file (setting keys_file)" in told
    assert "\n" not in told


def test_a_file_of_keys_that_was_removed_is_made_again(sandbox, run, project_root):
    fill(sandbox, 1, 2)
    run()
    (project_root / "tap-visma-keys.db").unlink()
    run.later(hours=2)
    assert deleted(run()) == []
    delete(sandbox, 2)
    run.later(hours=2)
    assert deleted(run()) == ["0002"]


def test_a_field_that_nobody_wants_is_left_out_and_deletes_are_told(sandbox, run):
    fill(sandbox, 1, 2)
    catalog = selecting([INVOICES])
    for entry in catalog["streams"][0]["metadata"]:
        if list(entry["breadcrumb"]) == ["properties", "description"]:
            entry["metadata"]["selected"] = False
    first = run(catalog=catalog)
    assert all("description" not in one for one in first.records(INVOICES))
    assert {one["_sdc_deleted_at"] for one in first.records(INVOICES)} == {None}
    delete(sandbox, 2)
    run.later(hours=2)
    assert deleted(run(catalog=catalog)) == ["0002"]
