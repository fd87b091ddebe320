"""The entities of Visma.net ERP: which of its fields is which word of the common vocabulary.

Field names and texts are those of contracts/visma-erp.openapi.json. There `amount`, `orderTotal`
and their like are in the document's currency, and `...InCurrency` and `...InBaseCurrency` are the
same in the company's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_twilio_alerts.documents.entity import Entity
from target_twilio_alerts.documents.fields import Combine, Field, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

_MODULES = (
    *("ModuleGL", "ModuleAP", "ModuleAR", "ModuleCA", "ModuleCM", "ModuleIN", "ModuleSO"),
    *("ModulePO", "ModuleDR", "ModuleFA", "ModuleEP", "ModulePM", "ModuleTX", "ModuleCR"),
)


def _text(
    name: str,
    source: str,
    description: str,
    values: Iterable[str] | None = None,
) -> Field:
    known = None if values is None else tuple(values)
    return Field(name, Kind.TEXT, (source,), description, known)


def _number(name: str, source: str, description: str) -> Field:
    return Field(name, Kind.NUMBER, (source,), description)


def _date(name: str, source: str, description: str) -> Field:
    return Field(name, Kind.DATE, (source,), description)


def _hold() -> Field:
    return Field("on_hold", Kind.BOOLEAN, ("hold",), "Whether it is on hold.")


def _entity(
    name: str,
    *fields: Field,
    final: Iterable[str] | None,
    credits_are: Iterable[str] = (),
    volatile: Iterable[str] = (),
    grouped_by: tuple[str, ...] = ("counterparty_number", "counterparty"),
) -> Entity:
    company = _text("company", "company", "The company's name, as the tap's settings give it.")
    return Entity(
        name=name,
        stream=f"{name}s",
        label=name.replace("_", " ").capitalize(),
        fields={field.name: field for field in (company, *fields)},
        final_statuses=None if final is None else frozenset(final),
        credit_types=frozenset(credits_are),
        grouped_by=grouped_by,
        volatile=frozenset({"lastModifiedDateTime", "timeStamp", "metadata", *volatile}),
    )


_PAYMENT_STATUSES = ("Hold", "Balanced", "Voided", "Scheduled", "Open", "Closed")
_CUSTOMER_STATUSES = (
    *_PAYMENT_STATUSES,
    "PendingPrint",
    "PendingEmail",
    "CreditHold",
    "CcHold",
    "Reserved",
)

SUPPLIER_INVOICE = _entity(
    "supplier_invoice",
    _text(
        "type",
        "documentType",
        "Invoice, CreditAdj (adjustment upwards), DebitAdj (credit note), Prepayment, ...",
        (
            *("Check", "CreditAdj", "DebitAdj", "Invoice", "Prepayment", "QuickCheck", "Refund"),
            *("VoidCheck", "VoidQuickCheck"),
        ),
    ),
    _text("number", "referenceNumber", "Reference number in Visma.net."),
    _text(
        "status",
        "status",
        "Document status.",
        (*_PAYMENT_STATUSES, "Printed", "Prebooked", "Reserved"),
    ),
    _number("amount", "amount", "Total in `currency`; negative for a credit note."),
    _text("currency", "currencyId", "Currency of the document, such as SEK."),
    _number("balance", "balance", "What is left to pay, in `currency`."),
    _text("counterparty", "supplier.name", "Name of the supplier."),
    _text("counterparty_number", "supplier.number", "Number of the supplier."),
    _date("date", "date", "Date of the invoice."),
    _date("due_date", "dueDate", "When it is to be paid."),
    _text("description", "description", "Description."),
    _text("reference", "supplierReference", "The supplier's own number of the invoice."),
    _text("period", "financialPeriod", "Financial period, YYYYMM."),
    _hold(),
    _text(
        "approval_status",
        "approvalStatus",
        "Where it is in Visma.net Approval.",
        (
            *("New", "Canceled", "SentToApproval", "ReceivedByApproval", "InProgressApproval"),
            *("RejectedInApproval", "ApprovedInApproval", "ActiveWorkflowApproval"),
        ),
    ),
    _text("cash_account", "cashAccount", "Cash account it is to be paid from."),
    final=("Closed", "Voided"),
    credits_are=("DebitAdj", "Refund", "VoidCheck", "VoidQuickCheck"),
)

SUPPLIER_PAYMENT = _entity(
    "supplier_payment",
    _text(
        "type",
        "type",
        "Payment, DebitAdj (credit note), Prepayment, Refund, VoidPayment, VoidRefund.",
        ("Payment", "DebitAdj", "Prepayment", "Refund", "VoidPayment", "VoidRefund"),
    ),
    _text("number", "refNbr", "Reference number in Visma.net."),
    _text(
        "status",
        "status",
        "Document status.",
        (
            *_PAYMENT_STATUSES,
            *("Printed", "Prebooked", "PendingApproval", "Rejected", "Reserved", "PendingPrint"),
        ),
    ),
    _number("amount", "paymentAmount", "What is paid, in `currency`; negative for a refund."),
    _text("currency", "currency.id", "Currency of the payment."),
    _number("balance", "balance", "What is left to apply, in `currency`."),
    _text("counterparty", "supplier.name", "Name of the supplier."),
    _text("counterparty_number", "supplier.number", "Number of the supplier."),
    _date("date", "applicationDate", "Date of the payment."),
    _text("description", "description", "Description."),
    _text("reference", "paymentRef", "Payment reference."),
    _text("period", "applicationPeriod", "Financial period."),
    _hold(),
    _text("payment_method", "paymentMethod", "Payment method."),
    _text("cash_account", "cashAccount", "Cash account it is paid from."),
    final=("Closed", "Voided", "Rejected"),
    credits_are=("DebitAdj", "Refund", "VoidPayment"),
)

CUSTOMER_INVOICE = _entity(
    "customer_invoice",
    _text(
        "type",
        "documentType",
        "Invoice, DebitNote, CreditNote, FinCharge (overdue charge), ...",
        (
            *("Invoice", "DebitNote", "CreditNote", "Payment", "VoidPayment", "Prepayment"),
            *("Refund", "FinCharge", "SmallBalanceWo", "SmallCreditWo", "CashSale"),
            *("CashReturn", "Undefined", "NoUpdate"),
        ),
    ),
    _text("number", "referenceNumber", "Reference number in Visma.net."),
    _text("status", "status", "Document status.", _CUSTOMER_STATUSES),
    _number("amount", "amount", "Total in `currency`; negative for a credit note."),
    _text("currency", "currencyId", "Currency of the document."),
    _number("base_amount", "amountInCurrency", "Total in the company's own currency."),
    _number("balance", "balance", "What is left to be paid, in `currency`."),
    _text("counterparty", "customer.name", "Name of the customer."),
    _text("counterparty_number", "customer.number", "Number of the customer."),
    _date("date", "documentDate", "Date of the invoice."),
    _date("due_date", "documentDueDate", "When it is to be paid."),
    _text("description", "invoiceText", "Invoice text."),
    _text("reference", "customerRefNumber", "External reference."),
    _text("period", "financialPeriod", "Financial period, YYYYMM."),
    _hold(),
    final=("Closed", "Voided"),
    credits_are=("CreditNote", "CashReturn", "Refund", "VoidPayment", "SmallCreditWo"),
)

CUSTOMER_PAYMENT = _entity(
    "customer_payment",
    _text(
        "type",
        "type",
        "Payment, CreditNote, Prepayment, Refund, VoidPayment, SmallBalanceWo, VoidRefund.",
        (
            *("Payment", "CreditNote", "Prepayment", "Refund", "VoidPayment", "SmallBalanceWo"),
            *("VoidRefund", "Undefined"),
        ),
    ),
    _text("number", "refNbr", "Reference number in Visma.net."),
    _text("status", "status", "Document status.", _CUSTOMER_STATUSES),
    _number("amount", "paymentAmount", "What is paid, in `currency`; negative for a refund."),
    _text("currency", "currency", "Currency of the payment."),
    _number("base_amount", "paymentAmountInCurrency", "The same in the company's own currency."),
    _number("balance", "availableBalance", "What is left to apply, in `currency`."),
    _text("counterparty", "customer.name", "Name of the customer."),
    _text("counterparty_number", "customer.number", "Number of the customer."),
    _date("date", "applicationDate", "Date of the payment."),
    _text("description", "invoiceText", "Invoice text."),
    _text("reference", "paymentRef", "Payment reference."),
    _text("period", "applicationPeriod", "Financial period."),
    _hold(),
    _text("payment_method", "paymentMethod.id", "Payment method."),
    _text("cash_account", "cashAccount", "Cash account it arrives on."),
    final=("Closed", "Voided"),
    credits_are=("CreditNote", "Refund", "VoidPayment"),
)

PURCHASE_ORDER = _entity(
    "purchase_order",
    _text(
        "type",
        "orderType",
        "RegularOrder, DropShip, Blanket, StandardBlanket.",
        ("RegularOrder", "DropShip", "Blanket", "StandardBlanket"),
    ),
    _text("number", "orderNbr", "Order number."),
    _text(
        "status",
        "status",
        "Order status.",
        (
            *("Balanced", "Cancelled", "Closed", "Hold", "Open", "PendingEmail", "PendingPrint"),
            *("Printed", "Voided"),
        ),
    ),
    _number("amount", "orderTotal", "Total with VAT, in `currency`."),
    _text("currency", "currency", "Currency of the order."),
    _number("base_amount", "orderTotalInBaseCurrency", "Total in the company's own currency."),
    _number("balance", "openBalance", "What is ordered and not received."),
    _text("counterparty", "supplier.name", "Name of the supplier."),
    _text("counterparty_number", "supplier.number", "Number of the supplier."),
    _date("date", "date", "Date of the order."),
    _date("delivery_date", "promisedOn", "When the supplier promised to deliver."),
    _text("description", "description", "Description."),
    _text("reference", "supplierRef", "The supplier's own number of the order."),
    _hold(),
    _text("owner", "owner.name", "Who is responsible for the order."),
    final=("Closed", "Cancelled", "Voided"),
)

JOURNAL_TRANSACTION = _entity(
    "journal_transaction",
    _text("module", "module", "Where the batch comes from.", _MODULES),
    _text("number", "batchNumber", "Batch number."),
    _text(
        "status",
        "status",
        "Batch status.",
        (
            *("Hold", "Balanced", "Unposted", "Posted", "Completed", "Voided", "Released"),
            # Unreleased is not in the contract of 2025-05; the API has it since 2026.
            *("PartiallyReleased", "Scheduled", "Unreleased"),
        ),
    ),
    _number("amount", "debitTotal", "Total of the debits, in `currency`."),
    _text("currency", "currencyId", "Currency of the batch."),
    _number("base_amount", "debitTotalInCurrency", "The same in the company's own currency."),
    _number("debit_total", "debitTotal", "Total of the debits, in `currency`."),
    _number("credit_total", "creditTotal", "Total of the credits, in `currency`."),
    _number("control_total", "controlTotal", "What the totals should be, in `currency`."),
    _date("date", "transactionDate", "Date of the batch."),
    _text("description", "description", "Description."),
    _text("ledger", "ledger", "Ledger it is posted to."),
    _text("period", "financialPeriod", "Financial period, YYYYMM."),
    Field(
        "line_count",
        Kind.NUMBER,
        ("journalTransactionLines[]",),
        "How many lines it has.",
        combine=Combine.COUNT,
    ),
    Field(
        "accounts",
        Kind.LIST,
        ("journalTransactionLines[].accountNumber",),
        "Account numbers of its lines, each once.",
        combine=Combine.EACH,
    ),
    _hold(),
    _text("original_number", "originalBatchNumber", "Batch that this one reverses or repeats."),
    final=("Posted", "Completed", "Voided"),
)

GENERAL_LEDGER_TRANSACTION = _entity(
    "general_ledger_transaction",
    _text("module", "module", "Where the transaction comes from."),
    _text("number", "batchNumber", "Batch number."),
    _number("line_number", "lineNumber", "Line within the batch."),
    Field(
        "amount",
        Kind.NUMBER,
        ("currDebitAmount", "currCreditAmount"),
        "Debit less credit, in `currency`.",
        combine=Combine.DIFFERENCE,
    ),
    _text("currency", "currency", "Currency of the transaction."),
    Field(
        "base_amount",
        Kind.NUMBER,
        ("debitAmount", "creditAmount"),
        "Debit less credit, in the ledger's own currency.",
        combine=Combine.DIFFERENCE,
    ),
    _number("debit", "debitAmount", "Debit, in the ledger's own currency."),
    _number("credit", "creditAmount", "Credit, in the ledger's own currency."),
    _text("account", "account.number", "Account number."),
    _text("account_name", "account.description", "Name of the account."),
    _text("subaccount", "subaccount", "Subaccount."),
    _text("ledger", "ledger_id", "Number of the ledger."),
    _date("date", "tranDate", "Date of the transaction."),
    _text("description", "description", "Description."),
    _text("reference", "refNumber", "Number of the document it is based on."),
    _text("period", "period", "Financial period."),
    final=None,
    grouped_by=("account",),
    # Running totals in listing order: they depend on what was asked for.
    volatile=("begBalance", "endingBalance", "currBegBalance", "currEndingBalance"),
)

LEDGER = _entity(
    "ledger",
    _text("number", "number", "Ledger id."),
    _text(
        "type",
        "balanceType",
        "Type of balance.",
        ("Actual", "Report", "Statistical", "Budget"),
    ),
    _text("currency", "currencyId", "Currency of the ledger."),
    _text("description", "description", "Description."),
    final=(),
)

ENTITIES = {
    entity.name: entity
    for entity in (
        SUPPLIER_INVOICE,
        SUPPLIER_PAYMENT,
        CUSTOMER_INVOICE,
        CUSTOMER_PAYMENT,
        PURCHASE_ORDER,
        JOURNAL_TRANSACTION,
        GENERAL_LEDGER_TRANSACTION,
        LEDGER,
    )
}
"""Entities by name, as rules name them."""

PRESETS = {entity.stream: entity for entity in ENTITIES.values()}
"""Entities by the stream that brings their records."""
