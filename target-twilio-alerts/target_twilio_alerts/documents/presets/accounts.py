"""The books' order: accounts, periods, branches and what else postings refer to."""

from __future__ import annotations

from target_twilio_alerts.documents.presets.building import (
    about,
    active,
    date,
    entity,
    flag,
    payment_details,
    text,
)

ACCOUNT = entity(
    "account",
    text("number", "accountCD", "Account number."),
    about(),
    text("type", "type", "Type of account.", ("Asset", "Liability", "Income", "Expense")),
    active(),
    text("category", "accountClass", "Account class."),
    text("currency", "currency", "Currency, if it is kept in another than the company's."),
    flag("is_cash_account", "cashAccount", "Whether it is a cash account too."),
    flag("manual_entry", "allowManualEntry", "Whether it may be posted to by hand."),
    text("control_module", "controlAccountModule", "Module whose control account it is."),
)

SUBACCOUNT = entity(
    "subaccount",
    text("number", "subaccountNumber", "Subaccount number."),
    about(),
    active(),
)

_COUNTRY = text("country", "defaultCountry.id", "Country.")
_VAT_NUMBER = text("vat_number", "vatRegistrationId", "VAT registration number.")
_CORPORATE_ID = text("corporate_id", "corporateId", "Corporate identity number.")
_CURRENCY = text("currency", "currency.id", "Currency of its books.")
_ITS_ACCOUNTS = payment_details(
    "bankSettings.iban",
    "bankSettings.bban",
    "bankSettings.bbaN2",
    "bankSettings.bbaN3",
)

BRANCH = entity(
    "branch",
    text("number", "number", "Number of the branch."),
    text("name", "name", "Name of the branch."),
    active("isActive"),
    _CURRENCY,
    _ITS_ACCOUNTS,
    _COUNTRY,
    _VAT_NUMBER,
    _CORPORATE_ID,
    stream="branches",
)

ORGANIZATION = entity(
    "organization",
    text("number", "organizationCd", "Id of the organization."),
    text("name", "name", "Name of the organization."),
    text("type", "organizationType", "Type of organization."),
    _CURRENCY,
    _ITS_ACCOUNTS,
    _COUNTRY,
    _VAT_NUMBER,
    _CORPORATE_ID,
)

FINANCIAL_PERIOD = entity(
    "financial_period",
    text("number", "period", "Period within the year."),
    text("year", "year", "Financial year."),
    about(),
    date("start_date", "startDate", "First day."),
    date("end_date", "endDate", "Last day."),
    active(),
    flag("closed", "closedInGeneralLedger", "Whether it is closed in the general ledger."),
    flag("supplier_ledger_closed", "closedInSupplierLedger", "Whether it is closed there."),
    flag("customer_ledger_closed", "closedInCustomerLedger", "Whether it is closed there."),
    flag("cash_management_closed", "closedInCashManagement", "Whether it is closed there."),
)

DEFERRAL_CODE = entity(
    "deferral_code",
    text("number", "deferralCode", "The code."),
    about(),
    text("type", "codeType", "What is deferred.", ("Income", "Expense")),
    text(
        "method",
        "recognitionMethod",
        "How it is spread over time.",
        (
            *("EvenPeriods", "ProrateDays", "ExactDays", "FlexibileProrateDays"),
            *("FlexibileExactDays", "CashReceipt"),
        ),
    ),
    text("account", "deferralAccount.id", "Account it is deferred on."),
)

DEPARTMENT = entity(
    "department",
    text("number", "departmentId", "Id of the department."),
    about(),
    text("account", "expenseAccount.number", "Account of its expenses."),
)
