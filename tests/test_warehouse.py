"""The same tap feeds a warehouse, PostgreSQL or a DuckDB file: every record, and every digit."""

from __future__ import annotations

import json
from decimal import Decimal

from warehouses import SCHEMA, Expected, load, rows_of_duckdb

from visma_twilio_sandbox import business

TEXT, NUMBER = {"type": ["string", "null"]}, {"type": ["number", "null"]}
OBJECT = {"type": ["object", "null"]}


def change_business(visma):
    """Documents that are new, and documents that are other than they were."""
    for number, amount in (("700001", "1234567.8912"), ("700002", "0.0001")):
        visma.put("supplierInvoice", business.supplier_invoice(number, Decimal(amount)))
    for invoice in visma.all("supplierInvoice")[:5]:
        visma.put("supplierInvoice", {**invoice, "status": "Closed", "balance": Decimal("0.00")})


def messages(stream, properties, *records):
    """A stream of our own, whose key is `id`; numbers are given as text, to be exact."""
    schema = {"type": "object", "properties": {"id": TEXT, **properties}}
    first = {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["id"]}
    lines = [f'{{"type": "RECORD", "stream": "{stream}", "record": {one}}}' for one in records]
    return [json.dumps(first), *lines]


def test_postgres_holds_the_last_version_of_every_record_to_the_last_digit(
    project, sandbox, warehouse
):
    business.history(sandbox.visma, documents=150, seed=2)
    settings = {"TARGET_POSTGRES_SQLALCHEMY_URL": warehouse.loader_url}
    project.run("warehouse", **settings)
    change_business(sandbox.visma)
    project.run("warehouse", **settings)
    expected = Expected(sandbox)
    for stream, records in expected.records.items():
        rows = warehouse.query(f'SELECT * FROM {SCHEMA}."{stream}"')
        found = {expected.key(stream, row): row for row in rows}
        assert len(rows) == len(records) == len(found), stream
        for key, record in records.items():
            fields = {name: record.get(name) for name in expected.properties[stream]}
            assert {name: found[key][name] for name in fields} == fields
        types = warehouse.types_of(stream)
        assert {types[name] for name in expected.of_type(stream, "number")} <= {"numeric"}
        assert {types[name] for name in expected.of_type(stream, "object")} <= {"jsonb"}
    amounts = [invoice["amount"] for invoice in sandbox.visma.all("supplierInvoice")]
    (total,) = warehouse.query(f"SELECT sum(amount) AS amount FROM {SCHEMA}.supplier_invoices")
    assert total["amount"] == sum(amounts)
    assert Decimal("1234567.8912") in amounts


def test_a_duckdb_file_holds_the_last_version_of_every_record(project, sandbox):
    business.history(sandbox.visma, documents=150, seed=2)
    path = project.place / "warehouse.duckdb"
    project.run("warehouse-file", TARGET_DUCKDB_PATH=str(path))
    change_business(sandbox.visma)
    project.run("warehouse-file", TARGET_DUCKDB_PATH=str(path))
    expected = Expected(sandbox)
    tables = rows_of_duckdb(project, path)
    assert set(tables) == set(expected.records)
    for stream, records in expected.records.items():
        nested = {*expected.of_type(stream, "object"), *expected.of_type(stream, "array")}
        found = {}
        for row in tables[stream]:
            for name in nested:
                held = row[name.lower()]
                row[name.lower()] = held if held is None else json.loads(held, parse_float=Decimal)
            fields = {name: row[name.lower()] for name in expected.properties[stream]}
            found[expected.key(stream, fields)] = fields
        assert len(tables[stream]) == len(records) == len(found), stream
        for key, record in records.items():
            # The loader keeps no empty text: it is NULL.
            fields = {name: record.get(name) for name in expected.properties[stream]}
            assert found[key] == {n: None if held == "" else held for n, held in fields.items()}


def test_postgres_keeps_awkward_values(project, warehouse):
    digits = "12345678901234567890.123456789012345678"
    lines = messages(
        "awkward",
        {"amount": NUMBER, "text": TEXT, "whole": OBJECT},
        f'{{"id": "1", "amount": {digits}, "text": "\\\\N \\t\\r\\n, \\" åäö €", "whole": '
        f'{{"amount": {digits}}}}}',
        '{"id": "2", "amount": null, "text": null, "whole": null}',
        '{"id": "3", "amount": 50000.00, "text": "", "whole": {}}',
        '{"id": "4", "amount": -0.01, "text": "a\\u0000b"}',
        '{"id": "5", "_sdc_deleted_at": "2026-11-23T10:00:00+00:00"}',
    )
    load(project, "target-postgres", lines, sqlalchemy_url=warehouse.loader_url)
    rows = warehouse.query(f"SELECT *, whole IS NULL AS missing FROM {SCHEMA}.awkward ORDER BY id")
    assert [row["amount"] for row in rows[:4]] == [
        Decimal(digits),
        None,
        Decimal(50000),
        Decimal("-0.01"),
    ]
    assert [row["text"] for row in rows] == [
        '\\N \t\r\n, " åäö €',
        None,
        "",
        "a\N{REPLACEMENT CHARACTER}b",
        None,
    ]
    assert rows[0]["whole"] == {"amount": Decimal(digits)}
    assert (rows[1]["whole"], rows[1]["missing"]) == (None, False)  # JSON's null, not SQL's
    assert [row["_sdc_deleted_at"] is None for row in rows] == [True] * 4 + [False]


def test_duckdb_takes_no_row_for_a_header(project):
    texts = [json.dumps({"id": f"n{number}", "name": "Name"}) for number in range(50)]
    lines = [
        *messages("only_texts", {"name": TEXT}, *texts),
        *messages("one_row", {"name": TEXT}, '{"id": "x", "name": "y"}'),
        *messages("like_a_header", {"name": TEXT}, '{"id": "id", "name": "name"}', *texts),
        *messages(
            "numbers_after_text",
            {"amount": NUMBER},
            '{"id": "GL", "amount": null}',
            *(json.dumps({"id": str(number), "amount": number}) for number in range(5000)),
        ),
    ]
    path = project.place / "warehouse.duckdb"
    load(project, "target-duckdb", lines, path=str(path))
    counts = {table: len(rows) for table, rows in rows_of_duckdb(project, path).items()}
    assert counts == {
        "only_texts": 50,
        "one_row": 1,
        "like_a_header": 51,
        "numbers_after_text": 5001,
    }
