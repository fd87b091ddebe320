"""Twilio Email takes what its documentation says, and nothing else."""

from __future__ import annotations

import pytest

from visma_twilio_sandbox import credentials

MAIL = {
    "from": {"address": "alerts@example.com", "name": "Acme Alerts"},
    "to": [{"address": "anna@example.com"}],
    "content": {"subject": "Invoice", "html": "<p>Large</p>", "text": "Large"},
    "tags": {"message_id": "7K2QM9"},
}


def post(comms, mail):
    return comms.request("POST", "/v1/Emails", json=mail)


def test_an_email_is_taken_with_an_operation(comms):
    answer = post(comms, MAIL)
    assert answer.status_code == 202
    operation = answer.json()["operationId"]
    assert operation.startswith("comms_operation_")
    assert answer.json()["operationLocation"] == f"{comms.url}/v1/Emails/Operations/{operation}"
    (email,) = comms.account.emails
    assert (email.to, email.subject, email.text) == ("anna@example.com", "Invoice", "Large")
    assert (email.from_, email.message_id) == ("Acme Alerts <alerts@example.com>", operation)
    assert email.custom_args == {"message_id": "7K2QM9"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"from": {"email": "alerts@example.com"}}, 400),
        ({"from": {"address": "alerts"}}, 400),
        ({"from": {"address": "alerts@visma.test"}}, 403),
        ({"to": []}, 400),
        ({"to": [{"address": "anna"}]}, 400),
        ({"content": {"subject": "Invoice"}}, 400),
        ({"content": {"subject": "", "html": "x"}}, 400),
        ({"tags": {"x": "y" * 257}}, 400),
        ({"tags": {str(number): "" for number in range(11)}}, 400),
        ({"personalizations": []}, 400),
    ],
)
def test_anything_else_is_refused(comms, change, status):
    answer = post(comms, {**MAIL, **change})
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == 20001
    assert comms.account.emails == []


def test_it_wants_the_accounts_credentials(comms):
    comms.session.auth = None
    assert post(comms, MAIL).status_code == 401
    comms.session.auth = (credentials.API_KEY_SID, credentials.API_KEY_SECRET)
    assert post(comms, MAIL).status_code == 202


def test_what_is_not_there_is_not_found(comms):
    assert comms.request("GET", "/v1/Emails").json()["code"] == 20404
