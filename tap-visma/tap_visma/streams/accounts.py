"""The chart of accounts and what hangs on it: organisation, periods, balances and budgets."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_visma.errors import AnswerError
from tap_visma.kinds import Filter, Paging
from tap_visma.stream import VismaStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_visma.company import Company
    from tap_visma.pagination import Row


class Accounts(VismaStream):
    """The chart of accounts; an account's number may change, its internal id does not."""

    name = "accounts"
    path = "/v1/account"
    primary_keys = ("tenant_id", "company", "accountID")
    paging = Paging.WHOLE
    expands = ("includeAccountClassDescription",)
    is_finance = True


class Subaccounts(VismaStream):
    """Subaccounts with their segments."""

    name = "subaccounts"
    path = "/v1/subaccount"
    primary_keys = ("tenant_id", "company", "subaccountId")
    is_finance = True


class Branches(VismaStream):
    """Branches of the company."""

    name = "branches"
    path = "/v1/branch"
    primary_keys = ("tenant_id", "company", "branchId")
    paging = Paging.WHOLE
    expands = (
        "expandAddress",
        "expandContact",
        "expandCurrency",
        "expandVatZone",
        "expandLedger",
        "expandIndustryCode",
        "expandDeliveryAddress",
        "expandDeliveryContact",
        "expandDefaultCountry",
        "expandBankSettings",
    )
    is_finance = True


class Organizations(VismaStream):
    """Legal entities that branches belong to."""

    name = "organizations"
    path = "/v1/organization"
    primary_keys = ("tenant_id", "company", "organizationCd")
    paging = Paging.WHOLE
    expands = ("expandBranches", "expandBankSettings")
    is_finance = True


class FinancialPeriods(VismaStream):
    """Financial periods, and in which ledgers each is closed."""

    name = "financial_periods"
    path = "/v1/financialPeriod"
    primary_keys = ("tenant_id", "company", "year", "period")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE
    is_finance = True


class DeferralCodes(VismaStream):
    """Codes by which revenue and cost are spread over periods."""

    name = "deferral_codes"
    path = "/v1/deferralCode"
    primary_keys = ("tenant_id", "company", "deferralCode")
    filter = Filter.NONE
    stamp = None
    is_finance = True


class GeneralLedgerBalances(VismaStream):
    """Balances by branch, ledger, period, account and subaccount."""

    name = "general_ledger_balances"
    path = "/v2/generalLedgerBalance"
    primary_keys = (
        "tenant_id",
        "company",
        "branch_number",
        "ledger_id",
        "balanceType",
        "financialPeriod",
        "account_number",
        "subaccount_id",
    )
    keys_from: ClassVar = {
        "branch_number": ("branch", "number"),
        "ledger_id": ("ledger", "id"),
        "account_number": ("account", "number"),
        "subaccount_id": ("subaccountId",),
    }
    filter = Filter.STAMP_ONLY
    is_finance = True


class Budgets(VismaStream):
    """Budgets, which the API gives for one branch, ledger and financial year at a time."""

    name = "budgets"
    path = "/v1/budget"
    primary_keys = (
        "tenant_id",
        "company",
        "branch_number",
        "ledger_id",
        "financial_year",
        "account_number",
        "subaccount_id",
    )
    keys_from: ClassVar = {
        "account_number": ("account", "number"),
        "subaccount_id": ("subaccount", "id"),
    }
    paging = Paging.WHOLE
    is_finance = True

    @override
    def partitions_of(self, company: Company) -> list[dict[str, Any]]:
        branches = _values(self.rows_of("branches", company), "number", "branch")
        ledgers = _values(self.rows_of("ledgers", company), "number", "ledger")
        years = self._years(company)
        return [
            {"branch_number": branch, "ledger_id": ledger, "financial_year": str(year)}
            for branch in branches
            for ledger in ledgers
            for year in years
        ]

    @override
    def own_params(self, company: Company, context: Mapping[str, Any]) -> dict[str, str | int]:
        return {
            "branch": context["branch_number"],
            "ledger": context["ledger_id"],
            "financialYear": context["financial_year"],
        }

    def _years(self, company: Company) -> range:
        first = self.config.get("first_financial_year")
        last = self.config.get("last_financial_year")
        if first is None or last is None:
            current = _current_years(self.rows_of("financial_periods", company))
            first = current.start if first is None else first
            last = current.stop - 1 if last is None else last
        return range(int(first), int(last) + 1)


def _values(rows: Iterable[Row], field: str, what: str) -> list[str]:
    found = [row.get(field) for row in rows]
    if not all(isinstance(value, (str, int)) for value in found):
        raise AnswerError(f"a {what} has no {field}, so its budgets cannot be asked for")
    return sorted({str(value) for value in found})


def _current_years(periods: Iterable[Row]) -> range:
    """The years with a period that has not ended; if all have ended, the last."""
    today = datetime.now(timezone.utc).date().isoformat()
    known = {row["year"]: False for row in periods if isinstance(row.get("year"), int)}
    if not known:
        raise AnswerError(
            "no financial period has a year: set first_financial_year and last_financial_year",
        )
    for row in periods:
        if row.get("year") in known and str(row.get("endDate") or "") >= today:
            known[row["year"]] = True
    current = [year for year, is_current in known.items() if is_current] or [max(known)]
    return range(min(current), max(current) + 1)
