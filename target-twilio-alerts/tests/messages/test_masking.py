from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.messages import (
    MessageContext,
    Messages,
    mask_address,
    mask_contacts,
    mask_ibans,
    mask_text,
    mask_words,
)
from target_twilio_alerts.messages.masking import _IBAN_LENGTHS


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("+46701740605", "+46*****605"),
        ("whatsapp:+46701740605", "whatsapp:+46*****605"),
        ("anna@example.com", "a***@example.com"),
        ("0701740605", "*****605"),
        ("12345", "*****"),
        ("", "*****"),
    ],
)
def test_an_address_keeps_what_its_owner_knows_it_by(given, expected):
    assert mask_address(given) == expected


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_no_number_survives_in_any_sentence(number):
    assert number[1:] not in mask_text(f"The 'To' number {number} is not valid")
    assert number[1:] not in mask_text(f"GET /Messages.json?To=%2B{number[1:]}&Page=0")
    assert number not in mask_address(number)


@pytest.mark.parametrize(
    "kept",
    [
        "error 21211 on 2026-02-01",
        "/2010-04-01/Accounts/AC12345678901234567890123456789012/Messages.json",
        "HTTP 429, 100 of 100",
    ],
)
def test_codes_dates_and_sids_stay_readable(kept):
    assert mask_text(kept) == kept


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("call 070-174 06 05 now", "call *****605 now"),
        ("call 0046 70 174 06 05", "call *****605"),
        ("call +46 (0)70 174 06 05", "call +46*****605"),
        ("tel:0701740605, or Nr.070/174 06 05", "tel:*****605, or Nr.*****605"),
        ("070 - 174 06 05; 070\u2013174 06 05", "*****605; *****605"),
        ("+46/701740605 or +46\u201170\u2011174\u201106\u201105", "+46*****605 or +46*****605"),
        ("+46\u00a070\u00a0174\u00a006\u00a005, (070) 174 06 05", "+46*****605, (*****605"),
        ("\uff10\uff17\uff10\uff11\uff17\uff14\uff10\uff16\uff10\uff15", "*****605"),
        ("to 46701740605 or anna.berg@example.com", "to *****605 or a***@example.com"),
    ],
)
def test_what_a_person_writes_of_addresses_is_masked(words, masked):
    assert mask_words(words) == masked
    assert mask_text(words) == masked


@pytest.mark.parametrize(
    "kept",
    [
        "invoice 1002345 of 01.12.2026, 1234567.89 SEK",
        "amount 1500000 > 50000",
        "order 2026-0001 on 2026-02-01 10:00, due 31-12-2026",
        "0.1234567890 of 100 at 12:00:00.123456",
        "paid 12 345 678,90 on 01/12/2026 - 31/12/2026, 5 % of 200",
    ],
)
def test_amounts_days_and_document_numbers_are_left_in_peoples_words(kept):
    assert mask_words(kept) == kept
    assert mask_contacts(kept) == kept


def test_of_what_a_document_says_only_clear_addresses_are_masked():
    title = "Deal 46701740605 of anna.berg@example.com, +46 70-174 06 05"
    assert mask_contacts(title) == "Deal 46701740605 of a***@example.com, +46*****605"


def test_email_addresses_in_a_sentence_are_masked():
    assert mask_text("to anna.berg@example.co.uk.") == "to a***@example.co.uk."


@pytest.mark.parametrize("between", [",", ";", "+", "%2C", "%20", ".+", "><", "=", "@"])
def test_no_email_address_survives_beside_another(between):
    given = f"?to=anna.berg@example.com{between}bo.ek@example.com{between}cia@example.com&x=1"
    masked = mask_text(given)
    assert masked.startswith("?to=a***@example.com")
    assert [name for name in ("anna", "bo.", "ek@", "cia") if name in masked] == []


