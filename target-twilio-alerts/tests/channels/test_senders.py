"""Which sender an SMS has, by the recipient's country, and which countries refuse it."""

from __future__ import annotations

import pytest

from target_twilio_alerts.countries import country_of
from target_twilio_alerts.delivery.channels import Accepted, Outgoing, SmsChannel, WhatsAppChannel
from target_twilio_alerts.delivery.channels.senders import Senders

ACCOUNT = "AC" + "0a" * 16
SERVICE, OTHER = "MG" + "0c" * 16, "MG" + "0d" * 16
SWEDE, NORWEGIAN, FINN = "+46701740605", "+4740600001", "+358401234567"
AMERICAN, CANADIAN, PUERTO_RICAN = "+12125550123", "+14165550123", "+17872345678"


@pytest.mark.parametrize(
    ("number", "country"),
    [
        (SWEDE, "SE"),
        (NORWEGIAN, "NO"),
        (FINN, "FI"),
        ("+4520123456", "DK"),
        ("+3546111234", "IS"),
        (AMERICAN, "US"),
        (CANADIAN, "CA"),
        (PUERTO_RICAN, "PR"),
        ("+18765551234", "JM"),
        # Numbers of these are told apart by guesses only, and operators take them as one country.
        ("+447911123456", "GB"),
        ("+3584573211234", "FI"),
        ("+4779012345", "NO"),
        ("+999123456", None),
        ("+47", None),
        ("anna@example.com", None),
        ("", None),
    ],
)
def test_the_country_of_a_number_is_known(number, country):
    assert country_of(number) == country


@pytest.fixture
def form_of(server):
    def send(to, channel=SmsChannel, **settings):
        server.answers.append((201, {"sid": "SM" + "1e" * 16, "status": "queued"}))
        made = channel(account_sid=ACCOUNT, auth_token="t", base_url=server.url, **settings)
        assert isinstance(made.send(Outgoing("m", "sms", to, None, "x")), Accepted)
        made.close()
        return dict(server.requests[-1].form)

    return send


SENDERS = {"SE": "NordAB", "NO": OTHER, "US": "+15005550006"}


@pytest.mark.parametrize(
    ("to", "sender"),
    [
        (SWEDE, {"From": "NordAB"}),
        (NORWEGIAN, {"MessagingServiceSid": OTHER}),
        (AMERICAN, {"From": "+15005550006"}),
        (FINN, {"From": "+46101234567"}),
        ("+999123456", {"From": "+46101234567"}),
    ],
)
def test_each_country_has_its_own_sender_and_others_the_usual_one(form_of, to, sender):
    form = form_of(to, from_number="+46101234567", senders=SENDERS)
    assert form == {"To": to, "Body": "x", **sender}


def test_the_usual_sender_may_be_a_service_beside_a_number_of_a_country(form_of):
    settings = {"messaging_service_sid": SERVICE, "senders": {"SE": "+46101234567"}}
    assert form_of(FINN, **settings)["MessagingServiceSid"] == SERVICE
    assert form_of(SWEDE, **settings) == {"To": SWEDE, "Body": "x", "From": "+46101234567"}


def test_whatsapp_has_one_sender_for_all_countries(form_of):
    form = form_of(SWEDE, WhatsAppChannel, from_number="+46701740600")
    assert form["From"] == "whatsapp:+46701740600"


def test_every_sender_is_tried_once(server):
    number = {"phone_number": "+15005550006", "capabilities": {"sms": True}}
    server.answers.extend(
        [
            (200, {"sid": ACCOUNT, "status": "active", "type": "Full"}),
            (404, {"code": 20404, "message": "not found", "status": 404}),
            (200, {"incoming_phone_numbers": [number], "next_page_uri": None}),
        ]
    )
    channel = SmsChannel(
        account_sid=ACCOUNT,
        auth_token="t",
        from_number="NordAB",
        senders=SENDERS,
        base_url=server.url,
        messaging_url=server.url,
    )
    _, name, service, owned = channel.check()
    channel.close()
    assert (name.ok, service.ok, owned.ok) == (True, False, True)
    assert '"NordAB"' in name.what
    assert service.mend == f"look for {OTHER} in the Twilio Console"


PEOPLE = {"anna": (SWEDE,), "joe": (AMERICAN, "+12125550124"), "ken": (AMERICAN,)}


def test_a_name_that_a_country_refuses_is_told_with_whom_it_would_not_reach():
    (told,) = Senders("NordAB").check({**PEOPLE, "none": ()})
    assert not told.ok
    assert told.what == 'US takes no name as sender, such as "NordAB" to joe, ken'
    assert told.mend == 'name a number for it in the setting senders, as in {"US": "+15005550006"}'
    assert AMERICAN not in str(told)


@pytest.mark.parametrize(
    ("country", "number"), [("US", AMERICAN), ("CA", CANADIAN), ("PR", PUERTO_RICAN)]
)
def test_each_of_these_countries_takes_numbers_and_services_only(country, number):
    people = {"joe": (number,)}
    (told,) = Senders("NordAB").check(people)
    assert told.what.startswith(f"{country} takes no name")
    for sender in ("+15005550006", SERVICE, "72345"):
        assert Senders(sender).check(people) == []
        assert Senders("NordAB", {country: sender}).check(people) == []
    assert Senders("+15005550006", {"SE": "NordAB"}).check({**people, "anna": (SWEDE,)}) == []


@pytest.mark.parametrize(
    ("sender", "noted"),
    [("NordAB", True), (FINN, True), ("+46101234567", False), (SERVICE, False)],
)
def test_what_finland_wants_authorised_is_noted_and_is_no_mistake(sender, noted):
    told = Senders(sender).check({"pekka": (FINN,), "liisa": (FINN, "+358409999999")})
    assert [one.ok for one in told] == [True] * noted
    if noted:
        assert "authorised" in told[0].what
        assert "Traficom" in told[0].what
