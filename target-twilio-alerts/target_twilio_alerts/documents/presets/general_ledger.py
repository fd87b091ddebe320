"""The general ledger: journals, what they post, balances and budgets."""

from __future__ import annotations

from target_twilio_alerts.documents.presets.building import (
    COMPANY_CURRENCY,
    ITS_CURRENCY,
    MODULES,
    about,
    date,
    difference,
    each,
    entity,
    flag,
    line_count,
    money,
    number,
    on_hold,
    text,
)

LEDGER_CURRENCY = "the ledger's currency"

_BALANCE_TYPES = ("Actual", "Report", "Statistical", "Budget")

JOURNAL_TRANSACTION = entity(
    "journal_transaction",
    text("module", "module", "Where the batch comes from.", MODULES),
    text("number", "batchNumber", "Batch number."),
    text(
        "status",
        "status",
        "Batch status.",
        (
            *("Hold", "Balanced", "Unposted", "Posted", "Completed", "Voided", "Released"),
            # Unreleased is not in the contract of 2025-05; the API has it since 2026.
            *("PartiallyReleased", "Scheduled", "Unreleased"),
        ),
    ),
    money("amount", "debitTotal", "Total of the debits."),
    text("currency", "currencyId", "Currency of the batch."),
    money("base_amount", "debitTotalInCurrency", "The same.", unit=COMPANY_CURRENCY),
    money("debit_total", "debitTotal", "Total of the debits."),
    money("credit_total", "creditTotal", "Total of the credits."),
    money("control_total", "controlTotal", "What the totals should be."),
    date("date", "transactionDate", "Date of the batch."),
    about(),
    text("ledger", "ledger", "Ledger it is posted to."),
    text("period", "financialPeriod", "Financial period, YYYYMM."),
    line_count("journalTransactionLines[]"),
    each(
        "accounts",
        "journalTransactionLines[].accountNumber",
        "Account numbers of its lines, each once.",
    ),
    on_hold(),
    text("original_number", "originalBatchNumber", "Batch that this one reverses or repeats."),
    final=("Posted", "Completed", "Voided"),
)

GENERAL_LEDGER_TRANSACTION = entity(
    "general_ledger_transaction",
    text("module", "module", "Where the transaction comes from."),
    text("number", "batchNumber", "Batch number."),
    number("line_number", "lineNumber", "Line within the batch."),
    difference(
        "amount",
        ("currDebitAmount", "currCreditAmount"),
        "Debit less credit.",
        unit=ITS_CURRENCY,
    ),
    text("currency", "currency", "Currency of the transaction."),
    difference(
        "base_amount",
        ("debitAmount", "creditAmount"),
        "Debit less credit.",
        unit=LEDGER_CURRENCY,
    ),
    money("debit", "debitAmount", "Debit.", unit=LEDGER_CURRENCY),
    money("credit", "creditAmount", "Credit.", unit=LEDGER_CURRENCY),
    text("account", "account.number", "Account number."),
    text("account_name", "account.description", "Name of the account."),
    text("subaccount", "subaccount", "Subaccount."),
    text("ledger", "ledger_id", "Number of the ledger."),
    date("date", "tranDate", "Date of the transaction."),
    about(),
    text("reference", "refNumber", "Number of the document it is based on."),
    text("period", "period", "Financial period."),
    final=None,
    grouped_by=("account",),
    # Running totals in listing order: they depend on what was asked for.
    volatile=("begBalance", "endingBalance", "currBegBalance", "currEndingBalance"),
)

GENERAL_LEDGER_BALANCE = entity(
    "general_ledger_balance",
    text("type", "balanceType", "Type of balance.", _BALANCE_TYPES),
    text("ledger", "ledger_id", "Number of the ledger."),
    text("branch", "branch_number", "Number of the branch."),
    text("account", "account_number", "Account number."),
    text("account_name", "account.description", "Name of the account."),
    text("subaccount", "subaccount_id", "Id of the subaccount."),
    text("period", "financialPeriod", "Financial period."),
    money("balance", "yearToDateBalanceInCurrency", "Balance at the end of the period."),
    text("currency", "currencyId", "Currency of the account."),
    money(
        "base_balance",
        "yearToDateBalance",
        "Balance at the end of the period.",
        unit=LEDGER_CURRENCY,
    ),
    money("debit", "periodToDateDebit", "Debits of the period.", unit=LEDGER_CURRENCY),
    money("credit", "periodToDateCredit", "Credits of the period.", unit=LEDGER_CURRENCY),
    grouped_by=("account",),
)

BUDGET = entity(
    "budget",
    text("ledger", "ledger_id", "Number of the ledger."),
    text("branch", "branch_number", "Number of the branch."),
    text("year", "financial_year", "Financial year."),
    text("account", "account_number", "Account number."),
    text("account_name", "account.description", "Name of the account."),
    text("subaccount", "subaccount_id", "Id of the subaccount."),
    money("amount", "amount", "What is budgeted for the year.", unit=LEDGER_CURRENCY),
    money("distributed_amount", "distributedAmount", "Over its periods.", unit=LEDGER_CURRENCY),
    money("released_amount", "releasedAmount", "What is released of it.", unit=LEDGER_CURRENCY),
    flag("released", "released", "Whether it is released."),
    about(),
    grouped_by=("account",),
)

LEDGER = entity(
    "ledger",
    text("number", "number", "Ledger id."),
    text("type", "balanceType", "Type of balance.", _BALANCE_TYPES),
    text("currency", "currencyId", "Currency of the ledger."),
    about(),
)
