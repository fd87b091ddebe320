"""Broken data is a recorded outcome; a broken protocol ends the run with one clear line."""

from __future__ import annotations

import json

import pytest
from ledgers import ON_BOTH
from singer import COMPANY, baseline, invoice, record, schema, state

MALFORMED = "SELECT problem, document_id IS NOT NULL, times FROM malformed_records ORDER BY rowid"


def malformed(workplace):
    return workplace.query(MALFORMED)


def test_broken_records_are_recorded_with_their_problem_and_the_run_goes_on(workplace, zygote):
    zygote.run(workplace, baseline())
    without_key = invoice("0", 75000)
    del without_key["referenceNumber"]
    unknown = json.dumps({"type": "RECORD", "stream": "dummy", "record": {"id": 1}}) + "\n"
    unknown_schema = json.dumps(
        {"type": "SCHEMA", "stream": "dummy", "schema": {"properties": {}}, "key_properties": []}
    )
    lines = [
        unknown_schema + "\n" + unknown,
        schema(),
        record(without_key),
        record(invoice(" ", 75000)),
        record(invoice("1", None)),
        record(invoice("2", "75000")),
        record(invoice("3", 75000, dueDate="0001-13-45T00:00:00")),
        record(invoice("4", 75000, supplier="Kontorsbolaget AB")),
        record(invoice("5", 75000)),
        state("2026-11-20T12:00:00"),
    ]
    ended = zygote.run(workplace, "".join(lines))
    problems = malformed(workplace)
    assert [(known, times) for _, known, times in problems] == [(0, 1)] * 2 + [(1, 1)] * 3
    told = [problem for problem, _, _ in problems]
    assert "referenceNumber is missing" in told[0]
    assert "referenceNumber is blank" in told[1]
    assert "amount breaks its schema" in told[2]
    assert "due_date is a date that no calendar has" in told[3]
    assert "supplier breaks its schema" in told[4]
    assert "75000" not in "".join(told)
    assert "Kontorsbolaget" not in "".join(told)
    for problem in told:
        assert problem in ended.stderr
    assert "1 unknown stream dummy" in ended.stderr
    assert "5 malformed" in ended.stderr
    # What a rule needs could be read of 3, 4 and 5; 1 and 2 have no amount to decide on.
    documents = sorted(row["document"] for row in workplace.trail())
    assert documents == [f"Supplier invoice Invoice {number}" for number in (3, 4, 5)]
    assert "2 undecided" in ended.stderr
    assert json.loads(ended.stdout)["bookmarks"]

    again = zygote.run(workplace, schema() + record(without_key))
    assert malformed(workplace)[0][2] == 2
    assert "referenceNumber" not in again.stderr


def test_a_stream_that_no_rule_knows_is_counted_and_its_state_leaves(workplace, zygote):
    lines = [
        '{"type":"SCHEMA","stream":"dummy","schema":{"properties":{}},"key_properties":[]}',
        '{"type":"RECORD","stream":"dummy","record":{"id":1}}',
        '{"type":"STATE","value":{"bookmarks":{"dummy":{"replication_key_value":1}}}}',
    ]
    ended = zygote.run(workplace, "\n".join(lines) + "\n")
    assert json.loads(ended.stdout)["bookmarks"] == {"dummy": {"replication_key_value": 1}}
    assert workplace.accepted == []
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("Downloading +46701740605\n", "of the input is not JSON"),
        (record(invoice("1", 1), stream="customer_invoices"), "customer_invoices"),
        ('{"type": "RECORD", "record": {"id": 1}}\n', "a RECORD message of the input lacks stream"),
        ('{"type": "RECORD", "stream": "s", "record": []}\n', "record of a RECORD message is not"),
        (
            '{"type": "SCHEMA", "stream": "s", "schema": null}\n',
            "schema of a SCHEMA message is not",
        ),
        (
            '{"type": "SCHEMA", "stream": "s", "schema": {}, "key_properties": []}\n',
            "the schema of a SCHEMA message of the input lacks properties",
        ),
        ('{"type": "STATE", "value": []}\n', "value of a STATE message is not an object"),
        ('{"type": ["STATE"]}\n', "is not a Singer message"),
        ("[" * 5000 + "\n", "of the input is not JSON"),
        ('{"type": "BATCH", "stream": "s", "encoding": {}, "manifest": []}\n', "BATCH files"),
        (
            '{"type":"SCHEMA","stream":"s","schema":{"properties":{"a":{"$ref":"#/no"}}},"key_properties":[]}\n',
            "the schema of a stream cannot be used",
        ),
    ],
    ids=[
        *("no JSON", "a record before its schema", "a record without its stream"),
        *(
            "a record that is a list",
            "a schema that is null",
            "an empty schema",
            "a state that is a list",
        ),
        *("a type that is a list", "nested without end", "a batch", "a schema that leads nowhere"),
    ],
)
def test_a_broken_protocol_is_told_in_one_line_and_no_state_follows(
    workplace,
    broken,
    told,
):
    kept = schema() + record(invoice("1", 1)) + state("2026-11-20T10:00:00")
    after = schema() + record(invoice("2", 75000)) + state("2026-11-20T11:00:00")
    # More than a pipe holds: the tap must be able to write to its end.
    ended = workplace.run(kept + broken + after + " " * 200_000, code=2)
    assert len(ended.stdout.splitlines()) == 1
    assert "2026-11-20T10:00:00" in ended.stdout
    errors = [line for line in ended.stderr.splitlines() if "ERROR" in line]
    (error,) = errors
    assert told in error
    assert "Traceback" not in ended.stderr
    assert "+46701740605" not in ended.stderr
    assert workplace.accepted == []


