"""SMS lengths as Twilio counts and bills them, and text made to fit the cheap alphabet."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_SMS_LENGTH = 1600
"""Twilio refuses longer bodies with error 21617."""

GSM_7, UCS_2 = "GSM-7", "UCS-2"

# 3GPP TS 23.038: the default alphabet, and the characters that cost an escape (two units).
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[]~|€"
_GSM = re.compile(f"[{re.escape(_BASIC + _EXTENDED)}]*")
_TWO_SEPTETS = re.compile(f"[{re.escape(_EXTENDED)}]")
_TWO_UTF16_UNITS = re.compile("[\U00010000-\U0010ffff]")
_SINGLE = {GSM_7: 160, UCS_2: 70}
_PART = {GSM_7: 153, UCS_2: 67}

# Only what a reader would not miss; no letter is ever replaced by another.
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007", " "),
        **dict.fromkeys("\u2008\u2009\u200a\u202f\u205f\u3000", " "),
        **dict.fromkeys("\u00ad\u200b\u2060\ufeff", ""),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        "\u2026": "...",
        "\u2192": "->",
        "\u2022": "*",
        "\u2028": "\n",
        "\u2029": "\n",
    }
)


@dataclass(frozen=True)
class Segments:
    """How an SMS travels: `segments` are billed each, `units` are septets or UTF-16 units."""

    encoding: str
    segments: int
    units: int


def count_segments(text: str) -> Segments:
    """Count as Twilio does: 160 or 153 units of GSM-7, else 70 or 67 of UCS-2, to a segment.

    A character of two units (an emoji, "€", "[") never straddles two segments. Held against
    sms-segment-vectors.json, which Twilio's own calculator produced.
    """
    encoding, two_units = (
        (GSM_7, _TWO_SEPTETS) if _GSM.fullmatch(text) else (UCS_2, _TWO_UTF16_UNITS)
    )
    units = len(text) + len(two_units.findall(text))
    if units <= _SINGLE[encoding]:
        return Segments(encoding, 1, units)
    part, segments, used = _PART[encoding], 1, 0
    for character in text:
        cost = 2 if two_units.match(character) else 1
        if used + cost > part:
            segments, used = segments + 1, 0
        used += cost
    return Segments(encoding, segments, units)


def fit(text: str, max_segments: int, *, ending: str = "") -> str:
    """Cut text so that it travels, with `ending` behind it, in so many segments.

    What is cut off is told by "..."; `ending` stays whole.
    """
    if count_segments(text + ending).segments <= max_segments:
        return text + ending
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if count_segments(_cut(text, middle) + ending).segments <= max_segments:
            fits = middle
        else:
            too_long = middle
    return _cut(text, fits) + ending


def _cut(text: str, length: int) -> str:
    return f"{text[:length].rstrip()}..."


def to_gsm_safe(text: str) -> str:
    """Replace look-alikes that would make the SMS cost twice: spaces, dashes, quotes, ellipsis.

    Nothing a reader would miss is lost: letters outside GSM-7 stay, and the SMS is then UCS-2.
    """
    if _GSM.fullmatch(text):
        return text
    return unicodedata.normalize("NFC", text).translate(_PLAIN)


def shorten(text: str, length: int) -> str:
    """Cut text to `length` characters, the last three of them "..." if something was cut."""
    return text if len(text) <= length else f"{text[: max(length - 3, 0)].rstrip()}..."
