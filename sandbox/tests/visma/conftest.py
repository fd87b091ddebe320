"""A company behind real HTTP, and someone with a token who asks it things."""

from __future__ import annotations

import contextlib
import copy
from datetime import datetime, timezone
from decimal import Decimal

import msgspec
import pytest
import requests

from visma_twilio_sandbox import business, credentials
from visma_twilio_sandbox.connect import READ_SCOPE, Connect, Grant
from visma_twilio_sandbox.faults import Faults
from visma_twilio_sandbox.serving import RequestLog, ServiceServer
from visma_twilio_sandbox.visma import Companies, VismaCompany
from visma_twilio_sandbox.visma.app import VismaApi

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=timezone.utc)


class Client:
    """Asks the company for lists."""

    def __init__(self, session, connect, url, faults):
        self.session = session
        self.connect = connect
        self.url = url
        self.faults = faults
        self.headers = self.bearer(credentials.TENANT_ID)

    def bearer(self, tenant_id, scope=READ_SCOPE):
        token = f"token-{tenant_id}-{scope}"
        self.connect._grants[token] = Grant(tenant_id, frozenset({scope}), float("inf"))
        return {"Authorization": f"Bearer {token}"}

    def get(self, path, headers=None, **params):
        sent = {**self.headers, **(headers or {})}
        return self.session.get(self.url + path, params=params, headers=sent)

    def list(self, path, **params):
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content)

    def pages(self, path, size, **params):
        """Every page until an empty one."""
        pages = []
        while True:
            page = self.list(path, pageNumber=len(pages) + 1, pageSize=size, **params)
            if not (page["records"] if isinstance(page, dict) else page):
                return pages
            pages.append(page)


@pytest.fixture
def visma():
    """A company in UTC whose clock stands still."""
    visma = VismaCompany(seed=1, zone="UTC")
    visma.set_clock(NOON)
    visma.reset_as_epoch = False
    return visma


@contextlib.contextmanager
def served(*companies):
    """Serve companies; gives someone who asks the first of them."""
    connect, faults = Connect(), Faults()
    api = VismaApi(connect, Companies(companies))
    server = ServiceServer(
        "visma",
        api,
        faults=faults,
        log=RequestLog(),
        error_body=api.error_body,
        headers_of=api.headers_of,
        tenant_of=connect.tenant_of,
    )
    server.start()
    with requests.Session() as session:
        yield Client(session, connect, server.url, faults)
    server.stop()


@pytest.fixture
def client(visma):
    second = VismaCompany(1, tenant_id=credentials.SECOND_TENANT_ID)
    with served(visma, second) as client:
        yield client


@pytest.fixture(scope="module")
def releases():
    """A company on the API of 2025 and one on that of 2026, with a history, and who asks each."""
    companies = []
    for is_2026, tenant_id in enumerate((credentials.TENANT_ID, credentials.SECOND_TENANT_ID)):
        company = VismaCompany(seed=1, zone="UTC", tenant_id=tenant_id)
        company.manners.is_2026 = bool(is_2026)
        company.manners.wrapped.clear()
        business.history(company, documents=60, seed=11)
        companies.append(company)
    with served(*companies) as client:
        second = copy.copy(client)
        second.headers = client.bearer(credentials.SECOND_TENANT_ID)
        yield [(companies[0], client), (companies[1], second)]


@pytest.fixture
def invoices(visma):
    """Put supplier invoices, one a minute, numbered from 1."""

    def put(count, **changed):
        for number in range(1, count + 1):
            invoice = business.supplier_invoice(str(number), Decimal("125.00"), **changed)
            visma.put("supplierInvoice", invoice)
            visma.advance(60)

    return put
