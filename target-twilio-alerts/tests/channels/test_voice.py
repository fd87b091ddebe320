"""A call through Twilio's Calls API: what every answer means, and how far it has come."""

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
    NoStatus,
    Outgoing,
    Postponed,
    Rejected,
    StatusReport,
    Unclear,
    VoiceChannel,
)

ACCOUNT, KEY = "AC" + "0a" * 16, "SK" + "0b" * 16
SID = "CA" + "1e" * 16
CALLER, TO = "+46101234567", "+46701740605"
OUTGOING = Outgoing("X9VRDX7K", "voice", TO, None, "Ny faktura. Ref X9VRDX7K", locale="sv_SE")
CREATED = (
    201,
    {"sid": SID, "status": "queued", "to": TO, "price": None},
    {"Twilio-Request-Id": "RQ" + "2f" * 16},
)


def error(status, code, message="something", headers=None):
    return (status, {"code": code, "message": message, "status": status}, headers)


def voice(server, **given):
    login = {"auth_token": "made-up-token", "from_number": CALLER, "timeout": 5, **given}
    return VoiceChannel(account_sid=ACCOUNT, base_url=server.url, messaging_url=server.url, **login)


@pytest.fixture
def channel(server):
    channel = voice(server)
    yield channel
    channel.close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_an_accepted_call_comes_back_with_its_sid_status_and_request_id(server, channel):
    server.answers.append(CREATED)
    assert channel.send(OUTGOING) == Accepted(SID, "queued", "RQ" + "2f" * 16, None)


def test_the_request_carries_the_number_the_caller_and_what_is_said(server, channel):
    server.answers.append(CREATED)
    channel.send(OUTGOING)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    form = dict(request.form)
    assert (form.pop("To"), form.pop("From")) == (TO, CALLER)
    assert "<Say" in form.pop("Twiml")
    assert form == {}
    assert request.headers["authorization"] == basic(ACCOUNT, "made-up-token")


def test_an_api_key_takes_the_place_of_the_token_and_a_callback_is_asked_for(server):
    server.answers.append(CREATED)
    channel = voice(server, auth_token=None, api_key_sid=KEY, api_key_secret="made-up-secret")
    url = "https://alerts.example.com/twilio/status?message=X9VRDX7K"
    channel.send(replace(OUTGOING, status_callback=url, validity_seconds=60))
    channel.close()
    (request,) = server.requests
    assert request.headers["authorization"] == basic(KEY, "made-up-secret")
    form = dict(request.form)
    assert form["StatusCallback"] == url
    assert set(form) == {"To", "From", "Twiml", "StatusCallback"}


ANSWERS = {
    "invalid number": (error(400, 21211, f"The 'To' number {TO} is not valid"), Rejected),
    "a country that is switched off": (error(400, 21215), Rejected),
    "a caller of somebody else": (error(400, 21210), Rejected),
    "TwiML that Twilio does not take": (error(400, 20001, f"Twiml of {TO}"), Rejected),
    "a 400 without JSON": ((400, "<h1>no</h1>"), Rejected),
    "an account with too many calls": (error(429, 10004), Postponed),
    "too many requests": (error(429, 20429, headers={"Retry-After": "7"}), Postponed),
    "wrong token": (error(401, 20003), CredentialsRefused),
    "account suspended": (error(403, 90010), CredentialsRefused),
    "no such account": (error(404, 20404), CredentialsRefused),
    "a redirect": ((307, "", {"Location": "/elsewhere"}), CredentialsRefused),
    "server error": (error(500, 20500), Unclear),
    "unavailable": (error(503, 20503, headers={"Retry-After": "1"}), Unclear),
    "bad gateway": ((502, "<h1>bad gateway</h1>"), Unclear),
    "created, but no JSON": ((201, "<h1>welcome to the hotel</h1>"), Unclear),
    "created, without SID": ((201, {"status": "queued"}), Unclear),
    "created, with the SID of a message": ((201, {"sid": "SM" + "1e" * 16}), Unclear),
    "created, cut short": ((201, '{"sid": "CA', None, 500), Unclear),
    "dropped": ("drop", Unclear),
    "reset": ("reset", Unclear),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_one_clear_outcome_after_one_request(server, name):
    scripted, expected = ANSWERS[name]
    server.answers.append(scripted)
    channel = voice(server, timeout=0.3 if name == "created, cut short" else 5)
    outcome = channel.send(OUTGOING)
    channel.close()
    assert isinstance(outcome, expected), outcome
    assert [one.method for one in server.requests] == ["POST"]
    for secret in (TO, TO[1:], CALLER, "made-up-token", OUTGOING.text):
        assert secret not in outcome.reason
    assert "\n" not in outcome.reason


def test_a_busy_account_is_asked_again_when_it_says(server, channel):
    server.answers.append(error(429, 20429, headers={"Retry-After": "7"}))
    assert channel.send(OUTGOING).retry_after == 7.0


def test_a_rejection_says_what_to_do(server, channel):
    server.answers.extend([error(400, 21211), error(400, 21210)])
    outcome = channel.send(OUTGOING)
    assert (outcome.code, outcome.http_status) == (21211, 400)
    assert "correct the number in alerts.yml" in outcome.reason
    assert "check voice_from" in channel.send(OUTGOING).reason


def test_no_answer_in_time_is_unclear(server):
    server.answers.append("hang")
    channel = voice(server, timeout=0.2)
    outcome = channel.send(OUTGOING)
    assert isinstance(outcome, Unclear)
    assert "in time" in outcome.reason
    assert len(server.requests) == 1
    channel.close()


def test_a_refused_connection_is_safe_to_try_again(refused_url):
    channel = VoiceChannel(
        account_sid=ACCOUNT, auth_token="t", from_number=CALLER, base_url=refused_url
    )
    assert isinstance(channel.send(OUTGOING), Postponed)


def test_sixteen_threads_each_get_the_answer_to_their_own_call(server, channel):
    server.answers.append(lambda request: (201, {"sid": f"CA{int(dict(request.form)['To']):032x}"}))

    def call(number):
        return channel.send(replace(OUTGOING, to=str(number)))

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(call, range(200)))
    assert [one.sid for one in outcomes] == [f"CA{number:032x}" for number in range(200)]


