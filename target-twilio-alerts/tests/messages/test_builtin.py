from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.messages import MessageContext, Messages, count_segments

MESSAGES = Messages(None)
WORDS = files("target_twilio_alerts.messages") / "templates"
LOCALES = ("en", "sv", "nb", "da", "fi")


def sms(context, locale="en"):
    return MESSAGES.render(context, channel="sms", locale=locale, template=None)


def email(context, locale="en"):
    return MESSAGES.render(context, channel="email", locale=locale, template=None)


def test_a_new_invoice_in_english(make):
    assert sms(make()).text == (
        "Acme Nordic AB: New supplier invoice 100234, Kontorsgrossisten i Malmö AB, 75,000.00 SEK, "
        'status Balanced, due Feb 1, 2026, "Office chairs". Ref 7K2QM9'
    )


def test_a_new_invoice_in_swedish(make):
    assert sms(make(), "sv_SE").text == (
        "Acme Nordic AB: Ny leverantörsfaktura 100234, Kontorsgrossisten i Malmö AB, "
        '75 000,00 SEK, status Balanced, förfaller 2026-02-01, "Office chairs". Ref 7K2QM9'
    )


def test_a_changed_invoice_says_what_it_was_and_what_it_is(make):
    context = make(
        {"amount": Decimal(40000), "status": "Balanced"}, amount=Decimal(62000), status="Closed"
    )
    assert sms(context, "sv").text == (
        "Acme Nordic AB: Leverantörsfaktura 100234 ändrad, Kontorsgrossisten i Malmö AB, "
        "belopp 40 000,00 -> 62 000,00 SEK, status Balanced -> Closed. Ref 7K2QM9"
    )
    told = email(context)
    assert "Amount: 40,000.00 -> 62,000.00" in told.text.replace("\u00a0", " ")
    assert told.subject.startswith("[High] Supplier invoice 100234 changed: 62,000.00")


def test_a_changed_currency_is_said_on_both_sides(make):
    context = make({"currency": "SEK"}, currency="EUR")
    assert "amount 75,000.00 SEK -> 75,000.00 EUR" in sms(context).text


def test_an_amount_that_becomes_known_or_unknown_reads_well(make):
    assert "amount unknown -> 75,000.00 SEK" in sms(make({"amount": None})).text
    assert (
        "amount 75,000.00 SEK -> unknown" in sms(make({"amount": Decimal(75000)}, amount=None)).text
    )


def test_a_document_that_did_not_change_is_neither_new_nor_changed(make):
    assert "Supplier invoice 100234, " in sms(make({})).text


def test_a_type_is_said_unless_the_entity_says_it(make):
    assert "supplier invoice 100234 (CreditAdj)" in sms(make(type="CreditAdj")).text
    assert "(Invoice)" not in sms(make()).text


def test_unknown_fields_are_said_to_be_unknown(make):
    context = make(values=dict.fromkeys(make().values))
    assert sms(context).text == (
        "New supplier invoice, supplier unknown, amount unknown, rule large-supplier-invoice. "
        "Ref 7K2QM9"
    )
    told = email(context, "sv")
    assert told.subject == "[Viktigt] Ny leverantörsfaktura: belopp saknas, leverantör saknas"
    assert "Förfallodatum: saknas" in told.text
    for text in (told.text, told.html, told.subject):
        assert "None" not in text


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("previous", [None, {"amount": Decimal(1)}])
def test_every_entity_has_both_channels_in_every_language(make, entity, locale, previous):
    context = make(previous, entity=entity)
    short, long = sms(context, locale), email(context, locale)
    assert (short.locale, short.template) == (locale, f"built-in/{entity}.sms")
    assert (short.encoding, short.segments, short.problem) == ("GSM-7", 1, None)
    for text in (short.text, long.text, long.html):
        assert "100234" in text
        assert "Acme Nordic AB" in text
        assert "7K2QM9" in text
    assert short.text.endswith(" 7K2QM9")
    assert "_" not in long.text


@pytest.mark.parametrize(
    ("locale", "entity", "new", "changed"),
    [
        ("sv_SE", "supplier_invoice", "Ny leverantörsfaktura", "Leverantörsfaktura {} ändrad,"),
        ("sv_SE", "account", "Nytt konto", "Konto {} ändrat,"),
        ("nb_NO", "journal_transaction", "Nytt bilag", "Bilag {} endret,"),
        ("nn_NO", "customer_invoice", "Ny kundefaktura", "Kundefaktura {} endret,"),
        ("no", "credit_term", "Nye betalingsbetingelser", "Betalingsbetingelser {} endret,"),
        ("da_DK", "project", "Nyt projekt", "Projekt {} ændret,"),
        ("fi_FI", "supplier_invoice", "Uusi ostolasku", "Ostolasku {} muuttui,"),
        ("en_GB", "vat", "New VAT code", "VAT code {} changed,"),
    ],
)
def test_headlines_agree_with_their_words(make, locale, entity, new, changed):
    assert f": {new} 100234" in sms(make(entity=entity, type=None), locale).text
    told = sms(make({"status": "Open"}, entity=entity, type=None), locale).text
    assert f": {changed.format('100234')}" in told


def test_an_entity_of_the_companys_own_and_its_fields_are_named_as_they_are(make):
    context = make(entity="expense_report", values={"number": "7", "cost_centre": "Oslo"})
    assert sms(context).text.startswith("New expense report 7, ")
    assert "Cost centre: Oslo" in email(context).text


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "severity high"),
        ("sv_SE", "allvarlighetsgrad hög"),
        ("nb_NO", "alvorlighetsgrad høy"),
        ("da_DK", "alvorlighedsgrad høj"),
        ("fi_FI", "vakavuus korkea"),
    ],
)
def test_how_severe_it_is_is_said_in_the_readers_language(make, locale, words):
    told = email(make(), locale)
    assert f"({words})" in told.text
    assert f"({words})" in told.html


