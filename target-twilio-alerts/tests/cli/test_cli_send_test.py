"""`twilio-alerts send-test`: proves a channel with one message, and tells what came of it."""

from __future__ import annotations

import pytest

RULES = """
  any:
    entity: supplier_invoice
    when: amount > 1
    notify: [anna, erik]
    via: sms
"""


@pytest.fixture
def office(office):
    office.people(
        rules=RULES,
        anna={"sms": "+46701740605", "email": "anna@example.com"},
        erik={"sms": "+46701740606"},
    )
    return office


def test_an_sms_goes_to_the_recipient_and_its_sid_is_told(office):
    told = office.run("send-test", "anna")
    (message,) = office.workplace.accepted
    assert message.to == "+46701740605"
    assert message.body.startswith("Test message of twilio-alerts to anna. Ref ")
    assert told.splitlines()[-1].split()[1:] == ["accepted", message.sid]


def test_an_email_goes_to_the_recipient(office):
    told = office.run("send-test", "anna", "--channel", "email")
    (email,) = office.sandbox.sendgrid.emails
    assert "anna@example.com" in str(email.to)
    assert "accepted" in told.splitlines()[-1]
    assert office.workplace.accepted == []


def test_it_is_in_the_trail_with_who_sent_it_and_belongs_to_no_rule(office):
    office.run("send-test", "anna")
    (message,) = office.trail()
    assert message["rule"] is None
    assert message["recipient"] == "anna"
    told = office.run("audit", "show", message["message"])
    assert '"operator":' in told
    assert "send-test" in office.run("audit")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["anan"], "no recipient anan in the alerts file; did you mean anna?"),
        (["zebra"], "no recipient zebra in the alerts file; there are: anna, erik"),
        (["erik", "--channel", "email"], "recipient erik has no address for email; add one"),
    ],
)
def test_whom_it_cannot_reach_is_told_in_one_line(office, arguments, words):
    assert office.run("send-test", *arguments, code=1).splitlines() == [f"Error: {words}"]
    assert office.trail() == []


def test_a_channel_without_settings_is_told_and_nothing_is_kept(office):
    del office.config["sendgrid_api_key"]
    told = office.run("send-test", "anna", "--channel", "email", code=1)
    assert told.splitlines() == ["Error: sendgrid_api_key is not set, but email needs it; set it"]
    assert office.trail() == []


def test_a_number_that_is_refused_is_told_with_its_meaning_and_ends_it_with_1(office):
    office.sandbox.twilio.refuses["+46701740605"] = 21610
    told = office.run("send-test", "anna", code=1)
    assert "rejected" in told.splitlines()[-1]
    assert "error 21610" in told.splitlines()[-1]


def test_wrong_credentials_are_one_line_and_the_test_is_not_sent_later(office):
    right = office.config["auth_token"]
    office.config["auth_token"] = "not-the-right-one"
    told = office.run("send-test", "anna", code=1)
    assert told.splitlines()[-1].startswith("Error: ")
    assert "credentials" in told.splitlines()[-1]
    office.config["auth_token"] = right
    office.run("deliver")
    assert office.workplace.accepted == []
    assert [one["state"] for one in office.trail()] == ["suppressed"]
