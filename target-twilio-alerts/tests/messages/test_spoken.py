"""What a call says: words that can be spoken, short enough to be listened to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.documents import ENTITIES
from target_twilio_alerts.messages import MessageContext, Messages

MESSAGES = Messages(None)


def spoken(context, locale="en", messages=MESSAGES):
    return messages.render(context, channel="voice", locale=locale, template=None)


def test_a_new_invoice_is_told_by_what_matters(make):
    told = spoken(make(), "sv_SE")
    assert told.text == (
        "Acme Nordic AB: Ny leverantörsfaktura 100234, Kontorsgrossisten i Malmö AB, "
        "75000,00 SEK, status Balanced. Ref 7K2QM9."
    )
    assert (told.locale, told.template) == ("sv_SE", "built-in/supplier_invoice.voice")
    assert (told.subject, told.html, told.encoding, told.segments) == (None, None, None, None)


@pytest.mark.parametrize(
    ("locale", "change"),
    [
        ("en", "amount changed from 40,000.00 to 62,000.00 SEK"),
        ("sv", "belopp ändrat från 40000,00 till 62000,00 SEK"),
        ("nb", "40000,00 til 62000,00 SEK"),
        ("da", "40.000,00 til 62.000,00 SEK"),
        ("fi", "40000,00"),
    ],
)
def test_a_change_is_said_in_words_and_not_by_an_arrow(make, locale, change):
    told = spoken(make({"amount": Decimal(40000)}, amount=Decimal(62000)), locale).text
    assert change in told
    assert "->" not in told


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("locale", ["en", "sv", "nb", "da", "fi"])
def test_every_entity_is_told_in_every_language(make, entity, locale):
    told = spoken(make({"status": "Open"}, entity=entity), locale)
    assert told.problem is None
    assert "100234" in told.text
    assert told.text.endswith(" 7K2QM9.")


def test_an_amount_is_one_number_and_other_words_stay_apart(make):
    assert "1234567,50 SEK" in spoken(make(amount=Decimal("1234567.5")), "fi_FI").text
    assert "1,234,567.50 SEK" in spoken(make(amount=Decimal("1234567.5")), "en").text
    assert "Hall 7 500" in spoken(make(counterparty="Hall 7 500"), "sv").text


def test_a_later_step_says_that_it_is_one(make):
    assert "Eskalerat: Ny" in spoken(replace(make(), step=1), "sv").text


def test_a_bank_account_is_not_read_out(make):
    told = spoken(make(counterparty="SE45 5000 0000 0583 9825 7466")).text
    assert "0583" not in told


anything = st.text(max_size=2500)


@given(st.tuples(*[anything] * 4), st.booleans())
def test_whatever_is_in_a_document_is_one_line_that_ends_with_its_reference(odd, changed):
    first, second, third, fourth = odd
    values = {
        "company": first,
        "number": second,
        "type": third,
        "counterparty": fourth,
        "status": third,
        "currency": fourth,
        "amount": Decimal("1E+999"),
    }
    previous = {**values, "status": "x", "amount": None} if changed else None
    context = MessageContext("r", "odd", "supplier_invoice", values, previous, "7K2QM9")
    told = spoken(context, "sv").text
    assert len(told) <= 1000
    assert told.endswith("Ref 7K2QM9.")
    assert told == " ".join(told.split())


def test_an_own_text_is_read_in_its_readers_language_on_one_line_and_cut(make, tmp_path):
    name = "large-supplier-invoice.voice.j2"
    (tmp_path / name).write_text("{{ amount | money(currency) }},\n  call back.\n", "utf-8")
    told = spoken(make(), "nb_NO", Messages(tmp_path))
    assert (told.text, told.locale, told.template) == (
        "75000,00 SEK, call back.",
        "nb_NO",
        name,
    )
    (tmp_path / name).write_text("word " * 1000, "utf-8")
    long = spoken(make(), "nb_NO", Messages(tmp_path))
    assert len(long.text) <= 1000
    assert long.text.endswith("...")
    assert long.problem == (
        f"{name}: a call says 1000 characters at most, and the 4999 of the text were cut"
    )


def test_an_own_text_that_fails_costs_no_call(make, tmp_path):
    (tmp_path / "large-supplier-invoice.voice.j2").write_text("{{ amonut }}", "utf-8")
    told = spoken(make(), "sv", Messages(tmp_path))
    assert told.template == "built-in/supplier_invoice.voice"
    assert told.problem.startswith("large-supplier-invoice.voice.j2:1: ")


def test_the_text_of_an_sms_is_not_read_out(make, tmp_path):
    (tmp_path / "large-supplier-invoice.sms.j2").write_text("SMS", "utf-8")
    assert "SMS" not in spoken(make(), "en", Messages(tmp_path)).text
