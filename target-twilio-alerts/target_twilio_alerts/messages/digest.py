"""The text of a digest: alerts by rule, with their amounts, and totals by currency."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from target_twilio_alerts.messages.facts import capitalise, clean, clean_values
from target_twilio_alerts.messages.segments import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from target_twilio_alerts.messages.context import Value
    from target_twilio_alerts.messages.locales import Formats

_EXACT = Context(prec=120)
_UNKNOWN = (None, "")
_LONGEST = 100
"""Characters of a name; more nobody needs to know it by."""

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
class Row:
    """One alert, as a reader sees it.

    Attributes:
        lead: What it is told by: whom it is about, else its number.
        notes: What else tells it from others.
        amount: Its amount; None if it has none.
    """

    lead: str
    notes: tuple[str, ...]
    amount: str | None

    @property
    def plain(self) -> str:
        """All of it in one line."""
        return ", ".join(filter(None, (self.lead, *self.notes, self.amount)))


@dataclass(frozen=True)
class Section:
    """The alerts of one rule, as a reader sees them.

    Attributes:
        title: Name of the rule, and how many they are.
        rows: A text for each alert that is listed.
        more: How many alerts are not listed, in words; empty if all are.
        totals: Sums of the amounts, one for each currency.
        note: What is said of all of them; empty if nothing is.
    """

    title: str
    rows: tuple[Row, ...]
    more: str
    totals: tuple[str, ...]
    note: str = ""


def sections_of(entries: Sequence[DigestEntry], formats: Formats, most: int) -> list[Section]:
    """The alerts by rule, in the order in which rules come first; at most so many are listed."""
    by_rule: dict[str, list[DigestEntry]] = defaultdict(list)
    for entry in entries:
        by_rule[entry.rule].append(replace(entry, values=clean_values(entry.values)))
    companies = {entry.values.get("company") for entry in entries}
    return [
        Section(
            title=f"{clean(rule)} ({len(found)})",
            rows=tuple(
                _row(entry, formats, with_company=len(companies) > 1) for entry in found[:most]
            ),
            more=more_of(len(found) - most, formats),
            totals=tuple(_totals([entry.values for entry in found], formats)),
        )
        for rule, found in by_rule.items()
    ]


def more_of(number: int, formats: Formats) -> str:
    """How many are not listed, in words; empty if all are."""
    return formats.phrase("more").format(number=number) if number > 0 else ""


def _row(entry: DigestEntry, formats: Formats, *, with_company: bool) -> Row:
    values = entry.values
    about: tuple[str, ...] = ("counterparty", "number")
    if values.get("counterparty") in _UNKNOWN:
        about = ("number", "account", "description")
    known = [
        shorten(formats.value(name, values[name]), _LONGEST)
        for name in (*about, *(("company",) if with_company else ()), "date")
        if values.get(name) not in _UNKNOWN
    ]
    amount, currency = values.get("amount"), values.get("currency")
    shown = formats.money(amount, str(currency or "")) if isinstance(amount, Decimal) else None
    lead, *notes = known or [capitalise(formats.label(entry.entity))]
    return Row(lead, tuple(notes), shown)


def _totals(found: Sequence[Mapping[str, Value]], formats: Formats) -> Iterator[str]:
    """Sums by currency; of amounts without one only those of a single company can be added."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in found:
        amount, currency = one.get("amount"), str(one.get("currency") or "")
        if isinstance(amount, Decimal):
            sums[currency] = _EXACT.add(sums[currency], amount)
    if len({one.get("company") for one in found}) > 1:
        sums.pop("", None)
    for currency, total in sorted(sums.items()):
        yield formats.money(total, currency)


def plain_text(title: str, sections: Sequence[Section], total: str, reference: str) -> str:
    """The digest as plain text."""
    lines = [title, ""]
    for section in sections:
        lines += filter(None, (section.title, section.note))
        lines += [f"- {row.plain}" for row in section.rows]
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
