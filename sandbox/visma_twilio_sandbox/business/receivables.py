"""Customer invoices and payments by customers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from visma_twilio_sandbox.business.parties import BASE_CURRENCY, CUSTOMERS, RATES, Party
from visma_twilio_sandbox.business.parts import (
    BRANCH,
    NO_BALANCE,
    ZERO,
    Item,
    day,
    in_base,
    location,
    period,
    today,
    without_vat,
)


def customer_invoice(
    number: str,
    amount: Decimal,
    *,
    currency: str = BASE_CURRENCY,
    status: str = "Open",
    date: dt.date | None = None,
    due_date: dt.date | None = None,
    customer: Party = CUSTOMERS[0],
    document_type: str = "Invoice",
) -> Item:
    """An invoice to a customer over one line; arguments as for `supplier_invoice`."""
    date = date or today()
    net, vat = without_vat(amount)
    balance = ZERO if status in NO_BALANCE else amount
    return {
        "documentType": document_type,
        "referenceNumber": number,
        "status": status,
        "hold": status == "Hold",
        "customer": {"number": customer.number, "name": customer.name},
        "customerRefNumber": f"PO {number}",
        "invoiceText": "Konsulttjänster",
        "currencyId": currency,
        "exchangeRate": RATES[currency],
        "documentDate": day(date),
        "documentDueDate": day(due_date or date + dt.timedelta(days=30)),
        "financialPeriod": period(date),
        "postPeriod": f"{date:%m%Y}",
        "amount": amount,
        "amountInCurrency": in_base(amount, currency),
        "balance": balance,
        "balanceInCurrency": in_base(balance, currency),
        "detailTotal": net,
        "detailTotalInCurrency": in_base(net, currency),
        "vatTotal": vat,
        "vatTotalInCurrency": in_base(vat, currency),
        "vatTaxableTotal": net,
        "vatTaxableTotalInCurrency": in_base(net, currency),
        "creditTerms": {},
        "paymentReference": f"00{number}",
        "location": location(customer),
        "branchNumber": BRANCH,
        "invoiceLines": [
            {
                "lineNumber": 1,
                "description": "Konsulttjänster",
                "quantity": Decimal(1),
                "uom": "TIM",
                "unitPrice": net,
                "unitPriceInCurrency": in_base(net, currency),
                "amount": net,
                "amountInCurrency": in_base(net, currency),
                "account": {"type": "Income", "number": "3010", "description": "Försäljning"},
                "branchNumber": BRANCH,
            },
        ],
    }


def customer_payment(
    number: str,
    amount: Decimal,
    *,
    currency: str = BASE_CURRENCY,
    status: str = "Open",
    date: dt.date | None = None,
    customer: Party = CUSTOMERS[0],
    payment_type: str = "Payment",
    invoice: str = "300001",
) -> Item:
    """A payment by a customer. Its lines repeat a document without telling them apart."""
    date = date or today()
    line = {
        "documentType": "Invoice",
        "refNbr": invoice,
        "cashDiscountTaken": ZERO,
        "balanceWriteOff": ZERO,
        "date": day(date),
        "dueDate": day(date),
        "balance": ZERO,
        "currency": currency,
        "postPeriod": period(date),
        "crossRate": Decimal(1),
    }
    return {
        "type": payment_type,
        "refNbr": number,
        "status": status,
        "hold": status == "Hold",
        "applicationDate": day(date),
        "applicationPeriod": period(date),
        "paymentRef": f"OCR{number}",
        "customer": {"number": customer.number, "name": customer.name},
        "location": location(customer),
        "paymentMethod": {"id": "BG", "description": "Bankgiro"},
        "cashAccount": "1940",
        "currency": currency,
        "paymentAmount": amount,
        "paymentAmountInCurrency": in_base(amount, currency),
        "appliedToDocuments": amount,
        "availableBalance": ZERO,
        "invoiceText": "Inbetalning",
        "branch": "1",
        "paymentLines": [
            {**line, "amountPaid": amount},
            {**line, "amountPaid": -amount},
            {**line, "amountPaid": amount},
        ],
    }
