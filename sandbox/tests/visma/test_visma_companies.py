"""Several companies: each has its own token, documents, calls and faults."""

from __future__ import annotations

import pytest
import requests

from visma_twilio_sandbox import Sandbox, credentials
from visma_twilio_sandbox.connect import READ_SCOPE

SUPPLIERS = "/v1/supplier"


@pytest.fixture(scope="module")
def shared():
    with Sandbox(seed=4, companies=3, zone=["UTC", "Europe/Oslo"]) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared):
    yield shared
    shared.faults.clear()


@pytest.fixture
def ask(sandbox):
    """Ask as one of the companies."""
    with requests.Session() as session:

        def ask(place, path=SUPPLIERS, secret=credentials.CLIENT_SECRET, **params):
            form = {
                "grant_type": "client_credentials",
                "client_id": credentials.CLIENT_ID,
                "client_secret": secret,
                "scope": READ_SCOPE,
                "tenant_id": sandbox.companies[place].tenant_id,
            }
            answer = session.post(sandbox.connect_url, data=form)
            if answer.status_code != 200:
                return answer
            headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            return session.get(sandbox.visma_url + path, headers=headers, params=params)

        yield ask


def test_a_token_opens_its_own_company(sandbox, ask):
    told = [ask(place).json() for place in range(3)]
    for place, company in enumerate(sandbox.companies):
        suppliers = {one["internalId"]: one["name"] for one in company.all("supplier")}
        assert {one["internalId"]: one["name"] for one in told[place]} == suppliers
    assert told[0] != told[1] != told[2]


def test_companies_differ_in_id_name_and_zone(sandbox):
    companies = sandbox.companies
    assert len({one.tenant_id for one in companies}) == len({one.name for one in companies}) == 3
    assert [one.manners.zone.key for one in companies] == ["UTC", "Europe/Oslo", "UTC"]
    assert companies[credentials.SECOND_TENANT_ID] is companies[1]
    assert companies[:1] == [sandbox.visma]
    assert sandbox.companies_setting()[1] == {
        "name": companies[1].name,
        "tenant_id": companies[1].tenant_id,
    }


def test_names_can_be_given_once_each():
    sandbox = Sandbox(companies=["Ett AB", "Två AB"])
    assert [one["name"] for one in sandbox.companies_setting()] == ["Ett AB", "Två AB"]
    for wrong in (0, [], ["Ett AB", "Ett AB"]):
        with pytest.raises(ValueError, match="companies of different names"):
            Sandbox(companies=wrong)


def test_each_has_its_own_budget_until_they_share_one(sandbox, ask):
    sandbox.companies[0].set_limit(1, 3600)
    assert [ask(place).status_code for place in (0, 0, 1)] == [200, 429, 200]
    sandbox.companies.share_limit(2, 3600)
    answers = [ask(place) for place in (0, 1, 2)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[0].headers["X-RateLimit-Policy"] == "6-fixed-window"
    sandbox.companies.share_limit(15_000, 3600)


def test_a_fault_may_be_for_one_company(sandbox, ask):
    second = sandbox.companies[1].tenant_id
    sandbox.faults.add("visma", status=503, tenant=second)
    assert [ask(place).status_code for place in (0, 2, 1, 1)] == [200, 200, 503, 200]
    sandbox.faults.add("connect", status=400, tenant=second)
    assert [ask(place).status_code for place in (0, 1)] == [200, 400]


def test_requests_are_recorded_with_whose_they_are(sandbox, ask):
    ask(2, pageSize=1)
    ask(0)
    for service in ("connect", "visma"):
        recorded = sandbox.requests(service)[-2:]
        tenants = [sandbox.companies[place].tenant_id for place in (2, 0)]
        assert [one.tenant for one in recorded] == tenants
    assert sandbox.requests("visma")[-2].query == [("pageSize", "1")]


def test_a_fault_has_the_headers_of_every_answer(sandbox, ask):
    sandbox.faults.add("visma", status=500)
    headers = ask(1).headers
    assert headers["Ipp-Request-Id"]
    assert int(headers["X-RateLimit-Remaining"]) > 0


def test_a_token_may_be_forbidden_a_list(sandbox, ask):
    sandbox.companies[1].forbidden = {"/v1/supplier", "budget"}
    asked = ((0, SUPPLIERS), (1, SUPPLIERS), (1, "/v1/budget"), (1, "/v1/supplier/balance"))
    assert [ask(*one).status_code for one in asked] == [200, 403, 403, 200]
    sandbox.companies[1].forbidden.clear()


def test_companies_may_have_clients_of_their_own(sandbox, ask):
    sandbox.connect.clients[credentials.CLIENT_ID] = "another-secret"
    assert ask(0).json() == {"error": "invalid_client"}
    assert ask(0, secret="another-secret").status_code == 200
    sandbox.connect.clients[credentials.CLIENT_ID] = credentials.CLIENT_SECRET
