"""`twilio-alerts check`: calls, Twilio Email, senders by country, templates without values."""

from __future__ import annotations

import json

import pytest

RULES = """
  large:
    entity: supplier_invoice
    when: {when}
    notify: ap-team
    via: {via}
"""
SWEDE, AMERICAN, FINN = "+46701740605", "+12125550123", "+358401234567"


def lines(office, *arguments, code=0, **config):
    office.config.update(config)
    told = office.run("check", *arguments, code=code)
    for number in (SWEDE, AMERICAN, FINN):
        assert number not in told
    assert office.config["auth_token"] not in told
    return told.splitlines()[1:]


@pytest.fixture
def voice(office):
    office.people(via="voice", anna={"voice": SWEDE})
    return office


def test_calls_come_from_the_number_that_sms_come_from_unless_another_is_named(voice):
    assert lines(voice) == ["ok     voice: settings are complete"]
    assert lines(voice, "--online")[:3] == [
        "ok     voice: settings are complete",
        "ok     voice: Twilio account answers and is active",
        "ok     voice: sender +46*****600 is in this account and can call",
    ]
    assert voice.sandbox.twilio.calls == []


@pytest.mark.parametrize("sender", ["Acme", "72345", None])
def test_a_sender_that_cannot_call_needs_a_caller_beside_it(voice, sender):
    voice.config["from_number"] = sender
    if sender is None:
        del voice.config["from_number"]
    assert lines(voice, code=1) == ["WRONG  voice: voice_from is not set"]
    assert lines(voice, voice_from="+46701740600") == ["ok     voice: settings are complete"]


def test_a_caller_of_another_account_is_told_with_what_to_do(voice):
    *_, told, _ = lines(voice, "--online", code=1, voice_from="+46701740699")
    assert told == (
        "WRONG  voice: sender +46*****699 is not in this Twilio account; "
        "set a number of this account that can call"
    )


def test_a_number_that_cannot_call_is_told_with_what_to_do(voice):
    owned = {"phone_number": "+46701740600", "capabilities": {"sms": True, "voice": False}}
    page = json.dumps({"incoming_phone_numbers": [owned], "next_page_uri": None})
    voice.sandbox.faults.add("twilio", status=200, body=page, match="IncomingPhoneNumbers")
    *_, told, _ = lines(voice, "--online", code=1)
    assert told == (
        "WRONG  voice: sender +46*****600 cannot call; set a number of this account that can call"
    )


def test_a_caller_that_is_no_number_is_one_line(voice):
    voice.config["voice_from"] = "Acme"
    told = voice.run("check", code=1)
    assert told.splitlines()[-1] == (
        "Error: voice_from: not of the form +46701740600; copy it from the Console"
    )


def test_a_channel_that_only_an_escalation_or_a_fallback_needs_is_looked_at_too(office):
    more = "    escalate: {after: 15m, notify: anna, via: voice}\n    fallback: voice\n"
    rules = RULES.format(when="amount > 1", via="sms") + more
    office.people(rules=rules, anna={"sms": SWEDE, "voice": SWEDE})
    assert lines(office, code=1, from_number="Acme") == [
        "ok     sms: settings are complete",
        "WRONG  voice: voice_from is not set",
    ]


@pytest.fixture
def email(office):
    office.people(via="email", anna={"email": "anna@example.com"})
    del office.config["sendgrid_api_key"]
    office.config["email_driver"] = "twilio"
    return office


def test_twilio_email_needs_the_account_and_a_sender_and_no_key_of_sendgrid(email):
    assert lines(email) == ["ok     email: settings are complete"]
    assert lines(email, "--online")[1:3] == [
        "ok     email: Twilio account answers and is active",
        "ok     email: email_from is not looked up at Twilio Email",
    ]
    assert email.sandbox.twilio.emails == []
    assert lines(email, code=1, email_from="") == ["WRONG  email: email_from is not set"]
    assert lines(email, code=1, account_sid="") == ["WRONG  email: account_sid is not set"]


def test_twilio_email_with_wrong_credentials_is_told(email):
    _, told, _ = lines(email, "--online", code=1, auth_token="not-the-right-one")
    assert told.startswith("WRONG  email: Twilio account: Twilio refused the credentials")


def test_a_driver_that_there_is_not_is_one_clear_line(email):
    email.config["email_driver"] = "mailgun"
    told = email.run("check", code=1).splitlines()
    assert len(told) == 1
    assert "email_driver" in told[0]
    assert "sendgrid" in told[0]
    assert "twilio" in told[0]


@pytest.fixture
def abroad(office):
    people = {"anna": {"sms": SWEDE}, "joe": {"sms": AMERICAN}, "ken": {"sms": AMERICAN}}
    office.people(**people)
    office.config["from_number"] = "NordAB"
    return office


REFUSED = (
    'WRONG  sms: US takes no name as sender, such as "NordAB" to joe, ken; name a number for it '
    'in the setting senders, as in {"US": "+15005550006"}'
)


