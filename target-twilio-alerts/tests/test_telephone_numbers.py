"""No telephone number of a supplier's record reaches a message: its bank details may be forged."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from singer import CONTEXT

from target_twilio_alerts.ledger import runs, versions
from target_twilio_alerts.ledger.tables import message_contents
from target_twilio_alerts.messages import Messages, hide_numbers
from target_twilio_alerts.notify.follow_up import FollowUp
from target_twilio_alerts.rules import load_alerts

STREAM, KEY = "suppliers", ["tenant_id", "number"]
START = datetime(2026, 11, 25, 10, tzinfo=timezone.utc)
NUMBERS = [
    "+46 70-174 06 05",
    "0046701740605",
    "08-123 45 67",
    "(0)70 1740605",
    "22 12 34 56",
    "\u0660\u0667\u0660-\u0661\u0667\u0664\u0660\u0666\u0660\u0665",
]
CHANGED = "payment_details != previous.payment_details and record.mainContact.phone1 is not null"
LOCALES = ["sv_SE", "nb_NO", "da_DK", "fi_FI", "en"]
EVERYTHING = """
{{ counterparty }} {{ record.mainContact.phone1 }} {{ previous.record.mainContact.phone1 }}
{% for change in changes %}{{ change.before }} {{ change.after }}{% endfor %}
{{ vat_number }} {{ corporate_id }} {{ payment_terms }}
"""


def supplier(account, number, **fields):
    return {
        **CONTEXT,
        "number": "50042",
        "name": f"Kontorsbolaget, ring {number}",
        "vatRegistrationId": f"ring {number}",
        "corporateId": number,
        "creditTerms": {"id": number},
        "supplierPaymentMethodDetails": [{"paymentMethodDetailValue": account}],
        "mainContact": {"phone1": number},
        "lastModifiedDateTime": f"2026-11-2{account[0]}T10:00:00",
        **fields,
    }


def told(desk, number, **rule):
    """All that is told when the account changes, at once and in the digest of the evening."""
    desk.clock = lambda: START
    file = {
        "recipients": {
            f"r{place}": {
                "name": "Anna Berg",
                "sms": f"+4670174060{place}",
                "voice": f"+4670174060{place}",
                "whatsapp": f"+4670174060{place}",
                "email": f"a{place}@example.com",
                "locale": locale,
            }
            for place, locale in enumerate(LOCALES)
        },
        "groups": {"all": [f"r{place}" for place in range(len(LOCALES))]},
    }
    desk.rule(rule.pop("when", CHANGED), file=file, entity="supplier", notify="all", **rule)
    with desk.ledger.write() as connection:
        versions.add_complete_read(
            connection, stream=STREAM, context=CONTEXT, at=START, run_id=desk.run_id, reason="test"
        )
    for account in ("1234567", "2345678"):
        desk.read(supplier(account, number), stream=STREAM, key=KEY)
    run = runs.start(desk.ledger, command="deliver", version="0", body={})
    FollowUp(
        desk.ledger,
        load_alerts(desk.file),
        Messages(None),
        run=run,
        clock=lambda: START + timedelta(days=1),
    ).take()
    columns = message_contents.c
    rows = desk.rows(
        sa.select(columns.subject, columns.text, columns.html, columns.content_variables)
    )
    return [text for row in rows for text in row if text is not None]


def digits_of(text):
    """Its digits, in runs that no word parts: what a reader could dial."""
    plain = "".join(str(int(one)) if one.isdecimal() else one for one in text)
    return re.sub(r"[^0-9A-Za-z<>]", "", plain)


def leaves_out(texts, number):
    dialled = digits_of(number)
    return texts and not any(dialled[-7:] in digits_of(text) for text in texts)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "rule",
    [
        {"via": ["sms", "email", "voice"]},
        {"via": ["sms", "email"], "digest": {"daily": "16:30"}},
        {
            "via": "whatsapp",
            "content_sid": "HX00000000000000000000000000000001",
            "content_variables": {"1": "counterparty", "2": "corporate_id"},
        },
        {
            "via": "sms",
            "when": 'category == "x" and payment_terms != "x" and record.mainContact.phone1 != "x"',
            "undecided": {"notify": "all", "via": ["sms", "email"]},
        },
    ],
    ids=["at once", "digest", "whatsapp", "undecided"],
)
def test_no_built_in_text_of_any_language_has_a_number_of_the_record(desk, number, rule):
    assert leaves_out(told(desk, number, **rule), number)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("channel", ["sms", "email", "voice"])
def test_no_own_template_can_print_one(desk, tmp_path, number, channel):
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / f"rule.{channel}.j2").write_text(EVERYTHING, encoding="utf-8")
    if channel == "email":
        html = f"<table>{EVERYTHING}</table>"
        (folder / "rule.email.html.j2").write_text(html, encoding="utf-8")
    texts = told(desk, number, via=channel)
    assert leaves_out(texts, number)
    assert any("Kontorsbolaget, ring" in text for text in texts)


@given(st.from_regex(r"\+?[0-9](?:[ ().\-/]{0,2}[0-9]){5,14}", fullmatch=True))
def test_whatever_can_be_dialled_keeps_three_digits(number):
    (shown,) = hide_numbers({"counterparty": f"Ring {number} nu"}).values()
    assert len(re.sub(r"\D", "", shown.removeprefix("Ring +"))) <= 5


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("number", "0050042"),
        ("vat_number", "SE556677889901"),
        ("payment_details", "..7466 (34d9), ..1122 (9ab0)"),
        ("counterparty", "Studio 54"),
    ],
)
def test_what_the_company_or_a_register_numbered_stays(name, kept):
    assert hide_numbers({name: kept}) == {name: kept}
