from __future__ import annotations

import base64
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from target_twilio_alerts.delivery.channels import (
    Accepted,
    CredentialsRefused,
    Outgoing,
    Postponed,
    Rejected,
    SmsChannel,
    Unclear,
    http,
)


def answer(*parts):
    """Name what the scripted server answers: status, body, headers, length."""
    return parts


ACCOUNT = "AC" + "0a" * 16
KEY = "SK" + "0b" * 16
SERVICE = "MG" + "0c" * 16
TO = "+46701740605"
SID = "SM" + "1e" * 16
OUTGOING = Outgoing("message-1", "sms", TO, None, "Ny faktura 75 000,00 SEK. Ref 7K2QM9")
CREATED = answer(
    201,
    {"sid": SID, "status": "queued", "num_segments": "1", "error_code": None, "to": TO},
    {"Twilio-Request-Id": "RQ" + "2f" * 16},
)


def error(status, code, message="something", headers=None):
    return answer(
        status, {"code": code, "message": message, "more_info": "", "status": status}, headers
    )


@pytest.fixture
def channel(server):
    channel = SmsChannel(
        account_sid=ACCOUNT,
        auth_token="made-up-token",
        from_number="+46101234567",
        base_url=server.url,
        messaging_url=server.url,
        timeout=5,
    )
    yield channel
    channel.close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_an_accepted_message_comes_back_with_its_sid_status_request_id_and_segments(
    server, channel
):
    server.answers.append(CREATED)
    assert channel.send(OUTGOING) == Accepted(SID, "queued", "RQ" + "2f" * 16, 1)


def test_the_request_carries_the_recipient_the_sender_the_text_and_the_credentials(server, channel):
    server.answers.append(CREATED)
    channel.send(OUTGOING)
    (request,) = server.requests
    assert (request.method, request.path) == (
        "POST",
        f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
    )
    assert dict(request.form) == {"To": TO, "From": "+46101234567", "Body": OUTGOING.text}
    assert request.headers["authorization"] == basic(ACCOUNT, "made-up-token")


def test_an_api_key_and_a_messaging_service_take_the_place_of_token_and_number(server):
    server.answers.append(
        answer(201, {"sid": SID, "status": "accepted", "num_segments": "0", "from": None})
    )
    channel = SmsChannel(
        account_sid=ACCOUNT,
        api_key_sid=KEY,
        api_key_secret="made-up-secret",
        messaging_service_sid=SERVICE,
        base_url=server.url,
    )
    outgoing = Outgoing(
        "m", "sms", TO, None, "text", status_callback="https://alerts.example.com/status?m=1"
    )
    assert channel.send(outgoing) == Accepted(SID, "accepted", None, None)
    (request,) = server.requests
    assert f"/Accounts/{ACCOUNT}/" in request.path
    assert request.headers["authorization"] == basic(KEY, "made-up-secret")
    assert dict(request.form) == {
        "To": TO,
        "MessagingServiceSid": SERVICE,
        "Body": "text",
        "StatusCallback": "https://alerts.example.com/status?m=1",
    }
    channel.close()


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, None), (1, "1"), (600, "600"), (36_000, "36000"), (36_005, "36000")],
)
def test_how_long_an_sms_is_of_use_is_told_within_what_twilio_takes(server, channel, seconds, told):
    server.answers.append(CREATED)
    channel.send(replace(OUTGOING, validity_seconds=seconds))
    assert dict(server.requests[0].form).get("ValidityPeriod") == told