def test_recipients_whom_a_name_as_sender_does_not_reach_are_named(abroad):
    assert lines(abroad, code=1) == ["ok     sms: settings are complete", REFUSED]


def test_a_number_for_their_country_mends_it(abroad):
    senders = {"us": " +15005550006 "}
    assert lines(abroad, senders=senders) == ["ok     sms: settings are complete"]


def test_finland_is_told_of_without_being_wrong(office):
    office.people(pekka={"sms": FINN})
    _, told = lines(office, from_number="NordAB")
    assert told.startswith("ok     sms: Finland shows a name or Finnish number that was not auth")


def test_online_every_sender_is_tried(abroad):
    _, *told, _ = lines(
        abroad, "--online", senders={"US": "+46701740600", "NO": "MG" + "0" * 32}, code=1
    )
    assert [one.split(":")[1] for one in told][:3] == [
        " Twilio account answers and is active",
        ' sender "NordAB" is an alphanumeric sender ID; some countries want it registered first',
        " sender +46*****600 is in this account and can send SMS",
    ]
    assert told[-1].startswith("WRONG  sms: Messaging Service: ")
    assert "MG" + "0" * 32 in told[-1]


TEMPLATE = 'Invoice {{ number }} of {{ company }}: {{ "due " ~ due_date }} {{ balance - 1 }}'


ANNA = {"anna": {"sms": SWEDE}}


@pytest.fixture
def template(office):
    """What is wrong with the template of a rule with this condition."""
    folder = office.root / "templates"
    folder.mkdir()

    def wrong(when, text=TEMPLATE, *, code=1, more="", people=ANNA, rules=RULES):
        office.people(rules=rules.format(when=when, via="sms") + more, **people)
        (folder / "large.sms.j2").write_text(text, encoding="utf-8")
        told = office.run("check", code=code).splitlines()
        return [line.removeprefix("WRONG  ") for line in told if line.startswith("WRONG")]

    return wrong


@pytest.mark.parametrize(
    ("when", "unknown"),
    [
        ("amount > 50000", "balance due_date"),
        ("amount > 50000 and balance > 0", "due_date"),
        ("amount > 50000 or balance > 0", "balance due_date"),
        ("balance > 0 and due_date is not null", ""),
        ("balance in [1, 2] and not (due_date is null)", ""),
        ("not (balance <= 0 or due_date is null)", ""),
        ("not (balance <= 0 and due_date is null)", "balance due_date"),
        ('balance > 0 and due_date < "2027-01-01"', ""),
    ],
)
def test_a_field_is_told_unless_the_condition_makes_it_known(template, when, unknown):
    told = template(when, code=1 if unknown else 0)
    ways = {"balance": ":1: it fails", "due_date": ": it prints None"}
    assert len(told) == len(unknown.split())
    for line, name in zip(told, unknown.split(), strict=True):
        assert line.startswith(f"large.sms.j2{ways[name]} where {name} is unknown")
        assert line.endswith(f"; put what needs it in {{% if {name} is not none %}}")


def test_an_amount_in_a_currency_makes_amount_and_currency_known(office, template):
    (office.root / "rates.csv").write_text("date,from,to,rate\n", encoding="utf-8")
    text, more = "{{ amount + 1 }} {{ currency ~ '!' }}", "rates: {file: rates.csv}\n"
    assert template('amount_in("SEK") > 5', text, code=0, more=more) == []
    assert len(template("balance > 5", text)) == 2


def test_a_field_of_the_record_is_told_too_unless_the_condition_needs_it(template):
    text = "{{ record.creditTerms.id | upper }}"
    (told,) = template('amount > 1 or record.creditTerms.id == "60"', text)
    assert "it prints None where record.creditTerms.id is unknown" in told
    assert template('amount > 1 and record.creditTerms.id == "60"', text, code=0) == []


def test_a_template_is_tried_as_each_of_its_readers_gets_it(template):
    text = "{% if 'amount' | label == 'belopp' %}{{ balance + 1 }}{% else %}x{% endif %}"
    english = {"anna": {"sms": SWEDE, "locale": "en_GB"}}
    assert template("amount > 1", text, code=0, people=english) == []
    both = {**english, "bo": {"sms": SWEDE, "locale": "sv_SE"}}
    (told,) = template("amount > 1", text, people=both)
    assert "it fails where balance is unknown" in told


def test_a_field_of_an_own_entity_is_known_if_it_is_its_key(template):
    entity = """
entities:
  deal:
    stream: deals
    key: {key}
    fields: {{code: {{from: id}}, title: {{from: name}}}}
"""
    of_deals = {"when": "title == 'x' or title is null", "text": "{{ 'Deal ' ~ code }}"}
    rules = RULES.replace("supplier_invoice", "deal")
    assert rules != RULES
    (told,) = template(**of_deals, more=entity.format(key="name"), rules=rules)
    assert "where code is unknown" in told
    assert template(**of_deals, code=0, more=entity.format(key="id"), rules=rules) == []
