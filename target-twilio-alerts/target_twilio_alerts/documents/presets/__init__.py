"""The entities of Visma.net ERP: which of its fields is which word of the common vocabulary.

Field names and texts are those of contracts/visma-erp.openapi.json. There `amount`, `orderTotal`
and their like are in the document's currency, and `...InCurrency` and `...InBaseCurrency` are the
same in the company's own; balances of the general ledger are the other way round.
"""

from __future__ import annotations

from target_twilio_alerts.documents.presets.accounts import (
    ACCOUNT,
    BRANCH,
    DEFERRAL_CODE,
    DEPARTMENT,
    FINANCIAL_PERIOD,
    ORGANIZATION,
    SUBACCOUNT,
)
from target_twilio_alerts.documents.presets.assets_and_projects import (
    FIXED_ASSET,
    FIXED_ASSET_CLASS,
    FIXED_ASSET_TRANSACTION,
    PROJECT,
    PROJECT_BUDGET,
    PROJECT_TRANSACTION,
)
from target_twilio_alerts.documents.presets.cash import (
    CASH_ACCOUNT,
    CASH_TRANSACTION,
    CREDIT_TERM,
    CURRENCY,
    CURRENCY_RATE,
    CURRENCY_RATE_TYPE,
    PAYMENT_METHOD,
)
from target_twilio_alerts.documents.presets.general_ledger import (
    BUDGET,
    GENERAL_LEDGER_BALANCE,
    GENERAL_LEDGER_TRANSACTION,
    JOURNAL_TRANSACTION,
    LEDGER,
)
from target_twilio_alerts.documents.presets.payables import (
    EXPENSE_CLAIM,
    SUPPLIER,
    SUPPLIER_BALANCE,
    SUPPLIER_DOCUMENT,
    SUPPLIER_INVOICE,
    SUPPLIER_PAYMENT,
)
from target_twilio_alerts.documents.presets.purchasing import (
    PURCHASE_ORDER,
    PURCHASE_RECEIPT,
    SUPPLIER_PO_BALANCE,
)
from target_twilio_alerts.documents.presets.receivables import (
    CASH_SALE,
    CUSTOMER,
    CUSTOMER_BALANCE,
    CUSTOMER_CREDIT_NOTE,
    CUSTOMER_CREDIT_WRITE_OFF,
    CUSTOMER_DEBIT_NOTE,
    CUSTOMER_DOCUMENT,
    CUSTOMER_INVOICE,
    CUSTOMER_OVERDUE_CHARGE,
    CUSTOMER_PAYMENT,
)
from target_twilio_alerts.documents.presets.vat import VAT, VAT_CATEGORY, VAT_ZONE

_PAYABLES = (
    SUPPLIER_INVOICE,
    SUPPLIER_DOCUMENT,
    SUPPLIER_PAYMENT,
    SUPPLIER,
    SUPPLIER_BALANCE,
    EXPENSE_CLAIM,
)
_RECEIVABLES = (
    CUSTOMER_INVOICE,
    CUSTOMER_CREDIT_NOTE,
    CUSTOMER_DEBIT_NOTE,
    CUSTOMER_CREDIT_WRITE_OFF,
    CUSTOMER_OVERDUE_CHARGE,
    CUSTOMER_DOCUMENT,
    CUSTOMER_PAYMENT,
    CASH_SALE,
    CUSTOMER,
    CUSTOMER_BALANCE,
)
_PURCHASING = (PURCHASE_ORDER, PURCHASE_RECEIPT, SUPPLIER_PO_BALANCE)
_GENERAL_LEDGER = (
    JOURNAL_TRANSACTION,
    GENERAL_LEDGER_TRANSACTION,
    GENERAL_LEDGER_BALANCE,
    BUDGET,
    LEDGER,
)
_ACCOUNTS = (
    ACCOUNT,
    SUBACCOUNT,
    FINANCIAL_PERIOD,
    BRANCH,
    ORGANIZATION,
    DEPARTMENT,
    DEFERRAL_CODE,
)
_CASH = (
    CASH_TRANSACTION,
    CASH_ACCOUNT,
    PAYMENT_METHOD,
    CREDIT_TERM,
    CURRENCY,
    CURRENCY_RATE,
    CURRENCY_RATE_TYPE,
)
_ASSETS_AND_PROJECTS = (
    FIXED_ASSET,
    FIXED_ASSET_TRANSACTION,
    FIXED_ASSET_CLASS,
    PROJECT,
    PROJECT_BUDGET,
    PROJECT_TRANSACTION,
)
_VAT = (VAT, VAT_CATEGORY, VAT_ZONE)

DOMAINS = {
    "Payables": _PAYABLES,
    "Receivables": _RECEIVABLES,
    "Purchasing": _PURCHASING,
    "General ledger": _GENERAL_LEDGER,
    "Accounts and periods": _ACCOUNTS,
    "Cash and currencies": _CASH,
    "Fixed assets and projects": _ASSETS_AND_PROJECTS,
    "VAT": _VAT,
}
"""Entities by what they are about, as the documentation orders them."""

ENTITIES = {entity.name: entity for entities in DOMAINS.values() for entity in entities}
"""Entities by name, as rules name them."""

PRESETS = {entity.stream: entity for entity in ENTITIES.values()}
"""Entities by the stream that brings their records."""
