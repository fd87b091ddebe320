"""Every item the sandbox serves is one that Visma's own OpenAPI describes."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import msgspec
import pytest

from visma_twilio_sandbox import business
from visma_twilio_sandbox.visma import ENDPOINTS

NEEDED = {
    "journaltransaction": {"lastModifiedDateTime": "2020-01-01"},
    "GeneralLedgerTransactions": {"ledger": "1"},
}


def closed(part: Any) -> Any:
    """The same schema, with unknown fields an error and OpenAPI's `nullable` as JSON Schema."""
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
    return schema


@pytest.fixture(scope="module")
def description(contracts):
    return msgspec.json.decode((contracts / "visma-erp.openapi.json").read_bytes())


@pytest.fixture(scope="module")
def schemas(description):
    return {name: closed(one) for name, one in description["components"]["schemas"].items()}


@pytest.fixture
def listing(description, schemas):
    """Schema of one item of an endpoint's list, and its query parameters."""
    paths = {path.lower(): one for path, one in description["paths"].items()}

    def find(endpoint):
        operation = paths[endpoint.path.lower()]["get"]
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer["type"] == "array"
        schema = {**answer["items"], "components": {"schemas": schemas}}
        asked = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        return jsonschema_rs.validator_for(schema, validate_formats=True), asked

    return find


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=list(ENDPOINTS))
def test_every_item_is_as_described(client, visma, listing, endpoint):
    business.history(visma, documents=400, seed=11)
    validator, _ = listing(endpoint)
    needed = NEEDED.get(endpoint.name, {})
    if endpoint.paged:
        items = [one for page in client.pages(endpoint.path, 1000, **needed) for one in page]
    else:
        items = client.list(endpoint.path)
    assert len({endpoint.key_of(item) for item in items}) == len(visma.all(endpoint.name))
    for item in items:
        validator.validate(item)


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=list(ENDPOINTS))
def test_its_manners_are_the_described_ones(listing, schemas, endpoint):
    _, asked = listing(endpoint)
    assert ("pageNumber" in asked) == endpoint.paged
    assert ("lastModifiedDateTimeCondition" in asked) == endpoint.condition
    assert "lastModifiedDateTime" in asked
    assert {name for name, _ in endpoint.filters} <= asked
    fields = schemas[listing_item(endpoint)]["properties"]
    assert ("timeStamp" in fields) == endpoint.row_version
    assert ("createdDateTime" in fields) == endpoint.created
    assert ("metadata" in fields) == endpoint.paged
    assert set(endpoint.key) <= set(fields)


def listing_item(endpoint):
    return {
        "supplierInvoice": "SupplierInvoiceDto",
        "supplierPayment": "SupplierPaymentDto",
        "customerinvoice": "CustomerInvoiceDto",
        "customerPayment": "PaymentDto",
        "purchaseorder": "PurchaseOrderDto",
        "journaltransaction": "JournalTransactionDto",
        "ledger": "LedgerDto",
        "GeneralLedgerTransactions": "GeneralLedgerTransactionDetailsDto",
    }[endpoint.name]


def test_an_unknown_field_would_be_noticed(visma, listing):
    validator, _ = listing(ENDPOINTS["supplierInvoice"])
    assert validator.is_valid({"referenceNumber": "1", "supplier": {"number": "5"}})
    assert not validator.is_valid({"referenceNbr": "1"})
    assert not validator.is_valid({"supplier": {"supplierNumber": "5"}})
    assert not validator.is_valid({"status": "Approved"})
