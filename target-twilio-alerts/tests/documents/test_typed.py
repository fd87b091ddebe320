"""The faster way to read records gives what the slow way gives, or leaves the record to it."""

from __future__ import annotations

import json
from decimal import Decimal

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import Combine, Entity, Field, Kind, UnusableRecord
from target_twilio_alerts.documents.shapes import NotTypedError, Shape
from target_twilio_alerts.documents.typed import TypedStream

KEY = ("id", "kind")
VOLATILE = frozenset({"changed", "metadata"})

LINE = {
    "type": ["object", "null"],
    "properties": {
        "text": {"type": ["string", "null"]},
        "cost": {"type": ["number", "null"]},
        "changed": {"type": ["string", "null"]},
        "class": {"type": ["object", "null"], "properties": {"id": {"type": ["string", "null"]}}},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "kind": {"type": ["string", "null"]},
        "amount": {"type": ["number", "null"], "description": "Of what it is."},
        "count": {"type": ["integer", "null"]},
        "held": {"type": "boolean"},
        "date": {"type": ["string", "null"], "format": "date-time"},
        "changed": {"type": ["string", "null"]},
        "party": {
            "type": ["object", "null"],
            "properties": {
                "name": {"type": ["string", "null"]},
                "metadata": {
                    "type": ["object", "null"],
                    "properties": {"total": {"type": ["integer", "null"]}},
                },
            },
        },
        "tags": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
        "lines": {"type": ["array", "null"], "items": LINE},
        "odd-name": {"type": ["string", "null"]},
        "_sdc_deleted_at": {"type": ["string", "null"]},
    },
}
FIELDS = (
    Field("type", Kind.TEXT, ("kind",), ""),
    Field("amount", Kind.NUMBER, ("amount",), ""),
    Field("held", Kind.BOOLEAN, ("held",), ""),
    Field("date", Kind.DATE, ("date",), ""),
    Field("counterparty", Kind.TEXT, ("party.name",), ""),
    Field("classes", Kind.LIST, ("lines[].class.id",), "", combine=Combine.EACH),
    Field("line_count", Kind.NUMBER, ("lines",), "", combine=Combine.COUNT),
    Field("accounts", Kind.TEXT, ("odd-name", "lines[].text"), "", combine=Combine.MASKED),
    Field("modified", Kind.TEXT, ("changed",), ""),
    Field("unheard_of", Kind.TEXT, ("nowhere.at.all",), ""),
)
ENTITY = Entity(
    name="thing",
    stream="things",
    label="Thing",
    fields={field.name: field for field in FIELDS},
    final_statuses=frozenset(),
    stamp_field="changed",
    volatile=VOLATILE,
    credit_types=frozenset({"Credit"}),
)
SLOW = msgspec.json.Decoder(float_hook=Decimal)
CHECK = jsonschema_rs.validator_for(SCHEMA)


def fast(schema=SCHEMA, entity=ENTITY):
    return TypedStream(entity, schema, KEY)


def line(record):
    """A RECORD message; a Decimal in it is written as it is."""
    message = {"type": "RECORD", "stream": "things", "record": record}
    return msgspec.json.Encoder(decimal_format="number").encode(message)


def slowly(written):
    """The document of a line, the slow way; None if it is none, or a record with problems."""
    record = SLOW.decode(written)["record"]
    try:
        document = ENTITY.document(record, KEY)
    except UnusableRecord:
        return None
    is_gone = record.get("_sdc_deleted_at") is not None
    return None if is_gone or document.problems or not CHECK.is_valid(record) else document


def maybe(strategy):
    return st.none() | strategy


def objects(**fields):
    return st.fixed_dictionaries({}, optional=fields)


texts = st.text(max_size=8) | st.sampled_from(["Credit", "2026-01-31T00:00:00", "1.50", '"null":,'])
numbers = (
    st.integers(-(10**12), 10**12)
    | st.decimals(-(10**9), 10**9, places=4)
    | st.sampled_from([Decimal("50000.0"), Decimal("50000.0000"), Decimal("-0.0"), 50000])
)
odd = texts | st.booleans() | st.lists(st.integers(), max_size=1) | st.just({"value": "x"})
lines = objects(
    text=maybe(texts),
    cost=maybe(numbers),
    changed=maybe(texts),
    **{"class": maybe(objects(id=maybe(texts)))},
)
records = objects(
    id=texts,
    kind=maybe(texts),
    amount=maybe(numbers),
    count=maybe(st.integers(-5, 5)),
    held=st.booleans(),
    date=maybe(st.sampled_from(["2026-02-28T00:00:00", "2026-02-30", "soon"])),
    changed=maybe(texts),
    party=maybe(objects(name=maybe(texts), metadata=maybe(objects(total=st.integers(0, 5))))),
    tags=maybe(st.lists(maybe(texts), max_size=2)),
    lines=maybe(st.lists(maybe(lines), max_size=2)),
    _sdc_deleted_at=maybe(texts),
    **{"odd-name": maybe(texts)},
)
spoilt = st.tuples(records, st.sampled_from([*SCHEMA["properties"], "unknown"]), maybe(odd)).map(
    lambda given: {**given[0], given[1]: given[2]}
)


