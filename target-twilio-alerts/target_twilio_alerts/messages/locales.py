"""Words by language, and numbers, money and dates by locale."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import get_date_format
from babel.numbers import (
    get_currency_precision,
    get_decimal_symbol,
    get_group_symbol,
    get_minus_sign_symbol,
    parse_pattern,
)

DEFAULT_LANGUAGE = "en"

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:_[A-Za-z0-9]{2,8}){0,3}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_MAX_DECIMALS = 6
_MAX_DIGITS = 24
"""Beyond these a number is printed as it came: it is no amount that anybody reads."""

_MONEY_NAMES = re.compile(r"(?:^|_)(?:amount|balance|total|debit|credit|price|cost)(?:$|_)")


def normalise(locale: str) -> str:
    """Return a locale as "sv" or "sv_SE"; what is no locale at all becomes "en"."""
    tag = locale.strip().replace("-", "_").partition(".")[0]
    return tag if _LOCALE.fullmatch(tag) else DEFAULT_LANGUAGE


_STAND_INS = {"nn": "nb", "no": "nb"}
"""Languages whose readers are told in another one's words, if there are none in their own."""


def candidates(locale: str) -> tuple[str, ...]:
    """Return a locale and its language, most special first: ("sv_SE", "sv"), ("nn", "nb")."""
    language = locale.partition("_")[0]
    stand_in = _STAND_INS.get(language)
    return tuple(dict.fromkeys(filter(None, (locale, language, stand_in))))


@lru_cache
def _phrases(language: str) -> Mapping[str, Any] | None:
    source = files(__package__) / "templates" / f"{language}.json"
    if not source.is_file():
        return None
    phrases: Mapping[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return phrases


@lru_cache
def builtin_formats(locale: str) -> Formats:
    """Return words and formats for built-in texts: sv_SE -> sv -> en."""
    normal = normalise(locale)
    if any(_phrases(one) for one in candidates(normal)):
        return formats(normal)
    return formats(DEFAULT_LANGUAGE)


@lru_cache
def formats(locale: str) -> Formats:
    """Return words and formats for a locale; its language's words if there are any, else English.

    A locale that CLDR does not know falls back to its language, then to English.
    """
    normal = normalise(locale)
    words = next((found for one in candidates(normal) if (found := _phrases(one))), None)
    for one in (*candidates(normal), DEFAULT_LANGUAGE):
        try:
            known = Locale.parse(one)
        except (UnknownLocaleError, ValueError):
            continue
        return Formats(known, words or _phrases(DEFAULT_LANGUAGE) or {})
    raise AssertionError("CLDR always knows English")


class Formats:
    """Words of one language, and numbers and dates of one locale."""

    def __init__(self, locale: Locale, phrases: Mapping[str, Any]) -> None:
        self.locale = str(locale)
        self.phrases = phrases
        self._babel = locale
        self._symbols = _symbols(locale)
        style = get_date_format(phrases.get("date_style", "medium"), locale)
        self._date_text = lru_cache(1024)(lambda day: style.apply(day, locale))

    def phrase(self, name: str) -> str:
        """Return one of the language's own words or patterns."""
        return str(self.phrases[name])

    def headline(self, event: str, entity: str) -> str:
        """Return the pattern of a headline, in the grammatical gender of the entity's word."""
        gender = self.phrases.get("genders", {}).get(entity)
        return str(self.phrases.get(f"{event}_{gender}") or self.phrases[event])

    def label(self, name: str, entity: str = "") -> str:
        """Return what a field, an entity or a severity is called: "due_date" -> "due date"."""
        fields = self.phrases["fields"]
        found = fields.get(f"{entity}.{name}") or fields.get(name)
        found = found or self.phrases["entities"].get(name) or self.phrases["levels"].get(name)
        return str(found or name.replace("_", " "))

    def number(self, value: Decimal, decimals: int = 0) -> str:
        """Format an exact number with at least `decimals` decimals; nothing is rounded away."""
        return self._format(value, decimals, None)

    def money(self, value: Decimal, currency: str | None) -> str:
        """Format an amount with its ISO currency code: "75 000,00 SEK"."""
        if not currency or not _CURRENCY.fullmatch(currency):
            text = self._format(value, 2, None)
            return f"{text} {currency}" if currency else text
        return self._format(value, get_currency_precision(currency), currency)

    def date(self, value: date) -> str:
        """Format a day."""
        text: str = self._date_text(value)
        return text

    def value(self, name: str, value: Any, currency: str | None = None) -> str:
        """Format any field for a reader; unknown, yes and no are words."""
        if isinstance(value, str):
            return value or self.phrase("unknown")
        if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
            is_money = _MONEY_NAMES.search(name)
            return self.money(Decimal(value), currency) if is_money else self.number(Decimal(value))
        if isinstance(value, date):
            return self.date(value)
        if isinstance(value, (tuple, list)):
            if any(isinstance(one, Mapping) for one in value):
                return str(len(value))  # rows: their number is all that fits in a message
            return ", ".join(self.value(name, one, currency) for one in value)
        words = {None: "unknown", True: "yes", False: "no"}
        return self.phrase(words[value]) if value in words else str(value)

    def _format(self, value: Decimal, decimals: int, currency: str | None) -> str:
        if not value.is_finite() or abs(value.adjusted()) > _MAX_DIGITS:
            return str(value)
        exponent = value.normalize().as_tuple().exponent
        needed = min(-exponent, _MAX_DECIMALS) if isinstance(exponent, int) else 0
        shown = max(decimals, needed, 0)
        unit = f"\u00a0{currency}" if currency else ""
        if self._symbols is None:
            whole = self._babel.decimal_formats[None].pattern.partition(".")[0]
            pattern = parse_pattern(f"{whole}.{'0' * shown}" if shown else whole)
            return f"{pattern.apply(value, self._babel)}{unit}"
        text = f"{value:,.{shown}f}"
        if not value:
            text = text.lstrip("-")
        return f"{text.translate(self._symbols)}{unit}"


def _symbols(locale: Locale) -> dict[int, str] | None:
    """Return what Python's separators are in a locale, or None where digits group otherwise.

    Babel needs 30 microseconds for a number, and a message has several; where groups are of three
    digits, which is nearly everywhere, Python's own exact formatting gives the same.
    """
    if locale.decimal_formats[None].grouping != (3, 3):
        return None
    symbols = {",": get_group_symbol(locale), ".": get_decimal_symbol(locale)}
    return str.maketrans({**symbols, "-": get_minus_sign_symbol(locale)})
