"""What SendGrid's OpenAPI document says holds for the sandbox: fields in, errors out."""

from __future__ import annotations

import msgspec
import pytest

from visma_twilio_sandbox.mail_send import Mail

SEND = "/v3/mail/send"
GOOD = {
    "personalizations": [{"to": [{"email": "anna@example.com"}]}],
    "from": {"email": "alerts@example.com"},
    "subject": "s",
    "content": [{"type": "text/plain", "value": "x"}],
}


def request_schema(contract):
    body = contract.document["components"]["requestBodies"]["PostMailSend"]
    return body["content"]["application/json"]["schema"]


def error_schema(contract, status):
    """The contract's schema of an error, but with `help` null, as SendGrid really answers."""
    reference = contract.operation(SEND, "post")["responses"][str(status)]["$ref"]
    found = contract.document["components"]["responses"][reference.rpartition("/")[2]]
    assert found["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorResponse")
    error = contract.document["components"]["schemas"]["ErrorResponse"]
    item = error["properties"]["errors"]["items"]
    properties = {**item["properties"], "help": {"type": "object", "nullable": True}}
    items = {**item, "properties": properties}
    errors = {**error["properties"]["errors"], "items": items}
    return contract.validator({**error, "properties": {**error["properties"], "errors": errors}})


def fields_of_contract(contract, node, path=""):
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return fields_of_contract(contract, contract.document["components"]["schemas"][name], path)
    if node.get("type") == "array":
        return fields_of_contract(contract, node["items"], path)
    found = set()
    for name, part in node.get("properties", {}).items():
        place = f"{path}.{name}"
        found |= {place} | fields_of_contract(contract, part, place)
    return found


def fields_of_model(kind, path=""):
    found = set()
    if isinstance(kind, msgspec.inspect.ListType):
        return fields_of_model(kind.item_type, path)
    if isinstance(kind, msgspec.inspect.UnionType):
        for one in kind.types:
            found |= fields_of_model(one, path)
    if isinstance(kind, msgspec.inspect.StructType):
        for field in kind.fields:
            place = f"{path}.{field.encode_name}"
            found |= {place} | fields_of_model(field.type, place)
    return found


def test_the_fields_are_those_of_the_contract(mail_contract):
    model = fields_of_model(msgspec.inspect.type_info(Mail))
    assert model == fields_of_contract(mail_contract, request_schema(mail_contract))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"subject": ""},
        {"subject": 1},
        {"personalizations": [{}]},
        {"personalizations": [{"to": [{}]}]},
        {"from": {}},
        {"from": {"email": "a@example.com", "nmae": "A"}},
        {"content": [{"type": "text/plain"}]},
        {"content": [{"type": "text/plain", "value": ""}]},
        {"attachments": [{"content": "eA=="}]},
        {"attachments": [{"content": "eA==", "filename": "a"}]},
        {"attachments": [{"content": "eA==", "filename": "a", "disposition": "outline"}]},
        {"asm": {}},
        {"asm": {"group_id": 1, "groups_to_display": [1]}},
        {"ip_pool_name": "x"},
        {"categories": ["x" * 256]},
        {"send_at": "now"},
        {"tracking_settings": {"open_tracking": {"enable": "no"}}},
        {"mail_settings": {"footer": {"enable": True, "text": "x"}}},
        {"unknown": 1},
    ],
)
def test_the_sandbox_refuses_a_mail_if_and_only_if_the_contract_does(
    mail_api, mail_contract, change
):
    mail = {**GOOD, **change}
    answer = mail_api.request("POST", SEND, json=mail)
    if mail_contract.validator(request_schema(mail_contract)).is_valid(mail):
        assert answer.status_code == 202
    else:
        assert answer.status_code == 400
        error_schema(mail_contract, 400).validate(answer.json())


def test_the_other_errors_are_the_contracts(mail_api, mail_contract):
    refused = mail_api.request("POST", SEND, headers={"Authorization": "Bearer x"}, json=GOOD)
    forbidden = {**GOOD, "from": {"email": "a@elsewhere.com"}}
    for answer in (
        refused,
        mail_api.request("POST", SEND, json=forbidden),
        mail_api.request("GET", SEND),
    ):
        error_schema(mail_contract, answer.status_code).validate(answer.json())
    mail_api.faults.add("service", status=500)
    error_schema(mail_contract, 500).validate(mail_api.request("POST", SEND, json=GOOD).json())
