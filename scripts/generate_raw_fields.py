"""Writes which fields of a record rules may name as `record....`; `--check` tells whether it did.

Usage: generate_raw_fields.py [--check] [CONTRACT], where CONTRACT is visma-erp.openapi.json (by
default in the folder CONTRACTS_DIR, or in ../shared/contracts). Paths are those of the tap's
schemas; the contract tells which texts are dates. Stamps and row versions are no content: no rule
can wait for them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.documents import ENTITIES, Combine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_twilio_alerts.documents import Entity

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "tap-visma" / "tap_visma" / "schemas"
RAW_FIELDS = (
    ROOT / "target-twilio-alerts" / "target_twilio_alerts" / "documents" / "raw_fields.json"
)

KINDS = {"integer": "number", "number": "number", "boolean": "boolean", "string": "text"}


def main(arguments: Sequence[str]) -> None:
    """Write the file, or check it."""
    check = "--check" in arguments
    given = [one for one in arguments if one != "--check"]
    folder = os.environ.get("CONTRACTS_DIR", ROOT.parent / "shared" / "contracts")
    contract = Path(given[0] if given else Path(folder) / "visma-erp.openapi.json")
    if not contract.is_file():
        sys.exit(f"{contract}: no such file; give the path of Visma's API description")
    dates = set(_date_names(json.loads(contract.read_text(encoding="utf-8"))))
    found = {
        entity.stream: {
            path: kind
            for path, kind in sorted(_fields(_schema(entity.stream), dates))
            if path.rpartition(".")[2] not in entity.volatile and path not in _masked(entity)
        }
        for entity in sorted(ENTITIES.values(), key=lambda entity: entity.stream)
    }
    text = json.dumps(found, indent=1) + "\n"
    if not check:
        RAW_FIELDS.write_text(text, encoding="utf-8")
    elif RAW_FIELDS.read_text(encoding="utf-8") != text:
        sys.exit(f"{RAW_FIELDS.name} is not current; run `make generate`")


def _masked(entity: Entity) -> set[str]:
    """Paths of bank accounts and their like, which rules see masked or not at all."""
    masked = [field for field in entity.fields.values() if field.combine is Combine.MASKED]
    return {"directDebitLines[].iban", *(source for field in masked for source in field.sources)}


def _schema(stream: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{stream}.json").read_text(encoding="utf-8"))
    return schema


def _date_names(part: Any) -> Iterator[str]:
    """Names of properties that are dates; no name in the contract is a date and other text too."""
    if isinstance(part, list):
        for one in part:
            yield from _date_names(one)
    if isinstance(part, dict):
        properties = part.get("properties")
        for name, one in properties.items() if isinstance(properties, dict) else ():
            if isinstance(one, dict) and one.get("format") == "date-time":
                yield name
        for one in part.values():
            yield from _date_names(one)


def _fields(
    schema: dict[str, Any],
    dates: set[str],
    path: str = "",
    *,
    in_list: bool = False,
) -> Iterator[tuple[str, str]]:
    for name, one in schema.get("properties", {}).items():
        types = one.get("type", ())
        (kind,) = set(types if isinstance(types, list) else [types]) - {"null"}
        here = f"{path}{name}"
        if kind == "object":
            yield from _fields(one, dates, f"{here}.", in_list=in_list)
        elif kind == "array" and not in_list:
            items = one["items"]
            if "properties" in items:
                yield from _fields(items, dates, f"{here}[].", in_list=True)
            else:
                yield here, "list"
        elif in_list and kind in {"string", "integer"}:
            yield here, "list"
        elif not in_list:
            yield here, "date" if name in dates else KINDS[kind]


if __name__ == "__main__":
    main(sys.argv[1:])
