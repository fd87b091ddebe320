"""The sandbox as tests and the demo use it: one `with`, all services, nothing left behind."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
import requests

from visma_twilio_sandbox import Sandbox, business, credentials
from visma_twilio_sandbox.connect import READ_SCOPE

SERVICES = ("connect", "visma", "twilio", "messaging", "sendgrid", "control")
FORM = {
    "grant_type": "client_credentials",
    "client_id": credentials.CLIENT_ID,
    "client_secret": credentials.CLIENT_SECRET,
    "scope": READ_SCOPE,
    "tenant_id": credentials.TENANT_ID,
}


@pytest.fixture
def session():
    with requests.Session() as session:
        yield session


def test_a_token_from_connect_opens_visma(session):
    with Sandbox(seed=3) as sandbox:
        sandbox.visma.put("supplierInvoice", business.supplier_invoice("1", Decimal(10)))
        token = session.post(sandbox.connect_url, data=FORM).json()["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        invoices = sandbox.visma_url + "/v1/supplierInvoice"
        assert len(session.get(invoices).json()) == 1
        sandbox.connect.expire_all()
        assert session.get(invoices).status_code == 401
        assert sandbox.connect.tokens_issued == 1
        asked = [request.status for request in sandbox.requests("visma")]
        assert asked == [200, 401]
        assert [request.method for request in sandbox.requests("connect")] == ["POST"]


def test_every_service_has_its_own_place_and_its_own_faults(session):
    with Sandbox() as sandbox:
        urls = [
            sandbox.connect_url,
            sandbox.visma_url,
            sandbox.twilio_url,
            sandbox.messaging_url,
            sandbox.sendgrid_url,
            sandbox.control_url,
        ]
        assert len(set(urls)) == 6
        for service, url in zip(SERVICES, urls, strict=True):
            sandbox.faults.add(service, status=503)
            assert session.get(url).status_code == 503
            assert [request.service for request in sandbox.requests(service)] == [service]
        with pytest.raises(LookupError, match="visma"):
            sandbox.requests("eaccounting")


def test_nothing_is_left_behind(session):
    before = set(threading.enumerate())
    with Sandbox() as sandbox:
        url = sandbox.visma_url
        session.get(url)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # a worker of the server's pool ends a moment after its loop
        assert not thread.is_alive(), thread
    with pytest.raises(requests.ConnectionError):
        session.get(url)


def test_a_zone_can_be_asked_for():
    assert Sandbox(zone="Europe/Helsinki").visma.manners.zone.key == "Europe/Helsinki"


def test_the_second_company_shares_nothing_but_the_manners():
    sandbox = Sandbox(seed=5)
    second = sandbox.companies[credentials.SECOND_TENANT_ID]
    sandbox.visma.put("supplierInvoice", business.supplier_invoice("1", Decimal(10)))
    assert second.all("supplierInvoice") == []
    assert second.manners == sandbox.visma.manners
    assert len(second.all("ledger")) == 2
