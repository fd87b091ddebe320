"""Fields of a record that a rule names by Visma's own names, as `record.supplier.name`."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from target_twilio_alerts.documents.fields import Combine, Field, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "record."


@cache
def _known() -> dict[str, dict[str, str]]:
    """Kinds by path by stream: generated from the tap's schemas, `[]` marking an array."""
    text = (files(__package__) / "raw_fields.json").read_text(encoding="utf-8")
    known: dict[str, dict[str, str]] = json.loads(text)
    return known


@cache
def raw_fields(stream: str) -> Mapping[str, Field]:
    """The fields of a stream's records, by name with PREFIX; none for a stream that is not known.

    What is in an array is a list: `record.invoiceLines.description` has one of each line.
    """
    return {
        PREFIX + path.replace("[]", ""): Field(
            name=PREFIX + path.replace("[]", ""),
            kind=Kind(kind),
            sources=(path,),
            description="As it is in the record.",
            combine=Combine.EACH if "[]." in path else Combine.FIRST,
        )
        for path, kind in _known().get(stream, {}).items()
    }
