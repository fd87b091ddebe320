"""The background API: accepted at once, answered when it is done, and told to nobody else."""

from __future__ import annotations

import jsonschema_rs
import msgspec
import pytest

from visma_twilio_sandbox import credentials

INVOICES = "/v1/supplierInvoice"
BACKGROUND = {"erp-api-background": "none"}


@pytest.fixture
def accepted(client):
    """Ask in the background; gives the path of the state."""

    def ask(path=INVOICES, headers=BACKGROUND, **params):
        answer = client.get(path, headers, **params)
        assert answer.status_code == 202
        told = answer.json()
        assert told["stateLocation"] == f"{client.url}/v1/background/{told['id']}"
        return f"/v1/background/{told['id']}"

    return ask


def test_the_answer_is_there_when_it_is_finished(client, accepted, invoices):
    invoices(3)
    state = accepted(pageSize=2)
    started = client.get(state).json()
    assert (started["status"], started["statusCode"]) == ("Started", 0)
    assert "finishedUtc" not in started
    assert client.get(state + "/content").status_code == 404
    finished = client.get(state).json()
    assert (finished["status"], finished["statusCode"]) == ("Finished", 200)
    assert finished["originalUri"] == f"{client.url}{INVOICES}?pageSize=2"
    assert finished["contentLocation"] == f"{client.url}{state}/content"
    assert finished["hasResponseContent"] is True
    assert finished["finishedUtc"].endswith("Z")
    content = client.get(state + "/content")
    assert content.content == client.get(INVOICES, pageSize=2).content
    assert content.headers["Content-Type"].startswith("application/json")


def test_the_state_is_as_described(client, accepted, visma, contracts):
    description = msgspec.json.decode((contracts / "visma-erp.openapi.json").read_bytes())
    schema = description["components"]["schemas"]["BackgroundRequestStateDto"]
    validator = jsonschema_rs.validator_for({**schema, "additionalProperties": False})
    visma.background_fails = 1
    for path in (accepted(), accepted(headers={"erp-api-background": "subscription:a=b"})):
        for _ in range(3):
            validator.validate(client.get(path).json())


def test_it_may_take_long_or_no_time_at_all(client, accepted, visma):
    visma.background_polls = 3
    state = accepted()
    told = [client.get(state).json()["status"] for _ in range(5)]
    assert told == ["Started"] * 3 + ["Finished"] * 2
    visma.background_polls = 0
    assert client.get(accepted()).json()["status"] == "Finished"


def test_what_the_request_would_have_been_told_is_told_by_the_content(client, accepted, visma):
    visma.background_polls = 0
    visma.manners.error_shape = "message"
    state = accepted("/v1/GeneralLedgerTransactions")
    told = client.get(state).json()
    assert (told["status"], told["statusCode"]) == ("Finished", 400)
    content = client.get(state + "/content")
    assert content.status_code == 400
    assert "cannot be empty" in content.json()["message"]


def test_it_may_fail(client, accepted, visma):
    visma.background_polls, visma.background_fails = 0, 1
    state = accepted()
    told = client.get(state).json()
    assert (told["status"], told["statusCode"]) == ("Failed", 500)
    assert told["errorMessage"]
    assert told["hasResponseContent"] is False
    assert client.get(state + "/content").status_code == 404
    assert client.get(accepted()).json()["status"] == "Finished"


def test_what_is_unknown_anothers_or_gone_is_refused(client, accepted, visma):
    visma.background_polls = 0
    state = accepted()
    other = client.bearer(credentials.SECOND_TENANT_ID)
    assert client.get("/v1/background/00000000-0000-0000-0000-000000000000").status_code == 404
    assert client.get(state + "/else").status_code == 404
    assert client.get(state, other).status_code == 403
    assert client.get(state + "/content", other).status_code == 403
    assert client.get(state).status_code == 200
    visma.background_seconds = 0
    assert client.get(state).status_code == 404
    assert client.get(state + "/content").status_code == 410


def test_other_words_than_none_and_subscription_are_refused(client):
    headers = {"erp-api-background": "https://example.com/done"}
    assert client.get(INVOICES, headers).status_code == 400


def test_every_poll_is_a_call(client, accepted, visma):
    visma.set_limit(3, 3600)
    state = accepted()
    assert client.get(state).headers["X-RateLimit-Remaining"] == "1"
    client.get(state + "/content")
    assert client.get(state).status_code == 429


def test_faults_strike_polls_too(client, accepted):
    state = accepted()
    client.faults.add("visma", status=503, match="/v1/background/")
    assert [client.get(state).status_code for _ in range(2)] == [503, 200]
