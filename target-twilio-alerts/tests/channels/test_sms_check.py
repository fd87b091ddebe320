from __future__ import annotations

import pytest

from target_twilio_alerts.delivery.channels import SmsChannel

ACCOUNT = "AC" + "0a" * 16
NUMBER = "+46101234567"
SERVICE = "MG" + "0c" * 16
ACTIVE = (200, {"sid": ACCOUNT, "status": "active", "type": "Full"})
REFUSED = (401, {"code": 20003, "message": "Authenticate", "status": 401})


def page(key, *items):
    return (200, {key: list(items), "next_page_uri": None, "page": 0})


def service_page(key, *items):
    return (200, {key: list(items), "meta": {"key": key, "next_page_url": None}})


def number(**capabilities):
    return {"phone_number": NUMBER, "capabilities": capabilities}


def check(server, *answers, **settings):
    server.answers.extend([*answers, (500, "")])
    given = {"auth_token": "made-up", "from_number": NUMBER, **settings}
    channel = SmsChannel(
        account_sid=ACCOUNT, base_url=server.url, messaging_url=server.url, timeout=5, **given
    )
    results = channel.check()
    channel.close()
    assert all((one.mend is None) == one.ok for one in results)
    assert NUMBER not in str(results)
    return results


def test_a_good_account_with_its_own_number_passes(server):
    results = check(server, ACTIVE, page("incoming_phone_numbers", number(sms=True)))
    assert [one.ok for one in results] == [True, True]
    assert [one.path.partition("?")[0] for one in server.requests] == [
        f"/2010-04-01/Accounts/{ACCOUNT}.json",
        f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json",
    ]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([REFUSED], "refused the credentials"),
        ([(200, {"status": "suspended", "type": "Full"})], "suspended"),
        (["drop"], "broke"),
        ([ACTIVE, page("incoming_phone_numbers")], "not in this Twilio account"),
        ([ACTIVE, page("incoming_phone_numbers", number(voice=True))], "cannot send SMS"),
        ([ACTIVE, (200, "<h1>hotel</h1>")], "could not be read"),
    ],
)
def test_what_is_wrong_is_the_last_result_and_says_how_to_mend_it(server, answers, words):
    results = check(server, *answers)
    assert [one.ok for one in results[:-1]] == [True] * (len(results) - 1)
    assert not results[-1].ok
    assert words in results[-1].what


def test_a_trial_account_passes_with_a_warning(server):
    results = check(server, (200, {"status": "active", "type": "Trial"}), from_number="Acme")
    assert results[0].ok
    assert "verified numbers only" in results[0].what


def test_an_api_key_is_tried_on_messages_because_it_may_not_read_the_account(server):
    results = check(
        server,
        page("messages"),
        api_key_sid="SK" + "0b" * 16,
        api_key_secret="made-up",
        from_number="Acme",
    )
    assert [one.ok for one in results] == [True, True]
    assert server.requests[0].path.startswith(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?")


@pytest.mark.parametrize(
    ("sender", "ok"), [("Acme Nordic", True), ("72345", True), ("Å-Finans", False)]
)
def test_a_sender_that_is_no_number_is_judged_by_its_form(server, sender, ok):
    assert check(server, ACTIVE, from_number=sender)[-1].ok is ok


def test_a_messaging_service_is_fetched_and_its_numbers_counted(server):
    results = check(
        server,
        ACTIVE,
        (200, {"sid": SERVICE, "friendly_name": "Finance"}),
        service_page("phone_numbers", {"sid": "PN1"}, {"sid": "PN2"}),
        messaging_service_sid=SERVICE,
    )
    assert [one.ok for one in results] == [True, True, True]
    assert "Finance" in results[1].what
    assert "2 number" in results[2].what
    assert [one.path.partition("?")[0] for one in server.requests[1:]] == [
        f"/v1/Services/{SERVICE}",
        f"/v1/Services/{SERVICE}/PhoneNumbers",
    ]


@pytest.mark.parametrize(("senders", "ok"), [([], False), ([{"sid": "AI1"}], True)])
def test_a_messaging_service_without_numbers_needs_a_sender_id(server, senders, ok):
    results = check(
        server,
        ACTIVE,
        (200, {"sid": SERVICE, "friendly_name": "Finance"}),
        service_page("phone_numbers"),
        service_page("alpha_senders", *senders),
        messaging_service_sid=SERVICE,
    )
    assert results[-1].ok is ok


def test_an_unknown_messaging_service_is_named(server):
    results = check(
        server,
        ACTIVE,
        (404, {"code": 20404, "message": "not found", "status": 404}),
        messaging_service_sid=SERVICE,
    )
    assert not results[-1].ok
    assert SERVICE in results[-1].mend
