"""The text of a digest: alerts by rule, with their amounts, and totals by currency."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.messages.facts import clean, clean_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_twilio_alerts.messages.context import Value
    from target_twilio_alerts.messages.locales import Formats

COLUMNS = ("number", "counterparty", "date", "amount")

MOST_ROWS = (100, 40, 15, 5, 0)
"""Alerts of a rule that a digest lists: the first of these with which it is not too long."""


@dataclass(frozen=True)
class DigestEntry:
    """One alert of a digest.

    Attributes:
        rule: Name of its rule.
        entity: What its document is.
        values: The document's values.
    """

    rule: str
    entity: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Section:
    """The alerts of one rule, as a reader sees them.

    Attributes:
        title: Name of the rule, and how many they are.
        columns: Names of their fields.
        headings: What they are called.
        rows: A text for each column.
        more: How many alerts are not listed, in words; empty if all are.
        totals: Sums of the amounts, one for each currency.
    """

    title: str
    columns: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: str
    totals: tuple[str, ...]


def sections_of(entries: Sequence[DigestEntry], formats: Formats, most: int) -> list[Section]:
    """The alerts by rule, in the order in which rules come first; at most so many are listed."""
    by_rule: dict[str, list[DigestEntry]] = defaultdict(list)
    for entry in entries:
        by_rule[entry.rule].append(entry)
    return [_section(rule, found, formats, most) for rule, found in by_rule.items()]


def _section(rule: str, entries: Sequence[DigestEntry], formats: Formats, most: int) -> Section:
    values = [clean_values(entry.values) for entry in entries]
    names = [name for name in COLUMNS if any(one.get(name) is not None for one in values)]
    entity = entries[0].entity
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in values:
        amount = one.get("amount")
        if isinstance(amount, Decimal):
            sums[str(one.get("currency") or "")] += amount
    return Section(
        title=f"{clean(rule)} ({len(entries)})",
        columns=tuple(names),
        headings=tuple(formats.label(name, entity) for name in names),
        rows=tuple(tuple(_shown(one, name, formats) for name in names) for one in values[:most]),
        more=formats.phrase("more").format(number=left) if (left := len(values) - most) > 0 else "",
        totals=tuple(
            formats.money(total, currency or None) for currency, total in sorted(sums.items())
        ),
    )


def _shown(values: Mapping[str, Value], name: str, formats: Formats) -> str:
    value = values.get(name)
    currency = values.get("currency")
    return formats.value(name, value, None if currency is None else str(currency))


def plain_text(title: str, sections: Sequence[Section], total: str, reference: str) -> str:
    """The digest as plain text."""
    lines = [title, ""]
    for section in sections:
        lines.append(section.title)
        lines += [f"- {', '.join(row)}" for row in section.rows]
        if section.more:
            lines.append(f"- {section.more}")
        if section.totals:
            lines.append(f"  {total}: {' + '.join(section.totals)}")
        lines.append("")
    return "\n".join([*lines, reference])


def short_text(title: str, sections: Sequence[Section], reference: str) -> str:
    """The digest as an SMS: how many of each rule, and their totals."""
    told = []
    for section in sections:
        totals = f" {' + '.join(section.totals)}" if section.totals else ""
        told.append(f"{section.title}{totals}")
    return f"{title}: {', '.join(told)}. {reference}"
