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

from tap_visma.streams import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "tap-visma" / "tap_visma" / "schemas"

ADDED_BY_2026 = {"timeStamp": {"type": ["string", "null"]}}
"""A row version that all these documents have by early 2026 (reference: visma-models)."""

WITH_ROW_VERSION = {"customer_invoices", "customer_payments", "journal_transactions"}

GIVEN = {
    "tenant_id": "Visma Connect's id of the company.",
    "company": "The company's name, as the setting `company` gives it.",
    "ledger_id": "Number of the ledger that was asked.",
}


def main() -> None:
    """Write or check."""
    arguments = [one for one in sys.argv[1:] if one != "--check"]
    folder = os.environ.get("CONTRACTS_DIR", ROOT.parent / "shared" / "contracts")
    contract = Path(arguments[0] if arguments else Path(folder) / "visma-erp.openapi.json")
    if not contract.is_file():
        sys.exit(f"{contract}: no such file; give the path of Visma's API description")
    description = json.loads(contract.read_text(encoding="utf-8"))
    stale = []
    for stream in cast("Iterable[Any]", STREAMS):
        text = json.dumps(schema(description, stream), indent=1, ensure_ascii=False) + "\n"
        path = SCHEMAS / f"{stream.name}.json"
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path.relative_to(ROOT)))
    if stale:
        sys.exit(f"not current: {', '.join(stale)}; run scripts/generate_schemas.py")


def schema(description: dict[str, Any], stream: Any) -> dict[str, Any]:
    """The JSON Schema of a stream's records."""
    answer = description["paths"][stream.path]["get"]["responses"]["200"]
    item = answer["content"]["application/json"]["schema"]["items"]
    made = _converted(description["components"]["schemas"], item, ())
    properties: dict[str, Any] = made["properties"]
    properties.pop("metadata", None)  # paging, not data
    if stream.name in WITH_ROW_VERSION:
        properties |= ADDED_BY_2026
    given = {
        name: {"type": "string", "description": GIVEN[name]}
        for name in stream.primary_keys
        if name in GIVEN
    }
    for name in stream.primary_keys:
        if name not in given:
            properties[name]["type"] = properties[name]["type"][0]
    return {"type": "object", "properties": {**given, **properties}}


def _converted(
    schemas: dict[str, Any],
    node: dict[str, Any],
    within: tuple[str, ...],
) -> dict[str, Any]:
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
        return _converted(schemas, schemas[name], (*within, name))
    kind = node.get("type", "object")
    if kind == "array":
        items = _converted(schemas, node.get("items", {}), within)
        return {"type": ["array", "null"], "items": items}
    if kind == "object":
        properties = {
            name: _converted(schemas, child, within)
            for name, child in node.get("properties", {}).items()
        }
        return {"type": ["object", "null"], **({"properties": properties} if properties else {})}
    return {"type": [kind, "null"]}


if __name__ == "__main__":
    main()
