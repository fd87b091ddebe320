"""The control API drives a sandbox over HTTP, and tells what its telephones and inboxes show."""

from __future__ import annotations

from decimal import Decimal

import pytest
import requests

from visma_twilio_sandbox import Sandbox, business, credentials
from visma_twilio_sandbox.control import SERVICES

NUMBER, ADDRESS = "+46701740605", "anna@example.com"


@pytest.fixture(scope="module")
def shared():
    with Sandbox(seed=3) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared):
    yield shared
    shared.faults.clear()
    shared.page_names.clear()


@pytest.fixture
def control(sandbox):
    with requests.Session() as session:

        def call(method, path, **kwargs):
            return session.request(method, sandbox.control_url + path, timeout=10, **kwargs)

        yield call


def send_sms(sandbox, **form):
    return requests.post(
        f"{sandbox.twilio_url}/2010-04-01/Accounts/{credentials.ACCOUNT_SID}/Messages.json",
        data={"To": NUMBER, "From": credentials.FROM_NUMBER, "Body": "Hej <b>", **form},
        auth=(credentials.ACCOUNT_SID, credentials.AUTH_TOKEN),
        timeout=10,
    )


def send_email(sandbox):
    mail = {
        "personalizations": [{"to": [{"email": ADDRESS}]}],
        "from": {"email": "alerts@example.com"},
        "subject": "An invoice",
        "content": [{"type": "text/plain", "value": "It is large."}],
    }
    headers = {"Authorization": f"Bearer {credentials.SENDGRID_API_KEY}"}
    url = f"{sandbox.sendgrid_url}/v3/mail/send"
    return requests.post(url, json=mail, headers=headers, timeout=10)


def test_the_page_is_one_file_that_loads_nothing_from_elsewhere(control):
    answer = control("GET", "/")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for part in ("http:", "https:", "src=", "<link", "innerHTML"):
        assert part not in answer.text


def test_the_state_has_each_persons_messages_oldest_first(sandbox, control):
    names = {NUMBER: "Anna Lind", ADDRESS: "Anna Lind", "+46701740606": "Erik Berg"}
    assert control("PUT", "/names", json=names).json() == names
    first, second = send_sms(sandbox).json(), send_sms(sandbox, Body="Två").json()
    send_email(sandbox)
    state = control("GET", "/state").json()
    phones = {one["number"]: one for one in state["phones"]}
    assert phones["+46701740606"] == {"number": "+46701740606", "name": "Erik Berg", "messages": []}
    assert phones[NUMBER]["name"] == "Anna Lind"
    shown = phones[NUMBER]["messages"][-2:]
    assert [one["sid"] for one in shown] == [first["sid"], second["sid"]]
    assert (shown[0]["body"], shown[0]["status"]) == ("Hej <b>", "queued")
    (inbox,) = state["inboxes"]
    assert (inbox["name"], inbox["emails"][-1]["subject"]) == ("Anna Lind", "An invoice")


def test_settling_brings_messages_to_their_end(sandbox, control):
    send_sms(sandbox)
    assert control("POST", "/settle").json() == {"callback_failures": []}
    assert {one.status for one in sandbox.twilio.messages} == {"delivered"}


def test_documents_are_put_changed_listed_and_deleted_with_exact_amounts(sandbox, control):
    invoice = business.supplier_invoice(number="900001", amount=Decimal("1.10"))
    key = {name: invoice[name] for name in ("documentType", "referenceNumber")}
    sandbox.visma.put("supplierInvoice", invoice)
    body = '{"key": %s, "fields": {"amount": 75000.10, "status": "Open"}}'
    text = body % str(key).replace("'", '"')
    answer = control("PATCH", "/visma/supplierInvoice", data=text)
    assert answer.status_code == 200, answer.text
    stored = sandbox.visma.get("supplierInvoice", key)
    assert (stored["amount"], stored["status"]) == (Decimal("75000.10"), "Open")
    copy = {**control("GET", "/visma/supplierInvoice").json()[0], "referenceNumber": "900002"}
    assert control("POST", "/visma/supplierInvoice", json=copy).status_code == 201
    assert control("POST", "/visma/supplierInvoice/restamp", json={"key": key}).status_code == 204
    assert control("POST", "/visma/supplierInvoice/restamp").status_code == 204
    assert control("DELETE", "/visma/supplierInvoice", json={"key": key}).status_code == 204
    assert [one["referenceNumber"] for one in sandbox.visma.all("supplierInvoice")] == ["900002"]


