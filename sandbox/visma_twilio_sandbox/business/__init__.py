"""What happens in a company: invoices, orders, payments and journals, as Visma.net holds them.

Field names are those of Visma's OpenAPI. Amounts are in the document's currency; those ending in
``InCurrency`` or ``InBaseCurrency`` are in the company's own, which is how Visma describes them.
"""

from __future__ import annotations

from visma_twilio_sandbox.business.general_ledger import gl_journal
from visma_twilio_sandbox.business.parties import CUSTOMERS, SUPPLIERS, Party
from visma_twilio_sandbox.business.past import history
from visma_twilio_sandbox.business.payables import supplier_invoice, supplier_payment
from visma_twilio_sandbox.business.purchasing import purchase_order, purchase_order_totals
from visma_twilio_sandbox.business.receivables import customer_invoice, customer_payment

__all__ = [
    "CUSTOMERS",
    "SUPPLIERS",
    "Party",
    "customer_invoice",
    "customer_payment",
    "gl_journal",
    "history",
    "purchase_order",
    "purchase_order_totals",
    "supplier_invoice",
    "supplier_payment",
]