def test_oddities_that_other_taps_write_do_no_harm(workplace, zygote):
    deep = record(invoice("3", 75000, lines=0)).replace(
        '"lines": 0', f'"z": {"[" * 900}{"]" * 900}'
    )
    lines = [
        '{"type": "ACTIVATE_VERSION", "stream": "supplier_invoices", "version": 1}\n',
        schema(),
        record(invoice("1", 75000)).replace("Kontorsbolaget", "Kontors\\ud83dbolaget"),
        record(invoice("2", 75000)).replace("Kontorsbolaget", "Kontors\\ud83d\\ude00 \\\\ud800"),
        deep,
        '{"type": "STATE", "value": {"bookmarks": {"s": {"partitions": 3, "seconds": 1.50}}}}\n',
    ]
    zygote.run(workplace, baseline())
    ended = zygote.run(workplace, "".join(lines))
    assert ended.stdout.strip().endswith('"seconds":1.50}}}')
    assert "Traceback" not in ended.stderr
    assert "it is nested too deeply to be read" in ended.stderr
    texts = [message.body for message in workplace.accepted]
    assert len(texts) == 2
    assert any("Kontors\N{REPLACEMENT CHARACTER}bolaget" in text for text in texts)
    assert any("Kontors\N{GRINNING FACE} \\ud800" in text for text in texts)


@ON_BOTH
def test_texts_that_no_column_or_index_holds_are_taken(workplace, zygote):
    zygote.run(workplace, baseline())
    long = {"stamp": "x" * 9000, "supplier": {"name": "Kontors\x00bolaget \\u0000" + "a" * 300}}
    row = invoice("1\x00", 75000, timeStamp="y" * 9000, status="z" * 9000, **long)
    zygote.run(workplace, schema() + record(row) + state())
    (message,) = workplace.accepted
    assert "Kontors\N{REPLACEMENT CHARACTER}bolaget \\u0000aaa" in message.body
    ((stamp, row_version),) = workplace.query("SELECT stamp, row_version FROM documents")
    assert (len(stamp), len(row_version)) == (9000, 9000)


@ON_BOTH
def test_a_rate_that_no_index_holds_is_malformed(workplace, zygote):
    alerts = (workplace.root / "alerts.yml").read_text(encoding="utf-8")
    workplace.write_alerts(alerts + "rates: {type: SPOT}\n")
    rate = {"rateType": "SPOT", "fromCurrencyId": "E" * 9000, "toCurrencyId": "SEK"}
    rate |= {"company": COMPANY, "effectiveDate": "2026-11-20", "rate": 11, "multDiv": "Multiply"}
    zygote.run(workplace, schema("currency_rates") + record(rate, "currency_rates") + state())
    problems = [problem for (problem,) in workplace.query("SELECT problem FROM malformed_records")]
    assert "base is longer than 255 characters" in problems
