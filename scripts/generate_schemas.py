"""Writes the tap's schemas from Visma's own API description; `--check` tells whether they are.

Usage: generate_schemas.py [--check] [CONTRACT], where CONTRACT is visma-erp.openapi.json (by
default in the folder CONTRACTS_DIR, or in ../shared/contracts).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tap_visma.kinds import line_field, lines_stream
from tap_visma.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "tap-visma" / "tap_visma" / "schemas"

ADDED_BY_2026 = {"timeStamp": {"type": ["string", "null"]}}
"""A row version that these documents have by early 2026 (reference: visma-list-endpoints)."""

WITH_ROW_VERSION = {
    "accounts",
    "budgets",
    "cash_sales",
    "cash_transactions",
    "contacts",
    "currency_rates",
    "customer_credit_notes",
    "customer_credit_write_offs",
    "customer_debit_notes",
    "customer_invoices",
    "customer_overdue_charges",
    "customer_payments",
    "customer_sales_prices",
    "customers",
    "departments",
    "employees",
    "expense_claims",
    "expense_receipts",
    "journal_transactions",
    "organizations",
    "project_tasks",
    "project_transactions",
    "projects",
    "projects_basic",
    "subaccounts",
    "time_cards",
}

GIVEN = {
    "tenant_id": "Visma Connect's id of the company.",
    "company": "The company's name, as the setting `company` gives it.",
}
"""What leads each key, whatever the item has."""

ASKED = {
    "general_ledger_transactions": {"ledger_id": "Number of the ledger that was asked."},
    "budgets": {
        "branch_number": "Number of the branch that was asked.",
        "ledger_id": "Number of the ledger that was asked.",
        "financial_year": "The financial year that was asked.",
    },
}
"""Parts of a key that are in the question, not in the answer."""

_Schema = dict[str, Any]


def main() -> None:
    """Write or check."""
    arguments = [one for one in sys.argv[1:] if one != "--check"]
    folder = os.environ.get("CONTRACTS_DIR", ROOT.parent / "shared" / "contracts")
    contract = Path(arguments[0] if arguments else Path(folder) / "visma-erp.openapi.json")
    if not contract.is_file():
        sys.exit(f"{contract}: no such file; give the path of Visma's API description")
    files = {
        SCHEMAS / f"{name}.json": text(made)
        for name, made in schemas(json.loads(contract.read_text(encoding="utf-8")))
    }
    stale = [
        path
        for path in sorted({*files, *SCHEMAS.glob("*.json")})
        if path not in files
        or not path.is_file()
        or path.read_text(encoding="utf-8") != files[path]
    ]
    if "--check" in sys.argv:
        if stale:
            told = ", ".join(str(path.relative_to(ROOT)) for path in stale)
            sys.exit(f"not current: {told}; run scripts/generate_schemas.py")
        return
    for path in stale:
        if path in files:
            path.write_text(files[path], encoding="utf-8")
        else:
            path.unlink()


def text(made: _Schema) -> str:
    """A schema with one line for each property, so that a change is one line of a diff."""
    lines = [
        f"  {json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}"
        for name, one in made["properties"].items()
    ]
    return '{\n "type": "object",\n "properties": {\n' + ",\n".join(lines) + "\n }\n}\n"


def schemas(description: _Schema) -> Iterator[tuple[str, _Schema]]:
    """Every stream's name with the JSON Schema of its records; a document's lines follow it."""
    for stream in cast("Iterable[Any]", STREAMS):
        made = schema(description, stream)
        yield stream.name, made
        if stream.lines is not None:
            yield lines_stream(stream.name), lines_schema(made, stream)


def schema(description: _Schema, stream: Any) -> _Schema:
    """The JSON Schema of a stream's records."""
    properties: dict[str, _Schema] = {}
    for name, told in {**GIVEN, **ASKED.get(stream.name, {})}.items():
        properties[name] = {"type": "string", "description": told}
    item = item_of(description, stream)
    # A part of the key that the item nests, or may lack, is text: see VismaStream.keys_from.
    properties |= {name: {"type": "string"} for name in stream.keys_from}
    properties |= {name: one for name, one in item.items() if name not in properties}
    if stream.name in WITH_ROW_VERSION:
        properties |= ADDED_BY_2026
    return _keyed(properties, stream.primary_keys)


def lines_schema(document: _Schema, stream: Any) -> _Schema:
    """The JSON Schema of the lines of a stream's documents."""
    found = document["properties"]
    key: tuple[str, ...] = stream.primary_keys
    properties = {name: found[name] for name in key}
    for name, one in found[stream.lines.field]["items"]["properties"].items():
        properties[line_field(name, key)] = one
    return _keyed(properties, (*key, *stream.lines.keys))


def item_of(description: _Schema, stream: Any) -> dict[str, _Schema]:
    """The properties of the items that a stream's endpoint lists."""
    known = description["components"]["schemas"]
    answer = description["paths"][stream.path]["get"]["responses"]["200"]
    listed = _followed(known, answer["content"]["application/json"]["schema"])
    if stream.envelope is not None:
        listed = listed["properties"][stream.envelope]
    if stream.text_field is not None:
        return {stream.text_field: {"type": [listed["items"]["type"], "null"]}}
    properties: dict[str, _Schema] = _converted(known, listed["items"], ())["properties"]
    properties.pop("metadata", None)  # paging, not data
    return properties


def _keyed(properties: dict[str, _Schema], key: Sequence[str]) -> _Schema:
    """A record's schema, in which no part of the key may be null."""
    for name in key:
        kind = properties[name]["type"]
        if isinstance(kind, list):
            properties[name] = {**properties[name], "type": kind[0]}
    return {"type": "object", "properties": properties}


def _followed(known: _Schema, node: _Schema) -> _Schema:
    return known[node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else node


def _converted(
    known: _Schema,
    node: _Schema,
    within: tuple[str, ...],
) -> _Schema:
    """A contract's schema as the tap declares it.

    Everything may be null, as the contract requires nothing; there are no enumerations, because new
    values come without notice, and no formats, because the API's times have no zone.
    """
    if "allOf" in node:
        (node,) = node["allOf"]
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if name in within:
            return {"type": ["object", "null"]}  # a type within itself
        return _converted(known, known[name], (*within, name))
    kind = node.get("type", "object")
    if kind == "array":
        items = _converted(known, node.get("items", {}), within)
        return {"type": ["array", "null"], "items": items}
    if kind == "object":
        properties = {
            name: _converted(known, child, within)
            for name, child in node.get("properties", {}).items()
        }
        return {"type": ["object", "null"], **({"properties": properties} if properties else {})}
    return {"type": [kind, "null"]}


if __name__ == "__main__":
    main()