ANSWERS = {
    "invalid number": (error(400, 21211, f"The 'To' number {TO} is not valid"), Rejected),
    "opted out": (error(400, 21610), Rejected),
    "opted out, said with 403": (error(403, 21610), Rejected),
    "an unknown code": (error(400, 29999, f"No {TO} today"), Rejected),
    "a 400 without JSON": (answer(400, "<h1>no</h1>"), Rejected),
    "RFC 9457": (
        answer(
            400,
            {"type": "https://x", "title": "Bad", "status": 400, "code": 21212, "detail": TO},
        ),
        Rejected,
    ),
    "too many requests": (error(429, 20429), Postponed),
    "queue full": (error(429, 21611), Postponed),
    "wrong token": (error(401, 20003), CredentialsRefused),
    "a 401 without JSON": (answer(401, "no"), CredentialsRefused),
    "forbidden": (error(403, 20003), CredentialsRefused),
    "account suspended": (error(400, 90010), CredentialsRefused),
    "no such account": (error(404, 20404), CredentialsRefused),
    "a foreign server": (answer(404, "<h1>nginx</h1>"), CredentialsRefused),
    "a redirect": (answer(307, "", {"Location": "/elsewhere"}), CredentialsRefused),
    "see other": (answer(303, "", {"Location": "/elsewhere"}), Unclear),
    "server error": (error(500, 20500), Unclear),
    "unavailable": (error(503, 20503, headers={"Retry-After": "1"}), Unclear),
    "bad gateway": (answer(502, "<h1>bad gateway</h1>"), Unclear),
    "request timeout": (answer(408, ""), Unclear),
    "created, but no JSON": (answer(201, "<h1>welcome to the hotel</h1>"), Unclear),
    "created, but empty": (answer(201, ""), Unclear),
    "created, but a list": (answer(201, []), Unclear),
    "created, without SID": (answer(201, {"status": "queued"}), Unclear),
    "created, with half a SID": (answer(201, {"sid": "SM12"}), Unclear),
    "created, cut short": (answer(201, '{"sid": "SM', None, 500), Unclear),
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", Unclear),
    "dropped": ("drop", Unclear),
    "reset": ("reset", Unclear),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_one_clear_outcome_after_one_request(server, name):
    scripted, expected = ANSWERS[name]
    cut = name in ("created, cut short", "no HTTP")
    server.answers.append(scripted)
    channel = SmsChannel(
        account_sid=ACCOUNT,
        auth_token="made-up-token",
        from_number="+46101234567",
        base_url=server.url,
        timeout=0.3 if cut else 5,
    )
    outcome = channel.send(OUTGOING)
    channel.close()
    assert isinstance(outcome, expected), outcome
    assert [one.method for one in server.requests] == ["POST"]
    for secret in (TO, TO[1:], "made-up-token", OUTGOING.text):
        assert secret not in outcome.reason
    assert "\n" not in outcome.reason


def test_no_answer_in_time_is_unclear(server):
    server.answers.append("hang")
    channel = SmsChannel(
        account_sid=ACCOUNT,
        auth_token="t",
        from_number="Acme",
        base_url=server.url,
        timeout=0.2,
    )
    outcome = channel.send(OUTGOING)
    assert isinstance(outcome, Unclear)
    assert "in time" in outcome.reason
    assert len(server.requests) == 1
    channel.close()


def test_a_refused_connection_is_safe_to_try_again(refused_url):
    channel = SmsChannel(
        account_sid=ACCOUNT, auth_token="t", from_number="Acme", base_url=refused_url
    )
    assert isinstance(channel.send(OUTGOING), Postponed)


def test_an_impossible_url_stops_delivery():
    channel = SmsChannel(
        account_sid=ACCOUNT, auth_token="t", from_number="Acme", base_url="api.twilio.com"
    )
    outcome = channel.send(OUTGOING)
    assert isinstance(outcome, CredentialsRefused)
    assert "API URL" in outcome.reason


def test_a_rejection_names_the_code_and_says_what_to_do(server, channel):
    server.answers.append(error(400, 21610))
    outcome = channel.send(OUTGOING)
    assert outcome == Rejected(21610, outcome.reason, 400)
    assert "STOP" in outcome.reason
    assert "21610" in outcome.reason


def test_a_number_in_an_unknown_error_is_masked(server, channel):
    server.answers.append(error(400, 29999, f"No {TO} today"))
    assert "+46*****605" in channel.send(OUTGOING).reason


@pytest.mark.parametrize(
    ("given", "expected"), [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("nan", None)]
)
def test_retry_after_is_read_in_seconds(server, channel, given, expected):
    server.answers.append(error(429, 20429, headers={"Retry-After": given}))
    assert channel.send(OUTGOING).retry_after == expected


def test_retry_after_may_be_a_date_and_one_in_the_past_means_now(server, channel):
    server.answers.append(
        error(429, 20429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    )
    assert channel.send(OUTGOING).retry_after == 0.0


def test_a_connection_is_used_again_at_once_but_not_after_a_rest(server, channel, monkeypatch):
    server.answers.append(CREATED)
    channel.send(OUTGOING)
    channel.send(OUTGOING)
    monkeypatch.setattr(http, "IDLE_SECONDS", -1.0)
    channel.send(OUTGOING)
    assert [one.connection for one in server.requests] == [1, 1, 2]


def test_sixteen_threads_each_get_the_answer_to_their_own_message(server, channel):
    def created(request):
        number = int(dict(request.form)["Body"])
        return answer(201, {"sid": f"SM{number:032x}", "status": "queued"})

    server.answers.append(created)

    def send(number):
        return channel.send(Outgoing(str(number), "sms", TO, None, str(number)))

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(send, range(200)))
    assert [one.sid for one in outcomes] == [f"SM{number:032x}" for number in range(200)]


def test_status_error_segments_and_price_are_read(server, channel):
    server.answers.append(
        answer(
            200,
            {
                "sid": SID,
                "status": "undelivered",
                "error_code": 30003,
                "error_message": "Unreachable",
                "num_segments": "2",
                "price": "-0.0750",
                "price_unit": "USD",
            },
        )
    )
    report = channel.fetch_status(SID)
    assert (report.status, report.error_code, report.segments) == ("undelivered", 30003, 2)
    assert (report.price, report.price_unit) == (Decimal("-0.0750"), "USD")
    assert server.requests[0].path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}.json"


