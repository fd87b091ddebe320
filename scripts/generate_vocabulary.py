"""Write docs/vocabulary.md: what rules may name, entity by entity.

`--check` writes nothing, and fails if the page is not current.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from target_twilio_alerts.documents import ENTITIES, Combine
from target_twilio_alerts.documents.presets import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from target_twilio_alerts.documents import Entity, Field

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY = ROOT / "docs" / "vocabulary.md"

BEGINNING = """\
# Vocabulary

One word for one idea: a rule, a template and the audit trail call the total of an invoice, an order
and a payment `amount`, whatever Visma.net calls it. This page is generated from the presets in
`target-twilio-alerts/target_twilio_alerts/documents/presets`.

An entity is what a stream's records are, in the singular. Those of the streams that the tap selects
by itself are here; for others, and for other taps, `entities` in alerts.yml makes your own
(see [the target's README](../target-twilio-alerts/README.md#own-entities)).

Beside these words a rule may name the record's own fields as `record.`, by Visma's names.

Types are text, number, boolean, date and list (of texts). Numbers are exact. An amount's unit is
the currency that the document names in its field `currency`, or the company's own, or its ledger's;
no amount is ever changed from one to another, except by `amount_in`.
"""


def main(arguments: Sequence[str]) -> None:
    """Write the page, or check it."""
    text = "\n".join([BEGINNING, *_words(), *_entities()])
    if "--check" not in arguments:
        VOCABULARY.write_text(text, encoding="utf-8")
    elif VOCABULARY.read_text(encoding="utf-8") != text:
        sys.exit(f"{VOCABULARY.name} is not current; run `make generate`")


def _words() -> Iterator[str]:
    yield "## The words"
    yield ""
    yield "| Field | Type | Unit | Entities |"
    yield "| --- | --- | --- | --- |"
    fields: dict[str, list[tuple[Entity, Field]]] = {}
    for entity in ENTITIES.values():
        for field in entity.fields.values():
            fields.setdefault(field.name, []).append((entity, field))
    for name, used in sorted(fields.items()):
        types = " or ".join(dict.fromkeys(field.kind.value for _, field in used))
        units = " or ".join(dict.fromkeys(field.unit or "" for _, field in used))
        owners = ", ".join(f"[{entity.name}](#{entity.name})" for entity, _ in used)
        told = "all" if len(used) == len(ENTITIES) else owners
        yield f"| `{name}` | {types} | {units} | {told} |"
    yield ""


def _entities() -> Iterator[str]:
    for domain, entities in DOMAINS.items():
        yield f"## {domain}"
        yield ""
        for entity in entities:
            yield f"### {entity.name}"
            yield ""
            yield _notes(entity)
            yield ""
            yield "| Field | Type | Unit | What it is | Field of Visma.net |"
            yield "| --- | --- | --- | --- | --- |"
            yield from map(_row, entity.fields.values())
            yield ""


def _row(field: Field) -> str:
    values = ", ".join(f"`{value}`" for value in field.values or ())
    text = f"{field.description} One of {values}." if values else field.description
    between = " less " if field.combine is Combine.DIFFERENCE else " and "
    source = between.join(f"`{one}`" for one in field.sources)
    return f"| `{field.name}` | {field.kind.value} | {field.unit or ''} | {text} | {source} |"


def _notes(entity: Entity) -> str:
    notes = [f"From the stream `{entity.stream}`."]
    if entity.credit_types:
        signed = ", ".join(f"`{name}`" for name in entity.signed if name in entity.fields)
        types = ", ".join(f"`{one}`" for one in sorted(entity.credit_types))
        notes.append(f"{signed}: negative where `type` is {types}.")
    if entity.final_statuses:
        final = ", ".join(f"`{one}`" for one in sorted(entity.final_statuses))
        notes.append(f"Time passes it by once `status` is {final}.")
    if entity.final_statuses is None:
        notes.append("It never changes, so time passes it by.")
    if entity.has_groups:
        group = " or ".join(f"`{name}`" for name in entity.grouped_by if name in entity.fields)
        notes.append(f"`recent_...` looks at those with the same {group}.")
    return " ".join(notes)


if __name__ == "__main__":
    main(sys.argv[1:])
