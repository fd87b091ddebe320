"""What the company is owed: customers, their invoices and payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.documents.presets.building import (
    COMPANY_CURRENCY,
    customer,
    date,
    entity,
    line_count,
    money,
    number,
    on_hold,
    text,
)

if TYPE_CHECKING:
    from target_twilio_alerts.documents.entity import Entity
    from target_twilio_alerts.documents.fields import Field

_STATUSES = (
    *("Hold", "Balanced", "Voided", "Scheduled", "Open", "Closed"),
    *("PendingPrint", "PendingEmail", "CreditHold", "CcHold", "Reserved"),
)


def _document(name: str, what: str, *more: Field, due: bool = True) -> Entity:
    due_date = date("due_date", "documentDueDate", "When it is to be paid.")
    return entity(
        name,
        text(
            "type",
            "documentType",
            "Invoice, DebitNote, CreditNote, FinCharge (overdue charge), ...",
            (
                *("Invoice", "DebitNote", "CreditNote", "Payment", "VoidPayment", "Prepayment"),
                *("Refund", "FinCharge", "SmallBalanceWo", "SmallCreditWo", "CashSale"),
                *("CashReturn", "Undefined", "NoUpdate"),
            ),
        ),
        text("number", "referenceNumber", "Reference number in Visma.net."),
        text("status", "status", "Document status.", _STATUSES),
        money("amount", "amount", "Total; negative for a credit note."),
        text("currency", "currencyId", "Currency of the document."),
        money("base_amount", "amountInCurrency", "The same.", unit=COMPANY_CURRENCY),
        money("balance", "balance", "What is left to be paid."),
        *customer(),
        date("date", "documentDate", f"Date of the {what}."),
        *([due_date] if due else []),
        text("description", "invoiceText", "Invoice text."),
        text("reference", "customerRefNumber", "External reference."),
        text("period", "financialPeriod", "Financial period, YYYYMM."),
        *more,
        final=("Closed", "Voided"),
        credits_are=("CreditNote", "CashReturn", "Refund", "VoidPayment", "SmallCreditWo"),
    )


_DUNNING = (
    number("dunning_level", "dunningLetterLevel", "Level of the last dunning letter."),
    date("dunning_date", "dunningLetterDate", "Date of the last dunning letter."),
)

CUSTOMER_INVOICE = _document("customer_invoice", "invoice", on_hold())
CUSTOMER_CREDIT_NOTE = _document("customer_credit_note", "credit note", on_hold())
CUSTOMER_DEBIT_NOTE = _document("customer_debit_note", "debit note", on_hold(), *_DUNNING)
CUSTOMER_CREDIT_WRITE_OFF = _document(
    "customer_credit_write_off",
    "write-off",
    on_hold(),
    due=False,
)
CUSTOMER_OVERDUE_CHARGE = _document("customer_overdue_charge", "charge", on_hold(), *_DUNNING)
CUSTOMER_DOCUMENT = _document("customer_document", "document")
CASH_SALE = _document(
    "cash_sale",
    "sale",
    on_hold(),
    line_count("cashSaleLines[]"),
    text("cash_account", "cashAccount", "Cash account it is paid to."),
    due=False,
)

CUSTOMER_PAYMENT = entity(
    "customer_payment",
    text(
        "type",
        "type",
        "Payment, CreditNote, Prepayment, Refund, VoidPayment, SmallBalanceWo, VoidRefund.",
        (
            *("Payment", "CreditNote", "Prepayment", "Refund", "VoidPayment", "SmallBalanceWo"),
            *("VoidRefund", "Undefined"),
        ),
    ),
    text("number", "refNbr", "Reference number in Visma.net."),
    text("status", "status", "Document status.", _STATUSES),
    money("amount", "paymentAmount", "What is paid; negative for a refund."),
    text("currency", "currency", "Currency of the payment."),
    money("base_amount", "paymentAmountInCurrency", "The same.", unit=COMPANY_CURRENCY),
    money("balance", "availableBalance", "What is left to apply."),
    *customer(),
    date("date", "applicationDate", "Date of the payment."),
    text("description", "invoiceText", "Invoice text."),
    text("reference", "paymentRef", "Payment reference."),
    text("period", "applicationPeriod", "Financial period."),
    on_hold(),
    text("payment_method", "paymentMethod.id", "Payment method."),
    text("cash_account", "cashAccount", "Cash account it arrives on."),
    final=("Closed", "Voided"),
    credits_are=("CreditNote", "Refund", "VoidPayment"),
)

CUSTOMER = entity(
    "customer",
    text("number", "number", "Number of the customer."),
    text("counterparty", "name", "Name of the customer."),
    text(
        "status",
        "status",
        "Whether it may be sold to.",
        ("Active", "OnHold", "CreditHold", "Inactive", "OneTime"),
    ),
    text("currency", "currencyId", "Currency that it is dealt with in."),
    text(
        "credit_check",
        "creditVerification",
        "How its credit is watched.",
        ("Disabled", "DaysPastDue", "CreditLimit", "LimitAndDaysPastDue"),
    ),
    money(
        "credit_limit",
        "creditLimit",
        "How much it may owe.",
        unit=COMPANY_CURRENCY,
    ),
    number(
        "days_past_due_limit",
        "creditDaysPastDue",
        "How long its invoices may be overdue.",
        unit="days",
    ),
    text("payment_terms", "creditTerms.id", "Payment terms."),
    text("category", "customerClass.id", "Customer class."),
    text("vat_number", "vatRegistrationId", "VAT registration number."),
    text("corporate_id", "corporateId", "Corporate identity number."),
    text("country", "location.countryId", "Country of its main location."),
    text("parent", "parentRecord.number", "Number of the customer above it."),
)

CUSTOMER_BALANCE = entity(
    "customer_balance",
    *customer(),
    money("balance", "balance", "What it owes.", unit=COMPANY_CURRENCY),
    money("open_orders_total", "totalOrder", "Its orders.", unit=COMPANY_CURRENCY),
    money(
        "period_sales_total",
        "totalSalePeriod",
        "Sales of this financial period.",
        unit=COMPANY_CURRENCY,
    ),
    money(
        "year_sales_total",
        "totalSaleYear",
        "Sales of this financial year.",
        unit=COMPANY_CURRENCY,
    ),
    stamp="lastModified",
)
