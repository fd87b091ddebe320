"""Every item the sandbox serves is one that Visma's own OpenAPI describes."""

from __future__ import annotations

from functools import partial
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from visma_twilio_sandbox.visma import ENDPOINTS
from visma_twilio_sandbox.visma.listing import pages

NEEDED = {
    "journaltransaction": {"lastModifiedDateTime": "2020-01-01"},
    "generalLedgerBalance": {"lastModifiedDateTime": "2020-01-01"},
    "GeneralLedgerTransactions": {"ledger": "1"},
}
ALL = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=list(ENDPOINTS))
SINCE_2026 = {"timeStamp": {"type": "string"}}


def closed(part: Any) -> Any:
    """The same schema, with unknown fields an error, and null for anything."""
    if isinstance(part, list):
        return [closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    schema = {name: closed(value) for name, value in part.items()}
    # Real stamps have no offset, which `date-time` asks for.
    if schema.get("format") == "date-time":
        del schema["format"]
    if isinstance(schema.get("properties"), dict):
        schema["additionalProperties"] = False
        schema["properties"] = {
            name: {"anyOf": [value, {"type": "null"}]}
            for name, value in schema["properties"].items()
        }
    return schema


@pytest.fixture(scope="module")
def description(contracts):
    return msgspec.json.decode((contracts / "visma-erp.openapi.json").read_bytes())


@pytest.fixture(scope="module")
def schemas(description):
    return {name: closed(one) for name, one in description["components"]["schemas"].items()}


@pytest.fixture(scope="module")
def listing(description, schemas):
    """What the contract says of an endpoint: operation, schema of an item, its field names."""

    made = {}

    def validator_of(name, schema):
        if name not in made:
            made[name] = jsonschema_rs.validator_for(schema, validate_formats=True)
        return made[name]

    def find(endpoint):
        operation = description["paths"][endpoint.path]["get"]
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        shape, item = "array", answer.get("items", answer)
        if answer.get("type") != "array":
            fields = description["components"]["schemas"][answer["$ref"].split("/")[-1]]
            records = fields["properties"].get("records")
            shape, item = ("records", records["items"]) if records else ("object", answer)
        name = item.get("$ref", "/").split("/")[-1]
        fields = dict(schemas[name]["properties"]) if name else {}
        added = SINCE_2026 if endpoint.version_since_2026 else {}
        if name:
            item = {**schemas[name], "properties": {**fields, **added}}
        schema = {**item, "components": {"schemas": schemas}}
        return operation, shape, partial(validator_of, endpoint.name, schema), fields

    return find


def everything(client, visma, endpoint):
    """Every item of an endpoint, page after page if it has pages."""
    asked = dict(NEEDED.get(endpoint.name, {}))
    if endpoint.name == "budget":
        (first, *_) = visma.all("budget")
        asked["branch"] = first["branchNumber"]["number"]
        asked |= {name: first[name] for name in ("ledger", "financialYear")}
    if endpoint.name == "supplierInvoice/approval":
        asked = visma.keys(endpoint.name)[0]
    if endpoint.shape == "object":
        return [client.list(endpoint.path, **asked)]
    if not pages(endpoint, visma.manners):
        return client.list(endpoint.path, **asked)
    size = visma.max_page_size[endpoint.name] = 3
    found = client.pages(endpoint.path, size, **asked)
    if endpoint.shape == "array":
        return [item for page in found for item in page]
    assert {page["totalCount"] for page in found} == {len(visma.all(endpoint.name))}
    assert [page["pageNumber"] for page in found] == list(range(1, len(found) + 1))
    return [item for page in found for item in page["records"]]


@ALL
@pytest.mark.parametrize("is_2026", [False, True])
def test_every_item_is_as_described(releases, listing, endpoint, is_2026):
    visma, client = releases[is_2026]
    _, _, validator, _ = listing(endpoint)
    items = everything(client, visma, endpoint)
    assert items
    for item in items:
        validator().validate(item)
    if not endpoint.hidden:
        assert len({endpoint.key_of(item) for item in items}) == len(visma.all(endpoint.name))


@ALL
def test_its_manners_are_the_described_ones(listing, endpoint):
    operation, shape, _, fields = listing(endpoint)
    asked = {one["name"]: one for one in operation["parameters"] if one["in"] == "query"}
    assert shape == endpoint.shape
    assert ("pageNumber" in asked) == endpoint.paged
    assert "numberToRead" in asked or endpoint.paging != "numbers"
    assert ("lastModifiedDateTimeCondition" in asked) == endpoint.condition
    assert ("lastModifiedDateTime" in asked) == (endpoint.filter != "none")
    assert ("createdDateTime" in asked) == endpoint.created_filter
    assert {name for name, _ in endpoint.filters} <= set(asked)
    assert [name for name, one in asked.items() if one.get("required")] == [*endpoint.required]
    assert operation.get("deprecated", False) == endpoint.deprecated
    assert ({"timeStamp", "timestamp"} & set(fields) == {endpoint.version}) or not endpoint.version
    assert ("createdDateTime" in fields) == endpoint.created
    assert ("metadata" in fields) == endpoint.metadata
    stamps = {"lastModifiedDateTime", "lastModified"} & set(fields)
    assert stamps == ({endpoint.stamp} if endpoint.stamp else set())
    shown = [name for name in endpoint.key if name not in endpoint.hidden]
    assert {name.split(".")[0] for name in shown} <= set(fields)


def test_every_list_of_the_contract_is_there(description):
    lists = {path for path, one in description["paths"].items() if "get" in one and "{" not in path}
    assert {endpoint.path for endpoint in ENDPOINTS.values()} == lists


def test_an_unknown_field_would_be_noticed(visma, listing):
    _, _, make_validator, _ = listing(ENDPOINTS["supplierInvoice"])
    validator = make_validator()
    assert validator.is_valid({"referenceNumber": "1", "supplier": {"number": "5"}})
    assert not validator.is_valid({"referenceNbr": "1"})
    assert not validator.is_valid({"supplier": {"supplierNumber": "5"}})
    assert not validator.is_valid({"status": "Approved"})
