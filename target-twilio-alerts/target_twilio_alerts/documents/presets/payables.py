"""What the company owes: suppliers, their invoices and payments, and employees' expenses."""

from __future__ import annotations

from target_twilio_alerts.documents.presets.building import (
    APPROVAL_STATUSES,
    COMPANY_CURRENCY,
    about,
    date,
    entity,
    line_count,
    money,
    on_hold,
    payment_details,
    supplier,
    text,
)

_STATUSES = ("Hold", "Balanced", "Voided", "Scheduled", "Open", "Closed")

_INVOICE = (
    text(
        "type",
        "documentType",
        "Invoice, CreditAdj (adjustment upwards), DebitAdj (credit note), Prepayment, ...",
        (
            *("Check", "CreditAdj", "DebitAdj", "Invoice", "Prepayment", "QuickCheck", "Refund"),
            *("VoidCheck", "VoidQuickCheck"),
        ),
    ),
    text("number", "referenceNumber", "Reference number in Visma.net."),
    text("status", "status", "Document status.", (*_STATUSES, "Printed", "Prebooked", "Reserved")),
    money("amount", "amount", "Total; negative for a credit note."),
    text("currency", "currencyId", "Currency of the document, such as SEK."),
    money("balance", "balance", "What is left to pay."),
    *supplier(),
    date("date", "date", "Date of the invoice."),
    date("due_date", "dueDate", "When it is to be paid."),
    about(),
    text("reference", "supplierReference", "The supplier's own number of the invoice."),
    text("period", "financialPeriod", "Financial period, YYYYMM."),
)
_APPROVAL = text(
    "approval_status",
    "approvalStatus",
    "Where it is in Visma.net Approval.",
    APPROVAL_STATUSES,
)
_CASH_ACCOUNT = text("cash_account", "cashAccount", "Cash account it is to be paid from.")
_CREDITS = ("DebitAdj", "Refund", "VoidCheck", "VoidQuickCheck")

SUPPLIER_INVOICE = entity(
    "supplier_invoice",
    *_INVOICE,
    on_hold(),
    _APPROVAL,
    _CASH_ACCOUNT,
    final=("Closed", "Voided"),
    credits_are=_CREDITS,
)

SUPPLIER_DOCUMENT = entity(
    "supplier_document",
    *_INVOICE,
    _APPROVAL,
    _CASH_ACCOUNT,
    date("payment_date", "payDate", "When it is planned to be paid."),
    final=("Closed", "Voided"),
    credits_are=_CREDITS,
)

SUPPLIER_PAYMENT = entity(
    "supplier_payment",
    text(
        "type",
        "type",
        "Payment, DebitAdj (credit note), Prepayment, Refund, VoidPayment, VoidRefund.",
        ("Payment", "DebitAdj", "Prepayment", "Refund", "VoidPayment", "VoidRefund"),
    ),
    text("number", "refNbr", "Reference number in Visma.net."),
    text(
        "status",
        "status",
        "Document status.",
        (
            *_STATUSES,
            *("Printed", "Prebooked", "PendingApproval", "Rejected", "Reserved", "PendingPrint"),
        ),
    ),
    money("amount", "paymentAmount", "What is paid; negative for a refund."),
    text("currency", "currency.id", "Currency of the payment."),
    money("balance", "balance", "What is left to apply."),
    *supplier(),
    date("date", "applicationDate", "Date of the payment."),
    about(),
    text("reference", "paymentRef", "Payment reference."),
    text("period", "applicationPeriod", "Financial period."),
    on_hold(),
    text("payment_method", "paymentMethod", "Payment method."),
    text("cash_account", "cashAccount", "Cash account it is paid from."),
    final=("Closed", "Voided", "Rejected"),
    credits_are=("DebitAdj", "Refund", "VoidPayment"),
)

SUPPLIER = entity(
    "supplier",
    text("number", "number", "Number of the supplier."),
    text("counterparty", "name", "Name of the supplier."),
    text(
        "status",
        "status",
        "Whether it may be bought from and paid.",
        ("Active", "OnHold", "HoldPayments", "Inactive", "OneTime"),
    ),
    text("currency", "currencyId", "Currency that it is dealt with in."),
    payment_details("supplierPaymentMethodDetails[].paymentMethodDetailValue"),
    text(
        "payment_account_type",
        "accountUsedForPayment",
        "Which kind of account it is paid to.",
        ("IBAN", "BBAN", "BANKGIRO", "PLUSGIRO"),
    ),
    text("payment_method", "paymentMethod.id", "Payment method."),
    text("payment_terms", "creditTerms.id", "Payment terms."),
    text("cash_account", "cashAccount", "Cash account it is paid from."),
    text("category", "supplierClass.id", "Supplier class."),
    text("vat_number", "vatRegistrationId", "VAT registration number."),
    text("corporate_id", "corporateId", "Corporate identity number."),
    text("country", "location.countryId", "Country of its main location."),
    text("parent", "parentRecord.number", "Number of the supplier above it."),
)

SUPPLIER_BALANCE = entity(
    "supplier_balance",
    *supplier(),
    money("balance", "balance", "What is left to pay to it.", unit=COMPANY_CURRENCY),
    money(
        "period_purchases_total",
        "totalPurchaseInvoicePeriod.withVat",
        "Invoices of this financial period, with VAT.",
        unit=COMPANY_CURRENCY,
    ),
    money(
        "year_purchases_total",
        "totalPurchaseInvoiceYear.withVat",
        "Invoices of this financial year, with VAT.",
        unit=COMPANY_CURRENCY,
    ),
    money(
        "sent_for_approval_total",
        "totalSentForApproval.withVat",
        "Invoices sent for approval, with VAT.",
        unit=COMPANY_CURRENCY,
    ),
    money(
        "unreleased_total",
        "unreleasedPurchasesNotInApproval.withVat",
        "Invoices neither released nor in approval, with VAT.",
        unit=COMPANY_CURRENCY,
    ),
)

EXPENSE_CLAIM = entity(
    "expense_claim",
    text("number", "refNbr", "Reference number in Visma.net."),
    text(
        "status",
        "status",
        "Status of the claim.",
        ("Hold", "PendingApproval", "Approved", "Rejected", "Released"),
    ),
    money("amount", "claimTotal", "Total of the claim."),
    text("currency", "currency", "Currency of the claim."),
    text("counterparty", "claimedBy.name", "Name of the employee."),
    text("counterparty_number", "claimedBy.number", "Number of the employee."),
    date("date", "date", "Date of the claim."),
    about(),
    _APPROVAL,
    date("approval_date", "approvalDate", "When it was approved."),
    text("department", "department.id", "Department of the employee."),
    text("customer", "customer.name", "Customer that it is for."),
    line_count("details[]"),
    final=("Released",),
)
