"""`twilio-alerts check`: what is right, what is wrong, and how to mend it; nothing is sent."""

from __future__ import annotations

import json
import re

import pytest

from visma_twilio_sandbox import credentials

SERVICE = credentials.MESSAGING_SERVICE_SID
OTHER_SERVICE = "MG" + "0" * 31 + "2"


@pytest.fixture
def online(office):
    """Ask the providers too; gives the lines it tells before the one of the ledger."""

    def ask(*, code=0, **config):
        office.config.update(config)
        told = office.run("check", "--online", code=code)
        assert office.config["auth_token"] not in told
        *lines, ledger = told.splitlines()
        assert re.fullmatch(r"ok     ledger_url sqlite:///\S+: opens, \d+ events", ledger)
        return lines

    return ask


def test_a_good_file_is_told_line_by_line(office):
    told = office.run("check").splitlines()
    assert told == [
        f"ok     {office.root / 'alerts.yml'}: 1 rule, 1 recipient",
        "ok     sms: settings are complete",
    ]


def test_each_result_is_a_line_of_json(office):
    first, second = map(json.loads, office.run("check", "--json").splitlines())
    assert first == {"ok": True, "what": f"{office.root / 'alerts.yml'}: 1 rule, 1 recipient"}
    assert second == {"ok": True, "what": "sms: settings are complete"}


def test_a_file_that_is_not_there_is_named(office):
    (office.root / "alerts.yml").unlink()
    told = office.run("check", code=1)
    assert "alerts.yml" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("auth_token", "", "sms: auth_token (or api_key_sid with api_key_secret) is not set"),
        ("from_number", None, "sms: from_number (or messaging_service_sid) is not set"),
        ("account_sid", "AC1", "account_sid: not of the form AC and 32 hex digits"),
        ("ledgerurl", "x", "ledgerurl: no such setting; did you mean ledger_url?"),
    ],
)
def test_a_setting_that_is_missing_or_cannot_be_right_is_named(office, name, value, words):
    office.config[name] = value
    if value is None:
        del office.config[name]
    assert words in office.run("check", code=1)


def test_only_the_channels_that_rules_use_must_be_set_up(office):
    del office.config["sendgrid_api_key"]
    assert "email" not in office.run("check")


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("large-supplier-invoice.sms.j2", "{{ amount", ["invoice.sms.j2:1:", "unexpected end"]),
        ("large-supplier-invoice.sms.j2", "\n{{ amonut }}", ["amonut", "did you mean amount"]),
        ("large-suplier-invoice.sms.j2", "{{ amount }}", ["no rule uses this template"]),
        ("large-supplier-invoice.email.j2", "{{ amount }}", ["no rule uses this template"]),
    ],
)
def test_a_template_that_is_broken_or_misnamed_is_wrong(office, file, text, words):
    folder = office.root / "templates"
    folder.mkdir()
    (folder / file).write_text(text, encoding="utf-8")
    told = office.run("check", code=1)
    (wrong,) = [line for line in told.splitlines() if line.startswith("WRONG")]
    assert file in wrong
    for word in words:
        assert word in wrong


def test_online_the_account_and_its_number_are_tried_and_nothing_is_sent(office, online):
    told = online()
    assert told[2:] == [
        "ok     sms: Twilio account answers and is active",
        "ok     sms: sender +46*****600 is in this account and can send SMS",
    ]
    assert {one.method for one in office.sandbox.requests("twilio")} == {"GET"}


def test_online_email_is_tried_too(office, online):
    office.people(via="email", anna={"email": "anna@example.com"})
    told = online()
    assert any(line.startswith("ok     email: ") and "SendGrid" in line for line in told)
    assert office.sandbox.sendgrid.emails == []
    assert any(
        line.startswith("WRONG  email: ") for line in online(code=1, sendgrid_api_key="SG.x")
    )


def test_online_wrong_credentials_are_told_with_what_to_check(online):
    told = online(code=1, auth_token="not-the-right-one")
    (wrong,) = [line for line in told if line.startswith("WRONG")]
    assert "refused the credentials" in wrong
    assert wrong.count("check account_sid with auth_token") == 1


def test_online_a_number_of_another_account_is_told(online):
    told = online(code=1, from_number="+46701740699")
    assert told[-1] == (
        "WRONG  sms: sender +46*****699 is not in this Twilio account; "
        "set a number of this account that can send SMS"
    )


def test_online_a_messaging_service_with_a_number_is_good(online):
    told = online(from_number="", messaging_service_sid=SERVICE)
    assert told[-1] == "ok     sms: it has 1 number(s) to send from"
    assert 'Messaging Service "' in told[-2]


def test_online_a_messaging_service_that_does_not_exist_is_told(online):
    told = online(code=1, from_number="", messaging_service_sid=OTHER_SERVICE)
    assert told[-1].startswith("WRONG  sms: Messaging Service: ")
    assert told[-1].endswith(f"look for {OTHER_SERVICE} in the Twilio Console")


def test_online_a_messaging_service_without_a_sender_is_told(office, online):
    page = '{"meta": {"key": "phone_numbers", "next_page_url": null}, "phone_numbers": []}'
    office.sandbox.faults.add("messaging", status=200, body=page, match="PhoneNumbers")
    told = online(code=1, from_number="", messaging_service_sid=SERVICE)
    assert told[-1] == (
        "WRONG  sms: the Messaging Service has no number and no sender ID; "
        "add a sender to its pool in the Twilio Console"
    )


def test_online_a_provider_that_cannot_be_reached_is_one_line(online):
    told = online(code=1, twilio_api_url="http://127.0.0.1:9")
    assert told[-1].startswith("WRONG  sms: Twilio account: no connection to 127.0.0.1")


def test_online_a_ledger_that_cannot_be_opened_is_told(office):
    office.config["ledger_url"] = "sqlite:////no/such/folder/ledger.db"
    *_, last = office.run("check", "--online", code=1).splitlines()
    assert last == "WRONG  ledger_url: folder /no/such/folder does not exist; create it first"


def test_without_online_no_ledger_is_made(office):
    office.run("check")
    assert not office.workplace.ledger_path.exists()
