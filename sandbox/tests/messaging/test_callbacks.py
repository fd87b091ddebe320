"""Status callbacks are signed as Twilio signs, and as disorderly as Twilio's may be."""

from __future__ import annotations

import socket

from twilio.request_validator import RequestValidator

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio.callbacks import sign

VALIDATOR = RequestValidator(credentials.AUTH_TOKEN)


def test_the_signature_is_the_one_of_twilios_own_example():
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign("12345", url, fields) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_every_step_but_the_first_is_told_and_signed(api, receiver):
    url = f"{receiver.url}/status?attempt=a%20b&x="
    message = api.create(StatusCallback=url).json()
    api.account.settle()
    assert {form["MessageStatus"] for form in receiver.forms} == {"sending", "sent", "delivered"}
    for request, form in zip(receiver.requests, receiver.forms, strict=True):
        assert VALIDATOR.validate(url, form, request.headers["x-twilio-signature"])
        assert (form["MessageSid"], form["SmsSid"]) == (message["sid"], message["sid"])
        assert form["SmsStatus"] == form["MessageStatus"]
        assert (form["AccountSid"], form["To"]) == (credentials.ACCOUNT_SID, message["to"])
        assert "ErrorCode" not in form
        assert request.path == "/status"


def test_a_failure_is_told_with_its_error_code(api, receiver):
    api.create(To="+46701740691", StatusCallback=receiver.url + "/")
    api.account.settle()
    codes = {form["MessageStatus"]: form.get("ErrorCode") for form in receiver.forms}
    assert codes == {"sending": None, "sent": None, "undelivered": "30003"}


def test_settling_sends_callbacks_out_of_order_and_some_twice(api, receiver):
    for _ in range(10):
        api.create(StatusCallback=receiver.url + "/")
    api.account.settle()
    seen = [(form["MessageSid"], form["MessageStatus"]) for form in receiver.forms]
    assert len(set(seen)) == 30
    assert len(seen) > 30
    steps = {"sending": 0, "sent": 1, "delivered": 2}
    orders = [[steps[status] for sid, status in seen if sid == one] for one, _ in seen]
    assert any(order != sorted(order) for order in orders)


def test_a_step_taken_by_reading_is_told_too(api, receiver):
    sid = api.create(StatusCallback=receiver.url + "/").json()["sid"]
    api.get(f"/Messages/{sid}.json")
    api.account.stop()
    assert [form["MessageStatus"] for form in receiver.forms] == ["sending"]


def test_a_message_without_a_callback_url_is_told_to_nobody(api, receiver):
    api.create()
    api.account.settle()
    assert receiver.requests == []


def test_a_callback_nobody_takes_is_noted_and_not_repeated(api, receiver):
    receiver.statuses = [503, 503, 503, 503, 503, 503]
    api.create(To="+46701740693", StatusCallback=receiver.url + "/")
    api.account.settle()
    failures = api.account.callback_failures
    assert {one.status for one in failures} == {503}
    assert len(receiver.requests) == len(failures)


def test_the_fragment_of_the_url_asks_for_repeats_and_is_neither_sent_nor_signed(api, receiver):
    receiver.statuses = [503, 503]
    url = f"{receiver.url}/status"
    api.create(To="+46701740693", StatusCallback=f"{url}#rc=5&rp=all")
    api.account.settle()
    assert api.account.callback_failures == []
    assert len(receiver.requests) >= 3
    assert len({one.headers["i-twilio-idempotency-token"] for one in receiver.requests[:3]}) == 1
    form, request = receiver.forms[0], receiver.requests[0]
    assert VALIDATOR.validate(url, form, request.headers["x-twilio-signature"])


def test_a_receiver_that_is_not_there_does_not_stop_settling(api):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{holder.getsockname()[1]}/"
        api.create(StatusCallback=url)
        api.account.settle()
    assert [one.status for one in api.account.callback_failures][:3] == [None, None, None]
    assert api.account.messages[0].status == "delivered"
