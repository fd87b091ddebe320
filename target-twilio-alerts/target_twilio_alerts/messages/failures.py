"""The text of a summary of messages that did not get through: by cause, with what to do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_twilio_alerts.messages.digest import Row, Section, more_of
from target_twilio_alerts.messages.facts import clean
from target_twilio_alerts.messages.segments import (
    MAX_SMS_LENGTH,
    count_segments,
    shorten,
    to_gsm_safe,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_twilio_alerts.messages.locales import Formats

_MOST_CAUSES = 20
_LONGEST = 200
"""Characters of a cause; a provider's own words may be many."""

_MOST_SEGMENTS = 4


@dataclass(frozen=True)
class Failure:
    """One message that did not get through.

    Attributes:
        reference: Its id.
        about: The rule, or what it is if it is of none.
        recipient: Name of whom it was for.
        channel: "sms", "email", "whatsapp" or "voice".
        code: The provider's code, if there is one.
        meaning: What happened, in plain words; None: nobody knows whether it was sent.
        mend: What to do about it, if that is known.
    """

    reference: str
    about: str
    recipient: str
    channel: str
    code: str | None
    meaning: str | None
    mend: str | None


def causes_of(failures: Sequence[Failure], formats: Formats, most: int) -> list[Section]:
    """The messages by cause, the most frequent first; at most so many of each are listed."""
    by_cause: dict[tuple[str | None, ...], list[Failure]] = defaultdict(list)
    for one in failures:
        by_cause[one.code, one.meaning, one.mend].append(one)
    frequent = sorted(by_cause.values(), key=len, reverse=True)
    sections = [_section(found, formats, most) for found in frequent[:_MOST_CAUSES]]
    rest = sum(map(len, frequent[_MOST_CAUSES:]))
    if rest:
        sections.append(Section(title=more_of(rest, formats), rows=(), more="", totals=()))
    return sections


def _section(found: Sequence[Failure], formats: Formats, most: int) -> Section:
    first = found[0]
    meaning = first.meaning or formats.phrase("answer_lost")
    mend = first.mend if first.meaning else formats.phrase("answer_lost_mend")
    code = f" ({formats.phrase('error').format(code=first.code)})" if first.code else ""
    return Section(
        title=f"{shorten(clean(meaning), _LONGEST)}{code}: {len(found)}",
        rows=tuple(_row(one, formats) for one in found[:most]),
        more=more_of(len(found) - most, formats),
        totals=(),
        note=formats.phrase("what_to_do").format(mend=mend) if mend else "",
    )


def _row(one: Failure, formats: Formats) -> Row:
    by = formats.phrases["channels"].get(one.channel, one.channel)
    return Row(clean(one.about), (clean(one.recipient), by, one.reference), None)


def short_summary(title: str, failures: Sequence[Failure], formats: Formats, reference: str) -> str:
    """The summary as an SMS: as many messages as a few segments hold, and all causes."""
    text = ""
    for most, with_note in ((10, True), (3, True), (1, True), (1, False), (0, False)):
        told = [_told(one, with_note=with_note) for one in causes_of(failures, formats, most)]
        text = to_gsm_safe(f"{title}. {' '.join(told)} {reference}")
        if count_segments(text).segments <= _MOST_SEGMENTS:
            return text
    ending = to_gsm_safe(f" {reference}")
    return shorten(text.removesuffix(ending), MAX_SMS_LENGTH - len(ending)) + ending


def _told(section: Section, *, with_note: bool) -> str:
    rows = "; ".join(filter(None, (*(row.plain for row in section.rows), section.more)))
    listed = f" ({rows})" if section.rows else ""
    return f"{section.title}{listed}." + (f" {section.note}." if with_note and section.note else "")