def test_all_languages_have_the_same_words():
    english = json.loads((WORDS / "en.json").read_text(encoding="utf-8"))
    for locale in LOCALES:
        words = json.loads((WORDS / f"{locale}.json").read_text(encoding="utf-8"))
        for part in ("entities", "fields", "levels", "severities"):
            assert words[part].keys() == english[part].keys(), (locale, part)
        assert english.keys() <= words.keys()
        fields = {name for entity in ENTITIES.values() for name in entity.fields}
        assert fields <= words["fields"].keys() | words["entities"].keys()
        assert ENTITIES.keys() == words["entities"].keys()


name = st.text(st.sampled_from("ABCdefÅÄÖåäö &.-12"), min_size=1, max_size=30)


@given(
    name,
    st.sampled_from(list(ENTITIES)),
    st.decimals(Decimal("-9999999.99"), Decimal("9999999.99"), places=2),
    st.sampled_from(LOCALES),
    st.booleans(),
)
def test_usual_messages_fit_one_segment(counterparty, entity, amount, locale, changed):
    values = {
        "company": "Acme Nordic AB",
        "number": "100234",
        "status": "Balanced",
        "amount": amount,
        "currency": "SEK",
        "counterparty": counterparty,
        "due_date": date(2026, 12, 31),
        "description": "Kontorsmöbler till nya lokalen i Göteborg",
    }
    previous = {**values, "amount": amount + 1} if changed else None
    context = MessageContext("large-invoice", "high", entity, values, previous, "7K2QM9")
    told = sms(context, locale)
    assert (told.encoding, told.segments) == ("GSM-7", 1)
    assert told.text.endswith(" 7K2QM9")


anything = st.text(max_size=2500)


@given(st.tuples(*[anything] * 4), st.booleans(), st.sampled_from(["sms", "email"]))
def test_no_field_however_odd_breaks_a_message(odd, changed, channel):
    first, second, third, fourth = odd
    values = {
        "company": first,
        "number": second,
        "type": third,
        "counterparty": fourth,
        "description": first + second,
        "status": third,
        "currency": fourth,
        "amount": Decimal("1E+999"),
        "lines": (first, second),
    }
    previous = {**values, "status": "x", "description": third} if changed else None
    context = MessageContext("r", "odd", "supplier_invoice", values, previous, "7K2QM9")
    told = MESSAGES.render(context, channel=channel, locale="sv", template=None)
    told.text.encode("utf-8")
    if channel == "sms":
        assert len(told.text) <= 1600
        assert told.text.endswith("Ref 7K2QM9")
        assert told.text.isprintable() or not any(ord(one) < 32 for one in told.text)
        assert told.segments == count_segments(told.text).segments
    else:
        assert "\n" not in told.subject
        assert "\r" not in told.subject
        assert len(told.subject) <= 200


def test_long_free_text_is_cut_with_dots(make):
    context = make({"description": "y"}, description="x" * 5000)
    assert len(sms(context).text) <= 1600
    assert "x..." in email(context).text


def test_line_breaks_in_a_field_forge_neither_lines_nor_headers(make):
    context = make(counterparty="Eve\r\nBcc: all@example.com\nRef AAAAAA", number="1\n2\x00\u202e3")
    told = email(context)
    start = "[High] New supplier invoice 1 2 3: 75,000.00 SEK, Eve Bcc: all@example.com"
    assert told.subject.startswith(start)
    assert told.subject.isprintable()
    assert "\n" not in sms(context).text
    assert "\nBcc" not in told.text
    assert "\u202e" not in told.html


def test_a_full_iban_reaches_no_message(make):
    context = make(
        {"bank_account": "NO9386011117947"}, bank_account="SE45 5000 0000 0583 9825 7466"
    )
    told = email(context)
    for text in (told.text, told.html, sms(context).text):
        assert "5000 0000 0583" not in text
        assert "86011117947" not in text
    assert "SE45****7466" in told.text


class Outline(HTMLParser):
    """Checks that tags pair up, and collects what a reader sees."""

    VOID = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open, self.tags, self.seen = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.seen.append(data.strip())


@given(st.text(st.sampled_from("<>&\"'{}%#ab/= "), min_size=1, max_size=30))
def test_html_from_any_field_is_escaped_and_well_formed(text):
    values = {"number": text, "company": text, "counterparty": f"<script>{text}", "status": text}
    previous = {**values, "status": "<b>"}
    context = MessageContext(text, text, "supplier_invoice", values, previous, "7K2QM9")
    outline = Outline()
    outline.feed(email(context).html)
    outline.close()
    assert outline.open == []
    assert not {"script", "b", "a", "img"} & set(outline.tags)
    assert " ".join(f"<script>{text}".split()) in " ".join(" ".join(outline.seen).split())


def test_the_html_is_one_card_that_needs_nothing_from_outside(make):
    html = email(make({"status": "Open"})).html
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html
    assert not re.search(r"https?://|<img|<link|<script|url\(", html)
    assert len(html) < 20_000


def test_html_says_the_language_it_is_in(make):
    assert '<html lang="sv">' in email(make(), "sv_SE").html
    assert '<html lang="nb">' in email(make(), "nb_NO").html
    assert '<html lang="en">' in email(make(), "et_EE").html
