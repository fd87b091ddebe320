"""Messages are read, listed, redacted and deleted; each look at one lets it come further."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.store import count_segments

SERVICE = f"/v1/Services/{credentials.MESSAGING_SERVICE_SID}"


def sids(answer):
    return [message["sid"] for message in answer.json()["messages"]]


def test_a_message_takes_one_step_each_time_it_is_read(api):
    path = f"/Messages/{api.create().json()['sid']}.json"
    seen = [api.get(path).json()["status"] for _ in range(5)]
    assert seen == ["queued", "sending", "sent", "delivered", "delivered"]


def test_a_listing_lets_messages_take_a_step_too(api):
    api.create()
    seen = [api.get("/Messages.json").json()["messages"][0]["status"] for _ in range(4)]
    assert seen == ["queued", "sending", "sent", "delivered"]


def test_settling_brings_everything_to_its_end_with_its_price(api):
    for number in ("+46701740605", "+46701740606"):
        api.create(To=number, Body="å" * 161)
    api.account.settle()
    for message in api.account.messages:
        assert message.status == "delivered"
        assert message.date_sent is not None
        assert message.price == Decimal("-0.0940")
    assert api.get("/Messages.json").json()["messages"][0]["price"] == "-0.09400"


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("+46701740691", "undelivered", 30003),
        ("+46701740692", "undelivered", 30005),
        ("+46701740693", "failed", 30007),
        ("+46701740694", "sent", None),
    ],
)
def test_the_live_magic_numbers_end_otherwise(api, number, status, code):
    api.create(To=number)
    api.account.settle()
    (message,) = api.account.messages
    assert (message.status, message.error_code) == (status, code)
    assert bool(message.error_message) == (code is not None)


def test_a_test_may_decide_what_becomes_of_messages_to_a_number(api):
    api.account.outcomes["+46701740605"] = ("failed", 30008)
    sid = api.create().json()["sid"]
    api.account.settle()
    message = api.get(f"/Messages/{sid}.json").json()
    assert (message["status"], message["error_code"]) == ("failed", 30008)
    assert message["price"] is None


def test_messages_are_snapshots(api):
    api.create()
    (before,) = api.account.messages
    api.account.settle()
    assert before.status == "queued"


def test_a_listing_is_newest_first_and_filters_by_both_numbers(api):
    first = api.create(From="Acme").json()["sid"]
    second = api.create(To="+46701740606").json()["sid"]
    third = api.create().json()["sid"]
    assert sids(api.get("/Messages.json")) == [third, second, first]
    assert sids(api.get("/Messages.json", params={"To": "+46701740605"})) == [third, first]
    assert sids(api.get("/Messages.json", params={"From": "Acme"})) == [first]
    both = {"To": "+46701740606", "From": "Acme"}
    assert sids(api.get("/Messages.json", params=both)) == []


def test_pages_neither_repeat_nor_lose_a_message_when_new_ones_come(api):
    made = [api.create().json()["sid"] for _ in range(5)]
    answer = api.get("/Messages.json", params={"PageSize": 2, "To": "+46701740605"})
    seen = sids(answer)
    assert "To=%2B46701740605" in answer.json()["next_page_uri"]
    api.create()
    while (following := answer.json()["next_page_uri"]) is not None:
        answer = api.request("GET", following)
        seen += sids(answer)
    assert seen == made[::-1]


def test_the_date_filters_look_at_the_time_of_sending(api):
    sent = api.create().json()["sid"]
    api.account.settle()
    api.create()
    today = datetime.now(timezone.utc).date()
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    for name, day, found in (
        ("DateSent", today, [sent]),
        ("DateSent", yesterday, []),
        ("DateSent>", today, [sent]),
        ("DateSent>", tomorrow, []),
        ("DateSent<", tomorrow, [sent]),
        ("DateSent<", today, []),
        ("DateSent>", f"{yesterday}T00:00:00Z", [sent]),
        ("DateSent<", f"{yesterday}T00:00:00Z", []),
    ):
        assert sids(api.get("/Messages.json", params={name: str(day)})) == found, (name, day)


@pytest.mark.parametrize(
    "query",
    [{"PageSize": "0"}, {"PageSize": "1001"}, {"DateSent": "soon"}, {"to": "+46"}, {"Page": "-1"}],
)
def test_a_listing_refuses_what_it_does_not_understand(api, query):
    answer = api.get("/Messages.json", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_an_unknown_message_is_not_found(api):
    answer = api.get(f"/Messages/SM{'0' * 32}.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert api.get("/Faxes.json").json()["code"] == 20404


def test_a_text_can_be_emptied_once_the_message_is_done(api):
    path = f"{api.base}/Messages/{api.create().json()['sid']}.json"
    answer = api.request("POST", path, data={"Body": ""})
    assert (answer.status_code, answer.json()["code"]) == (409, 20009)
    api.account.settle()
    assert api.request("POST", path, data={"Body": "other"}).json()["code"] == 30400
    assert api.request("POST", path, data={}).json()["code"] == 30400
    assert api.request("POST", path, data={"Status": "canceled"}).json()["code"] == 30409
    assert api.request("POST", path, data={"Body": ""}).json()["body"] == ""
    assert api.account.messages[0].body == ""


def test_a_message_can_be_deleted_once_it_is_done(api):
    path = f"{api.base}/Messages/{api.create().json()['sid']}.json"
    assert api.request("DELETE", path).json()["code"] == 20009
    api.account.settle()
    answer = api.request("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.request("GET", path).status_code == 404


def test_the_number_of_the_account_is_found_by_itself_only(api):
    def found(number):
        answer = api.get("/IncomingPhoneNumbers.json", params={"PhoneNumber": number})
        return [one["phone_number"] for one in answer.json()["incoming_phone_numbers"]]

    assert found(credentials.FROM_NUMBER) == [credentials.FROM_NUMBER]
    assert found("+46701740699") == []


def test_the_messaging_service_shows_its_senders(messaging):
    assert messaging.request("GET", SERVICE).json()["sid"] == credentials.MESSAGING_SERVICE_SID
    numbers = messaging.request("GET", f"{SERVICE}/PhoneNumbers").json()["phone_numbers"]
    assert [one["phone_number"] for one in numbers] == [credentials.FROM_NUMBER]
    assert messaging.request("GET", f"{SERVICE}/AlphaSenders").json()["alpha_senders"] == []
    unknown = messaging.request("GET", f"/v1/Services/MG{'f' * 32}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, 20404)
    assert messaging.request("GET", SERVICE, auth=("a", "b")).status_code == 401


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("å" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ê" * 70, 1),
        ("ê" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_are_counted_as_they_are_billed(text, segments):
    assert count_segments(text) == segments