@pytest.mark.parametrize(
    ("scripted", "is_final"),
    [
        (error(404, 20404), True),
        (error(500, 20500), False),
        (error(429, 20429), False),
        (answer(200, "no json"), False),
        (answer(200, {}), False),
        ("drop", False),
    ],
)
def test_a_status_that_cannot_be_read_says_why_and_whether_to_ask_again(
    server, channel, scripted, is_final
):
    server.answers.append(scripted)
    found = channel.fetch_status(SID)
    assert found.is_final is is_final
    assert found.reason
    assert "\n" not in found.reason


def test_numbers_do_not_reach_the_log_even_when_all_is_logged(server, channel, caplog):
    server.answers.append(CREATED)
    with caplog.at_level(logging.INFO):
        channel.send(OUTGOING)
    assert TO not in caplog.text
    assert logging.getLogger("twilio.http_client").level == logging.WARNING


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"account_sid": "AC123"}, "account_sid"),
        ({"account_sid": "AC" + "z" * 32}, "account_sid"),
        ({"api_key_sid": "SKY", "api_key_secret": "s"}, "api_key_sid"),
        ({"messaging_service_sid": "MGroup"}, "messaging_service_sid"),
        ({"from_number": None}, "from_number"),
        ({"auth_token": None}, "auth_token"),
    ],
)
def test_a_malformed_setting_is_named(given, setting):
    settings = {"account_sid": ACCOUNT, "auth_token": "secret-token", "from_number": "Acme"}
    with pytest.raises(ValueError, match=setting) as raised:
        SmsChannel(**{**settings, **given})
    assert "secret-token" not in str(raised.value)


def test_a_sender_name_that_begins_like_a_sid_is_a_sender_name(server):
    server.answers.append(CREATED)
    channel = SmsChannel(
        account_sid=ACCOUNT, auth_token="t", from_number="MGM Finance", base_url=server.url
    )
    channel.send(OUTGOING)
    assert ("From", "MGM Finance") in server.requests[0].form
    channel.close()


def test_twilio_edge_in_the_environment_does_not_move_the_request(server, channel, monkeypatch):
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    server.answers.append(CREATED)
    assert isinstance(channel.send(OUTGOING), Accepted)


def test_a_channel_that_sends_nothing_does_not_load_twilios_library():
    code = (
        "import sys, target_twilio_alerts.delivery.channels as c;"
        f"c.SmsChannel(account_sid='{ACCOUNT}', auth_token='t', from_number='A');"
        "sys.exit('twilio.rest' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
