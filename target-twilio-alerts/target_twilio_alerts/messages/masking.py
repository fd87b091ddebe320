"""Hides what must not be read in a log, a reason or a message: addresses and bank accounts."""

from __future__ import annotations

import re

_EMAIL = re.compile(r"([\w.+%-])[\w.+%-]*@([\w-]+(?:\.[\w-]+)+)")
# A run of digits inside a word is left alone: it is part of a SID, not a telephone number.
_PHONE = re.compile(
    r"(?:(?<![0-9A-Za-z+])|(?<=%2[Bb]))(?:\+(?:[ ().-]{0,2}\d){6,15}|\d{7,15})(?![0-9A-Za-z])"
)
_INTERNATIONAL = re.compile(r"(?<![0-9A-Za-z+])\+(?:[ ().-]{0,2}\d){6,15}(?![0-9A-Za-z])")
# Written as at home, with blanks or dashes; 01.12.2026 is a day.
_LOCAL = re.compile(
    r"(?<![0-9A-Za-z+.,:-])(?!0[.,]|\d\d[./-]\d\d[./-]\d{4}\b)"
    r"(?:0(?:[ ().-]{0,2}\d){7,15}|\d{10,15})(?![0-9A-Za-z]|[.,]\d)"
)
_STARS = "*****"
_LONG_ENOUGH = 7  # of a shorter number the last three digits would be half


def mask_address(address: str) -> str:
    """Return an address that its owner recognises and nobody else can use.

    "+46701740605" -> "+46*****605", "anna@example.com" -> "a***@example.com"; a channel prefix
    such as "whatsapp:" stays.
    """
    prefix, colon, rest = address.rpartition(":")
    name, at, domain = rest.rpartition("@")
    if at:
        return f"{prefix}{colon}{name[:1]}***@{domain}"
    if re.fullmatch(r"\+\d{6,15}", rest):
        return f"{prefix}{colon}{rest[:3]}{_STARS}{rest[-3:]}"
    return f"{prefix}{colon}{_STARS}{rest[-3:] if len(rest) >= _LONG_ENOUGH else ''}"


def mask_text(text: str) -> str:
    """Mask every telephone number and email address in free text, such as a provider's answer."""
    text = _EMAIL.sub(r"\1***@\2", text)
    return _LOCAL.sub(_mask_number, _PHONE.sub(_mask_number, text))


def mask_contacts(text: str) -> str:
    """Mask email addresses, and numbers in international form; what may be a document's stays."""
    return _INTERNATIONAL.sub(_mask_number, _EMAIL.sub(r"\1***@\2", text))


def mask_words(text: str) -> str:
    """Mask what a person may have written of addresses, and leave amounts and short numbers.

    A number that begins with 0, or has ten digits or more, is taken for a telephone number.
    """
    return _LOCAL.sub(_mask_number, mask_contacts(text))


def _mask_number(found: re.Match[str]) -> str:
    return mask_address(re.sub(r"[ ().-]", "", found.group()))


# Length of an IBAN by country: the ISO 13616 registry.
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL FK SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
_IBAN_START = re.compile(r"[A-Za-z]{2}\d{2}")
_IBAN_GAP = re.compile(r"[\s./_-]")
_WIDEST_GAP = 3


def mask_ibans(text: str) -> str:
    """Mask every full IBAN: "SE45 5000 0000 0583 9825 7466" -> "SE45****7466".

    Only what has its country's length and a right checksum is an IBAN; a long order number stays.
    """
    position, kept = 0, []
    for start in _IBAN_START.finditer(text):
        if start.start() < position:
            continue
        end = _iban_end(text, start.start())
        if end is None:
            continue
        digits = _IBAN_GAP.sub("", text[start.start() : end])
        kept += [text[position : start.start()], f"{digits[:4]}****{digits[-4:]}"]
        position = end
    return "".join([*kept, text[position:]]) if kept else text


def _iban_end(text: str, start: int) -> int | None:
    """Return where the IBAN that begins at `start` ends, or None if there is none."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return None
    taken, at, gap = "", start, 0
    while at < len(text) and len(taken) < length:
        character = text[at]
        if character.isascii() and character.isalnum():
            taken, gap = taken + character, 0
        elif not _IBAN_GAP.match(character) or gap == _WIDEST_GAP:
            return None
        else:
            gap += 1
        at += 1
    if len(taken) < length:
        return None
    turned = (taken[4:] + taken[:4]).upper()
    return at if int("".join(str(int(c, 36)) for c in turned)) % 97 == 1 else None
