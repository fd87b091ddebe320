"""Turns an alert into what a reader wants to know: a headline, what changed, and the details."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from target_twilio_alerts.messages.masking import mask_ibans
from target_twilio_alerts.messages.segments import shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_twilio_alerts.messages.context import MessageContext, Value
    from target_twilio_alerts.messages.locales import Formats

_ORDER = (
    "counterparty",
    "amount",
    "base_amount",
    "status",
    "date",
    "due_date",
    "description",
    "type",
    "number",
)
_ESSENTIAL = frozenset({"counterparty", "amount", "status", "date", "due_date"})
"""Worth saying that they are unknown; other empty fields are left out."""

_NOT_FACTS = frozenset({"company", "entity", "tenant_id", "record", "currency"})

_SHORTEST_IBAN = 15

_LONGEST_VALUE = 200
"""Free text in a document is cut to this; the document itself is in Visma.net."""


@dataclass(frozen=True)
class Fact:
    """One field, with its label and its value as a reader sees them."""

    name: str
    label: str
    value: str


@dataclass(frozen=True)
class Change:
    """One field that changed; `before` and `after` are as a reader sees them."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Facts:
    """What every built-in text says about an alert; `details_of` gives the rest."""

    company: str
    headline: str
    changes: tuple[Change, ...]
    note: str = ""


def clean(value: Any) -> Any:
    """Return a value without line breaks and control characters, which forge headers and lines.

    Direction marks that turn text around, and halves of characters, go too.
    """
    if isinstance(value, str):
        if value.isprintable():
            return value
        text = "".join(_printable(character) for character in value)
        return re.sub(r" {2,}", " ", text).strip()
    if isinstance(value, (tuple, list)):
        return tuple(clean(one) for one in value)
    if isinstance(value, dict):
        return {key: clean(one) for key, one in value.items()}
    return value


_REPLACED = {"Cc": " ", "Zl": " ", "Zp": " ", "Cs": "?"}
_JOINER = "\u200d"  # holds an emoji together


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf":
        return character if character == _JOINER else ""
    return _REPLACED.get(category, character)


def clean_values(values: Mapping[str, Value]) -> dict[str, Any]:
    """Return a document's fields, each cleaned and without IBANs, before anything is cut."""
    return {name: _without_ibans(clean(value)) for name, value in values.items()}


def _without_ibans(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_without_ibans(one) for one in value)
    if not isinstance(value, str) or len(value) < _SHORTEST_IBAN:
        return value
    return mask_ibans(value, in_any_digits=True)


def nested(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return fields with dots in their names as objects in objects, without the prefix."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith(prefix):
            *owners, last = name.removeprefix(prefix).split(".")
            inner = tree
            for owner in owners:
                inner = inner.setdefault(owner, {})
            inner[last] = value
    return tree


def currency_of(values: Mapping[str, Any]) -> str | None:
    """Return the document's currency, if it is known."""
    currency = values.get("currency")
    return currency if isinstance(currency, str) and currency else None


def changes_between(
    previous: Mapping[str, Any] | None,
    values: Mapping[str, Any],
    entity: str,
    formats: Formats,
) -> tuple[Change, ...]:
    """List the fields that differ, the ones readers look for first."""
    if previous is None:
        return ()
    before_currency, after_currency = currency_of(previous), currency_of(values)
    found = []
    for name in _ordered(values):
        if name not in previous:
            continue
        before, after = previous[name], values[name]
        moved = isinstance(before, Decimal) and before_currency != after_currency
        if before == after and not (moved and name == "amount"):
            continue
        # The currency is said once, unless it is what changed.
        first = before_currency if moved or after is None else None
        found.append(
            Change(
                name,
                formats.label(name, entity),
                shorten(formats.value(name, before, _only_amount(name, first)), _LONGEST_VALUE),
                shorten(
                    formats.value(name, after, _only_amount(name, after_currency)), _LONGEST_VALUE
                ),
            )
        )
    return tuple(found)


def facts_of(context: MessageContext, formats: Formats) -> Facts:
    """Say who, what and what changed; `context` must have been cleaned."""
    values = context.values
    changes = changes_between(context.previous, values, context.entity, formats)
    event = "new" if context.previous is None else "changed" if changes else "unchanged"
    name = formats.label(context.entity)
    if context.undecided is not None:
        event = "undecided"
    headline = formats.headline(event, context.entity).format(
        entity=name, Entity=capitalise(name), id=_identity(context)
    )
    if context.step:
        headline = formats.phrase("escalated").format(headline=headline)
    company = values.get("company")
    note = shorten(mask_ibans(clean(context.undecided or "")), _LONGEST_VALUE)
    return Facts(str(company) if company else "", " ".join(headline.split()), changes, note)


def details_of(context: MessageContext, formats: Formats) -> tuple[Fact, ...]:
    """List the document's fields as it is now."""
    values = context.values
    details = []
    for field in _ordered(values):
        value = values[field]
        if value in (None, "", ()) and field not in _ESSENTIAL:
            continue
        if field == "base_amount" and value == values.get("amount"):
            continue
        text = formats.value(field, value, _only_amount(field, currency_of(values)))
        details.append(
            Fact(field, formats.label(field, context.entity), shorten(text, _LONGEST_VALUE))
        )
    return tuple(details)


def _only_amount(name: str, currency: str | None) -> str | None:
    """`base_amount` is in the company's currency, which a document does not name."""
    return None if name.startswith("base_") else currency


def _ordered(values: Mapping[str, Any]) -> list[str]:
    known = [name for name in _ORDER if name in values]
    others = [
        name
        for name in values
        if name not in _ORDER and name not in _NOT_FACTS and not name.startswith("record.")
    ]
    return known + others


def capitalise(text: str) -> str:
    """Return text with its first letter large, the others as they were."""
    return text[:1].upper() + text[1:]


def _identity(context: MessageContext) -> str:
    """Return number and type; a type that the entity's name already says is left out."""
    number = shorten(str(context.values.get("number") or ""), 40)
    kind = str(context.values.get("type") or "")
    if not kind or kind.lower() in context.entity.replace("_", " "):
        return number
    return f"{number} ({shorten(kind, 30)})" if number else shorten(kind, 30)
