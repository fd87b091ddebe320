"""`twilio-alerts deliver`: what is pending leaves, and statuses are asked for."""

from __future__ import annotations

import pytest
from singer import baseline, invoice

NUMBERS = ["+46701740605", "+46701740606"]


@pytest.fixture
def two_pending(office):
    office.people(anna={"sms": NUMBERS[0]}, erik={"sms": NUMBERS[1]})
    office.alert(invoice("1", 60000))
    return office


def test_it_sends_what_is_pending_even_with_a_deadline_of_0(two_pending):
    office = two_pending
    office.config["delivery_deadline_seconds"] = 0
    assert [one["state"] for one in office.trail()] == ["pending", "pending"]
    assert office.run("deliver").startswith("Handed over: 2 accepted, 0 rejected, 0 unknown")
    references = {one["recipient"]: one["message"] for one in office.trail()}
    assert dict(office.sent) == {NUMBERS[0]: references["anna"], NUMBERS[1]: references["erik"]}


def test_with_nothing_to_do_it_says_so_and_asks_no_provider(office):
    assert "0 accepted" in office.run("deliver")
    assert office.sandbox.requests("twilio") == []


def test_wrong_credentials_are_one_line_and_keep_everything_for_later(two_pending):
    office = two_pending
    right = office.config["auth_token"]
    office.config["auth_token"] = "not-the-right-one"
    *_, last = office.run("deliver", code=1).splitlines()
    assert last.startswith("Error: ")
    assert "credentials" in last
    assert last.endswith("what is pending is kept")
    assert {one["state"] for one in office.trail()} == {"pending"}

    office.config["auth_token"] = right
    assert "2 accepted" in office.run("deliver")
    assert len(office.sent) == 2


def test_a_rejected_message_is_told_and_ends_it_with_0(office):
    office.people(anna={"sms": "+46701740696"})
    office.alert(invoice("1", 60000))
    told = office.run("deliver")
    (message,) = office.trail()
    assert f"Failed: {message['message']}: " in told
    assert "error 21614" in told
    assert "0 accepted" in office.run("deliver")


def test_it_asks_how_far_earlier_messages_have_come(two_pending):
    office = two_pending
    office.sandbox.twilio.outcomes["+46701740606"] = ("undelivered", 30003)
    office.run("deliver")
    office.sandbox.twilio.settle()
    assert "asked for the status of 2" in office.run("deliver")
    told = {one["recipient"]: one for one in office.trail()}
    assert told["anna"]["state"] == "delivered"
    assert told["erik"]["state"] == "undelivered"
    assert told["erik"]["error_code"] == "30003"
    assert "asked for the status of 0" in office.run("deliver")


def test_without_settings_for_a_channel_its_messages_stay_pending(office):
    office.people(via="[sms, email]", anna={"sms": "+46701740605", "email": "anna@example.com"})
    office.alert(invoice("1", 60000))
    del office.config["email_from"]
    told = office.run("deliver")
    assert "1 accepted" in told
    states = {one["channel"]: one["state"] for one in office.trail()}
    assert states["email"] == "pending"
    assert "Still pending: 1 by email (email_from is not set)" in told


def test_a_run_of_it_is_in_the_trail(two_pending):
    two_pending.run("deliver")
    told = two_pending.run("audit", "runs")
    assert "deliver  completed" in told


WITHOUT_HEAD = (
    "the ledger's table chain_head does not have its row: somebody has changed it, and nothing "
    "can be written; restore the ledger from a backup\n"
)


@pytest.fixture
def without_head(two_pending):
    two_pending.workplace.query("DELETE FROM chain_head")
    yield two_pending
    assert two_pending.sandbox.requests("twilio") == []
    assert {one["state"] for one in two_pending.trail()} == {"pending"}


@pytest.mark.parametrize("command", [["deliver"], ["serve", "--port", "0"]])
def test_a_ledger_without_the_head_of_its_chain_is_one_line(without_head, zygote, command):
    without_head.config["public_url"] = "https://alerts.example.com"
    ended = zygote.command(without_head.workplace, *command).wait()
    assert (ended.code, ended.stdout, ended.stderr) == (1, "", f"Error: {WITHOUT_HEAD}")


def test_the_target_says_so_too(without_head, zygote):
    ended = zygote.start(without_head.workplace, baseline()).wait()
    assert ended.code == 2
    assert ended.stderr.endswith(WITHOUT_HEAD)
    assert "Traceback" not in ended.stderr
