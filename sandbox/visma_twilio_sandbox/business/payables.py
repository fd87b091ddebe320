"""Supplier invoices and payments to suppliers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from visma_twilio_sandbox.business.parties import BASE_CURRENCY, RATES, SUPPLIERS, Party
from visma_twilio_sandbox.business.parts import (
    BRANCH,
    NO_BALANCE,
    VAT_PERCENT,
    ZERO,
    Item,
    day,
    in_base,
    location,
    numbered,
    period,
    today,
    without_vat,
)


def supplier_invoice(
    number: str,
    amount: Decimal,
    *,
    currency: str = BASE_CURRENCY,
    status: str = "Balanced",
    date: dt.date | None = None,
    due_date: dt.date | None = None,
    supplier: Party = SUPPLIERS[0],
    document_type: str = "Invoice",
) -> Item:
    """A supplier invoice, or another document of its kind, over one line.

    Args:
        number: Reference number.
        amount: Total with VAT, in `currency`.
        currency: ISO code; one of `parties.RATES`.
        status: E.g. Hold, Balanced, Open, Closed, Voided.
        date: Of the invoice; today if not given.
        due_date: 30 days later if not given.
        supplier: Who sent it.
        document_type: Invoice, CreditAdj, DebitAdj, Prepayment, ...
    """
    date = date or today()
    net, vat = without_vat(amount)
    balance = ZERO if status in NO_BALANCE else amount
    return {
        "documentType": document_type,
        "referenceNumber": number,
        "status": status,
        "hold": status == "Hold",
        "supplier": numbered(supplier),
        "supplierReference": f"F-{number}",
        "description": "Kontorsmaterial",
        "currencyId": currency,
        "exchangeRate": RATES[currency],
        "date": day(date),
        "origInvoiceDate": day(date),
        "dueDate": day(due_date or date + dt.timedelta(days=30)),
        "financialPeriod": period(date),
        "postPeriod": f"{date:%m%Y}",
        "amount": amount,
        "vatAmount": vat,
        "balance": balance,
        "balanceInCurrency": in_base(balance, currency),
        "detailTotal": net,
        "detailTotalInCurrency": in_base(net, currency),
        "vatTotal": vat,
        "vatTotalInCurrency": in_base(vat, currency),
        "vatTaxableTotal": net,
        "vatTaxableTotalInCurrency": in_base(net, currency),
        "vatExemptTotal": ZERO,
        "roundingDiff": ZERO,
        "cashDiscount": ZERO,
        "creditTerms": {"id": "30", "description": "30 dagar netto"},
        "paymentMethod": {"id": "BG", "description": "Bankgiro"},
        "paymentRefNo": f"00{number}",
        "cashAccount": "1940",
        "location": location(supplier),
        "branchNumber": BRANCH,
        "taxDetailLines": [
            {
                "taxId": "25",
                "recordId": 1,
                "vatId": {"number": "25", "description": "Ingående moms 25 %"},
                "vatRate": VAT_PERCENT,
                "taxableAmount": net,
                "vatAmount": vat,
            },
        ],
        "invoiceLines": [
            {
                "lineNumber": 1,
                "transactionDescription": "Kontorsmaterial",
                "quantity": Decimal(1),
                "uom": "ST",
                "unitCost": net,
                "unitCostInCurrency": in_base(net, currency),
                "cost": net,
                "costInCurrency": in_base(net, currency),
                "discountPercent": ZERO,
                "account": {"type": "Expense", "number": "6110", "description": "Kontorsmaterial"},
                "vatCode": {"id": "25", "description": "Ingående moms 25 %"},
                "branchNumber": BRANCH,
            },
        ],
    }


def supplier_payment(
    number: str,
    amount: Decimal,
    *,
    currency: str = BASE_CURRENCY,
    status: str = "Balanced",
    date: dt.date | None = None,
    supplier: Party = SUPPLIERS[0],
    payment_type: str = "Payment",
    invoice: str = "100001",
) -> Item:
    """A payment to a supplier, of one invoice; arguments as for `supplier_invoice`."""
    date = date or today()
    return {
        "type": payment_type,
        "documentType": payment_type,
        "refNbr": number,
        "status": status,
        "hold": status == "Hold",
        "released": status in {"Open", "Closed"},
        "supplier": numbered(supplier),
        "location": location(supplier),
        "applicationDate": day(date),
        "applicationPeriod": period(date),
        "paymentRef": f"BG{number}",
        "paymentMethod": "BG",
        "cashAccount": "1940",
        "currency": {
            "id": currency,
            "isBaseCurrency": currency == BASE_CURRENCY,
            "decimalPrecision": 2,
        },
        "description": "Betalning",
        "paymentAmount": amount,
        "balance": ZERO if status in NO_BALANCE else amount,
        "unappliedBalance": ZERO,
        "appliedAmount": amount,
        "financeCharges": ZERO,
        "branch": "1",
        "paymentLines": [
            {
                "branch": "1",
                "docType": "Invoice",
                "invoiceRefNbr": invoice,
                "amountPaid": amount,
                "cashDiscountTaken": ZERO,
                "date": day(date),
                "dueDate": day(date),
                "balance": ZERO,
                "currency": currency,
                "postPeriod": period(date),
                "supplierRef": f"F-{invoice}",
            },
        ],
    }
