from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from target_twilio_alerts.delivery.channels import (
    Accepted,
    CredentialsRefused,
    EmailChannel,
    Outgoing,
    Postponed,
    Rejected,
    Unclear,
    http,
)

KEY = "SG.made-up.key"
TO = "anna.berg@example.com"
OUTGOING = Outgoing("message-1", "email", TO, "Ny betalning", "Betald\nRef 7K2QM9", "<p>Betald</p>")
TAKEN = (202, "", {"X-Message-Id": "14c5d75ce93.dfd.64b469"})


@pytest.fixture
def channel(server):
    channel = EmailChannel(
        api_key=KEY,
        email_from="Acme Alerts <alerts@example.com>",
        base_url=server.url,
        timeout=5,
    )
    yield channel
    channel.close()


def test_an_accepted_email_has_sendgrids_message_id_as_its_sid(server, channel):
    server.answers.append(TAKEN)
    assert channel.send(OUTGOING) == Accepted("14c5d75ce93.dfd.64b469", None, None, None)


def test_the_request_carries_text_and_html_and_no_personal_data_but_the_address(server, channel):
    server.answers.append(TAKEN)
    channel.send(OUTGOING)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v3/mail/send")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    body = request.json
    assert body["personalizations"] == [
        {"to": [{"email": TO}], "custom_args": {"message_id": "message-1"}}
    ]
    assert body["from"] == {"email": "alerts@example.com", "name": "Acme Alerts"}
    assert body["subject"] == "Ny betalning"
    assert [one["type"] for one in body["content"]] == ["text/plain", "text/html"]
    assert not any(one["enable"] for one in body["tracking_settings"].values())


def test_an_email_without_html_is_plain_and_one_without_subject_has_a_stand_in(server, channel):
    server.answers.append(TAKEN)
    channel.send(Outgoing("m", "email", TO, None, "text"))
    body = server.requests[0].json
    assert body["subject"] == "Alert"
    assert body["content"] == [{"type": "text/plain", "value": "text"}]


def test_a_subject_cannot_carry_a_second_header(server, channel):
    server.answers.append(TAKEN)
    channel.send(Outgoing("m", "email", TO, "Invoice\r\nBcc: eve@example.com", "text"))
    assert server.requests[0].json["subject"] == "Invoice Bcc: eve@example.com"


def refusal(status, message, field=None):
    return (status, {"errors": [{"message": message, "field": field}]})


ANSWERS = {
    "bad address": (refusal(400, f"Does not contain {TO}", "personalizations.0.to"), Rejected),
    "too large": (refusal(413, "content too large"), Rejected),
    "a 400 without JSON": ((400, "<h1>no</h1>"), Rejected),
    "wrong key": (refusal(401, "authorization required", "null"), CredentialsRefused),
    "sender not verified": (
        refusal(403, "The from address does not match a verified Sender Identity", "from"),
        CredentialsRefused,
    ),
    "wrong URL": ((404, "nginx"), CredentialsRefused),
    "a redirect": ((302, "", {"Location": "https://example.com/"}), CredentialsRefused),
    "too many requests": (refusal(429, "too many requests"), Postponed),
    "server error": (refusal(500, "internal server error"), Unclear),
    "unavailable": ((503, ""), Unclear),
    "accepted without a message id": ((202, ""), Unclear),
    "dropped": ("drop", Unclear),
    "reset": ("reset", Unclear),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_one_clear_outcome_after_one_request(server, channel, name):
    scripted, expected = ANSWERS[name]
    server.answers.append(scripted)
    outcome = channel.send(OUTGOING)
    assert isinstance(outcome, expected), outcome
    assert len(server.requests) == 1
    for secret in (TO, KEY, "Betald"):
        assert secret not in outcome.reason


def test_a_rejection_names_the_field_and_the_reason(server, channel):
    server.answers.append(refusal(400, "Does not contain a valid address.", "from.email"))
    assert channel.send(OUTGOING) == Rejected(
        "from.email",
        "127.0.0.1 answered HTTP 400: from.email: Does not contain a valid address.",
        400,
    )


def test_the_wait_after_a_429_is_read_from_the_rate_limit_when_nothing_else_says_it(
    server, channel
):
    server.answers.append((429, "", {"X-RateLimit-Reset": "4102444800"}))
    assert channel.send(OUTGOING).retry_after > 1_000_000


def test_no_answer_in_time_is_unclear(server):
    server.answers.append("hang")
    channel = EmailChannel(api_key=KEY, email_from="a@b.se", base_url=server.url, timeout=0.2)
    assert isinstance(channel.send(OUTGOING), Unclear)
    channel.close()


def test_a_refused_connection_is_safe_to_try_again(refused_url):
    channel = EmailChannel(api_key=KEY, email_from="a@b.se", base_url=refused_url)
    assert isinstance(channel.send(OUTGOING), Postponed)


def test_a_netrc_file_does_not_replace_the_key(server, channel, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password mallory\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answers.append(TAKEN)
    channel.send(OUTGOING)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_connection_is_used_again_at_once_but_not_after_a_rest(server, channel, monkeypatch):
    server.answers.append(TAKEN)
    channel.send(OUTGOING)
    channel.send(OUTGOING)
    monkeypatch.setattr(http, "IDLE_SECONDS", -1.0)
    channel.send(OUTGOING)
    assert [one.connection for one in server.requests] == [1, 1, 2]


def test_sixteen_threads_each_get_the_answer_to_their_own_email(server, channel):
    server.answers.append(
        lambda request: (
            202,
            "",
            {"X-Message-Id": request.json["personalizations"][0]["custom_args"]["message_id"]},
        )
    )
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(
            pool.map(
                lambda number: channel.send(Outgoing(str(number), "email", TO, "s", "t")),
                range(200),
            )
        )
    assert [one.sid for one in outcomes] == [str(number) for number in range(200)]


def test_sendgrid_cannot_be_asked_for_a_status(server, channel):
    assert channel.fetch_status("14c5d75ce93").is_final
    assert server.requests == []


@pytest.mark.parametrize(
    ("scripted", "ok", "words"),
    [
        ((200, {"scopes": ["mail.send", "user.read"]}), True, "may send email"),
        ((200, {"scopes": ["user.read"]}), False, "may not send"),
        (refusal(401, "authorization required"), False, "authorization required"),
        ((200, "<h1>hotel</h1>"), False, "could not be read"),
        ("drop", False, "broke"),
    ],
)
def test_check_tries_the_key_and_its_right_to_send(server, channel, scripted, ok, words):
    server.answers.append(scripted)
    (result,) = channel.check()
    assert (result.ok, words in result.what) == (ok, True), result
    assert (result.mend is None) == ok
    assert KEY not in f"{result.what}{result.mend}"
    assert server.requests[0].path == "/v3/scopes"


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"api_key": ""}, "sendgrid_api_key"),
        ({"api_key": "SG.x\nEvil: 1"}, "sendgrid_api_key"),
        ({"email_from": "nobody"}, "email_from"),
    ],
)
def test_a_malformed_setting_is_named(given, setting):
    with pytest.raises(ValueError, match=setting):
        EmailChannel(**{"api_key": KEY, "email_from": "a@b.se", **given})
