from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest
from babel.numbers import format_currency, parse_decimal
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.messages.locales import builtin_formats, formats

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("sv_SE", f"1{NBSP}234{NBSP}567,50{NBSP}SEK"),
        ("nb_NO", f"1{NBSP}234{NBSP}567,50{NBSP}SEK"),
        ("da", f"1.234.567,50{NBSP}SEK"),
        ("en", f"1,234,567.50{NBSP}SEK"),
        ("en_IN", f"12,34,567.50{NBSP}SEK"),
        ("de_CH", f"1\u2019234\u2019567.50{NBSP}SEK"),
    ],
)
def test_money_is_written_as_its_reader_writes_it(locale, expected):
    assert formats(locale).money(Decimal("1234567.5"), "SEK") == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("5", "JPY", f"5{NBSP}JPY"),
        ("5", "KWD", f"5.000{NBSP}KWD"),
        ("5.125", "SEK", f"5.125{NBSP}SEK"),
        ("-0.00", "SEK", f"0.00{NBSP}SEK"),
        ("1E+3", "SEK", f"1,000.00{NBSP}SEK"),
        ("5", None, "5.00"),
        ("5", "kr.", "5.00 kr."),
        ("1E+400", "SEK", "1E+400"),
        ("NaN", "SEK", "NaN"),
    ],
)
def test_money_has_its_currencys_decimals_and_loses_none(amount, currency, expected):
    assert formats("en").money(Decimal(amount), currency) == expected


@given(
    st.decimals(-(10**15), 10**15, places=2),
    st.sampled_from(["sv", "nb", "da", "fi", "en", "en_GB", "de", "fr", "et", "pl", "is"]),
)
def test_an_amount_reads_back_as_itself_and_as_babel_writes_it(value, locale):
    text = formats(locale).number(value, 2)
    assert parse_decimal(text.replace("\u2212", "-"), locale=locale, strict=False) == value
    if value:
        babel = format_currency(value, "SEK", "#,##0.00", locale=locale)
        assert text.replace("\u2212", "-") == babel.replace("\u2212", "-")


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("sv_SE", "2026-02-01"),
        ("en", "Feb 1, 2026"),
        ("en_GB", "1 Feb 2026"),
        ("nb", "01.02.2026"),
        ("da_DK", "01.02.2026"),
        ("fi", "1.2.2026"),
        ("de", "01.02.2026"),
    ],
)
def test_dates_are_written_as_their_reader_writes_them(locale, expected):
    assert formats(locale).date(date(2026, 2, 1)) == expected


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sv_SE", "sv_SE"),
        ("sv-FI", "sv_FI"),
        ("sv_SE.UTF-8", "sv_SE"),
        ("sv_XX", "sv"),
        ("nb_NO", "nb_NO"),
        ("nn_NO", "nn_NO"),
        ("no", "no"),
        ("et_EE", "en"),
        ("en_GB", "en_GB"),
        ("tlh", "en"),
        ("", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_a_built_in_text_falls_back_to_the_language_and_then_to_english(given, used):
    assert builtin_formats(given).locale == used


def test_a_field_is_called_what_it_is_for_its_entity():
    swedish = formats("sv")
    assert swedish.label("counterparty", "supplier_invoice") == "leverantör"
    assert swedish.label("counterparty") == "motpart"
    assert swedish.label("supplier_invoice") == "leverantörsfaktura"
    assert swedish.label("cost_centre") == "cost centre"


OPTIONAL = {"genders", "new_neuter", "new_plural", "changed_neuter", "changed_plural"}
"""What a language has if its grammar asks for it."""


@pytest.mark.parametrize("language", ["sv", "nb", "da", "fi"])
def test_each_language_has_the_words_of_the_english_one(language):
    assert _names(language) == _names("en")
    words = _words(language)
    assert set(words.get("genders", {})) <= set(ENTITIES)
    for gender in set(words.get("genders", {}).values()):
        assert f"new_{gender}" in words


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=ENTITIES)
def test_each_entity_and_each_of_its_fields_has_a_word(entity):
    words = _words("en")
    assert entity.name in words["entities"]
    assert set(entity.fields) <= set(words["fields"])


def _names(language):
    return {
        (key, inner)
        for key, value in _words(language).items()
        for inner in (value if isinstance(value, dict) else [""])
        if key not in OPTIONAL
    }


def _words(language):
    source = files("target_twilio_alerts.messages") / "templates" / f"{language}.json"
    return json.loads(source.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "unknown"),
        ("", "unknown"),
        (True, "yes"),
        (Decimal("1.50"), "1.5"),
        (("a", "b"), "a, b"),
        (({"line": 1}, {"line": 2}), "2"),
    ],
)
def test_any_value_reads_well(value, expected):
    assert formats("en").value("field", value) == expected
