"""The built-in texts: an SMS that aims for one segment, and an email with a card in HTML."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from target_twilio_alerts.messages.environment import Compiled, Sandbox
from target_twilio_alerts.messages.facts import currency_of, details_of, facts_of
from target_twilio_alerts.messages.locales import formats as formats_for
from target_twilio_alerts.messages.segments import (
    GSM_7,
    MAX_SMS_LENGTH,
    count_segments,
    fit,
    shorten,
    to_gsm_safe,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_twilio_alerts.messages.context import MessageContext
    from target_twilio_alerts.messages.digest import Section
    from target_twilio_alerts.messages.facts import Facts
    from target_twilio_alerts.messages.locales import Formats

LONGEST_CALL = 1000
"""Characters: more than a minute."""

_NEVER_SHORT = 160
_LONGEST_NAME = 30
_LONGEST_DESCRIPTION = 60
_LONGEST_SUBJECT = 150

_ACCENTS = {"critical": "#c62828", "high": "#d9730d", "low": "#7a8594"}
_ACCENT = "#2563c9"


def sms_text(context: MessageContext, formats: Formats, *, max_segments: int | None = None) -> str:
    """Write the built-in SMS: with all that fits one segment, and what matters if more is needed.

    Where a name is written outside GSM-7, two segments of the small kind are aimed for. With
    `max_segments` there is all that fits so many, and never more.
    """
    facts = facts_of(context, formats)
    essential, optional = (
        [to_gsm_safe(part) for part in parts] for parts in _short_parts(context, facts, formats)
    )
    company, headline = to_gsm_safe(facts.company), to_gsm_safe(facts.headline)
    ending = f". {to_gsm_safe(_reference(context, formats))}"
    for kept in range(len(optional), -1, -1):
        text = _sentence(company, [headline, *essential, *optional[:kept]]) + ending
        if _is_short(text, max_segments):
            return text
    text = _sentence(shorten(company, _LONGEST_NAME), [headline, *essential]) + ending
    if max_segments is not None:
        return fit(text.removesuffix(ending), max_segments, ending=ending)
    if len(text) <= MAX_SMS_LENGTH:
        return text
    return shorten(text.removesuffix(ending), MAX_SMS_LENGTH - len(ending)) + ending


def _is_short(text: str, max_segments: int | None) -> bool:
    if max_segments is not None:
        return count_segments(text).segments <= max_segments
    if len(text) > _NEVER_SHORT:
        return False
    count = count_segments(text)
    return count.segments <= (1 if count.encoding == GSM_7 else 2)


def voice_text(context: MessageContext, formats: Formats) -> str:
    """Write what a call says: what matters, in words that can be spoken."""
    facts = facts_of(context, formats)
    essential, _ = _short_parts(context, facts, formats, change="from_to_spoken")
    told = _sentence(facts.company, [facts.headline, *essential])
    ending = f". {_reference(context, formats)}."
    return shorten(told, LONGEST_CALL - len(ending)) + ending


def _short_parts(
    context: MessageContext, facts: Facts, formats: Formats, *, change: str = "from_to"
) -> tuple[list[str], list[str]]:
    """Return what must be said, and what may be left out, the least important last.

    `change` is the phrase for a field's change.
    """
    changed = {one.name for one in facts.changes}
    values = context.values
    essential: list[str] = []
    optional: list[str] = []
    if facts.note:
        essential.append(shorten(facts.note, _LONGEST_DESCRIPTION))
    if "counterparty" in values:
        essential.append(_named(context, formats, "counterparty", shorten_to=_LONGEST_NAME))
    for changed_field in facts.changes:
        if changed_field.name in _SAID_ONCE:
            continue
        said = formats.phrase(change).format(
            label=changed_field.label,
            before=shorten(changed_field.before, _LONGEST_NAME),
            after=shorten(changed_field.after, _LONGEST_NAME),
        )
        (essential if changed_field.name in ("amount", "status") else optional).append(said)
    if "amount" in values and "amount" not in changed:
        essential.append(_named(context, formats, "amount"))
    status = values.get("status")
    if status and "status" not in changed:
        said = formats.phrase("labelled").format(label=formats.label("status"), value=status)
        essential.append(shorten(said, _LONGEST_NAME))
    due = values.get("due_date")
    if due is not None and "due_date" not in changed:
        optional.append(formats.phrase("due").format(date=formats.value("due_date", due)))
    description = values.get("description")
    if description and "description" not in changed:
        optional.append(f'"{shorten(str(description), _LONGEST_DESCRIPTION)}"')
    optional.append(formats.phrase("rule").format(rule=context.rule))
    return essential, optional


_SAID_ONCE = frozenset({"base_amount", "counterparty"})
"""Changes that an SMS tells through another part."""


def _named(context: MessageContext, formats: Formats, name: str, *, shorten_to: int = 60) -> str:
    """Return a field's value, which speaks for itself; of an unknown one, which it is."""
    value = context.values[name]
    if value is None or value == "":
        return formats.phrase("unknown_field").format(label=formats.label(name, context.entity))
    return shorten(formats.value(name, value, currency_of(context.values)), shorten_to)


