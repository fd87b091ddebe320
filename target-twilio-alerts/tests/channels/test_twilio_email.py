"""Email through Twilio Email: what is asked, and what every answer means."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.delivery.channels import (
    Accepted,
    CredentialsRefused,
    Outgoing,
    Postponed,
    Rejected,
    TwilioEmailChannel,
    Unclear,
    http,
)

ACCOUNT, KEY = "AC" + "0a" * 16, "SK" + "0b" * 16
TO = "anna.berg@example.com"
OPERATION = "comms_operation_01h9krwprkeee8fzqspvwy6nq8"
OUTGOING = Outgoing("message-1", "email", TO, "Ny betalning", "Betald\nRef 7K2QM9", "<p>Betald</p>")
TAKEN = (
    202,
    {"operationId": OPERATION, "operationLocation": f"https://x/Operations/{OPERATION}"},
    {"Twilio-Request-Id": "RQ" + "2f" * 16},
)


def email(server, **given):
    settings = {
        "auth_token": "made-up-token",
        "email_from": "Acme Alerts <alerts@example.com>",
        "timeout": 5,
        **given,
    }
    return TwilioEmailChannel(
        account_sid=ACCOUNT, email_url=f"{server.url}/", base_url=server.url, **settings
    )


@pytest.fixture
def channel(server):
    channel = email(server)
    yield channel
    channel.close()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def error(status, code, message="something", headers=None):
    return (status, {"code": code, "message": message, "status": status}, headers)


def test_an_accepted_email_has_the_id_of_its_operation_as_its_sid(server, channel):
    server.answers.append(TAKEN)
    assert channel.send(OUTGOING) == Accepted(OPERATION, None, "RQ" + "2f" * 16, None)


def test_the_request_has_what_twilio_email_takes_and_no_more(server, channel):
    server.answers.append(TAKEN)
    channel.send(OUTGOING)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/Emails")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == basic(ACCOUNT, "made-up-token")
    assert request.json == {
        "from": {"address": "alerts@example.com", "name": "Acme Alerts"},
        "to": [{"address": TO}],
        "content": {
            "subject": "Ny betalning",
            "html": "<p>Betald</p>",
            "text": "Betald\nRef 7K2QM9",
        },
        "tags": {"message_id": "message-1"},
    }


def test_an_api_key_and_a_sender_without_a_name_do_too(server):
    server.answers.append(TAKEN)
    channel = email(
        server, auth_token=None, api_key_sid=KEY, api_key_secret="made-up", email_from="a@b.se"
    )
    channel.send(OUTGOING)
    channel.close()
    assert server.requests[0].headers["authorization"] == basic(KEY, "made-up")
    assert server.requests[0].json["from"] == {"address": "a@b.se"}


def content(server, text, subject=None):
    server.answers.append(TAKEN)
    channel = email(server)
    assert isinstance(channel.send(Outgoing("m", "email", TO, subject, text)), Accepted)
    channel.close()
    return server.requests[-1].json["content"]


def test_an_email_without_html_gets_some_and_one_without_subject_a_stand_in(server):
    assert content(server, '1 < 2 & "x"\n<script>\'') == {
        "subject": "Alert",
        "html": "<p>1 &lt; 2 &amp; &quot;x&quot;<br>&lt;script&gt;&#x27;</p>",
        "text": '1 < 2 & "x"\n<script>\'',
    }


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.seen = [], ""

    def handle_starttag(self, tag, attrs):
        assert attrs == []
        self.tags.append(tag)
        self.seen += "\n" if tag == "br" else ""

    def handle_data(self, data):
        self.seen += data


@given(st.text(st.sampled_from("<>&\"'/=#;! \nabp"), min_size=1, max_size=60))
def test_nothing_of_a_text_is_taken_for_html(text):
    channel = TwilioEmailChannel(account_sid=ACCOUNT, auth_token="t", email_from="a@b.se")
    page = Page()
    page.feed(channel._body(Outgoing("m", "email", TO, None, text))["content"]["html"])
    page.close()
    assert page.tags == ["p"] + ["br"] * text.count("\n")
    assert page.seen == text


def test_a_subject_cannot_carry_a_second_header(server):
    told = content(server, "text", subject="Invoice\r\nBcc: eve@example.com")
    assert told["subject"] == "Invoice Bcc: eve@example.com"


ANSWERS = {
    "bad address": (error(400, 20001, f"{TO} is no email address"), Rejected),
    "too large": (error(413, 20001, "The request is larger than 5 MB"), Rejected),
    "a 400 without JSON": ((400, "<h1>no</h1>"), Rejected),
    "wrong token": (error(401, 20003), CredentialsRefused),
    "a domain that is not verified": (error(403, 20001), CredentialsRefused),
    "wrong URL": ((404, "nginx"), CredentialsRefused),
    "a redirect": ((302, "", {"Location": "https://example.com/"}), CredentialsRefused),
    "too many requests": (error(429, 20429, headers={"Retry-After": "7"}), Postponed),
    "server error": (error(500, 20500), Unclear),
    "unavailable": (error(503, 20503, headers={"Retry-After": "1"}), Unclear),
    "accepted without an operation": ((202, "{}"), Unclear),
    "accepted with an empty operation": ((202, {"operationId": ""}), Unclear),
    "accepted with a number for an operation": ((202, {"operationId": 7}), Unclear),
    "accepted, but a list": ((202, []), Unclear),
    "accepted, but no JSON": ((202, "<h1>hotel</h1>"), Unclear),
    "another kind of success": ((200, {"operationId": OPERATION}), Unclear),
    "cut short": ((202, '{"operationId": "com', None, 500), Unclear),
    "dropped": ("drop", Unclear),
    "reset": ("reset", Unclear),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_one_clear_outcome_after_one_request(server, name):
    scripted, expected = ANSWERS[name]
    server.answers.append(scripted)
    channel = email(server, timeout=0.3 if name == "cut short" else 5)
    outcome = channel.send(OUTGOING)
    channel.close()
    assert isinstance(outcome, expected), outcome
    assert len(server.requests) == 1
    for secret in (TO, "made-up-token", "Betald"):
        assert secret not in outcome.reason
    assert "\n" not in outcome.reason


def test_the_wait_after_a_429_is_what_twilio_asks_for(server, channel):
    server.answers.append(error(429, 20429, headers={"Retry-After": "7"}))
    assert channel.send(OUTGOING).retry_after == 7.0


def test_no_answer_in_time_is_unclear(server):
    server.answers.append("hang")
    channel = email(server, timeout=0.2)
    outcome = channel.send(OUTGOING)
    assert isinstance(outcome, Unclear)
    assert "in time" in outcome.reason
    channel.close()


def test_a_refused_connection_is_safe_to_try_again(refused_url):
    channel = TwilioEmailChannel(
        account_sid=ACCOUNT, auth_token="t", email_from="a@b.se", email_url=refused_url
    )
    assert isinstance(channel.send(OUTGOING), Postponed)


def test_a_netrc_file_does_not_replace_the_credentials(server, channel, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password mallory\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.answers.append(TAKEN)
    channel.send(OUTGOING)
    assert server.requests[0].headers["authorization"] == basic(ACCOUNT, "made-up-token")


def test_a_connection_is_used_again_at_once_but_not_after_a_rest(server, channel, monkeypatch):
    server.answers.append(TAKEN)
    channel.send(OUTGOING)
    channel.send(OUTGOING)
    monkeypatch.setattr(http, "IDLE_SECONDS", -1.0)
    channel.send(OUTGOING)
    assert [one.connection for one in server.requests] == [1, 1, 2]


def test_sixteen_threads_each_get_the_answer_to_their_own_email(server, channel):
    server.answers.append(
        lambda request: (202, {"operationId": request.json["tags"]["message_id"]})
    )
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(
            pool.map(
                lambda number: channel.send(Outgoing(str(number), "email", TO, "s", "t")),
                range(200),
            )
        )
    assert [one.sid for one in outcomes] == [str(number) for number in range(200)]


def test_no_status_is_asked_for(server, channel):
    assert channel.fetch_status(OPERATION).is_final
    assert server.requests == []


def test_check_tries_the_account_and_says_what_it_does_not_look_up(server, channel):
    server.answers.append((200, {"sid": ACCOUNT, "status": "active", "type": "Full"}))
    first, second = channel.check()
    assert (first.ok, second.ok) == (True, True)
    assert "email_from is not looked up" in second.what
    assert {one.method for one in server.requests} == {"GET"}


def test_check_tells_wrong_credentials_and_no_more(server, channel):
    server.answers.append(error(401, 20003))
    (result,) = channel.check()
    assert not result.ok
    assert "made-up-token" not in f"{result.what}{result.mend}"


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"account_sid": "AC123"}, "account_sid"),
        ({"auth_token": None}, "auth_token"),
        ({"email_from": "nobody"}, "email_from"),
    ],
)
def test_a_malformed_setting_is_named(given, setting):
    settings = {"account_sid": ACCOUNT, "auth_token": "made-up-token", "email_from": "a@b.se"}
    with pytest.raises(ValueError, match=setting) as raised:
        TwilioEmailChannel(**{**settings, **given})
    assert "made-up-token" not in str(raised.value)
