"""What Twilio's OpenAPI document says holds for the sandbox: parameters in, resources out."""

from __future__ import annotations

import pytest

from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.twilio import create, update

ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
MESSAGES, MESSAGE = f"{ACCOUNT}/Messages.json", f"{ACCOUNT}/Messages/{{Sid}}.json"
VALUES = {
    "ApplicationSid": "AP" + "a" * 32,
    "ContentSid": credentials.CONTENT_SID,
    "ContentVariables": '{"1": "x"}',
    "From": credentials.FROM_NUMBER,
    "FallbackFrom": credentials.FROM_NUMBER,
    "MediaUrl": "https://example.com/a.png",
    "MessagingServiceSid": credentials.MESSAGING_SERVICE_SID,
    "StatusCallback": "https://example.com/status",
    "To": "+46701740605",
    "ValidityPeriod": "600",
}


def properties(contract, path):
    body = contract.operation(path, "post")["requestBody"]["content"]
    return body["application/x-www-form-urlencoded"]["schema"]["properties"]


def example(contract, name, schema):
    if "$ref" in schema:
        schema = contract.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    by_type = {"boolean": "true", "integer": "2", "number": "0.5"}
    return VALUES.get(name, by_type.get(schema["type"], "text"))


def test_the_parameters_are_those_of_the_contract(twilio_contract):
    assert set(create.PARAMETERS) == set(properties(twilio_contract, MESSAGES))
    assert set(update.PARAMETERS) == set(properties(twilio_contract, MESSAGE))


def test_every_parameter_of_the_contract_is_accepted_and_misspelt_it_is_not(api, twilio_contract):
    for name, schema in properties(twilio_contract, MESSAGES).items():
        value = example(twilio_contract, name, schema)
        form = {name: value}
        if name == "ScheduleType":
            continue  # needs others: see the tests of create
        assert api.create(**form).status_code == 201, name
        wrong = name[:-1] + name[-1].swapcase()
        assert api.create(**{wrong: value}).json()["message"] == f"Unknown parameter '{wrong}'"


def test_a_message_is_the_contracts_at_every_step(api, twilio_contract):
    created = twilio_contract.answer(MESSAGES, "post", 201)
    fetched = twilio_contract.answer(MESSAGE, "get", 200)
    updated = twilio_contract.answer(MESSAGE, "post", 200)
    fields = twilio_contract.document["components"]["schemas"]["api.v2010.account.message"]
    for form in (
        {},
        {"To": "+46701740691"},
        {"To": "+46701740693"},
        {"From": None, "MessagingServiceSid": credentials.MESSAGING_SERVICE_SID},
    ):
        message = api.create(**form).json()
        created.validate(message)
        assert set(message) == set(fields["properties"])
        path = f"/Messages/{message['sid']}.json"
        for _ in range(6):
            fetched.validate(api.get(path).json())
        updated.validate(api.request("POST", api.base + path, data={"Body": ""}).json())


def test_a_listing_is_the_contracts(api, twilio_contract):
    listing = twilio_contract.answer(MESSAGES, "get", 200)
    listing.validate(api.get("/Messages.json").json())
    for _ in range(3):
        api.create()
    for page in (0, 1):
        answer = api.get("/Messages.json", params={"PageSize": 2, "Page": page}).json()
        listing.validate(answer)
        assert len(answer["messages"]) == 2 - page


def test_the_list_filters_are_those_of_the_contract(api, twilio_contract):
    examples = {"DateSent": "2026-01-02", "DateSent<": "2026-01-02", "DateSent>": "2026-01-02"}
    for parameter in twilio_contract.operation(MESSAGES, "get")["parameters"]:
        name = parameter["name"]
        if parameter["in"] == "query" and name != "PageToken":
            params = {name: examples.get(name, "1")}
            assert api.get("/Messages.json", params=params).status_code == 200, name


@pytest.mark.parametrize(
    ("schema", "path", "pick"),
    [
        ("api.v2010.account", ".json", lambda body: body),
        (
            "api.v2010.account.incoming_phone_number",
            "/IncomingPhoneNumbers.json",
            lambda body: body["incoming_phone_numbers"][0],
        ),
    ],
)
def test_the_account_and_its_number_are_the_contracts(api, twilio_contract, schema, path, pick):
    reference = {"$ref": f"#/components/schemas/{schema}"}
    found = pick(api.get(path).json())
    twilio_contract.validator(reference).validate(found)
    known = twilio_contract.document["components"]["schemas"][schema]["properties"]
    assert set(found) == set(known)