@pytest.mark.parametrize("one", ["x", "x.", "+", "%", "a@", "a@b-", "a@b.", "a@b.c+", "0", "0-"])
def test_a_long_word_is_looked_through_once(one):
    begun = time.perf_counter()
    mask_text(one * (200_000 // len(one)))
    # Looked through from each of its characters, it would take minutes.
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("SE45 5000 0000 0583 9825 7466", "SE45****7466"),
        ("se4550000000058398257466", "se45****7466"),
        ("SE45-5000-0000-0583-9825-7466", "SE45****7466"),
        ("SE45\u00a05000\u00a00000\u00a00583\u00a09825\u00a07466.", "SE45****7466."),
        ("IBANNO9386011117947", "IBANNO93****7947"),
        ("kontoNO9386011117947ok", "kontoNO93****7947ok"),
        ("SE45  5000.0000/0583 - 9825 7466", "SE45****7466"),
        ("SE45\u20115000\u20130000\u202f0583|9825,7466", "SE45****7466"),
        ("\uff33\uff25\uff14\uff15 5000 0000 0583 9825 7466", "SE45****7466"),
        ("SE45 5000\n0000 0583\r\n9825 7466", "SE45****7466"),
        (
            "FI21 1234 5600 0007 85 -> DK50 0040 0440 1162 43",
            "FI21****0785 -> DK50****6243",
        ),
    ],
)
def test_a_full_iban_is_masked_however_it_is_written(given, expected):
    assert mask_ibans(given, in_any_digits=True) == expected


@pytest.mark.parametrize(
    "kept",
    [
        "SE45 5000 0000 0583 9825 7467",  # the checksum is wrong
        "PO2026000012345678901234",
        "OCR 12345678901234567890123",
        "SE45 5000",
        "",
    ],
)
def test_what_is_no_iban_stays(kept):
    assert mask_ibans(kept) == kept


@given(st.text(max_size=300))
def test_masking_never_fails_and_is_done_once(text):
    assert mask_ibans(mask_ibans(text)) == mask_ibans(text)
    assert mask_text(mask_text(text)) == mask_text(text)


IBAN = "SE45 5000 0000 0583 9825 7466"


@pytest.mark.parametrize("channel", ["sms", "email", "whatsapp", "voice"])
def test_an_iban_that_a_cut_or_a_new_line_parts_is_masked_too(tmp_path, channel):
    (tmp_path / f"own.{channel}.j2").write_text("{{ description | wordwrap(12) }}\n\n.")
    values = {"counterparty": f"{IBAN} Bank", "description": IBAN, "articles": (IBAN,)}
    context = MessageContext("r", "high", "supplier_invoice", values, None, "7K2QM9")
    for template in ("own", None):
        told = Messages(tmp_path).render(context, channel=channel, locale="sv", template=template)
        for text in filter(None, (told.subject, told.text, told.html)):
            assert "50000000" not in re.sub(r"<br>|[^0-9]", "", text)


@given(
    st.sampled_from(sorted(_IBAN_LENGTHS)),
    st.text(st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), min_size=29, max_size=29),
    st.sampled_from(["", " ", "-", "\u00a0", "  ", "."]),
    st.booleans(),
    st.sampled_from(["", "Konto ", "iban:", "x"]),
)
def test_no_iban_of_any_country_survives_in_any_message(country, rest, gap, small, before):
    body = rest[: _IBAN_LENGTHS[country] - 4]
    digits = "".join(str(int(one, 36)) for one in f"{body}{country}00")
    iban = f"{country}{98 - int(digits) % 97:02}{body}"
    written = gap.join(iban[at : at + 4] for at in range(0, len(iban), 4))
    written = written.lower() if small else written
    context = MessageContext(
        rule="large",
        severity="high",
        entity="supplier_invoice",
        values={"number": "1", "description": f"{before}{written}", "counterparty": written},
        previous=None,
        reference="7K2QM9",
    )
    for channel in ("sms", "whatsapp", "email"):
        told = Messages(None).render(context, channel=channel, locale="sv", template=None)
        for text in filter(None, (told.subject, told.text, told.html)):
            plain = re.sub(r"[^0-9a-z]", "", text.lower())
            assert iban.lower() not in plain
