"""Cash management: cash accounts and transactions, how one pays and when, and currencies."""

from __future__ import annotations

from tap_visma.kinds import Filter, Lines, Paging
from tap_visma.stream import VismaStream


class CashAccounts(VismaStream):
    """Cash and bank accounts."""

    name = "cash_accounts"
    path = "/v1/cashaccount"
    primary_keys = ("tenant_id", "company", "number")
    paging = Paging.WHOLE
    is_finance = True


class CashTransactions(VismaStream):
    """Cash entries and transfers between cash accounts, with their lines."""

    name = "cash_transactions"
    path = "/v1/cashTransaction"
    primary_keys = ("tenant_id", "company", "tranType", "referenceNbr")
    is_finance = True
    lines = Lines("transactionDetails", ("lineNumber",))


class PaymentMethods(VismaStream):
    """Ways to pay and to be paid."""

    name = "payment_methods"
    path = "/v1/paymentmethod"
    primary_keys = ("tenant_id", "company", "paymentMethodID")
    stamp = None
    paging = Paging.WHOLE
    is_finance = True


class CreditTerms(VismaStream):
    """Terms of payment: due dates, cash discounts and instalments."""

    name = "credit_terms"
    path = "/v1/creditTerm"
    primary_keys = ("tenant_id", "company", "termsId")
    envelope = "records"
    is_finance = True


class Currencies(VismaStream):
    """Currencies, and which of them is the company's own."""

    name = "currencies"
    path = "/v1/currency"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE
    is_finance = True


class CurrencyRates(VismaStream):
    """Currency rates by date."""

    name = "currency_rates"
    path = "/v2/currencyrate"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE
    is_finance = True


class CurrencyRateTypes(VismaStream):
    """Kinds of currency rates, such as spot or average."""

    name = "currency_rate_types"
    path = "/v2/currencyratetype"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE
    is_finance = True
