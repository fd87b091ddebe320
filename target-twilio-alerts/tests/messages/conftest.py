"""An invoice to write about, and the API contracts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from target_twilio_alerts.messages import MessageContext

INVOICE = {
    "company": "Acme Nordic AB",
    "type": "Invoice",
    "number": "100234",
    "status": "Balanced",
    "amount": Decimal("75000.00"),
    "currency": "SEK",
    "base_amount": Decimal("75000.00"),
    "counterparty": "Kontorsgrossisten i Malmö AB",
    "date": date(2026, 1, 2),
    "due_date": date(2026, 2, 1),
    "description": "Office chairs",
}


@pytest.fixture
def make():
    """Make an alert; `previous` gives the fields that were other before."""

    def make(previous=None, *, entity="supplier_invoice", values=None, **changed):
        now = {**(INVOICE if values is None else values), **changed}
        return MessageContext(
            rule="large-supplier-invoice",
            severity="high",
            entity=entity,
            values=now,
            previous=None if previous is None else {**now, **previous},
            reference="7K2QM9",
            today=date(2026, 1, 3),
        )

    return make
