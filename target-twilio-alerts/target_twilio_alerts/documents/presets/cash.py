"""Cash: accounts, transactions, terms and currencies."""

from __future__ import annotations

from target_twilio_alerts.documents.presets.building import (
    about,
    active,
    date,
    entity,
    flag,
    line_count,
    money,
    number,
    on_hold,
    text,
)

CASH_ACCOUNT = entity(
    "cash_account",
    text("number", "number", "Number of the cash account."),
    about(),
    text("currency", "currency", "Currency of the cash account."),
)

CASH_TRANSACTION = entity(
    "cash_transaction",
    text(
        "type",
        "tranType",
        "TransferOut, TransferIn, TransferExp, Adjustment.",
        ("TransferOut", "TransferIn", "TransferExp", "Adjustment"),
    ),
    text("number", "referenceNbr", "Reference number in Visma.net."),
    text(
        "status",
        "status",
        "Status of the transaction.",
        ("Balanced", "Hold", "Released", "Pending", "Rejected"),
    ),
    money("amount", "amount", "What is moved; `direction` tells which way."),
    text("currency", "currency", "Currency of the cash account."),
    text(
        "direction",
        "disbReceipt",
        "Whether money goes (Disbursement) or comes (Receipt).",
        ("Disbursement", "Receipt"),
    ),
    money("control_total", "controlTotal", "What the total should be."),
    text("cash_account", "cashAccount.number", "Number of the cash account."),
    text("category", "entryType.id", "Entry type."),
    date("date", "tranDate", "Date of the transaction."),
    about(),
    text("reference", "documentRef", "Reference of a document outside Visma.net."),
    text("period", "financialPeriod", "Financial period."),
    on_hold(),
    flag("cleared", "financialsDetail.cleared", "Whether the bank has confirmed it."),
    date("cleared_date", "financialsDetail.clearDate", "When the bank confirmed it."),
    text("owner", "owner.name", "Who is responsible for it."),
    line_count("transactionDetails[]"),
    final=("Released", "Rejected"),
    grouped_by=("cash_account",),
)

PAYMENT_METHOD = entity(
    "payment_method",
    text("number", "paymentMethodID", "Id of the payment method."),
    about(),
    active(),
    text(
        "type",
        "meansOfPayment",
        "Means of payment.",
        ("CreditCard", "CashOrCheck", "DirectDeposit"),
    ),
)

CREDIT_TERM = entity(
    "credit_term",
    text("number", "termsId", "Id of the terms."),
    about(),
    number("due_days", "dueDay1", "Days until payment is due.", unit="days"),
    number("discount_days", "discountDay", "Days within which there is a discount.", unit="days"),
    number("discount_percent", "discountPercent", "The discount.", unit="percent"),
)

CURRENCY = entity(
    "currency",
    text("number", "id", "Code of the currency."),
    about(),
    flag("is_base_currency", "isBaseCurrency", "Whether it is the company's own."),
    number("decimals", "decimalPrecision", "How many decimals its amounts have.", unit="digits"),
    stream="currencies",
)

CURRENCY_RATE = entity(
    "currency_rate",
    text("number", "id", "Id of the rate."),
    text("from_currency", "fromCurrencyId", "What is changed."),
    text("to_currency", "toCurrencyId", "Into what."),
    text("type", "rateType", "Rate type."),
    number("rate", "rate", "The rate, to be taken as `method` says.", unit="currency for currency"),
    text("method", "multDiv", "Whether to multiply or to divide."),
    date("date", "effectiveDate", "From when it counts."),
)

CURRENCY_RATE_TYPE = entity(
    "currency_rate_type",
    text("number", "id", "Id of the rate type."),
    about(),
    number("days_effective", "daysEffective", "How long a rate counts.", unit="days"),
)
