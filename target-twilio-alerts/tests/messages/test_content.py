"""What fills the placeholders of a content template."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from target_twilio_alerts.messages import MessageContext, fill_variables

VALUES = {
    "number": "900001",
    "amount": Decimal("75000.5"),
    "currency": "SEK",
    "due_date": date(2026, 12, 1),
    "counterparty": "Kontors-\n  bolaget\tAB",
    "description": "till SE35 5000 0000 0549 1000 0003",
    "status": None,
    "period": "",
}


def filled(*names, locale="sv_SE"):
    context = MessageContext(
        rule="large",
        severity="high",
        entity="supplier_invoice",
        values=VALUES,
        previous=None,
        reference="7K2QM9",
    )
    pairs = [(str(number), name) for number, name in enumerate(names, start=1)]
    return list(fill_variables(pairs, context, locale).values())


def test_money_and_dates_are_as_the_recipient_writes_them():
    assert filled("amount", "number") == ["75 000,50 SEK", "900001"]
    assert filled("amount", locale="en") == ["75,000.50 SEK"]
    assert filled("due_date") == ["2026-12-01"]


def test_a_value_is_one_line_and_never_empty_because_whatsapp_refuses_others():
    assert filled("counterparty", "status", "period") == ["Kontors- bolaget AB", "-", "-"]


def test_a_bank_account_is_never_written_out():
    assert "5491" not in filled("description")[0]


def test_the_alert_itself_can_be_named():
    assert filled("reference", "rule", "severity") == ["7K2QM9", "large", "high"]


def test_a_long_value_is_cut():
    VALUES["number"] = "9" * 500
    try:
        assert len(filled("number")[0]) <= 200
    finally:
        VALUES["number"] = "900001"
