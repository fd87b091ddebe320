"""Lists that are asked for in the background: they come whole, or one line says why not."""

from __future__ import annotations

import json
import threading
import time

import hostile
import pytest
from hostile import REQUEST_ID, Hostile
from tap_running import TapRunner, invoice, keys

from tap_visma import background
from tap_visma.checks import problems
from tap_visma.errors import LimitReachedError
from tap_visma.streams import STREAMS
from tap_visma.tap import TapVisma

INVOICES = "supplier_invoices"
LIST = "/v1/supplierInvoice?"
STATE = "/v1/background/"
CONTENT = "/content"


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch):
    monkeypatch.setattr("tap_visma.background._LONGEST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def gate(sandbox):
    with Hostile(sandbox.visma_url) as between:
        yield between


@pytest.fixture
def tap(sandbox, gate):
    runner = TapRunner(sandbox)
    runner.config |= {"api_url": gate.url, "background_streams": [INVOICES]}
    return runner


def fill(sandbox, number=60, page=20):
    for place in range(number):
        sandbox.visma.put("supplierInvoice", invoice(f"{place:04d}"))
    sandbox.visma.max_page_size["supplierInvoice"] = page


def stored(sandbox):
    return keys(sandbox.visma.all("supplierInvoice"), INVOICES)


def asked(gate, text):
    return [one for one in gate.asked if text in one]


def says(state):
    """The state of a background request."""
    return lambda handler: handler.say(200, json.dumps(state).encode())


# It works


def test_a_list_in_the_background_is_the_same_as_one_asked_for_directly(sandbox, tap, gate):
    fill(sandbox)
    directly = tap(INVOICES, background_streams=[])
    before = len(gate.asked)
    run = tap(INVOICES)
    assert run.failures == {}
    assert run.records(INVOICES) == directly.records(INVOICES)
    assert run.entry(INVOICES)["replication_key_value"]
    assert not any(STATE in one for one in gate.asked[:before])
    headers = [one.headers for one in sandbox.requests("visma") if LIST[:-1] in one.path]
    assert [one.get("erp-api-background") for one in headers] == [None] * 3 + ["none"] * 3
    assert len(asked(gate, CONTENT)) == 3
    assert len(asked(gate, STATE)) == 9


def test_only_the_streams_that_are_named_are_asked_for_in_the_background(sandbox, tap, gate):
    run = tap(INVOICES, "ledgers")
    assert len(run.records("ledgers")) == 2
    assert len(asked(gate, CONTENT)) == 1


def test_a_server_that_answers_at_once_is_taken_at_its_word(sandbox, tap, gate):
    fill(sandbox)

    def at_once(handler):
        del handler.headers["erp-api-background"]
        answer = handler.forward()
        handler.say(answer.status_code, answer.content, answer.headers)

    gate.spoil(at_once, match=LIST, times=None)
    run = tap(INVOICES)
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)
    assert asked(gate, STATE) == []


def test_the_answer_is_dated_when_it_was_asked_for(sandbox, tap, gate):
    company = TapVisma(config=tap.config).companies[0]

    def accepted(handler):
        answer = handler.forward()
        handler.send_response_only(202)
        handler.send_header("Date", "Tue, 01 Sep 2026 08:00:00 GMT")
        handler.end_headers()
        handler.wfile.write(answer.content)
        handler.close_connection = True

    gate.spoil(accepted, match="supplierInvoice")
    answer = background.get(company.client, "/v1/supplierInvoice", {})
    company.close()
    assert answer.status == 200
    assert answer.headers["Date"] == "Tue, 01 Sep 2026 08:00:00 GMT"


def test_the_polls_count_against_the_limit_and_keep_to_it(sandbox, tap, gate):
    sandbox.visma.background_polls = 20
    sandbox.visma.set_limit(10, window_seconds=3600)
    run = tap(INVOICES, start_date="2026-01-01")
    assert isinstance(run.stopped_by, LimitReachedError)
    assert run.failures == {}
    assert len(gate.asked) == 10