def _sentence(company: str, parts: list[str]) -> str:
    text = ", ".join(parts).rstrip(".")
    return f"{company}: {text}" if company else text


def _reference(context: MessageContext, formats: Formats) -> str:
    return formats.phrase("reference").format(reference=context.reference)


def subject(context: MessageContext, formats: Formats) -> str:
    """Write the built-in subject of an email."""
    facts = facts_of(context, formats)
    parts = [
        shorten(_named(context, formats, name), _LONGEST_NAME)
        for name in ("amount", "counterparty")
        if name in context.values
    ]
    mark = formats.phrases["severities"].get(context.severity)
    text = f"{facts.headline}: {', '.join(parts)}" if parts else facts.headline
    return shorten(f"[{mark}] {text}" if mark else text, _LONGEST_SUBJECT)


def email_text(context: MessageContext, formats: Formats) -> str:
    """Write the built-in email in plain text."""
    template = _compiled("email.txt.j2", formats.locale)
    return template.render(
        {
            "facts": facts_of(context, formats),
            "details": details_of(context, formats),
            "phrases": formats.phrases,
            "footer": _footer(context, formats),
            "reference": _reference(context, formats),
            "acknowledge_url": context.acknowledge_url,
        }
    ).strip()


def email_html(
    context: MessageContext, formats: Formats, *, text: str | None = None, title: str | None = None
) -> str:
    """Write the card: of the document's fields, or around the company's own `text`."""
    facts = facts_of(context, formats)
    paragraphs = (
        [block.split("\n") for block in text.split("\n\n") if block.strip()] if text else []
    )
    return _compiled("email.html.j2", formats.locale).render(
        {
            "facts": facts,
            "details": () if paragraphs else details_of(context, formats),
            "phrases": formats.phrases,
            "paragraphs": paragraphs,
            "sections": (),
            "title": title or facts.headline,
            "language": formats.locale.partition("_")[0],
            "accent": _ACCENTS.get(context.severity, _ACCENT),
            "footer": _footer(context, formats),
            "reference": _reference(context, formats),
            "acknowledge_url": context.acknowledge_url,
        }
    )


def digest_html(
    title: str, sections: Sequence[Section], formats: Formats, *, reference: str
) -> str:
    """Write the card of a digest: a table for each rule."""
    return _compiled("email.html.j2", formats.locale).render(
        {
            "facts": None,
            "details": (),
            "phrases": formats.phrases,
            "paragraphs": (),
            "sections": sections,
            "title": title,
            "language": formats.locale.partition("_")[0],
            "accent": _ACCENT,
            "footer": "",
            "reference": reference,
            "acknowledge_url": None,
        }
    )


def _footer(context: MessageContext, formats: Formats) -> str:
    severity = formats.label(context.severity)
    return formats.phrase("footer").format(rule=context.rule, severity=severity)


@lru_cache
def _compiled(name: str, locale: str) -> Compiled:
    source = (files(__package__) / "templates" / name).read_text(encoding="utf-8")
    sandbox = Sandbox(formats_for(locale), autoescape=name.endswith(".html.j2"))
    return Compiled(sandbox, source, f"built-in/{name}")
