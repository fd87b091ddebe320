"""The target's words for Visma.net: each leads to a field that the tap brings, as the API tells."""

from __future__ import annotations

import json

import pytest
from projects import ROOT

from tap_visma.streams import STREAMS
from target_twilio_alerts.documents import ENTITIES, PRESETS, Combine, Kind

FINANCE = {stream.name: stream for stream in STREAMS if stream.is_finance}
LATER_THAN_THE_CONTRACT = {"Unreleased"}
KINDS = {"number": Kind.NUMBER, "integer": Kind.NUMBER, "boolean": Kind.BOOLEAN}


def test_every_finance_stream_of_the_tap_is_an_entity():
    assert set(PRESETS) == set(FINANCE)


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_each_field_comes_from_one_that_the_tap_brings(entity):
    schema = json.loads(
        (ROOT / "tap-visma" / "tap_visma" / "schemas" / f"{entity.stream}.json").read_text()
    )
    for field in entity.fields.values():
        for source in field.sources:
            found = _in_schema(schema, source)
            types = found["type"] if isinstance(found["type"], list) else [found["type"]]
            (kind,) = set(types) - {"null"}
            if field.combine is Combine.FIRST:
                is_id = field.kind is Kind.TEXT and kind == "integer"
                assert is_id or KINDS.get(kind, field.kind) is field.kind, field
    stamp = FINANCE[entity.stream].stamp
    assert stamp in {None, entity.stamp_field}


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_texts_that_the_api_documents_are_told_and_dates_are_dates(entity, contracts):
    contract = json.loads((contracts / "visma-erp.openapi.json").read_text(encoding="utf-8"))
    stream = FINANCE[entity.stream]
    (path,) = (one for one in contract["paths"] if one.lower().endswith(stream.path.lower()))
    content = contract["paths"][path]["get"]["responses"]["200"]["content"]
    row = _resolved(contract, next(iter(content.values()))["schema"])
    if stream.envelope:
        row = _resolved(contract, row["properties"][stream.envelope])
    for field in entity.fields.values():
        for source in field.sources:
            found = _in_contract(contract, row, source)
            if found is None:
                continue
            if field.values is not None or "enum" in found:
                told = set(field.values or ()) - LATER_THAN_THE_CONTRACT
                assert told == set(found["enum"]), field
            if field.combine is Combine.FIRST:
                assert (found.get("format") == "date-time") is (field.kind is Kind.DATE), field


def _in_schema(schema, path):
    for part in path.split("."):
        schema = schema["properties"][part.removesuffix("[]")]
        if part.endswith("[]"):
            schema = schema["items"] if "properties" in schema["items"] else schema
    return schema


def _resolved(contract, schema):
    while "$ref" in schema or "items" in schema:
        schema = (
            schema["items"]
            if "items" in schema
            else contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        )
    return schema


def _in_contract(contract, schema, path):
    for part in path.split("."):
        if part.removesuffix("[]") not in schema.get("properties", {}):
            return None  # added by the tap to the key
        schema = _resolved(contract, schema["properties"][part.removesuffix("[]")])
    return schema