@given(records | spoilt)
def test_it_gives_what_the_slow_way_gives_or_leaves_it_to_that(record):
    written = line(record)
    read = fast().read(written)
    if read is None:
        return
    expected = slowly(written)
    assert expected is not None
    assert read.document == expected
    assert read.get("kind") == record.get("kind")


@given(records)
def test_it_reads_every_sound_record(record):
    written = line(record)
    assert (fast().read(written) is None) == (slowly(written) is None)


@given(records, st.randoms())
def test_order_nulls_and_zeros_make_no_other_content(record, random):
    read = fast().read(line(record))
    names = list(SCHEMA["properties"])
    random.shuffle(names)
    turned = {
        name: record.get(name) for name in names if name in record or name not in {"id", "held"}
    }
    if isinstance(turned.get("amount"), (int, Decimal)):
        turned["amount"] = Decimal(turned["amount"]).quantize(Decimal("0.000001"))
    again = fast().read(line(turned))
    assert (read is None) == (again is None)
    if read is not None:
        assert again.document.content == read.document.content


@given(records, records)
def test_another_content_is_another_one(one, other):
    first, second = (fast().read(line({**each, "id": "1", "kind": "a"})) for each in (one, other))
    if first is None or second is None:
        return
    slow = [slowly(line({**each, "id": "1", "kind": "a"})) for each in (one, other)]
    same = slow[0].content == slow[1].content
    assert (first.document.content == second.document.content) == same


@pytest.mark.parametrize(
    "written",
    [
        b'{"type":"RECORD","stream":"others","record":{"id":"1","kind":"a"}}',
        b'{"type":"STATE","value":{}}',
        b'{"type":"RECORD","stream":"things","record":{"id":"1","kind":"a","amount":1e3}}',
        b'{"type":"RECORD","stream":"things","record":{"id":"1","kind":"a","amount":"5"}}',
        b'{"type":"RECORD","stream":"things","record":{"id":"1","kind":"a","amount":true}}',
        b'{"type":"RECORD","stream":"things","record":{"id":"1","kind":" "}}',
        b'{"type":"RECORD","stream":"things","record":{"id":"1","kind":"a","new":1}}',
        b'{"type":"RECORD","stream":"things","record":{"id":"1","kind":"a","lines":[{"cost":"5"}]}}',
        b'{"type":"RECORD","stream":"things","record":{"id":"1","kind":"\xff"}}',
        b"no JSON",
        b"",
    ],
)
def test_what_is_not_plain_is_left_to_the_slow_way(written):
    assert fast().read(written) is None


@pytest.mark.parametrize(
    "field",
    [
        {"type": "string", "pattern": "^a"},
        {"type": ["string", "null"], "enum": ["a"]},
        {"type": ["integer", "string"]},
        {"type": "number"},
        {"type": ["number", "string", "null"]},
        {"type": ["object", "null"]},
        {"type": ["array", "null"]},
        {"type": ["array", "null"], "items": {"type": "number"}},
        {"type": ["array", "null"], "items": {"type": "array", "items": {"type": "string"}}},
        {"type": ["array", "null"], "items": {"type": "string"}, "minItems": 1},
        {"anyOf": [{"type": "string"}]},
        {"type": 5},
        {},
    ],
)
def test_a_schema_that_says_more_than_types_is_left_to_the_slow_way(field):
    with pytest.raises(NotTypedError):
        Shape({"type": "object", "properties": {"id": {"type": "string"}, "x": field}}, VOLATILE)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["other"]},
        {"type": "object", "properties": {"id": {"type": ["string", "null"]}}, "required": ["id"]},
        {"type": "object", "properties": {"id": {"type": "string"}}, "minProperties": 1},
    ],
)
def test_so_is_one_whose_objects_are_not_told_by_their_fields(schema):
    with pytest.raises(NotTypedError):
        Shape(schema, VOLATILE)


def test_a_field_that_is_no_plain_value_is_left_to_the_slow_way():
    odd_field = Field("odd", Kind.TEXT, ("party",), "")
    entity = Entity("thing", "things", "Thing", {"odd": odd_field}, None, volatile=VOLATILE)
    with pytest.raises(NotTypedError):
        fast(entity=entity)


def test_a_stream_without_a_key_is_left_to_the_slow_way():
    with pytest.raises(NotTypedError):
        TypedStream(ENTITY, SCHEMA, [])


def test_numbers_are_those_that_were_written():
    written = json.dumps({"type": "RECORD", "stream": "things", "record": {"id": "1", "kind": "a"}})
    exact = written.replace('"a"}', '"a","amount":12345678901234567.12345}')
    assert fast().read(exact.encode()).document.values["amount"] == Decimal(
        "12345678901234567.12345"
    )
