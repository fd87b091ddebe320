"""Mail Send takes what SendGrid takes, and says what is wrong with the rest."""

from __future__ import annotations

import gzip
import json

import pytest

MAIL = {
    "personalizations": [{"to": [{"email": "anna@example.com"}], "custom_args": {"id": "m1"}}],
    "from": {"email": "alerts@example.com", "name": "Acme Alerts"},
    "subject": "An invoice",
    "content": [
        {"type": "text/plain", "value": "It is large."},
        {"type": "text/html", "value": "<p>It is large.</p>"},
    ],
}


def send(api, **changes):
    return api.request("POST", "/v3/mail/send", json={**MAIL, **changes})


def test_an_accepted_mail_is_answered_202_with_its_id_and_nothing_else(mail_api):
    answer = send(mail_api)
    assert (answer.status_code, answer.content) == (202, b"")
    (email,) = mail_api.account.emails
    assert email.message_id == answer.headers["X-Message-Id"]
    assert (email.to, email.from_) == ("anna@example.com", "Acme Alerts <alerts@example.com>")
    assert (email.subject, email.text) == ("An invoice", "It is large.")
    assert (email.html, email.custom_args) == ("<p>It is large.</p>", {"id": "m1"})
    assert email.time.utcoffset() is not None


def test_each_recipient_has_an_email_of_their_own(mail_api):
    people = [{"to": [{"email": "a@example.com"}], "cc": [{"email": "b@example.com"}]}]
    people.append({"to": [{"email": "c@example.com"}], "subject": "Yours"})
    send(mail_api, personalizations=people)
    got = [(email.to, email.subject) for email in mail_api.account.emails]
    assert got == [
        ("a@example.com", "An invoice"),
        ("b@example.com", "An invoice"),
        ("c@example.com", "Yours"),
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"form": {"email": "alerts@example.com"}}, None),
        ({"personalizations": []}, "personalizations"),
        ({"personalizations": [{"to": []}]}, "personalizations.0.to"),
        ({"personalizations": [{"to": [{"email": "anna"}]}]}, "personalizations.0.to.0.email"),
        ({"personalizations": [{"to": [{"mail": "a@example.com"}]}]}, "personalizations.0.to.0"),
        ({"personalizations": [{"cc": [{"email": "a@example.com"}]}]}, "personalizations.0"),
        (
            {
                "personalizations": [
                    {"to": [{"email": "a@example.com"}, {"email": "A@example.com"}]}
                ]
            },
            "personalizations.0",
        ),
        ({"from": {"email": "Acme <alerts@example.com>"}}, "from.email"),
        ({"from": "alerts@example.com"}, "from"),
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"content": []}, None),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"content": MAIL["content"][::-1]}, "content"),
        ({"content": MAIL["content"][:1] * 2}, "content"),
        (
            {"tracking_settings": {"click_tracking": {"enabled": False}}},
            "tracking_settings.click_tracking",
        ),
        ({"categories": ["x"] * 11}, "categories"),
        ({"custom_args": {"long": "x" * 10_000}}, "personalizations.0.custom_args"),
    ],
)
def test_a_mail_that_breaks_a_rule_is_refused_with_the_field(mail_api, changes, field):
    answer = send(mail_api, **changes)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == field
    assert error["message"]
    assert mail_api.account.emails == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
def test_a_body_that_is_no_mail_is_refused(mail_api, body):
    headers = {"Content-Type": "application/json"}
    answer = mail_api.request("POST", "/v3/mail/send", data=body, headers=headers)
    assert answer.status_code == 400


def test_a_sender_that_is_not_verified_may_not_send(mail_api):
    answer = send(mail_api, **{"from": {"email": "alerts@elsewhere.com"}})
    assert answer.status_code == 403
    assert "verified Sender Identity" in answer.json()["errors"][0]["message"]
    mail_api.account.verified_domains.add("elsewhere.com")
    assert send(mail_api, **{"from": {"email": "alerts@elsewhere.com"}}).status_code == 202


@pytest.mark.parametrize("header", ["", "Bearer SG.other", "Basic SG.sandbox-key-not-real"])
@pytest.mark.parametrize("path", ["/v3/scopes", "/v3/mail/send"])
def test_a_wrong_key_is_answered_401(mail_api, header, path):
    method = "POST" if path.endswith("send") else "GET"
    answer = mail_api.request(method, path, headers={"Authorization": header}, json=MAIL)
    assert answer.status_code == 401
    assert answer.json()["errors"] == [
        {
            "message": "The provided authorization grant is invalid, expired, or revoked",
            "field": None,
            "help": None,
        }
    ]


def test_sandbox_mode_is_answered_200_and_sends_nothing(mail_api):
    answer = send(mail_api, mail_settings={"sandbox_mode": {"enable": True}})
    assert (answer.status_code, answer.content) == (200, b"")
    assert "X-Message-Id" not in answer.headers
    assert mail_api.account.emails == []


def test_a_compressed_mail_is_read(mail_api):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps(MAIL).encode())
    assert mail_api.request("POST", "/v3/mail/send", data=body, headers=headers).status_code == 202
    broken = mail_api.request("POST", "/v3/mail/send", data=b"not gzip", headers=headers)
    assert broken.status_code == 400


def test_the_key_may_send(mail_api):
    assert "mail.send" in mail_api.request("GET", "/v3/scopes").json()["scopes"]
    assert mail_api.request("GET", "/v3/verified_senders").json() == {"results": []}


def test_unknown_paths_and_methods_are_answered_in_sendgrids_shape(mail_api):
    assert mail_api.request("GET", "/v3/mail/send").status_code == 405
    answer = mail_api.request("GET", "/v3/nothing")
    assert (answer.status_code, list(answer.json())) == (404, ["errors"])


def test_a_fault_is_answered_in_sendgrids_shape(mail_api):
    mail_api.faults.add("service", status=503)
    answer = send(mail_api)
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["message"] == "service unavailable"
