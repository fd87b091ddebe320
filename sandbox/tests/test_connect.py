"""Visma Connect gives a token for one company to the one client, and says what is wrong."""

from __future__ import annotations

import pytest
import requests

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.connect import READ_SCOPE, TOKEN_PATH, Connect, error_body
from visma_twilio_sandbox.faults import Faults
from visma_twilio_sandbox.serving import RequestLog, ServiceServer

FORM = {
    "grant_type": "client_credentials",
    "client_id": credentials.CLIENT_ID,
    "client_secret": credentials.CLIENT_SECRET,
    "scope": READ_SCOPE,
    "tenant_id": credentials.TENANT_ID,
}


@pytest.fixture(scope="module")
def server():
    connect = Connect()
    server = ServiceServer(
        "connect",
        connect.app,
        faults=Faults(),
        log=RequestLog(),
        error_body=error_body,
    )
    server.start()
    yield server, connect
    server.stop()


@pytest.fixture
def connect(server):
    connect = server[1]
    connect.expire_all()
    connect.lifetime_seconds = 3600
    return connect


@pytest.fixture
def ask(server, connect):
    with requests.Session() as session:

        def ask(without=(), auth=None, **changed):
            form = {name: value for name, value in FORM.items() if name not in without}
            url = server[0].url + TOKEN_PATH
            return session.post(url, data={**form, **changed}, auth=auth)

        yield ask


def test_a_token_is_for_the_company_and_the_scope_asked_for(ask, connect):
    answer = ask()
    assert answer.status_code == 200
    told = answer.json()
    assert (told["expires_in"], told["token_type"]) == (3600, "Bearer")
    grant = connect.grant(f"Bearer {told['access_token']}")
    assert grant.tenant_id == credentials.TENANT_ID
    assert grant.scopes == {READ_SCOPE}


def test_the_client_may_use_basic_authentication(ask):
    client = (credentials.CLIENT_ID, credentials.CLIENT_SECRET)
    assert ask(without=("client_id", "client_secret"), auth=client).status_code == 200
    assert ask(auth=client).json() == {"error": "invalid_request"}
    assert ask(without=("client_secret",), auth=("isv_sandbox", "no")).status_code == 400


def test_the_customer_tenant_gets_a_token_too(ask):
    assert ask(tenant_id=credentials.CUSTOMER_TENANT_ID).status_code == 200


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "isv_other"}, "invalid_client"),
        ({"scope": "vismanet_erp_service_api:write"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"tenant_id": "company"}, "invalid_tenant"),
        ({"tenant_id": "33333333-3333-4333-8333-333333333333"}, "invalid_tenant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"audience": "https://api.finance.visma.net/erp/service"}, "invalid_request"),
        ({"scope": [READ_SCOPE, READ_SCOPE]}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(ask, changed, error):
    answer = ask(**changed)
    assert answer.status_code == 400
    assert answer.json() == {"error": error}


def test_a_missing_field_is_wrong(ask):
    assert ask(without=("grant_type",)).json() == {"error": "invalid_request"}
    assert ask(without=("tenant_id",)).json() == {"error": "invalid_tenant"}
    assert ask(without=("client_secret",)).json() == {"error": "invalid_client"}


def test_only_a_form_is_understood(server):
    with requests.Session() as session:
        url = server[0].url + TOKEN_PATH
        assert session.post(url, json=FORM).json() == {"error": "invalid_request"}
        assert session.get(url).status_code == 405


def test_a_token_ends_when_its_time_is_over_or_when_all_expire(ask, connect):
    long = ask().json()["access_token"]
    connect.lifetime_seconds = 0
    short = ask().json()["access_token"]
    assert connect.grant(f"Bearer {long}") is not None
    assert connect.grant(f"Bearer {short}") is None
    connect.expire_all()
    assert connect.grant(f"Bearer {long}") is None
    assert connect.grant("Bearer made-up") is None
    assert connect.grant(f"Basic {long}") is None


def test_tokens_are_counted(ask, connect):
    before = connect.tokens_issued
    ask()
    ask(client_secret="wrong")
    assert connect.tokens_issued == before + 1
