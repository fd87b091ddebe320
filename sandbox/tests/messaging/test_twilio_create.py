"""Create Message takes what Twilio takes, and refuses the rest with Twilio's codes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from visma_twilio_sandbox import credentials

TEST_BASE = f"/2010-04-01/Accounts/{credentials.TEST_ACCOUNT_SID}"
TEST_AUTH = (credentials.TEST_ACCOUNT_SID, credentials.TEST_AUTH_TOKEN)
KEY_AUTH = (credentials.API_KEY_SID, credentials.API_KEY_SECRET)


def in_minutes(minutes):
    moment = datetime.now(timezone.utc) + timedelta(minutes=minutes)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_accepted_message_is_answered_201_and_queued(api):
    answer = api.create(Body="Hej på dig")
    assert answer.status_code == 201
    message = answer.json()
    assert message["status"] == "queued"
    assert (message["num_segments"], message["price"], message["date_sent"]) == ("1", None, None)
    assert answer.headers["Twilio-Request-Id"].startswith("RQ")
    (kept,) = api.account.messages
    assert (kept.sid, kept.to, kept.body) == (message["sid"], message["to"], "Hej på dig")


def test_a_message_of_the_messaging_service_has_no_sender_and_no_segments_yet(api):
    service = credentials.MESSAGING_SERVICE_SID
    message = api.create(From=None, MessagingServiceSid=service).json()
    assert (message["status"], message["from"], message["num_segments"]) == ("accepted", None, "0")
    api.account.settle()
    (kept,) = api.account.messages
    assert (kept.from_, kept.num_segments) == (credentials.FROM_NUMBER, "1")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": None}, 21604),
        ({"To": ""}, 21604),
        ({"From": None}, 21603),
        ({"Body": None}, 21602),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"To": "0701740605"}, 21211),
        ({"To": "+46 70 174 06 05"}, 21211),
        ({"To": "+٤٦701740605"}, 21211),
        ({"To": "whatsapp:+46701740605"}, 21910),
        ({"From": "whatsapp:+46701740601"}, 21910),
        ({"To": "whatsapp:+46701740605", "From": "whatsapp:+46701740600"}, 63007),
        ({"To": "whatsapp:0701740605", "From": "whatsapp:+46701740601"}, 21211),
        ({"ContentSid": "HX" + "a" * 32}, 21655),
        ({"ContentVariables": "{1: x}"}, 21656),
        ({"ContentVariables": '["x"]'}, 21656),
        ({"ContentVariables": '{"1": 2}'}, 21656),
        ({"To": credentials.FROM_NUMBER}, 21266),
        ({"From": "+46701740699"}, 21606),
        ({"From": "71234"}, 21606),
        ({"From": "Name too long"}, 21212),
        ({"From": "Räksmörgås"}, 21212),
        ({"From": "Acme", "To": "+358401234567"}, 21612),
        ({"From": None, "MessagingServiceSid": "MG" + "f" * 32}, 21705),
        ({"StatusCallback": "example.com/status"}, 21609),
        ({"StatusCallback": "https://my_host.example.com/"}, 21609),
        ({"StatusCallback": "ftp://example.com/"}, 21609),
        ({"StatusCallback": "https://example.com:port/"}, 21609),
        ({"ValidityPeriod": "0"}, 90007),
        ({"ValidityPeriod": "36001"}, 90007),
        ({"ValidityPeriod": "soon"}, 20001),
        ({"SmartEncoded": "maybe"}, 20001),
        ({"ScheduleType": "fixed", "From": None}, 21603),
        ({"ScheduleType": "fixed"}, 35111),
        ({"ScheduleType": "fixed", "SendAt": "2030-01-01T00:00:00Z"}, 35118),
    ],
)
def test_a_create_that_twilio_refuses_is_refused_with_its_code(api, form, code):
    answer = api.create(**form)
    error = answer.json()
    assert (answer.status_code, error["status"], error["code"]) == (400, 400, code)
    assert error["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert error["message"]
    assert api.account.messages == []
    assert [one.code for one in api.account.refused] == [code]


def test_the_longest_body_is_taken(api):
    assert api.create(Body="x" * 1600).json()["num_segments"] == "11"


def test_a_name_as_sender_reaches_sweden(api):
    assert api.create(From="Acme Alerts").json()["from"] == "Acme Alerts"


@pytest.mark.parametrize("name", ["to", "Form", "Messagingservicesid", "body", "StatusCallBack"])
def test_a_misspelt_parameter_is_refused_by_name(api, name):
    error = api.create(**{name: "x"}).json()
    assert (error["code"], error["message"]) == (20001, f"Unknown parameter '{name}'")


def test_a_parameter_given_twice_is_refused(api):
    answer = api.create(Body=["one", "two"])
    assert answer.json()["code"] == 20001


def test_a_json_body_holds_no_parameters(api):
    answer = api.request("POST", f"{api.base}/Messages.json", json={"To": "+46701740605"})
    assert answer.json()["code"] == 21604


def test_a_form_that_is_not_utf_8_is_refused(api):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = api.request("POST", f"{api.base}/Messages.json", data=b"To=%ff", headers=headers)
    assert answer.json()["code"] == 20001


@pytest.mark.parametrize("minutes", [1, 36 * 24 * 60])
def test_a_message_is_scheduled_neither_too_soon_nor_too_late(api, minutes):
    form = {"MessagingServiceSid": credentials.MESSAGING_SERVICE_SID, "ScheduleType": "fixed"}
    assert api.create(SendAt=in_minutes(minutes), **form).json()["code"] == 35114


def test_a_scheduled_message_waits_and_can_be_canceled(api):
    form = {"MessagingServiceSid": credentials.MESSAGING_SERVICE_SID, "ScheduleType": "fixed"}
    message = api.create(SendAt=in_minutes(60), **form).json()
    api.account.settle()
    path = f"{api.base}/Messages/{message['sid']}.json"
    assert api.request("GET", path).json()["status"] == "scheduled"
    answer = api.request("POST", path, data={"Status": "canceled"})
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")


@pytest.mark.parametrize(
    "auth",
    [
        (credentials.ACCOUNT_SID, "wrong"),
        (credentials.ACCOUNT_SID, ""),
        ("AC" + "9" * 32, credentials.AUTH_TOKEN),
        (credentials.API_KEY_SID, credentials.AUTH_TOKEN),
        TEST_AUTH,
    ],
)
def test_wrong_credentials_are_answered_401(api, auth):
    answer = api.create(auth=auth)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Bearer abc", "Basic /w=="])
def test_a_header_that_is_no_log_in_is_answered_401(api, header):
    api.session.auth = lambda request: request
    answer = api.get("/Messages.json", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_an_api_key_may_send_but_not_read_the_account(api):
    assert api.create(auth=KEY_AUTH).status_code == 201
    assert api.get(".json", auth=KEY_AUTH).status_code == 401
    assert api.get(".json").json()["status"] == "active"


@pytest.mark.parametrize(
    ("number", "code"), [("+46701740695", 21610), ("+46701740696", 21614), ("+46701740697", 21408)]
)
def test_the_live_magic_numbers_are_refused(api, number, code):
    assert api.create(To=number).json()["code"] == code


def test_a_test_may_let_any_number_be_refused(api):
    api.account.refuses["+46701740605"] = 21610
    assert api.create().json()["code"] == 21610
    api.account.refuses.clear()
    assert api.create().status_code == 201


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"To": "+15005550001"}, 400, 21211),
        ({"To": "+15005550002"}, 400, 21612),
        ({"To": "+15005550003"}, 400, 21408),
        ({"To": "+15005550004"}, 400, 21610),
        ({"To": "+15005550009"}, 400, 21614),
        ({"From": "+15005550001"}, 400, 21212),
        ({"From": "+15005550007"}, 400, 21606),
        ({"From": "+15005550008"}, 429, 21611),
        ({"From": credentials.FROM_NUMBER}, 400, 21606),
        ({"From": None}, 400, 21603),
        ({"Body": None}, 400, 21602),
    ],
)
def test_the_test_credentials_have_twilios_magic_numbers(api, form, status, code):
    answer = api.create(TEST_BASE, TEST_AUTH, **{"From": "+15005550006", **form})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_message_of_the_test_credentials_is_answered_but_not_kept(api):
    answer = api.create(TEST_BASE, TEST_AUTH, From="+15005550006")
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert api.account.messages == []


def test_the_test_credentials_may_read_nothing(api):
    answer = api.request("GET", f"{TEST_BASE}/Messages.json", auth=TEST_AUTH)
    assert (answer.status_code, answer.json()["code"]) == (403, 20008)


def test_a_fault_is_answered_in_twilios_shape(api):
    api.faults.add("service", status=429, retry_after=3)
    answer = api.create()
    assert (answer.status_code, answer.json()["code"]) == (429, 20429)
    assert answer.headers["Retry-After"] == "3"
    api.faults.add("service", status=500)
    assert api.create().json()["code"] == 20500
    api.faults.add("service", status=400, code=21612)
    assert api.create().json()["code"] == 21612
    assert api.account.messages == []
