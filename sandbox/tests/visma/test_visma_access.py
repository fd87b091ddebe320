"""Who may ask the company, how often, how refusals look, and what can be made to go wrong."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime

import pytest

from visma_twilio_sandbox import credentials

INVOICES = "/v1/supplierInvoice"


def test_only_a_good_token_of_a_company_is_let_in(client, invoices):
    invoices(1)
    for headers in (
        {"Authorization": ""},
        {"Authorization": "Bearer made-up"},
        client.bearer(credentials.CUSTOMER_TENANT_ID),
    ):
        assert client.get(INVOICES, headers).status_code == 401
    client.connect.expire_all()
    assert client.get(INVOICES).status_code == 401


def test_a_token_without_the_read_scope_is_forbidden(client):
    headers = client.bearer(credentials.TENANT_ID, "vismanet_erp_service_api:create")
    assert client.get(INVOICES, headers).status_code == 403


def test_a_token_is_for_one_company(client, invoices):
    invoices(1)
    headers = client.bearer(credentials.SECOND_TENANT_ID)
    assert client.get(INVOICES, headers).json() == []
    assert len(client.get(INVOICES).json()) == 1


def test_a_wrong_company_id_is_answered_with_nothing(client, visma, invoices):
    invoices(1)
    assert client.get(INVOICES, {"ipp-company-id": "1"}).json() == []
    assert len(client.get(INVOICES, {"ipp-company-id": visma.company_id}).json()) == 1


def test_only_reading_and_only_known_paths(client):
    for path in ("/v1/suppliers", "/v2/supplierInvoice", "/erp/service/v1/supplierInvoice", "/"):
        assert client.get(path).status_code == 404
    answer = client.session.post(client.url + INVOICES, headers=client.headers, json={})
    assert answer.status_code == 405


def test_every_answer_tells_the_limit_the_time_and_its_own_id(client, visma):
    answers = [
        client.get(INVOICES),
        client.get(INVOICES, pageNumber="x"),
        client.get(INVOICES, {"Authorization": ""}),
        client.get("/nowhere"),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 401, 404]
    for answer in answers:
        assert int(answer.headers["X-RateLimit-Limit"]) > 1000
        assert int(answer.headers["X-RateLimit-Reset"]) <= 3600
        assert answer.headers["X-RateLimit-Policy"] == "4-fixed-window"
        date = parsedate_to_datetime(answer.headers["Date"])
        assert abs((visma.clock() - date).total_seconds()) < 60
    assert len({answer.headers["Ipp-Request-Id"] for answer in answers}) == 4


def test_beyond_the_limit_comes_429_until_the_window_ends(client, visma):
    visma.set_limit(2, 0.2)
    answers = [client.get(INVOICES) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    remaining = [answer.headers["X-RateLimit-Remaining"] for answer in answers]
    assert remaining == ["1", "0", "0"]
    assert answers[2].headers["Retry-After"] == "1"
    assert visma.limit == 2
    deadline = time.monotonic() + 5
    while client.get(INVOICES).status_code == 429:
        assert time.monotonic() < deadline


def test_the_reset_may_be_a_time(client, visma):
    visma.reset_as_epoch = True
    reset = int(client.get(INVOICES).headers["X-RateLimit-Reset"])
    assert time.time() < reset <= time.time() + 3601


@pytest.mark.parametrize(
    ("shape", "pattern"),
    [
        ("message", r'\{"message": "VismaId: [0-9a-f-]{36}\. .*cannot be empty\."\}'),
        ("Message", r'\{"Message": "VismaId: [0-9a-f-]{36}\. .*cannot be empty\."\}'),
        ("IPPException", r'\{"ExceptionType": "IPPException", "ExceptionMessage": .*\}'),
        ("text", r"'Ledger' cannot be empty\."),
        ("empty", ""),
    ],
)
def test_errors_have_every_shape_that_was_met(client, visma, shape, pattern):
    visma.manners.error_shape = shape
    answer = client.get("/v1/GeneralLedgerTransactions")
    assert answer.status_code == 400
    assert re.fullmatch(pattern, answer.text)


def test_injected_faults_look_like_the_servers_own(client, visma):
    visma.manners.error_shape = "message"
    client.faults.add("visma", status=503, retry_after=3)
    answer = client.get(INVOICES)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "3"
    assert "VismaId" in answer.json()["message"]


def test_an_endpoint_may_ignore_its_filter(client, visma, invoices):
    invoices(3)
    visma.ignore_filter.add("supplierInvoice")
    asked = {"lastModifiedDateTime": "2030-01-01", "lastModifiedDateTimeCondition": ">="}
    assert len(client.list(INVOICES, **asked)) == 3
    visma.ignore_filter.clear()
    assert client.list(INVOICES, **asked) == []


def test_an_endpoint_may_ignore_the_page(client, visma, invoices):
    invoices(5)
    visma.ignore_paging.add("supplierInvoice")
    first = client.list(INVOICES, pageNumber=1, pageSize=2)
    assert client.list(INVOICES, pageNumber=2, pageSize=2) == first
    assert client.list(INVOICES, pageNumber=9, pageSize=2) == first


def test_an_endpoint_may_count_wrongly(client, visma, invoices):
    invoices(5)
    visma.wrong_total.add("supplierInvoice")
    assert client.list(INVOICES)[0]["metadata"]["totalCount"] == 6


def test_a_wrong_company_id_empties_envelopes_too(client):
    told = client.get("/v1/creditTerm", {"ipp-company-id": "1"}).json()
    assert (told["totalCount"], told["records"]) == (0, [])
