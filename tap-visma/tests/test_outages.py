"""What networks and servers do to answers: a success after all, or one line; never half a read."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone

import hostile
import pytest
from hostile import REQUEST_ID, Hostile
from tap_running import TapRunner, invoice, keys

from tap_visma.errors import AccessError
from tap_visma.tap import TapVisma

INVOICES = "supplier_invoices"
LIST = "/v1/supplierInvoice?"
OLD = datetime(2025, 1, 1, tzinfo=timezone.utc)

BROKEN = [
    hostile.dropped_before,
    hostile.dropped_after,
    hostile.shorter_than_its_length,
    hostile.cut_between_chunks,
    hostile.cut_in_a_chunk,
    hostile.cut_json_of_the_right_length,
    hostile.no_json,
    hostile.no_utf8,
    hostile.an_object,
    hostile.html_with_200,
    hostile.html_with_502,
    hostile.empty_with_200,
    hostile.empty_with_503,
    hostile.error_that_breaks_off,
    hostile.gzip_garbage,
    hostile.gzip_cut,
]
SLOW = [
    hostile.silence,
    hostile.trickling_body,
    hostile.trickling_chunks,
    hostile.trickling_headers,
]
AT_RENEWAL = [
    hostile.dropped_after,
    hostile.shorter_than_its_length,
    hostile.html_with_200,
    hostile.empty_with_503,
]
UNNAMED = {"dropped_before", "dropped_after", "silence", "trickling_headers"}
"""Faults after which nobody knows a request id."""


def by_name(fault):
    return fault.__name__


@pytest.fixture
def gate(sandbox):
    with Hostile(sandbox.visma_url) as between:
        yield between


@pytest.fixture
def tap(sandbox, gate):
    runner = TapRunner(sandbox)
    runner.config["api_url"] = gate.url
    return runner


@pytest.fixture
def connect_gate(sandbox, tap):
    url, _, path = sandbox.connect_url.partition("/connect")
    with Hostile(url) as between:
        tap.config["auth_url"] = f"{between.url}/connect{path}"
        yield between


@pytest.fixture
def short_deadlines(monkeypatch):
    """An answer may take 0.2 s in all, as long as a second passes between no two parts."""
    monkeypatch.setattr("tap_visma.deadlines.TIMEOUTS", 0.2)
    monkeypatch.setattr("tap_visma.auth._TIMEOUT_SECONDS", 1)


def fill(sandbox, number=60, page=20):
    for place in range(number):
        at = OLD + timedelta(minutes=place)
        sandbox.visma.put("supplierInvoice", invoice(f"{place:04d}"), at=at)
    sandbox.visma.max_page_size["supplierInvoice"] = page


def stored(sandbox):
    return keys(sandbox.visma.all("supplierInvoice"), INVOICES)


def is_one_line(error):
    text = str(error)
    return "\n" not in text and len(text) < 500 and "Traceback" not in text


def config_of(fault):
    return {"request_timeout_seconds": 1} if fault in SLOW else {}


# One list


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("fault", BROKEN, ids=by_name)
def test_what_passes_is_asked_for_again_and_nothing_is_missing(sandbox, tap, gate, fault, page):
    fill(sandbox)
    gate.spoil(fault, match=f"pageNumber={page}")
    run = tap(INVOICES)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)
    assert run.entry(INVOICES)["replication_key_value"]
    assert "progress_markers" not in run.entry(INVOICES)


@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize("fault", SLOW, ids=by_name)
def test_an_answer_that_takes_too_long_is_given_up_and_asked_for_again(sandbox, tap, gate, fault):
    fill(sandbox)
    gate.spoil(fault, match="pageNumber=2")
    began = time.monotonic()
    run = tap(INVOICES, request_timeout_seconds=1)
    assert time.monotonic() - began < 10
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)


@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize("fault", [*BROKEN, *SLOW], ids=by_name)
def test_what_does_not_pass_is_one_line_and_the_bookmark_stays(sandbox, tap, gate, fault):
    fill(sandbox, number=20)
    before = tap(INVOICES).state
    bookmark = before["bookmarks"][INVOICES]["partitions"][0]["replication_key_value"]
    for place in range(40):
        sandbox.visma.put("supplierInvoice", invoice(f"new{place:02d}"))
    asked = len(gate.asked)
    gate.spoil(fault, match=LIST, times=None)
    run = tap(INVOICES, "ledgers", state=before, **config_of(fault))
    assert list(run.failures) == [INVOICES]
    told = str(run.failures[INVOICES])
    assert is_one_line(told)
    assert "tried 5 times" in told
    assert (REQUEST_ID in told) == (fault.__name__ not in UNNAMED)
    assert run.records(INVOICES) == []
    assert run.entry(INVOICES)["replication_key_value"] == bookmark
    assert len(run.records("ledgers")) == 2
    assert sum(one.startswith(LIST) for one in gate.asked[asked:]) == 5
    gate.clear()
    healed = tap(INVOICES, state=run.state)
    assert keys(healed.records(INVOICES), INVOICES) >= {
        key for key in stored(sandbox) if key[1].startswith("new")
    }


@pytest.mark.parametrize("fault", [hostile.gzip_cut, hostile.html_with_200], ids=by_name)
def test_an_outage_in_the_middle_keeps_the_place_and_the_next_run_goes_on(
    sandbox,
    tap,
    gate,
    fault,
):
    fill(sandbox)
    gate.spoil(fault, match="pageNumber=3", times=None)
    gate.spoil(fault, match="pageSize=10&", times=None)
    gate.spoil(fault, match="pageSize=10", times=None)
    first = tap(INVOICES)
    assert list(first.failures) == [INVOICES]
    assert len(first.records(INVOICES)) == 40
    entry = first.entry(INVOICES)
    assert "replication_key_value" not in entry
    assert entry["progress_markers"]["page"] == 3
    gate.clear()
    second = tap(INVOICES, state=first.state)
    assert second.failures == {}
    arrived = keys(first.records(INVOICES) + second.records(INVOICES), INVOICES)
    assert arrived == stored(sandbox)


def test_what_was_read_before_the_pages_were_halved_is_not_lost(sandbox, tap, gate):
    fill(sandbox, number=100, page=1000)
    gate.spoil(hostile.html_with_502, match="pageNumber=2&pageSize=40")
    gate.spoil(hostile.dropped_after, match="pageSize=20")
    run = tap(INVOICES, page_size=40, requests_in_flight=1)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)
    sizes = [one.rpartition("pageSize=")[2] for one in gate.asked if one.startswith(LIST)]
    assert sizes[:4] == ["40", "40", "20", "10"]
    assert set(sizes[3:]) == {"10"}


def test_pages_that_others_wait_for_are_asked_again_too(sandbox, tap, gate):
    fill(sandbox, number=300, page=20)
    for page in (3, 4, 5, 6):
        gate.spoil(hostile.dropped_before, match=f"pageNumber={page}&pageSize=20")
    run = tap(INVOICES, page_size=20, requests_in_flight=4)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)


# Refusals


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize(
    "body",
    [
        {"message": "VismaId: 17. Nothing\nhere."},
        {"Message": "VismaId: 17. Nothing here."},
        {"ExceptionType": "IPPException", "ExceptionMessage": "Nothing here."},
        "Nothing here.",
        "<html><body>Nothing <b>here.</b></body></html>",
        "",
    ],
    ids=["message", "Message", "IPPException", "text", "html", "empty"],
)
def test_a_refusal_is_told_at_once_in_one_line_with_the_request(sandbox, tap, gate, status, body):
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    gate.spoil(lambda handler: handler.say(status, content), match=LIST, times=None)
    run = tap(INVOICES)
    told = str(run.failures[INVOICES])
    assert is_one_line(told)
    assert told.startswith(f"Visma.net answered {status}")
    assert ("Nothing here." in told) == bool(body)
    assert f"request {REQUEST_ID}: " in told
    assert len(gate.asked) == 1


def test_a_redirect_is_followed(sandbox, tap, gate):
    fill(sandbox)
    gate.spoil(hostile.redirect_to_itself, match="pageNumber=2", times=2)
    run = tap(INVOICES)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)


def test_a_redirect_without_end_is_one_line_that_names_the_address(sandbox, tap, gate):
    gate.spoil(hostile.redirect_to_itself, match=LIST, times=None)
    run = tap(INVOICES)
    told = str(run.failures[INVOICES])
    assert is_one_line(told)
    assert "at last to '/v1/supplierInvoice?" in told
    assert told.endswith("check api_url")
    assert len(gate.asked) == 4


def test_a_redirect_that_names_no_address_is_told(sandbox, tap, gate):
    gate.spoil(lambda handler: handler.say(302, b""), match=LIST, times=None)
    assert "check api_url" in str(tap(INVOICES).failures[INVOICES])


def test_a_lost_call_is_no_longer_in_flight(sandbox, tap, gate):
    fill(sandbox)
    for fault in (hostile.dropped_before, hostile.shorter_than_its_length, hostile.no_json):
        gate.spoil(fault, match=LIST)
    one = TapVisma(config=tap.config, message_writer=None)
    for name, stream in one.streams.items():
        stream.selected = name == INVOICES
    seen = []

    def count(endpoint, page):
        seen.append(len(one.companies[0].limits._budget.calls))

    sandbox.visma.on_page = count
    one.sync()
    assert one.failures == {}
    assert max(seen) <= 4
    assert one.companies[0].limits._budget.calls == {}


# The token endpoint


@pytest.mark.parametrize("fault", BROKEN, ids=by_name)
def test_a_token_endpoint_that_stumbles_is_asked_again(sandbox, tap, connect_gate, fault):
    connect_gate.spoil(fault)
    assert tap(INVOICES).failures == {}
    assert len(connect_gate.asked) == 2


@pytest.mark.usefixtures("short_deadlines")
@pytest.mark.parametrize("fault", [*BROKEN, *SLOW], ids=by_name)
def test_a_token_endpoint_that_is_out_of_order_is_one_line(tap, connect_gate, logged, fault):
    connect_gate.spoil(fault, times=None)
    run = tap(INVOICES, "ledgers")
    assert isinstance(run.stopped_by, AccessError)
    assert is_one_line(run.stopped_by)
    assert "tried 4 times" in str(run.stopped_by)
    assert len([one for one in logged.records if one.levelname == "ERROR"]) == 1
    assert set(run.failures) == {INVOICES, "ledgers"}
    assert len(connect_gate.asked) == 4


def test_a_token_endpoint_that_sends_elsewhere_does_not_get_the_secret_sent_there(
    tap,
    connect_gate,
):
    connect_gate.spoil(hostile.redirect_to_itself, times=None)
    run = tap(INVOICES)
    assert "check that auth_url is the token endpoint" in str(run.stopped_by)
    assert len(connect_gate.asked) == 1


@pytest.mark.parametrize("fault", AT_RENEWAL, ids=by_name)
def test_a_renewal_that_stumbles_is_made_again(sandbox, tap, gate, connect_gate, fault):
    fill(sandbox)
    expire_at(sandbox, 2)
    gate.spoil(_after_the_first_token(connect_gate, fault, times=1), match="pageNumber=2")
    run = tap(INVOICES, requests_in_flight=1)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)


@pytest.mark.parametrize("fault", AT_RENEWAL, ids=by_name)
def test_a_renewal_that_fails_ends_in_one_line_and_the_next_run_goes_on(
    sandbox,
    tap,
    gate,
    connect_gate,
    fault,
):
    fill(sandbox)
    expire_at(sandbox, 2)
    gate.spoil(_after_the_first_token(connect_gate, fault, times=None), match="pageNumber=2")
    first = tap(INVOICES, requests_in_flight=1)
    assert list(first.failures) == [INVOICES]
    assert is_one_line(first.failures[INVOICES])
    assert "replication_key_value" not in first.entry(INVOICES)
    assert first.entry(INVOICES)["progress_markers"]["page"] == 3
    connect_gate.clear()
    second = tap(INVOICES, state=first.state)
    arrived = keys(first.records(INVOICES) + second.records(INVOICES), INVOICES)
    assert arrived == stored(sandbox)


def test_threads_that_wait_for_a_token_fail_together(sandbox, tap, connect_gate):
    fill(sandbox, number=300, page=20)
    sandbox.connect.expire_all()
    one = TapVisma(config=tap.config)
    company = one.companies[0]
    connect_gate.spoil(hostile.html_with_502, times=None)
    futures = [company.workers.submit(company.auth.token) for _ in range(4)]
    errors = [future.exception() for future in futures]
    company.close()
    assert all(isinstance(error, AccessError) for error in errors)
    assert len(connect_gate.asked) in range(4, 17, 4)


def expire_at(sandbox, page):
    """The token is worth nothing from one page on."""
    seen = []

    def expire(endpoint, number):
        if number == page and not seen:
            seen.append(number)
            sandbox.connect.expire_all()

    sandbox.visma.on_page = expire


def _after_the_first_token(connect_gate, fault, *, times):
    def spoil(handler):
        connect_gate.spoil(fault, times=times)
        answer = handler.forward()
        handler.say(answer.status_code, answer.content, answer.headers)

    return spoil


# The command line


def test_a_broken_answer_makes_the_exit_code_and_leaves_the_state(sandbox, tap, gate, tmp_path):
    fill(sandbox)
    gate.spoil(hostile.shorter_than_its_length, match=LIST, times=None)
    catalog = TapVisma(config=tap.config).catalog_dict
    for stream in catalog["streams"]:
        for one in stream["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = stream["tap_stream_id"] in {INVOICES, "ledgers"}
    chosen = tmp_path / "catalog.json"
    chosen.write_text(json.dumps(catalog), encoding="utf-8")
    ended = tap.process(tmp_path, "--catalog", str(chosen))
    assert ended.returncode == 1
    assert "Not read to the end: supplier_invoices" in ended.stderr
    assert REQUEST_ID in ended.stderr
    assert "Traceback" not in ended.stderr
    states = [json.loads(one) for one in ended.stdout.splitlines() if '"STATE"' in one]
    bookmarks = states[-1]["value"]["bookmarks"]
    assert "replication_key_value" in bookmarks["ledgers"]["partitions"][0]
    assert "replication_key_value" not in bookmarks[INVOICES]["partitions"][0]