def test_a_location_will_do_where_no_id_is_told(sandbox, tap, gate):
    fill(sandbox, number=3)

    def nameless(handler):
        said = handler.forward().json()
        handler.say(202, json.dumps({"stateLocation": said["stateLocation"]}).encode())

    gate.spoil(nameless, match=LIST)
    assert keys(tap(INVOICES).records(INVOICES), INVOICES) == stored(sandbox)


# Pauses


def test_the_pauses_double_up_to_the_longest(sandbox, tap, monkeypatch):
    monkeypatch.setattr("tap_visma.background._LONGEST_PAUSE_SECONDS", 30.0)
    sandbox.visma.background_polls = 8
    company = TapVisma(config=tap.config).companies[0]
    paused = []
    monkeypatch.setattr(company.client, "pause", paused.append)
    background.get(company.client, "/v1/supplierInvoice", {})
    company.close()
    assert [one for one in paused if one] == [1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_a_pause_ends_when_the_run_is_stopped(sandbox, tap, gate, monkeypatch):
    monkeypatch.setattr("tap_visma.background._LONGEST_PAUSE_SECONDS", 30.0)
    monkeypatch.setattr("tap_visma.background._FIRST_PAUSE_SECONDS", 30.0)
    company = TapVisma(config=tap.config).companies[0]
    is_accepted = threading.Event()

    def accepted(handler):
        answer = handler.forward()
        handler.say(202, answer.content, answer.headers)
        is_accepted.set()

    gate.spoil(accepted, match="supplierInvoice")
    future = company.workers.submit(
        lambda: background.get(company.client, "/v1/supplierInvoice", {}),
    )
    assert is_accepted.wait(5)
    began = time.monotonic()
    company.close()
    assert isinstance(future.exception(timeout=5), LimitReachedError)
    assert time.monotonic() - began < 5


def test_half_an_hour_is_enough(sandbox, tap, monkeypatch):
    monkeypatch.setattr("tap_visma.background._LONGEST_SECONDS", 0.05)
    sandbox.visma.background_polls = 10_000
    told = str(tap(INVOICES).failures[INVOICES])
    assert "is not ready after" in told
    assert "background request " in told


# It fails


def test_a_failed_request_is_asked_for_again(sandbox, tap):
    fill(sandbox)
    sandbox.visma.background_fails = 1
    run = tap(INVOICES)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)


def test_requests_that_go_on_failing_end_in_one_line(sandbox, tap):
    fill(sandbox)
    sandbox.visma.background_fails = 1000
    run = tap(INVOICES, "ledgers")
    assert list(run.failures) == [INVOICES]
    told = str(run.failures[INVOICES])
    assert told.startswith("background request ")
    assert "failed with 500 (An error has occurred.), request " in told
    assert told.endswith("tried 5 times")
    assert "\n" not in told
    assert "replication_key_value" not in run.entry(INVOICES)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (
            {"status": "Failed", "statusCode": 0, "errorMessage": "No\nsuch company."},
            "failed (No such company.), request " + REQUEST_ID,
        ),
        ({"status": "Failed"}, "failed, request " + REQUEST_ID),
        (
            {"status": "Finished", "statusCode": 403, "errorMessage": "Forbidden"},
            "failed with 403 (Forbidden)",
        ),
        ({"status": "Finished", "statusCode": 403}, "check that scope has"),
    ],
    ids=["message", "bare", "finished", "mend"],
)
def test_what_cannot_pass_is_told_at_once(sandbox, tap, gate, state, told):
    gate.spoil(says(state), match=STATE, times=None)
    run = tap(INVOICES)
    assert told in str(run.failures[INVOICES])
    assert "\n" not in str(run.failures[INVOICES])
    assert len(asked(gate, LIST)) == 1