def test_every_endpoint_of_every_company_is_reached(sandbox, control):
    keys = control("POST", "/visma/customer/balance/make", json={"count": 3}).json()
    assert len(keys) == 3
    assert keys == sandbox.visma.keys("customer/balance")[-3:]
    tenant = {"tenant": credentials.SECOND_TENANT_ID}
    text = {"departmentId": "ADM"}
    assert control("POST", "/visma/v1/department", json=text, params=tenant).status_code == 201
    second = sandbox.companies[1]
    assert second.get("department", text)
    path = "/visma/v1/department/restamp"
    assert control("POST", path, json={"key": text}, params=tenant).status_code == 204
    body = {"key": text}
    assert control("DELETE", "/visma/department", json=body, params=tenant).status_code == 204
    listed = control("GET", "/visma/V1/Department", params=tenant).json()
    assert len(listed) == len(second.all("department"))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/visma/nothing", None, 404),
        ("POST", "/visma/ledger", [], 400),
        ("POST", "/visma/ledger", {}, 400),
        ("PATCH", "/visma/ledger", {"key": {"number": "9"}, "fields": {}}, 404),
        ("PATCH", "/visma/ledger", {"key": {"number": "1"}}, 400),
        ("PATCH", "/visma/ledger", {"fields": {}}, 400),
        ("PATCH", "/visma/ledger", {"key": {"number": "1"}, "fields": {}, "x": 1}, 400),
        ("DELETE", "/visma/ledger", {"key": {"number": "9"}}, 404),
        ("POST", "/visma/ledger/restamp", {"key": {"number": "9"}}, 404),
        ("POST", "/visma/ledger/make", {"count": 0}, 400),
        ("POST", "/visma/ledger/make", {"number": 1}, 400),
        ("GET", "/visma/ledger?tenant=1", None, 404),
        ("POST", "/faults", {}, 400),
        ("POST", "/faults", {"service": "fax", "status": 500}, 400),
        ("POST", "/faults", {"service": "twilio", "statsu": 500}, 400),
        ("POST", "/faults", {"service": "twilio", "drop": "later"}, 400),
        ("PUT", "/names", {"+46701740605": 1}, 400),
        ("PUT", "/numbers/+46701740605", {"outcome": "failed"}, 400),
        ("PUT", "/numbers/+46701740605", {"refuse": "21610"}, 400),
        ("GET", "/requests/fax", None, 404),
        ("GET", "/nothing", None, 404),
        ("POST", "/state", None, 405),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(control, method, path, body, status):
    answer = control(method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_body_that_is_not_json_is_refused(control):
    assert control("POST", "/faults", data="{").status_code == 400
    assert control("PUT", "/names", data="{").status_code == 400


def test_faults_are_added_and_forgotten(sandbox, control):
    fault = {"service": "twilio", "status": 503, "times": None, "retry_after": 2}
    answer = control("POST", "/faults", json=fault)
    assert answer.status_code == 201
    for _ in range(2):
        assert send_sms(sandbox).status_code == 503
    assert control("DELETE", "/faults").status_code == 204
    assert send_sms(sandbox).status_code == 201


def test_every_service_of_a_provider_can_have_faults(control):
    for service in SERVICES:
        answer = control("POST", "/faults", json={"service": service, "status": 503})
        assert answer.status_code == 201, service


def test_what_becomes_of_messages_to_a_number_is_decided_from_outside(sandbox, control):
    path = "/numbers/+46701740607"
    control("PUT", path, json={"outcome": ["undelivered", 30003]})
    send_sms(sandbox, To="+46701740607")
    sandbox.twilio.settle()
    assert sandbox.twilio.messages[-1].error_code == 30003
    control("PUT", path, json={"refuse": 21610})
    assert send_sms(sandbox, To="+46701740607").json()["code"] == 21610
    control("PUT", path, json={})
    assert send_sms(sandbox, To="+46701740607").status_code == 201


def test_requests_are_told_without_their_secrets(sandbox, control):
    send_sms(sandbox, Body="for the record")
    answer = control("GET", "/requests/twilio")
    last = answer.json()[-1]
    assert (last["method"], last["status"]) == ("POST", 201)
    assert "for+the+record" in last["body"]
    assert "authorization" not in last["headers"]
    assert credentials.AUTH_TOKEN not in answer.text
