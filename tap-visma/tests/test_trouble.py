"""When things go wrong: each ends in one line that says what to check, and nothing is lost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from tap_running import ENDPOINTS, TapRunner, invoice, keys

from tap_visma.errors import AccessError, LimitReachedError
from tap_visma.streams import STREAMS
from visma_twilio_sandbox import business, credentials

INVOICES = "supplier_invoices"


def fill(sandbox, number=60, page=20):
    for place in range(number):
        sandbox.visma.put("supplierInvoice", invoice(f"{place:04d}"))
    sandbox.visma.max_page_size["supplierInvoice"] = page


# Access


def test_a_token_that_expires_is_renewed_once(sandbox, tap):
    fill(sandbox)
    seen = []

    def expire(endpoint, page):
        if page == 2 and not seen:
            seen.append(page)
            sandbox.connect.expire_all()

    sandbox.visma.on_page = expire
    run = tap(INVOICES, requests_in_flight=1)
    assert run.failures == {}
    assert len(run.records(INVOICES)) == 60
    assert len(sandbox.requests("connect")) == 2


def test_a_token_is_renewed_before_it_ends(sandbox, tap):
    sandbox.connect.lifetime_seconds = 1
    tap(INVOICES, "supplier_payments")
    assert len(sandbox.requests("connect")) >= 1
    assert all(request.status == 200 for request in sandbox.requests("visma"))


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("client_secret", "wrong", "invalid_client): check client_id and client_secret"),
        ("tenant_id", "99999999-9999-4999-8999-999999999999", "the company's tenant id"),
        ("scope", "everything", "invalid_scope): check scope"),
        ("tenant_id", credentials.CUSTOMER_TENANT_ID, "401, twice): check that tenant_id"),
    ],
)
def test_a_refusal_says_what_to_check_and_is_told_once(tap, logged, setting, value, told):
    run = tap(**{setting: value})
    assert isinstance(run.stopped_by, AccessError)
    assert told in str(run.stopped_by)
    errors = [one for one in logged.records if one.levelname == "ERROR"]
    assert len(errors) == 1
    assert set(run.failures) == set(ENDPOINTS)
    assert credentials.CLIENT_SECRET not in logged.text


def test_a_token_endpoint_that_stumbles_is_asked_again(sandbox, tap):
    sandbox.faults.add("connect", status=503)
    assert tap(INVOICES).failures == {}


def test_an_address_where_nobody_listens_is_told(tap):
    run = tap(auth_url="http://127.0.0.1:1/connect/token")
    assert "auth_url http://127.0.0.1:1/connect/token cannot be reached" in str(run.stopped_by)


# Answers that cannot be trusted


def test_a_filter_that_did_not_filter_is_an_error(sandbox, tap):
    fill(sandbox)
    sandbox.visma.put("supplierInvoice", invoice("old"), at=sandbox.visma.clock())
    state = tap(INVOICES).state
    sandbox.visma.ignore_filter.add("supplierInvoice")
    entry = state["bookmarks"][INVOICES]["partitions"][0]
    entry["replication_key_value"] = "2090-01-01T00:00:00"
    run = tap(state=state)
    assert "the filter did not filter" in str(run.failures[INVOICES])
    assert list(run.failures) == [INVOICES]
    assert run.entry(INVOICES)["replication_key_value"] == "2090-01-01T00:00:00"


def test_an_endpoint_that_ignores_pages_is_an_error(sandbox, tap):
    fill(sandbox)
    sandbox.visma.ignore_paging.add("supplierInvoice")
    run = tap(INVOICES)
    assert "as if pageNumber were ignored" in str(run.failures[INVOICES])
    assert "replication_key_value" not in run.entry(INVOICES)


def test_a_total_that_does_not_add_up_is_read_again_and_then_an_error(sandbox, tap):
    fill(sandbox)
    sandbox.visma.wrong_total.add("supplierInvoice")
    run = tap(INVOICES)
    assert "did not add up in 4 passes" in str(run.failures[INVOICES])


def test_a_listing_that_shrinks_while_it_is_paged_is_read_again(sandbox, tap):
    fill(sandbox)
    taken = []

    def remove(endpoint, page):
        if endpoint == "supplierInvoice" and page == 2 and not taken:
            first = sandbox.visma.all("supplierInvoice")[0]
            taken.append({name: first[name] for name in ("documentType", "referenceNumber")})
            sandbox.visma.delete("supplierInvoice", taken[0])

    sandbox.visma.on_page = remove
    run = tap(INVOICES)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) >= keys(
        sandbox.visma.all("supplierInvoice"),
        INVOICES,
    )


@pytest.mark.parametrize("seed", range(4))
def test_every_final_version_arrives_though_documents_change_while_we_page(make_sandbox, seed):
    sandbox = make_sandbox(seed)
    fill(sandbox, number=100, page=10)
    tap = TapRunner(sandbox)
    changes = iter(range(30))

    def change(endpoint, page):
        number = next(changes, None)
        if number is not None:
            key = {"documentType": "Invoice", "referenceNumber": f"{number * 3:04d}"}
            sandbox.visma.change("supplierInvoice", key, amount=Decimal(number))
            sandbox.visma.put("supplierInvoice", invoice(f"new{number}"))

    sandbox.visma.on_page = change
    arrived, state = {}, {}
    for _ in range(3):
        run = tap(INVOICES, state=state)
        assert run.failures == {}
        arrived |= {one["referenceNumber"]: one["amount"] for one in run.records(INVOICES)}
        state = run.state
        sandbox.visma.on_page = change if not arrived else None
    for stored in sandbox.visma.all("supplierInvoice"):
        assert arrived[stored["referenceNumber"]] == stored["amount"]


def test_an_answer_that_is_no_list_is_an_error_of_that_stream_alone(sandbox, tap):
    sandbox.faults.add("visma", status=200, body="<html>", match="/v1/supplierInvoice?", times=None)
    run = tap()
    assert "not a JSON list of objects" in str(run.failures[INVOICES])
    assert list(run.failures) == [INVOICES]


# Faults of the network and the server


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_dropped_connection_is_tried_again(sandbox, tap, drop):
    fill(sandbox)
    sandbox.faults.add("visma", drop=drop, times=2)
    assert len(tap(INVOICES).records(INVOICES)) == 60


def test_slow_answers_and_failures_make_the_pages_smaller(sandbox, tap):
    fill(sandbox, number=60, page=1000)
    sandbox.faults.add("visma", delay=3, match="/v1/supplierInvoice?")
    sandbox.faults.add("visma", status=500, match="/v1/supplierInvoice?")
    run = tap(INVOICES, page_size=80, request_timeout_seconds=1)
    assert len(run.records(INVOICES)) == 60
    sizes = [dict(one.query)["pageSize"] for one in sandbox.requests("visma")]
    assert sizes[:4] == ["80", "40", "20", "20"]


@pytest.mark.parametrize("seed", range(8))
def test_errors_of_every_shape_end_in_one_line(make_sandbox, tap, seed, logged):
    sandbox = make_sandbox(seed)
    sandbox.faults.add("visma", status=500, times=None, match="/v1/supplierInvoice?")
    run = TapRunner(sandbox)(INVOICES, "ledgers")
    told = str(run.failures[INVOICES])
    assert told.startswith("Visma.net answered 500")
    assert "tried 5 times" in told
    assert "\n" not in told
    assert len(run.records("ledgers")) == 2


def test_a_forbidden_stream_does_not_stop_the_others(sandbox, tap):
    business.history(sandbox.visma, documents=50, seed=1)
    sandbox.faults.add("visma", status=403, times=None, match="/v1/supplierInvoice?")
    run = tap()
    assert list(run.failures) == [INVOICES]
    assert "check that scope has" in str(run.failures[INVOICES])
    for stream in set(ENDPOINTS) - {INVOICES}:
        assert run.entry(stream)["replication_key_value"]


# Limits


def test_a_429_is_waited_for_as_long_as_it_asks(sandbox, tap):
    sandbox.faults.add("visma", status=429, retry_after=1)
    run = tap(INVOICES)
    assert run.failures == {}
    assert run.stopped_by is None


def test_a_limit_that_lasts_too_long_stops_cleanly_and_the_next_run_goes_on(sandbox, tap):
    fill(sandbox)
    sandbox.faults.add("visma", status=429, retry_after=3600, match="pageNumber=3")
    first = tap()
    assert isinstance(first.stopped_by, LimitReachedError)
    assert first.failures == {}
    assert first.entry(INVOICES)["progress_markers"]["page"] == 3
    assert "replication_key_value" not in first.entry(INVOICES)
    calls = len(sandbox.requests("visma"))
    second = tap(INVOICES, state=first.state)
    pages = [dict(one.query)["pageNumber"] for one in sandbox.requests("visma")[calls:]]
    assert pages[:2] == ["3", "1"]
    assert sorted(pages[2:]) == ["2", "3"]
    assert keys(second.records(INVOICES), INVOICES) == keys(
        sandbox.visma.all("supplierInvoice"),
        INVOICES,
    )
    assert "progress_markers" not in second.entry(INVOICES)


def test_a_read_that_goes_on_finds_what_moved_meanwhile(sandbox, tap):
    fill(sandbox)
    sandbox.faults.add("visma", status=429, retry_after=3600, match="pageNumber=3")
    first = tap(INVOICES)
    for place in range(25):
        key = {"documentType": "Invoice", "referenceNumber": f"{place:04d}"}
        sandbox.visma.delete("supplierInvoice", key)
    second = tap(INVOICES, state=first.state)
    arrived = keys(first.records(INVOICES) + second.records(INVOICES), INVOICES)
    assert arrived >= keys(sandbox.visma.all("supplierInvoice"), INVOICES)


@pytest.mark.parametrize("reset_as_epoch", [False, True])
def test_a_real_budget_is_kept_to_in_either_form_of_its_headers(sandbox, tap, reset_as_epoch):
    fill(sandbox)
    sandbox.visma.reset_as_epoch = reset_as_epoch
    sandbox.visma.set_limit(2, window_seconds=1)
    run = tap(INVOICES)
    assert run.failures == {}
    assert run.stopped_by is None
    assert len(run.records(INVOICES)) == 60
    assert 429 not in [one.status for one in sandbox.requests("visma")]


def test_the_reserve_is_left(sandbox, tap):
    fill(sandbox)
    sandbox.visma.set_limit(5, window_seconds=3600)
    run = tap(INVOICES, rate_limit_reserve=3)
    assert isinstance(run.stopped_by, LimitReachedError)
    assert len(sandbox.requests("visma")) == 2


# The command line


def test_a_failed_stream_makes_the_exit_code_and_the_last_line(sandbox, tap, tmp_path):
    sandbox.faults.add("visma", status=403, times=None, match="/v1/supplierInvoice?")
    ended = tap.process(tmp_path)
    assert ended.returncode == 1
    assert "Not read to the end: supplier_invoices" in ended.stderr
    assert "Traceback" not in ended.stderr
    states = [json.loads(one) for one in ended.stdout.splitlines() if '"STATE"' in one]
    assert "replication_key_value" in states[-1]["value"]["bookmarks"]["ledgers"]["partitions"][0]


def test_a_stop_by_limit_is_no_failure(sandbox, tap, tmp_path):
    sandbox.faults.add("visma", status=429, retry_after=3600)
    ended = tap.process(tmp_path)
    assert ended.returncode == 0
    assert "longer than max_wait_seconds" in ended.stderr


def test_a_missing_setting_is_told_without_a_traceback(tap, tmp_path):
    tap.config.pop("tenant_id")
    ended = tap.process(tmp_path)
    assert ended.returncode == 1
    assert "tenant_id: not set; set it (TAP_VISMA_TENANT_ID)" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_setting_that_was_left_empty_is_named(tap, tmp_path):
    tap.config["client_secret"] = ""
    ended = tap.process(tmp_path)
    assert ended.returncode == 1
    assert "client_secret: not set; set it (TAP_VISMA_CLIENT_SECRET)" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [(), ("--test",)])
def test_a_start_date_that_is_none_is_told_in_one_line(tap, tmp_path, arguments):
    ended = tap.process(tmp_path, *arguments, start_date="soon")
    assert ended.returncode == 1
    assert "start_date: 'soon' is no date" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_discovery_needs_neither_network_nor_credentials(tmp_path):
    class Nowhere:
        visma_url = connect_url = "http://127.0.0.1:1"

    ended = TapRunner(Nowhere).process(tmp_path, "--discover")
    assert ended.returncode == 0
    streams = {one["tap_stream_id"] for one in json.loads(ended.stdout)["streams"]}
    assert streams == {stream.name for stream in STREAMS}


def test_no_secret_is_in_the_log(sandbox, tap, tmp_path):
    fill(sandbox)
    sandbox.faults.add("visma", status=500)
    ended = tap.process(tmp_path, state={})
    assert credentials.CLIENT_SECRET not in ended.stderr + ended.stdout
    assert "Bearer" not in ended.stderr