def test_what_the_endpoint_said_is_fetched_where_the_state_does_not_tell(sandbox, tap, gate):
    sandbox.visma.manners.error_shape = "IPPException"
    gate.spoil(
        lambda handler: handler.say(404, b'{"message": "No such list."}'),
        match=CONTENT,
        times=None,
    )
    gate.spoil(
        says({"status": "Finished", "statusCode": 404, "hasResponseContent": True}),
        match=STATE,
        times=None,
    )
    told = str(tap(INVOICES).failures[INVOICES])
    assert "failed with 404 (No such list.)" in told
    assert "check api_url" in told


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("what", [STATE, CONTENT], ids=["state", "content"])
def test_what_visma_has_lost_is_asked_for_anew(sandbox, tap, gate, what, status):
    fill(sandbox)
    gate.spoil(lambda handler: handler.say(status, b""), match=what, times=2)
    run = tap(INVOICES, requests_in_flight=1)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)
    assert len(asked(gate, LIST)) == 5


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("what", [STATE, CONTENT], ids=["state", "content"])
def test_what_visma_loses_again_and_again_is_one_line(sandbox, tap, gate, what, status):
    fill(sandbox)
    gate.spoil(lambda handler: handler.say(status, b"gone"), match=what, times=None)
    run = tap(INVOICES)
    told = str(run.failures[INVOICES])
    assert f"is lost: Visma.net answered {status} (gone), request {REQUEST_ID}" in told
    assert "asked 3 times" in told
    assert "\n" not in told
    assert len(asked(gate, LIST)) == 3


def test_an_answer_that_expired_is_asked_for_anew_and_then_told(sandbox, tap):
    fill(sandbox)
    sandbox.visma.background_seconds = 0
    assert "is lost: Visma.net answered 404" in str(tap(INVOICES).failures[INVOICES])


@pytest.mark.parametrize(
    "fault",
    [
        hostile.dropped_after,
        hostile.shorter_than_its_length,
        hostile.html_with_200,
        hostile.html_with_502,
        hostile.empty_with_200,
        hostile.gzip_garbage,
    ],
    ids=lambda fault: fault.__name__,
)
@pytest.mark.parametrize("what", [LIST, STATE, CONTENT], ids=["list", "state", "content"])
def test_outages_in_the_background_pass_too(sandbox, tap, gate, what, fault):
    fill(sandbox, number=20)
    gate.spoil(fault, match=what, times=2)
    run = tap(INVOICES)
    assert run.failures == {}
    assert keys(run.records(INVOICES), INVOICES) == stored(sandbox)


def test_polls_that_stumble_do_not_make_the_list_anew(sandbox, tap, gate):
    fill(sandbox, number=20)
    gate.spoil(hostile.html_with_200, match=STATE, times=3)
    assert tap(INVOICES).failures == {}
    assert len(asked(gate, LIST)) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": 7}', b'{"id": ".."}'])
def test_an_acceptance_that_tells_no_id_is_one_line(sandbox, tap, gate, body):
    gate.spoil(lambda handler: handler.say(202, body), match=LIST, times=None)
    told = str(tap(INVOICES).failures[INVOICES])
    assert "background request" in told
    assert REQUEST_ID in told
    assert asked(gate, STATE) == []


def test_an_id_does_not_lead_to_another_path(sandbox, tap, gate):
    odd = json.dumps({"id": "../v1/ledger?x="}).encode()
    gate.spoil(lambda handler: handler.say(202, odd), match=LIST, times=None)
    assert "is lost" in str(tap(INVOICES).failures[INVOICES])
    assert asked(gate, "/v1/background/..%2Fv1%2Fledger%3Fx%3D")


# The setting


def test_an_unknown_stream_is_refused_with_the_nearest():
    config = {
        "client_id": "isv_x",
        "client_secret": "x",
        "tenant_id": "11111111-1111-4111-8111-111111111111",
        "background_streams": ["suplier_invoices", "ledgers", "?"],
    }
    assert problems(config, {one.name: one for one in STREAMS}) == [
        "background_streams: 'suplier_invoices': no such stream; did you mean supplier_invoices?",
        "background_streams: '?': no such stream",
    ]
