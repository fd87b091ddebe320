"""Every request a channel makes, held against the providers' own descriptions."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest

from target_twilio_alerts.delivery.channels import (
    EmailChannel,
    Outgoing,
    SmsChannel,
    VoiceChannel,
    WhatsAppChannel,
)
from target_twilio_alerts.delivery.status import next_state
from target_twilio_alerts.ledger import MessageState

ACCOUNT, SERVICE = "AC" + "0a" * 16, "MG" + "0c" * 16
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
MESSAGE = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"
CALLS = "/2010-04-01/Accounts/{AccountSid}/Calls.json"
CALL = "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json"


def load(contracts, name):
    return json.loads((contracts / name).read_text(encoding="utf-8"))


def validator(schema, document):
    """A validator of one schema of a document; a property it does not know is an error."""

    def strict(node):
        if isinstance(node, dict):
            node = {key: strict(value) for key, value in node.items()}
            # Objects that name no properties are free maps, such as custom_args.
            if node.get("type") == "object" and isinstance(node.get("properties"), dict):
                node.setdefault("additionalProperties", False)
            return node
        return [strict(one) for one in node] if isinstance(node, list) else node

    whole = {**strict(schema), "components": strict(document["components"])}
    return jsonschema_rs.Draft4Validator(whole)


def form_of(contracts, path):
    document = load(contracts, "twilio-messages-calls.openapi.json")
    body = document["paths"][path]["post"]["requestBody"]["content"]
    assert list(body) == ["application/x-www-form-urlencoded"]
    return validator(body["application/x-www-form-urlencoded"]["schema"], document)


@pytest.fixture
def create_form(contracts):
    return form_of(contracts, MESSAGES)


@pytest.fixture
def call_form(contracts):
    return form_of(contracts, CALLS)


@pytest.fixture
def mail(contracts):
    document = load(contracts, "sendgrid-mail-v3.openapi.json")
    schema = document["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]
    return validator(schema["schema"], document)


@pytest.mark.parametrize("sender", [{"from_number": "Acme"}, {"messaging_service_sid": SERVICE}])
def test_the_sms_form_has_only_parameters_that_twilio_knows(server, create_form, sender):
    server.answers.append((201, {"sid": "SM" + "1e" * 16}))
    channel = SmsChannel(account_sid=ACCOUNT, auth_token="t", base_url=server.url, **sender)
    url = "https://a.example.com/s?m=1"
    outgoing = Outgoing("m", "sms", "+46701740605", None, "x", None, url, validity_seconds=600)
    channel.send(outgoing)
    channel.close()
    (request,) = server.requests
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.path == MESSAGES.replace("{AccountSid}", ACCOUNT)
    form = dict(request.form)
    assert len(form) == len(request.form)
    create_form.validate(_numbers(form, "ValidityPeriod"))


def _numbers(form, *names):
    """A form whose numbers are such, as the description has them."""
    return {name: int(value) if name in names else value for name, value in form.items()}


@pytest.mark.parametrize("variables", [None, '{"1": "900001"}'])
def test_the_whatsapp_form_has_only_parameters_that_twilio_knows(server, create_form, variables):
    server.answers.append((201, {"sid": "SM" + "1e" * 16}))
    channel = WhatsAppChannel(
        account_sid=ACCOUNT, auth_token="t", from_number="+46701740600", base_url=server.url
    )
    sid = variables and "HX" + "0d" * 16
    channel.send(
        Outgoing(
            "m", "whatsapp", "+46701740605", None, "x", content_sid=sid, content_variables=variables
        )
    )
    channel.close()
    create_form.validate(dict(server.requests[0].form))


@pytest.mark.parametrize("url", [None, "https://a.example.com/twilio/status?message=m"])
def test_the_form_of_a_call_has_only_parameters_that_twilio_knows(server, call_form, url):
    server.answers.append((201, {"sid": "CA" + "1e" * 16}))
    channel = VoiceChannel(
        account_sid=ACCOUNT, auth_token="t", from_number="+46701740600", base_url=server.url
    )
    outgoing = Outgoing(
        "m", "voice", "+46701740605", None, "x", None, url, keypress_url=url, validity_seconds=600
    )
    channel.send(outgoing)
    channel.close()
    (request,) = server.requests
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.path == CALLS.replace("{AccountSid}", ACCOUNT)
    form = dict(request.form)
    assert len(form) == len(request.form)
    call_form.validate(form)
    assert {"To", "From", "Twiml"} <= set(form)
    assert not call_form.is_valid({**form, "Twimml": "<Response/>"})


def test_a_misspelt_sms_parameter_would_be_noticed(create_form):
    assert not create_form.is_valid({"To": "+46701740605", "Form": "Acme", "Body": "x"})


def test_the_status_is_read_where_twilio_says(server, contracts):
    document = load(contracts, "twilio-messages-calls.openapi.json")
    schema = document["paths"][MESSAGE]["get"]["responses"]["200"]["content"]["application/json"]
    reference = schema["schema"]["$ref"].rpartition("/")[2]
    fields = document["components"]["schemas"][reference]["properties"]
    given = {"status": "delivered", "num_segments": "1", "price": "-0.07", "price_unit": "USD"}
    assert set(given) | {"error_code", "error_message"} <= set(fields)
    server.answers.append((200, given))
    channel = SmsChannel(
        account_sid=ACCOUNT, auth_token="t", from_number="Acme", base_url=server.url
    )
    sid = "SM" + "1e" * 16
    assert channel.fetch_status(sid).status == "delivered"
    channel.close()
    assert server.requests[0].method == "GET"
    expected = MESSAGE.replace("{AccountSid}", ACCOUNT).replace("{Sid}", sid)
    assert server.requests[0].path == expected


def test_the_status_of_a_call_is_read_where_twilio_says(server, contracts):
    document = load(contracts, "twilio-messages-calls.openapi.json")
    schema = document["paths"][CALL]["get"]["responses"]["200"]["content"]["application/json"]
    reference = schema["schema"]["$ref"].rpartition("/")[2]
    given = {"status": "completed", "price": "-0.045", "price_unit": "USD"}
    assert set(given) <= set(document["components"]["schemas"][reference]["properties"])
    server.answers.append((200, given))
    channel = VoiceChannel(
        account_sid=ACCOUNT, auth_token="t", from_number="+46701740600", base_url=server.url
    )
    sid = "CA" + "1e" * 16
    assert channel.fetch_status(sid).status == "completed"
    channel.close()
    expected = CALL.replace("{AccountSid}", ACCOUNT).replace("{Sid}", sid)
    assert (server.requests[0].method, server.requests[0].path) == ("GET", expected)


def test_every_status_of_twilio_moves_a_message_to_a_state(contracts):
    document = load(contracts, "twilio-messages-calls.openapi.json")
    schemas = document["components"]["schemas"]
    for known in ("message_enum_status", "call_enum_status"):
        for status in schemas[known]["enum"]:
            moves = next_state(MessageState.SENDING, status) is not None
            assert moves == (status not in {"receiving", "received"}), status


@pytest.mark.parametrize("html", [None, "<p>x</p>"])
def test_the_email_has_only_fields_that_sendgrid_knows(server, mail, html):
    server.answers.append((202, "", {"X-Message-Id": "x"}))
    channel = EmailChannel(api_key="SG.x", email_from="Acme <a@b.se>", base_url=server.url)
    channel.send(Outgoing("m", "email", "anna@example.com", "Subject", "text", html))
    channel.close()
    (request,) = server.requests
    assert request.headers["content-type"] == "application/json"
    mail.validate(request.json)


def test_a_misspelt_email_field_would_be_noticed(mail):
    good = {"personalizations": [{"to": [{"email": "a@b.se"}]}], "from": {"email": "a@b.se"}}
    assert mail.is_valid(good)
    assert not mail.is_valid({**good, "subjct": "x"})
    assert not mail.is_valid({**good, "from": {"emial": "a@b.se"}})
