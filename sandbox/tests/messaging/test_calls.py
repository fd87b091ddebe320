"""Calls: what is refused, what becomes of them, and how they are listed."""

from __future__ import annotations

import pytest

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio import call_create

ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
CALLS, CALL = f"{ACCOUNT}/Calls.json", f"{ACCOUNT}/Calls/{{Sid}}.json"
TEST_AUTH = (credentials.TEST_ACCOUNT_SID, credentials.TEST_AUTH_TOKEN)
TEST_BASE = f"/2010-04-01/Accounts/{credentials.TEST_ACCOUNT_SID}"


def statuses(api, sid, times=4):
    return [api.get(f"/Calls/{sid}.json").json()["status"] for _ in range(times)]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": None}, 21201),
        ({"To": "0701740605"}, 21211),
        ({"To": "whatsapp:+46701740605"}, 21211),
        ({"To": "+46701740697"}, 21215),
        ({"From": None}, 21213),
        ({"From": "+46701740699"}, 21210),
        ({"From": "Acme"}, 21210),
        ({"To": credentials.FROM_NUMBER}, 21266),
        ({"Twiml": None}, 21205),
        ({"Twiml": None, "Url": "ftp://example.com"}, 21205),
        ({"Twiml": "<Response><Say>&</Say></Response>"}, 20001),
        ({"Twiml": "<Say>Hello</Say>"}, 20001),
        ({"Twiml": f"<Response><Say>{'x' * 4000}</Say></Response>"}, 20001),
        ({"Timeout": "601"}, 20001),
        ({"Timeout": "soon"}, 20001),
        ({"Body": "Hello"}, 20001),
        ({"StatusCallback": "https://a_b.example.com"}, 21609),
    ],
)
def test_a_call_that_cannot_be_made_is_refused(api, form, code):
    answer = api.call(**form)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert api.account.calls == []
    assert [one.code for one in api.account.refused] == [code]


@pytest.mark.parametrize(
    ("number", "path"),
    [
        ("+46701740605", ["queued", "ringing", "in-progress", "completed"]),
        ("+46701740691", ["queued", "ringing", "no-answer", "no-answer"]),
        ("+46701740692", ["queued", "failed", "failed", "failed"]),
        ("+46701740693", ["queued", "ringing", "busy", "busy"]),
    ],
)
def test_a_call_takes_a_step_each_time_it_is_read(api, number, path):
    sid = api.call(To=number).json()["sid"]
    assert statuses(api, sid) == path
    end = api.get(f"/Calls/{sid}.json").json()
    was_taken = path[-1] == "completed"
    assert (end["duration"] is not None, end["price"] is not None) == (was_taken, was_taken)


def test_what_is_said_is_kept_once_for_each_text(api):
    twice = "<Response><Say>Pay &amp; go</Say><Pause/><Say>Pay &amp; go</Say></Response>"
    api.call(Twiml=twice)
    api.call(Twiml=None, Url="https://example.com/twiml")
    assert [one.said for one in api.account.calls] == ["Pay & go", "https://example.com/twiml"]


def test_calls_are_listed_newest_first_and_filtered(api):
    sids = [api.call(To=to).json()["sid"] for to in ("+46701740605", "+46701740691") * 2]

    def listed(**params):
        return [one["sid"] for one in api.get("/Calls.json", params=params).json()["calls"]]

    assert listed(Status="queued") == sids[::-1]
    assert listed(To="+46701740691") == [sids[3], sids[1]]
    assert listed(PageSize=1) == [sids[3]]
    assert listed(**{"StartTime>": "2026-01-01"}) == []
    api.account.settle()
    assert listed(**{"StartTime>": "2026-01-01"}) == [sids[2], sids[0]]
    assert listed(Status="no-answer") == [sids[3], sids[1]]
    assert api.get("/Calls.json", params={"DateSent": "2026-01-01"}).status_code == 400


def test_only_the_end_is_told_unless_more_events_are_asked_for(api, receiver):
    url = f"{receiver.url}/status"
    first = api.call(StatusCallback=url).json()["sid"]
    api.account.settle()
    forms = {(form["CallSid"], form["CallStatus"]) for form in receiver.forms}
    assert forms == {(first, "completed")}
    second = api.call(StatusCallback=url, StatusCallbackEvent=["ringing", "answered"]).json()["sid"]
    api.account.settle()
    seen = {form["CallStatus"] for form in receiver.forms if form["CallSid"] == second}
    assert seen == {"ringing", "in-progress"}


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 201, None),
        ({"To": "+15005550001"}, 400, 21217),
        ({"To": "+15005550003"}, 400, 21215),
        ({"From": "+15005550001"}, 400, 21212),
        ({"From": credentials.FROM_NUMBER}, 400, 21210),
    ],
)
def test_the_test_credentials_have_twilios_magic_numbers(api, form, status, code):
    form = {"From": "+15005550006", **form}
    answer = api.call(auth=TEST_AUTH, base=TEST_BASE, **form)
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert api.account.calls == []


def test_a_call_nobody_made_is_not_found(api):
    answer = api.get(f"/Calls/CA{'0' * 32}.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_the_parameters_are_those_of_the_contract(twilio_contract):
    body = twilio_contract.operation(CALLS, "post")["requestBody"]["content"]
    known = body["application/x-www-form-urlencoded"]["schema"]["properties"]
    assert set(call_create.PARAMETERS) == set(known)


def test_a_call_is_the_contracts_at_every_step(api, twilio_contract):
    created = twilio_contract.answer(CALLS, "post", 201)
    fetched = twilio_contract.answer(CALL, "get", 200)
    fields = twilio_contract.document["components"]["schemas"]["api.v2010.account.call"]
    for number in ("+46701740605", "+46701740691", "+46701740692"):
        call = api.call(To=number).json()
        created.validate(call)
        assert set(call) == set(fields["properties"])
        for _ in range(5):
            fetched.validate(api.get(f"/Calls/{call['sid']}.json").json())
    twilio_contract.answer(CALLS, "get", 200).validate(api.get("/Calls.json").json())


def test_the_list_filters_are_those_of_the_contract(api, twilio_contract):
    for parameter in twilio_contract.operation(CALLS, "get")["parameters"]:
        name = parameter["name"]
        if parameter["in"] == "query" and name != "PageToken":
            value = "2026-01-02" if "Time" in name else "1"
            answer = api.get("/Calls.json", params={name: value})
            assert answer.status_code == 200, name
