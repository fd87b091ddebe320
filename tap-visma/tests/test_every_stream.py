"""Every stream of the tap, from a company that has a few rows of everything."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache

import pytest
from jsonschema import Draft202012Validator
from tap_running import TapRunner

from tap_visma.kinds import lines_stream
from tap_visma.streams import STREAMS
from tap_visma.tap import TapVisma
from visma_twilio_sandbox import Sandbox, business

NAMES = [stream.name for stream in STREAMS]
LINES = [lines_stream(stream.name) for stream in STREAMS if stream.lines is not None]


@pytest.fixture(scope="module", params=range(2))
def both_runs(request):
    """A first run over every stream and line, and one after it."""
    with Sandbox(seed=request.param) as sandbox:
        business.history(sandbox.visma, documents=60, seed=request.param)
        tap = TapRunner(sandbox)
        first = tap(*NAMES, *LINES, lines=True)
        second = tap(*NAMES, *LINES, lines=True, state=first.state)
        yield first, second


@cache
def streams():
    config = {
        "client_id": "isv_example",
        "client_secret": "-",
        "tenant_id": "11111111-1111-4111-8111-111111111111",
        "lines": True,
    }
    return TapVisma(config=config).streams


def test_nothing_fails_and_each_stream_has_a_bookmark(both_runs):
    for run in both_runs:
        assert run.failures == {}
        assert run.stopped_by is None
        for name in NAMES:
            for entry in run.state["bookmarks"][name]["partitions"]:
                assert entry["replication_key_value"], name
                assert "progress_markers" not in entry, name


def test_each_stream_has_records_that_fit_its_schema_and_are_told_apart_by_its_key(both_runs):
    first, _ = both_runs
    for name in [*NAMES, *LINES]:
        records = first.records(name)
        parts = streams()[name].primary_keys
        fits = Draft202012Validator(streams()[name].schema)
        for record in records:
            plain = json.loads(json.dumps(record, default=float))
            assert not list(fits.iter_errors(plain)), name
        keys = [tuple(record[part] for part in parts) for record in records]
        assert all(part is not None for key in keys for part in key), name
        by_key = {}
        for key, record in zip(keys, records, strict=True):
            # A list without a total is read twice.
            assert by_key.setdefault(key, record) == record, name
    assert [name for name in NAMES if not first.records(name)] == []


def test_a_line_is_in_its_document_and_in_the_stream_of_lines(both_runs):
    first, _ = both_runs
    for stream in STREAMS:
        if stream.lines is None:
            continue
        inside = [
            line
            for document in first.records(stream.name)
            for line in document[stream.lines.field] or ()
            if all(line[name] is not None for name in stream.lines.keys)
        ]
        assert len(first.records(lines_stream(stream.name))) == len(inside), stream.name
    total = sum(one["cost"] for one in first.records("supplier_invoice_lines"))
    assert isinstance(total, Decimal)


def test_what_changed_is_all_that_is_read_again_where_there_is_a_filter(both_runs):
    first, second = both_runs
    for stream in STREAMS:
        assert len(second.records(stream.name)) <= len(first.records(stream.name)), stream.name


def test_lines_are_streams_only_if_they_are_wanted(sandbox, tap):
    business.history(sandbox.visma, documents=60, seed=1)
    run = tap("supplier_invoices", "supplier_invoice_lines")
    assert run.records("supplier_invoices")
    assert not run.records("supplier_invoice_lines")


def test_lines_can_be_read_without_their_documents(sandbox, tap):
    business.history(sandbox.visma, documents=60, seed=1)
    run = tap("supplier_invoice_lines", lines=True)
    assert run.records("supplier_invoice_lines")
    assert not run.records("supplier_invoices")


def test_finance_streams_are_selected_by_default(tap, tmp_path):
    catalog = json.loads(tap.process(tmp_path, "--discover").stdout)
    chosen = {
        one["tap_stream_id"]
        for one in catalog["streams"]
        for entry in one["metadata"]
        if entry["breadcrumb"] == [] and entry["metadata"].get("selected-by-default")
    }
    assert chosen == {stream.name for stream in STREAMS if stream.is_finance}