def test_status_and_price_are_read(server, channel):
    server.answers.append((200, {"status": "completed", "price": "-0.045", "price_unit": "USD"}))
    assert channel.fetch_status(SID) == StatusReport(
        "completed", price=Decimal("-0.045"), price_unit="USD"
    )
    assert server.requests[0].path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{SID}.json"


@pytest.mark.parametrize(
    ("scripted", "is_final"),
    [
        (error(404, 20404), True),
        (error(500, 20500), False),
        (error(429, 20429), False),
        ((200, "no json"), False),
        ((200, {}), False),
        ("drop", False),
    ],
)
def test_a_status_that_cannot_be_read_says_why_and_whether_to_ask_again(
    server, channel, scripted, is_final
):
    server.answers.append(scripted)
    found = channel.fetch_status(SID)
    assert isinstance(found, NoStatus)
    assert found.is_final is is_final
    assert found.reason
    assert "\n" not in found.reason


def test_numbers_do_not_reach_the_log_even_when_all_is_logged(server, channel, caplog):
    server.answers.append(CREATED)
    with caplog.at_level(logging.INFO):
        channel.send(OUTGOING)
    assert TO not in caplog.text


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"account_sid": "AC123"}, "account_sid"),
        ({"api_key_sid": "SKY", "api_key_secret": "s"}, "api_key_sid"),
        ({"from_number": ""}, "voice_from"),
        ({"auth_token": None}, "auth_token"),
    ],
)
def test_a_malformed_setting_is_named(given, setting):
    settings = {"account_sid": ACCOUNT, "auth_token": "secret-token", "from_number": CALLER}
    with pytest.raises(ValueError, match=setting) as raised:
        VoiceChannel(**{**settings, **given})
    assert "secret-token" not in str(raised.value)


ACTIVE = (200, {"sid": ACCOUNT, "status": "active", "type": "Full"})


def numbers(**capabilities):
    owned = [{"phone_number": CALLER, "capabilities": capabilities}] if capabilities else []
    return (200, {"incoming_phone_numbers": owned, "next_page_uri": None})


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([error(401, 20003)], "refused the credentials"),
        ([ACTIVE, numbers()], "is not in this Twilio account"),
        ([ACTIVE, numbers(sms=True, voice=False)], "cannot call"),
        ([ACTIVE, "drop"], "broke"),
    ],
)
def test_a_caller_that_cannot_call_is_told_with_what_to_do(server, channel, answers, words):
    server.answers.extend(answers)
    *before, last = channel.check()
    assert all(one.ok for one in before)
    assert (last.ok, words in last.what) == (False, True)
    assert last.mend
    assert CALLER not in str(last)


def test_a_caller_of_the_account_passes_and_nobody_is_called(server, channel):
    server.answers.extend([ACTIVE, numbers(voice=True)])
    assert channel.check()[-1].what == "sender +46*****567 is in this account and can call"
    assert {one.method for one in server.requests} == {"GET"}


def test_a_channel_that_calls_nobody_does_not_load_twilios_library():
    code = (
        "import sys, target_twilio_alerts.delivery.channels as c;"
        f"c.VoiceChannel(account_sid='{ACCOUNT}', auth_token='t', from_number='{CALLER}');"
        "sys.exit(any(one.startswith('twilio.') for one in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
