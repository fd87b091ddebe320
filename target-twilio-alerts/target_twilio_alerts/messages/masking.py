"""Hides what must not be read in a log, a reason or a message: addresses and bank accounts."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_EMAIL = re.compile(
    r"(?<![\w.+%-])([\w.+%-])[\w.+%-]*@([\w-]+(?:\.[\w-]+)+)(?:[.+%][\w.+%-]*@[\w.-]+)*"
)
# What stands between the digits of a number as people write it; _plain makes blanks and dashes so.
_BETWEEN = r"[\s()./\u2010-\u2015\u2212-]{0,3}"
# A run of digits inside a word is left alone: it is part of a SID, not a telephone number.
_PHONE = re.compile(
    r"(?:(?<![0-9A-Za-z+])|(?<=%2[Bb]))"
    rf"(?:\+(?:{_BETWEEN}\d){{6,15}}|\d{{7,15}})(?![0-9A-Za-z])"
)
_INTERNATIONAL = re.compile(rf"(?<![0-9A-Za-z+])\+(?:{_BETWEEN}\d){{6,15}}(?![0-9A-Za-z])")
# Written as at home, with blanks, dashes or strokes; 01.12.2026 is a day, and what follows a digit
# and a point or a colon belongs to an amount or a time.
_LOCAL = re.compile(
    r"(?<![0-9A-Za-z+])(?<!\d[.,:-])(?!0[.,]|\d\d[./-]\d\d[./-]\d{4}\b)"
    rf"(?:0(?:{_BETWEEN}\d){{7,15}}|\d{{10,15}})(?![0-9A-Za-z]|[.,]\d)"
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
    return _masked(_LOCAL, _masked(_PHONE, text))


def mask_contacts(text: str) -> str:
    """Mask email addresses, and numbers in international form; what may be a document's stays."""
    return _masked(_INTERNATIONAL, _EMAIL.sub(r"\1***@\2", text))


def mask_words(text: str) -> str:
    """Mask what a person may have written of addresses, and leave amounts and short numbers.

    A number that begins with 0, or has ten digits or more, is taken for a telephone number.
    """
    return _masked(_LOCAL, mask_contacts(text))


def _masked(numbers: re.Pattern[str], text: str) -> str:
    """The text without the telephone numbers that a pattern finds, in whatever digits they are."""
    position, kept = 0, []
    for found in numbers.finditer(_plain(text)):
        sign = "+" if found.group().startswith("+") else ""
        digits = "".join(filter(str.isdigit, found.group()))
        kept += [text[position : found.start()], mask_address(f"{sign}{digits}")]
        position = found.end()
    return "".join([*kept, text[position:]]) if kept else text


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
_WIDEST_GAP = 3


class _Plain(dict[int, str]):
    """Digits and letters of other scripts and widths by those that a reader takes them for."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        digit = unicodedata.decimal(character, None)
        plain = unicodedata.normalize("NFKC", character) if digit is None else str(digit)
        self[code] = plain if len(plain) == 1 else character
        return self[code]


_PLAIN = _Plain()


def _plain(text: str) -> str:
    """The same text, as long, in which what looks like a digit is one."""
    return text if text.isascii() else text.translate(_PLAIN)


def mask_ibans(text: str, *, in_any_digits: bool = False) -> str:
    """Mask every full IBAN: "SE45 5000 0000 0583 9825 7466" -> "SE45****7466".

    Only what has its country's length and a right checksum is an IBAN; a long order number stays.

    Args:
        text: Any text.
        in_any_digits: Whether to look for digits and letters of other scripts and widths too.
    """
    position, kept, plain = 0, [], _plain(text) if in_any_digits else text
    for start in _IBAN_START.finditer(plain):
        if start.start() < position:
            continue
        end = _iban_end(plain, start.start())
        if end is None:
            continue
        taken = "".join(filter(str.isalnum, plain[start.start() : end]))
        kept += [text[position : start.start()], f"{taken[:4]}****{taken[-4:]}"]
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
        elif character.isalnum() or gap == _WIDEST_GAP:
            return None
        else:
            gap += 1
        at += 1
    if len(taken) < length:
        return None
    turned = (taken[4:] + taken[:4]).upper()
    return at if int("".join(str(int(c, 36)) for c in turned)) % 97 == 1 else None


_DIGITS = re.compile(r"\+?\d(?:[^0-9A-Za-z]{0,3}\d){5,}")
_VAT_NUMBER = re.compile(r"[A-Z]{2}[0-9A-Z]{6,14}")
_NUMBERED_BY_US = frozenset(
    {"number", "counterparty_number", "parent", "cash_account", "payment_details"}
)


def hide_numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """A document's values without any telephone number: "+46701740605" -> "+46*****605".

    Whoever changes a supplier's account may have changed the number to ask at too. So each six
    digits are taken for a number, but in fields with the company's own numbers, and in a VAT number
    that begins with its country.
    """
    return {
        name: value if name in _NUMBERED_BY_US else _hidden(name, value)
        for name, value in values.items()
    }


def _hidden(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_hidden(name, one) for one in value)
    if not isinstance(value, str) or (name == "vat_number" and _VAT_NUMBER.fullmatch(value)):
        return value
    return hide_numbers_in(value)


def hide_numbers_in(text: str) -> str:
    """A text without any telephone number."""
    return _masked(_DIGITS, text)
